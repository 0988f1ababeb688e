/* breaker_test: what opens it, what a probe may find, what closes it. */
#include "delivery/policy/breaker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define T RESPONSE_TRANSIENT
#define R RESPONSE_REFUSED
#define E RESPONSE_ENDPOINT
#define D RESPONSE_DELIVERED

static const struct breaker_options options = {.failures_in_row = 5,
                                               .failures_min = 20,
                                               .failures_window_s = 30,
                                               .refusals_min = 20,
                                               .refusals_window_s = 60,
                                               .probe_first_ms = 5000,
                                               .probe_cap_ms = 60000};

static struct breaker closed(void)
{
    struct breaker b;
    breaker_init(&b, 0);
    return b;
}

static bool answer(struct breaker *b, enum response_class class, int64_t now_ms)
{
    return breaker_learn(
        b, &options,
        &(struct breaker_answer){.class = class, .counts_refusal = true, .now_ms = now_ms});
}

static bool probe(struct breaker *b, enum response_class class, int64_t now_ms)
{
    assert_int_equal(breaker_ask(b, now_ms), BREAKER_PROBE);
    breaker_probing(b);
    assert_int_equal(breaker_ask(b, now_ms), BREAKER_WAIT); /* one at a time */
    return breaker_learn(
        b, &options,
        &(struct breaker_answer){
            .class = class, .was_probe = true, .counts_refusal = true, .now_ms = now_ms});
}

static void one_endpoint_fault_opens(void **state)
{
    struct breaker b = closed();
    (void)state;
    assert_int_equal(breaker_ask(&b, 0), BREAKER_SEND);
    assert_true(answer(&b, E, 1000));
    assert_int_equal(b.cause, BREAKER_ENDPOINT_FAULT);
    assert_int_equal(breaker_ask(&b, 5999), BREAKER_WAIT);
    assert_int_equal(breaker_wake_ms(&b), 6000);
    assert_int_equal(breaker_ask(&b, 6000), BREAKER_PROBE);
}

static void five_in_a_row_open(void **state)
{
    struct breaker b = closed();
    (void)state;
    for (int i = 0; i < 4; i++)
        assert_false(answer(&b, T, i));
    assert_false(answer(&b, D, 4)); /* ends the row */
    for (int i = 0; i < 4; i++)
        assert_false(answer(&b, T, 5 + i));
    assert_true(answer(&b, T, 9));
    assert_int_equal(b.cause, BREAKER_IN_ROW);
}

/* Every other one fails: half of twenty, and not before there are twenty. */
static void half_of_twenty_open(void **state)
{
    struct breaker b = closed();
    (void)state;
    for (int i = 0; i < 19; i++)
        assert_false(answer(&b, i % 2 ? T : D, i * 1000));
    assert_true(answer(&b, T, 19000));
    assert_int_equal(b.cause, BREAKER_RATE);
}

static void less_than_half_is_endured(void **state)
{
    struct breaker b = closed();
    (void)state;
    for (int i = 0; i < 3000; i++)
        assert_false(answer(&b, i % 3 == 0 ? T : D, i * 100));
}

/* Failures older than the window are forgotten. */
static void the_window_moves(void **state)
{
    struct breaker b = closed();
    (void)state;
    for (int i = 0; i < 4; i++)
        answer(&b, T, 0);
    answer(&b, D, 0);
    for (int i = 0; i < 4; i++)
        answer(&b, T, 1);
    for (int i = 0; i < 15; i++)
        assert_false(answer(&b, D, 31000));
    for (int i = 0; i < 4; i++)
        assert_false(answer(&b, T, 32000)); /* 4 of 19, not 12 of 28 */
}

/* Twenty refusals, half of a minute's answers. */
static void refusals_open_a_guard(void **state)
{
    struct breaker b = closed();
    (void)state;
    for (int i = 0; i < 19; i++)
        assert_false(answer(&b, R, i * 3000));
    assert_true(answer(&b, R, 57000));
    assert_int_equal(b.cause, BREAKER_REFUSALS);
    /* a refused probe leaves it open, and so does a failed one; only a 2xx closes it */
    assert_false(probe(&b, R, 62000));
    assert_false(probe(&b, T, 72000));
    assert_true(breaker_is_open(&b));
    assert_true(probe(&b, D, 92000));
    assert_false(breaker_is_open(&b));
}

static void few_refusals_among_many_are_endured(void **state)
{
    struct breaker b = closed();
    (void)state;
    for (int i = 0; i < 3000; i++)
        assert_false(answer(&b, i % 3 == 0 ? R : D, i * 10));
}

/* Redrives are refused again by nature: the guard does not count them. */
static void redrives_open_no_guard(void **state)
{
    struct breaker b = closed();
    (void)state;
    for (int i = 0; i < 100; i++)
        assert_false(
            breaker_learn(&b, &options, &(struct breaker_answer){.class = R, .now_ms = i}));
}

