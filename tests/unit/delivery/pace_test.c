/* pace_test: the controller's steps one by one; pace_receivers_test has what comes of them. */
#include "delivery/policy/pace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

enum { MAX = 16 };

/* ---- step by step ---- */

struct steps {
    struct pace pace;
    struct pace_request requests[64]; /* under way, oldest first */
    size_t in_flight;
    int64_t now_ms;
};

static struct steps begin(int max)
{
    struct steps s = {.now_ms = 1000};
    pace_init(&s.pace, max, s.now_ms);
    s.pace.at_a_time.credit = 0; /* no sign is let pass */
    return s;
}

/* As many as may be. */
static size_t fill(struct steps *s)
{
    while (pace_may_send(&s->pace, s->in_flight, s->now_ms)) {
        assert_true(s->in_flight < 64);
        s->requests[s->in_flight] = pace_sent(&s->pace, s->in_flight + 1, s->now_ms);
        s->in_flight++;
    }
    return s->in_flight;
}

/* The one that began as so many were under way before it. */
static bool answer_at(struct steps *s, size_t at, enum pace_sense sense, int64_t took_ms)
{
    assert_true(at < s->in_flight);
    const struct pace_answer a = {
        .sense = sense, .request = s->requests[at], .took_ms = took_ms, .now_ms = s->now_ms};
    s->in_flight--;
    for (size_t i = at; i < s->in_flight; i++)
        s->requests[i] = s->requests[i + 1];
    return pace_learn(&s->pace, &a);
}

static bool answer(struct steps *s, enum pace_sense sense, int64_t took_ms)
{
    return answer_at(s, 0, sense, took_ms);
}

static bool refuse_last(struct steps *s)
{
    return answer_at(s, s->in_flight - 1, PACE_TOO_MUCH, 1);
}

/* All that are under way are answered well after took_ms; returns how many then are. */
static size_t round_trip(struct steps *s, int64_t took_ms)
{
    s->now_ms += took_ms;
    for (size_t left = s->in_flight; left > 0; left--) {
        answer(s, PACE_PASSED, took_ms);
        fill(s);
    }
    return s->in_flight;
}

static void doubles_up_to_its_ceiling(void **state)
{
    static const size_t expected[] = {4, 8, 16, 20, 20};
    struct steps s = begin(20);
    (void)state;
    assert_int_equal(fill(&s), 2);
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        assert_int_equal(round_trip(&s, 50), expected[i]);
    s = begin(1);
    assert_int_equal(fill(&s), 1);
    assert_int_equal(round_trip(&s, 50), 1);
}

static void an_unused_limit_does_not_grow(void **state)
{
    struct steps s = begin(MAX);
    (void)state;
    for (int i = 0; i < 100; i++) {
        s.requests[0] = pace_sent(&s.pace, s.in_flight = 1, s.now_ms);
        answer(&s, PACE_PASSED, 50);
    }
    assert_int_equal(s.pace.at_a_time.limit, 2);
}

/* Eight at a time; four of them are refused, and count once. */
static void a_failed_test_leaves_what_passed(void **state)
{
    struct steps s = begin(MAX);
    (void)state;
    fill(&s);
    round_trip(&s, 50);
    assert_int_equal(round_trip(&s, 50), 8);
    assert_true(refuse_last(&s));
    for (int i = 0; i < 3; i++)
        assert_false(refuse_last(&s));
    assert_int_equal(s.pace.at_a_time.limit, 4);
    assert_int_equal(s.pace.slowed, 1);
    assert_int_equal(s.pace.a_second.limit, 0); /* a 503 says nothing of requests a second */
    assert_int_equal(fill(&s), 4);
    assert_int_equal(round_trip(&s, 50), 4); /* these four began before it */
    /* from here on half of the way each round trip, up to one below what was too much */
    assert_int_equal(round_trip(&s, 50), 6);
    for (int i = 0; i < 8; i++)
        assert_int_equal(round_trip(&s, 50), 7);
    /* tried again; it is not too much any more, so the next are tried at once, each time more */
    for (size_t expected = 8, step = 2; expected <= 14; expected += step, step *= 2)
        assert_int_equal(round_trip(&s, 50), expected);
}

/* As many as passed for long: the receiver is not the same any more. */
static void any_other_sign_halves(void **state)
{
    struct steps s = begin(8);
    (void)state;
    fill(&s);
    for (int i = 0; i < 4; i++)
        assert_in_range(round_trip(&s, 50), 4, 8);
    s.pace.at_a_time.credit = 0;
    assert_true(refuse_last(&s));
    assert_int_equal(s.pace.at_a_time.limit, 4);
    assert_int_equal(s.pace.at_a_time.too_much, 8);
}

/* The fifth is refused, though others are read first that came with it. */
static void as_many_as_were_under_way_when_it_began(void **state)
{
    struct steps s = begin(MAX);
    (void)state;
    fill(&s);
    round_trip(&s, 50);
    answer(&s, PACE_PASSED, 50);
    fill(&s);
    assert_int_equal(s.in_flight, 8);
    assert_int_equal(s.requests[4].in_flight, 5);
    struct pace_answer a = {PACE_TOO_MUCH, s.requests[4], 1, s.now_ms};
    s.in_flight = 1; /* all were read */
    assert_true(pace_learn(&s.pace, &a));
    assert_int_equal(s.pace.at_a_time.too_much, 5);
    assert_int_equal(s.pace.at_a_time.limit, 4);
}

static void a_failed_try_costs_one_and_patience(void **state)
{
    struct steps s = begin(MAX);
    (void)state;
    fill(&s);
    round_trip(&s, 50);
    round_trip(&s, 50);
    refuse_last(&s); /* 8 are too much */
    fill(&s);
    for (int expected = 16; expected <= 128; expected *= 2) {
        while (!s.pace.at_a_time.testing || s.pace.at_a_time.limit < 8)
            round_trip(&s, 50);
        assert_int_equal(fill(&s), 8);
        while (!refuse_last(&s)) /* some may be chance */
            assert_int_equal(fill(&s), 8);
        assert_int_equal(s.pace.at_a_time.limit, 7);
        assert_int_equal(s.pace.at_a_time.patience.length, expected < 64 ? expected : 64);
    }
}

static void a_sign_among_many_answers_may_be_chance(void **state)
{
    struct steps s = begin(MAX);
    (void)state;
    fill(&s);
    for (int i = 0; i < 8; i++)
        round_trip(&s, 50);
    for (int i = 0; i < 3; i++) /* 24 eighths */
        assert_false(answer(&s, PACE_TOO_MUCH, 1));
    assert_true(answer(&s, PACE_TOO_MUCH, 1));
    pace_restart(&s.pace, s.now_ms); /* two of the first as well */
    s.in_flight = 0;
    fill(&s);
    assert_false(answer(&s, PACE_TOO_FAST, 1));
    fill(&s);
    assert_false(answer(&s, PACE_TOO_FAST, 1));
    assert_true(answer(&s, PACE_TOO_FAST, 1));
}

/* More than twice the usual, and 100 ms, three round trips in a row: the raise is taken back. */
static void latency_that_grows_is_a_sign(void **state)
{
    struct steps s = begin(64);
    (void)state;
    fill(&s);
    round_trip(&s, 200);
    assert_int_equal(round_trip(&s, 300), 8);
    assert_int_equal(round_trip(&s, 1500), 8); /* no raise */
    round_trip(&s, 1500);
    assert_int_equal(s.pace.slowed, 0);
    round_trip(&s, 1500);
    assert_int_equal(s.pace.slowed, 1);
    assert_int_equal(s.pace.at_a_time.limit, 4);
    for (int i = 0; i < 60; i++)
        round_trip(&s, 1500);
    assert_true(s.pace.at_a_time.limit > 16); /* usual by now */
}

/* A pause of this machine's own: the round trip before shows it as well. */
static void one_slow_round_trip_is_none(void **state)
{
    struct steps s = begin(64);
    (void)state;
    fill(&s);
    for (int i = 0; i < 40; i++)
        round_trip(&s, i % 4 == 3 ? 1000 : 10);
    assert_int_equal(s.pace.slowed, 0);
    assert_int_equal(s.pace.at_a_time.limit, 64);
}

static void quick_answers_may_become_slower(void **state)
{
    struct steps s = begin(64);
    (void)state;
    fill(&s);
    for (int i = 0; i < 3; i++)
        round_trip(&s, 1);
    assert_int_equal(s.in_flight, 16);
    assert_int_equal(round_trip(&s, 90), 32);
    assert_int_equal(round_trip(&s, 90), 64);
}