/* The wait doubles up to its cap, and starts anew the next time. */
static void probes_are_rarer_each_time(void **state)
{
    static const int64_t gaps[] = {5000, 10000, 20000, 40000, 60000, 60000, 60000};
    struct breaker b = closed();
    int64_t now_ms = 1000;
    (void)state;
    answer(&b, E, now_ms);
    for (size_t i = 0; i < sizeof gaps / sizeof *gaps; i++) {
        assert_int_equal(breaker_wake_ms(&b), now_ms + gaps[i]);
        assert_int_equal(breaker_ask(&b, now_ms + gaps[i] - 1), BREAKER_WAIT);
        now_ms += gaps[i];
        assert_false(probe(&b, i % 2 ? T : E, now_ms));
    }
    now_ms += 60000;
    assert_true(probe(&b, D, now_ms));
    assert_int_equal(breaker_ask(&b, now_ms), BREAKER_SEND);
    for (int i = 0; i < 4; i++)
        assert_false(answer(&b, T, now_ms)); /* what was before counts no more */
    assert_true(answer(&b, T, now_ms));
    assert_int_equal(breaker_wake_ms(&b), now_ms + 5000);
}

/* A record's own fault shows that the endpoint works. */
static void a_refused_probe_closes_after_failures(void **state)
{
    struct breaker b = closed();
    (void)state;
    for (int i = 0; i < 5; i++)
        answer(&b, T, 0);
    assert_true(probe(&b, R, 5000));
    assert_false(breaker_is_open(&b));
}

static void late_answers_change_nothing(void **state)
{
    struct breaker b = closed();
    (void)state;
    answer(&b, E, 1000);
    assert_false(answer(&b, D, 1001)); /* sent before it opened */
    assert_false(answer(&b, E, 1002));
    assert_int_equal(breaker_wake_ms(&b), 6000);
}

static void a_lost_probe_is_made_up_for(void **state)
{
    struct breaker b = closed();
    (void)state;
    answer(&b, E, 1000);
    assert_int_equal(breaker_ask(&b, 6000), BREAKER_PROBE);
    breaker_probing(&b);
    assert_int_equal(breaker_wake_ms(&b), -1); /* its end will tell */
    breaker_probe_gone(&b, 6500);
    assert_int_equal(breaker_ask(&b, 6500), BREAKER_PROBE);
}

/* Its time open adds up over all of its openings, the one that goes on included. */
static void the_time_open_adds_up(void **state)
{
    struct breaker b = closed();
    (void)state;
    assert_int_equal(breaker_open_ms(&b, 1000), 0);
    answer(&b, E, 1000);
    assert_int_equal(breaker_open_ms(&b, 4000), 3000);
    assert_false(probe(&b, E, 6000));
    assert_true(probe(&b, D, 16000));
    assert_int_equal(breaker_open_ms(&b, 50000), 15000);
    answer(&b, E, 60000);
    breaker_retarget(&b, &options, 61000);
    assert_int_equal(breaker_open_ms(&b, 62000), 17000);
    assert_true(probe(&b, D, 62000));
    assert_int_equal(breaker_open_ms(&b, 99000), 17000);
}

static bool busy(struct breaker *b, int64_t now_ms)
{
    return breaker_learn(b, &options,
                         &(struct breaker_answer){.class = T,
                                                  .counts_refusal = true,
                                                  .is_pace = true,
                                                  .through_ms = 10000,
                                                  .now_ms = now_ms});
}

/* One of a hundred gets through. */
static void an_endpoint_that_takes_some_is_no_outage(void **state)
{
    struct breaker b = closed();
    (void)state;
    answer(&b, D, 0);
    for (int i = 1; i < 3000; i++)
        assert_false(i % 100 == 0 ? answer(&b, D, i * 50) : busy(&b, i * 50));
}

static void an_endpoint_that_takes_none_is_one(void **state)
{
    struct breaker b = closed();
    (void)state;
    for (int i = 0; i < 4; i++)
        assert_false(busy(&b, i)); /* nothing ever got through */
    assert_true(busy(&b, 4));
    assert_true(probe(&b, D, 6000));
    for (int i = 0; i < 100; i++)
        assert_false(busy(&b, 15999)); /* it did ten seconds ago */
    for (int i = 0; i < 4; i++)
        assert_false(busy(&b, 16000));
    assert_true(busy(&b, 16000));
    assert_int_equal(b.cause, BREAKER_IN_ROW);
}

static void other_failures_open_while_others_get_through(void **state)
{
    struct breaker b = closed();
    (void)state;
    answer(&b, D, 0);
    for (int i = 0; i < 4; i++) {
        assert_false(answer(&b, T, 1));
        assert_false(busy(&b, 1)); /* neither counts nor ends the row */
    }
    assert_true(answer(&b, T, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_endpoint_fault_opens),
        cmocka_unit_test(the_time_open_adds_up),
        cmocka_unit_test(five_in_a_row_open),
        cmocka_unit_test(half_of_twenty_open),
        cmocka_unit_test(less_than_half_is_endured),
        cmocka_unit_test(the_window_moves),
        cmocka_unit_test(refusals_open_a_guard),
        cmocka_unit_test(few_refusals_among_many_are_endured),
        cmocka_unit_test(redrives_open_no_guard),
        cmocka_unit_test(probes_are_rarer_each_time),
        cmocka_unit_test(a_refused_probe_closes_after_failures),
        cmocka_unit_test(late_answers_change_nothing),
        cmocka_unit_test(a_lost_probe_is_made_up_for),
        cmocka_unit_test(an_endpoint_that_takes_some_is_no_outage),
        cmocka_unit_test(an_endpoint_that_takes_none_is_one),
        cmocka_unit_test(other_failures_open_while_others_get_through),
    };
    return cmocka_run_group_tests_name("breaker", tests, NULL, NULL);
}