/* Twelve passed within the last second, then a 429. */
static void a_429_finds_the_rate_that_passes(void **state)
{
    struct steps s = begin(MAX);
    (void)state;
    fill(&s);
    for (int i = 0; i < 12; i++) {
        answer(&s, PACE_PASSED, 20);
        fill(&s);
    }
    s.pace.at_a_time.credit = 0;
    assert_true(answer(&s, PACE_TOO_FAST, 1));
    assert_int_equal(pace_per_second(&s.pace), 12);
    assert_false(pace_may_send(&s.pace, 0, s.now_ms));
    assert_int_equal(pace_wake_ms(&s.pace, 0, s.now_ms), s.now_ms + 84);
    assert_false(pace_may_send(&s.pace, 0, s.now_ms + 83));
    assert_true(pace_may_send(&s.pace, 0, s.now_ms + 84));
}

static void a_503_to_one_at_a_time_finds_it_as_well(void **state)
{
    struct steps s = begin(MAX);
    (void)state;
    fill(&s);
    assert_true(refuse_last(&s)); /* the second */
    assert_int_equal(s.pace.at_a_time.limit, 1);
    assert_int_equal(pace_per_second(&s.pace), 0);
    answer(&s, PACE_PASSED, 50);
    fill(&s);
    assert_true(refuse_last(&s));
    assert_int_equal(pace_per_second(&s.pace), 4);
}

/* Refusals come before work is done: the first answers of a second speak of them alone. */
static void quick_refusals_are_no_whole_second(void **state)
{
    struct steps s = begin(MAX);
    (void)state;
    s.pace.at_a_time.limit = 10;
    s.pace.a_second.limit = 400;
    s.pace.a_second.credit = 16;
    s.pace.a_second.tokens = 10;
    while (s.in_flight < 10) {
        s.requests[s.in_flight] = pace_sent(&s.pace, s.in_flight + 1, s.now_ms);
        s.in_flight++;
    }
    s.now_ms += 1500;
    assert_false(answer(&s, PACE_TOO_FAST, 1)); /* one of ten: not "nothing passes" */
    for (int i = 0; i < 9; i++)
        assert_false(answer(&s, PACE_PASSED, 20));
    assert_true(pace_may_send(&s.pace, 0, s.now_ms + 10));
    assert_true(pace_per_second(&s.pace) >= 400);
}

/* An order that hangs by itself holds up no other: half of eight, and never fewer than two. */
static void a_time_out_leaves_two_at_a_time(void **state)
{
    struct steps s = begin(MAX);
    (void)state;
    fill(&s);
    round_trip(&s, 50);
    round_trip(&s, 50);
    assert_true(answer(&s, PACE_TIMED_OUT, 30000));
    assert_int_equal(s.pace.at_a_time.limit, 4);
    for (int i = 0; i < 100; i++) {
        fill(&s);
        answer(&s, PACE_TIMED_OUT, 30000);
    }
    assert_int_equal(s.pace.at_a_time.limit, 2);
    assert_int_equal(pace_per_second(&s.pace), 0);
}

/* Two that hang hold up the rest for two seconds, the next for four. */
static void one_more_goes_where_all_hang(void **state)
{
    struct steps s = begin(4);
    (void)state;
    assert_int_equal(fill(&s), 2);
    assert_int_equal(pace_wake_ms(&s.pace, 2, s.now_ms), s.now_ms + 2000);
    s.now_ms += 1999;
    assert_int_equal(fill(&s), 2);
    s.now_ms++;
    assert_int_equal(fill(&s), 3);
    s.now_ms += 3999;
    assert_int_equal(fill(&s), 3);
    s.now_ms++;
    assert_int_equal(fill(&s), 4);
    assert_int_equal(pace_wake_ms(&s.pace, 4, s.now_ms), -1); /* the ceiling */
}

/* Orders that wait go on; those that hang hold them up no more. */
static void growth_goes_on_beside_those_that_hang(void **state)
{
    struct steps s = begin(MAX);
    (void)state;
    fill(&s);
    s.now_ms += 2000;
    assert_int_equal(fill(&s), 3);
    for (int i = 0; i < 5; i++) {
        s.now_ms += 50;
        while (s.in_flight > 2)
            answer_at(&s, 2, PACE_PASSED, 50);
        fill(&s);
    }
    assert_int_equal(s.in_flight, MAX);
}

/* A receiver that takes ten seconds is given twenty. */
static void slow_answers_are_awaited(void **state)
{
    struct steps s = begin(MAX);
    (void)state;
    fill(&s);
    s.now_ms += 1500;
    answer(&s, PACE_PASSED, 10000);
    s.pace.at_a_time.limit = 2;
    fill(&s);
    assert_int_equal(pace_wake_ms(&s.pace, 2, s.now_ms), s.now_ms + 20000);
}

/* … and one that said how many are too much is asked for one more, which it may refuse. */
static void a_refusal_ends_that_growth(void **state)
{
    struct steps s = begin(MAX);
    (void)state;
    fill(&s);
    s.now_ms += 2000;
    assert_int_equal(fill(&s), 3);
    assert_true(refuse_last(&s));
    assert_int_equal(s.pace.at_a_time.limit, 2);
    assert_int_equal(fill(&s), 2);
    assert_int_equal(pace_wake_ms(&s.pace, 2, s.now_ms), s.now_ms + 4000);
}

static void a_hold_holds_all_and_passes(void **state)
{
    struct steps s = begin(MAX);
    (void)state;
    pace_hold(&s.pace, 8000);
    pace_hold(&s.pace, 3000); /* the longest counts */
    assert_true(pace_is_held(&s.pace, 7999));
    assert_false(pace_may_send(&s.pace, 0, 7999));
    assert_int_equal(pace_wake_ms(&s.pace, 0, 7999), 8000);
    assert_int_equal(pace_wake_ms(&s.pace, MAX, 7999), 8000); /* however many are under way */
    assert_true(pace_may_send(&s.pace, 0, 8000));
    assert_int_equal(pace_wake_ms(&s.pace, 0, 8000), -1);
    pace_restart(&s.pace, 5000); /* what was asked for stands */
    assert_false(pace_may_send(&s.pace, 0, 7999));
    pace_release(&s.pace);
    assert_true(pace_may_send(&s.pace, 0, 5000));
}

static void the_share_bounds_whatever_is_found(void **state)
{
    struct steps s = begin(MAX);
    int sent = 0;
    (void)state;
    pace_set_share(&s.pace, 50);
    for (int64_t ms = 0; ms < 10000; ms++, s.now_ms++) {
        size_t before = s.in_flight;
        sent += (int)(fill(&s) - before);
        while (s.in_flight > 0)
            answer(&s, PACE_PASSED, 1);
    }
    assert_in_range(sent, 490, 502);
    pace_restart(&s.pace, s.now_ms);
    assert_int_equal(pace_per_second(&s.pace), 50);
    pace_set_share(&s.pace, 0);
    assert_int_equal(pace_per_second(&s.pace), 0);
}

static void after_an_outage_it_starts_low(void **state)
{
    struct steps s = begin(MAX);
    (void)state;
    fill(&s);
    for (int i = 0; i < 8; i++)
        round_trip(&s, 50);
    while (!answer(&s, PACE_TOO_FAST, 1))
        ;
    assert_true(pace_per_second(&s.pace) > 0);
    s.in_flight = 0;
    pace_restart(&s.pace, s.now_ms);
    assert_int_equal(pace_per_second(&s.pace), 0);
    assert_int_equal(fill(&s), 2);
    assert_int_equal(round_trip(&s, 50), 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(doubles_up_to_its_ceiling),
        cmocka_unit_test(an_unused_limit_does_not_grow),
        cmocka_unit_test(a_failed_test_leaves_what_passed),
        cmocka_unit_test(any_other_sign_halves),
        cmocka_unit_test(as_many_as_were_under_way_when_it_began),
        cmocka_unit_test(a_failed_try_costs_one_and_patience),
        cmocka_unit_test(a_sign_among_many_answers_may_be_chance),
        cmocka_unit_test(latency_that_grows_is_a_sign),
        cmocka_unit_test(one_slow_round_trip_is_none),
        cmocka_unit_test(quick_answers_may_become_slower),
        cmocka_unit_test(a_429_finds_the_rate_that_passes),
        cmocka_unit_test(a_503_to_one_at_a_time_finds_it_as_well),
        cmocka_unit_test(quick_refusals_are_no_whole_second),
        cmocka_unit_test(a_time_out_leaves_two_at_a_time),
        cmocka_unit_test(one_more_goes_where_all_hang),
        cmocka_unit_test(growth_goes_on_beside_those_that_hang),
        cmocka_unit_test(slow_answers_are_awaited),
        cmocka_unit_test(a_refusal_ends_that_growth),
        cmocka_unit_test(a_hold_holds_all_and_passes),
        cmocka_unit_test(the_share_bounds_whatever_is_found),
        cmocka_unit_test(after_an_outage_it_starts_low),
    };
    return cmocka_run_group_tests_name("pace", tests, NULL, NULL);
}
