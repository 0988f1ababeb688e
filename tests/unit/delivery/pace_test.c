/* pace_test: the controller's steps one by one, and what comes of them at receivers in simulated
 * time. */
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
    uint64_t numbers[64]; /* of the requests under way, oldest first */
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
        s->numbers[s->in_flight] = pace_sent(&s->pace, s->in_flight + 1, s->now_ms);
        s->in_flight++;
    }
    return s->in_flight;
}

static bool answer(struct steps *s, enum pace_sense sense, int64_t took_ms)
{
    const struct pace_answer a = {.sense = sense,
                                  .number = s->numbers[0],
                                  .in_flight = s->in_flight,
                                  .took_ms = took_ms,
                                  .now_ms = s->now_ms};
    assert_true(s->in_flight > 0);
    s->in_flight--;
    for (size_t i = 0; i < s->in_flight; i++)
        s->numbers[i] = s->numbers[i + 1];
    return pace_learn(&s->pace, &a);
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
        s.numbers[0] = pace_sent(&s.pace, s.in_flight = 1, s.now_ms);
        answer(&s, PACE_PASSED, 50);
    }
    assert_int_equal(s.pace.at_a_time.limit, 2);
}

/* Eight at a time; four of them are refused, and count once. */
static void one_round_trip_halves_once(void **state)
{
    struct steps s = begin(MAX);
    (void)state;
    fill(&s);
    round_trip(&s, 50);
    assert_int_equal(round_trip(&s, 50), 8);
    assert_true(answer(&s, PACE_TOO_MUCH, 1));
    for (int i = 0; i < 3; i++)
        assert_false(answer(&s, PACE_TOO_MUCH, 1));
    assert_int_equal(s.pace.at_a_time.limit, 4);
    assert_int_equal(s.pace.slowed, 1);
    assert_int_equal(s.pace.a_second.limit, 0); /* a 503 says nothing of requests a second */
    assert_int_equal(fill(&s), 4);
    assert_int_equal(round_trip(&s, 50), 4); /* these four began before it */
    /* from here on one more each round trip, up to one below what was too much */
    for (size_t expected = 5; expected <= 7; expected++)
        assert_int_equal(round_trip(&s, 50), expected);
    for (int i = 0; i < 7; i++)
        assert_int_equal(round_trip(&s, 50), 7);
    assert_int_equal(round_trip(&s, 50), 8); /* tried again */
    assert_int_equal(round_trip(&s, 50), 9); /* and it is not too much any more */
}

static void a_failed_test_costs_one_and_patience(void **state)
{
    struct steps s = begin(MAX);
    (void)state;
    fill(&s);
    round_trip(&s, 50);
    round_trip(&s, 50);
    answer(&s, PACE_TOO_MUCH, 1); /* 8 are too much */
    fill(&s);
    for (int expected = 16; expected <= 64; expected *= 2) {
        while (!s.pace.at_a_time.testing)
            round_trip(&s, 50);
        assert_int_equal(fill(&s), 8);
        while (!answer(&s, PACE_TOO_MUCH, 1)) /* some may be chance */
            assert_int_equal(fill(&s), 8);
        assert_int_equal(s.pace.at_a_time.limit, 7);
        assert_int_equal(s.pace.at_a_time.patience.length, expected);
    }
    while (!s.pace.at_a_time.testing)
        round_trip(&s, 50);
    while (!answer(&s, PACE_TOO_MUCH, 1))
        ;
    assert_int_equal(s.pace.at_a_time.patience.length, 64); /* at most */
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

/* More than twice the usual, and 100 ms: one less, and no doubling any more. */
static void latency_that_grows_is_a_sign(void **state)
{
    struct steps s = begin(64);
    (void)state;
    fill(&s);
    round_trip(&s, 200);
    assert_int_equal(round_trip(&s, 300), 8);
    assert_int_equal(round_trip(&s, 900), 16); /* its first answer ends the round trip before */
    assert_int_equal(round_trip(&s, 900), 15);
    for (int i = 0; i < 40; i++)
        round_trip(&s, 900);
    assert_true(s.pace.at_a_time.limit > 16); /* usual by now */
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
    assert_true(answer(&s, PACE_TOO_MUCH, 1));
    assert_int_equal(s.pace.at_a_time.limit, 1);
    s.in_flight = 0;
    fill(&s);
    assert_int_equal(pace_per_second(&s.pace), 0);
    assert_true(answer(&s, PACE_TOO_MUCH, 1));
    assert_int_equal(pace_per_second(&s.pace), 4);
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

/* ---- at receivers ---- */

struct receiver {
    const char *name;
    int workers; /* 0: as many as come */
    bool queues; /* what finds no worker waits; else it is refused with 503 */
    int took_ms;
    int a_second, burst;      /* 0: no limit; beyond it: */
    enum pace_sense refusal;  /* 429, or 503 */
    int asks_ms;              /* Retry-After; 0: none */
    bool by_the_second;       /* counts anew each second, else a token bucket */
    int by_chance;            /* one in so many is refused as well, for no reason */
    int max;                  /* webhook.concurrency */
    int from_s, until_s;      /* measured */
    double delivered, excess; /* at least so many a second; requests a delivery, at most */
};

struct simulated {
    const struct receiver *receiver;
    struct pace pace;
    double tokens;
    int64_t now_ms, free_ms[64]; /* of the workers */
    struct simulated_request {
        uint64_t number;
        int64_t sent_ms, ends_ms;
        enum pace_sense sense;
    } requests[256];
    size_t in_flight;
    unsigned delivered, begun;
    uint32_t dice;
};

static bool by_chance(struct simulated *s)
{
    s->dice = s->dice * 1664525u + 1013904223u;
    int one_in = s->receiver->by_chance;
    return one_in > 0 && (s->dice >> 8) % (uint32_t)one_in == 0;
}

/* The worker that is free first; NULL: all are busy, and nothing waits here. */
static int64_t *find_worker(struct simulated *s)
{
    int64_t *first = &s->free_ms[0];
    for (int i = 1; i < s->receiver->workers; i++)
        if (s->free_ms[i] < *first)
            first = &s->free_ms[i];
    return s->receiver->queues || *first <= s->now_ms ? first : NULL;
}

/* Its way there and back takes a millisecond. */
static void arrive(struct simulated *s, struct simulated_request *r)
{
    const struct receiver *to = s->receiver;
    r->ends_ms = s->now_ms + 1;
    r->sense = to->refusal;
    if (to->a_second > 0 && s->tokens < 1)
        return;
    s->tokens -= 1;
    r->sense = PACE_TOO_MUCH;
    int64_t *worker = to->workers > 0 ? find_worker(s) : &s->now_ms;
    if (worker == NULL)
        return;
    r->sense = to->refusal;
    if (by_chance(s))
        return;
    r->sense = PACE_PASSED;
    r->ends_ms += to->took_ms + (*worker > s->now_ms ? *worker - s->now_ms : 0);
    if (to->workers > 0)
        *worker = r->ends_ms - 1;
}

static void refill(struct simulated *s)
{
    const struct receiver *r = s->receiver;
    if (r->by_the_second)
        s->tokens = s->now_ms % 1000 == 0 ? r->a_second : s->tokens;
    else
        s->tokens += r->a_second / 1000.0;
    if (s->tokens > r->burst)
        s->tokens = r->burst;
}

static void end_requests(struct simulated *s)
{
    for (size_t i = 0; i < s->in_flight;) {
        struct simulated_request r = s->requests[i];
        if (r.ends_ms > s->now_ms) {
            i++;
            continue;
        }
        const struct pace_answer a = {.sense = r.sense,
                                      .number = r.number,
                                      .in_flight = s->in_flight,
                                      .took_ms = s->now_ms - r.sent_ms,
                                      .now_ms = s->now_ms};
        if (r.sense != PACE_PASSED && s->receiver->asks_ms > 0)
            pace_hold(&s->pace, s->now_ms + s->receiver->asks_ms);
        pace_learn(&s->pace, &a);
        s->delivered += r.sense == PACE_PASSED;
        s->requests[i] = s->requests[--s->in_flight];
    }
}

static void simulate(struct simulated *s, int seconds)
{
    for (int64_t until_ms = s->now_ms + seconds * INT64_C(1000); s->now_ms < until_ms;
         s->now_ms++) {
        refill(s);
        end_requests(s);
        while (pace_may_send(&s->pace, s->in_flight, s->now_ms)) {
            struct simulated_request *r = &s->requests[s->in_flight];
            r->number = pace_sent(&s->pace, ++s->in_flight, s->now_ms);
            r->sent_ms = s->now_ms;
            s->begun++;
            arrive(s, r);
        }
    }
}

static const struct receiver receivers[] = {
    {"10/s, then 429", .a_second = 10, .burst = 10, .refusal = PACE_TOO_FAST, .took_ms = 20,
     .until_s = 60, .delivered = 9, .excess = 1.2},
    {"10/s, one by one", .a_second = 10, .burst = 1, .refusal = PACE_TOO_FAST, .took_ms = 20,
     .until_s = 60, .delivered = 8, .excess = 1.2},
    {"10 each second", .a_second = 10, .burst = 10, .refusal = PACE_TOO_FAST, .took_ms = 20,
     .by_the_second = true, .until_s = 60, .delivered = 8.5, .excess = 1.3},
    {"10/s, Retry-After: 1", .a_second = 10, .burst = 10, .refusal = PACE_TOO_FAST, .took_ms = 20,
     .asks_ms = 1000, .until_s = 60, .delivered = 8, .excess = 1.1},
    {"10/s, one by one, Retry-After: 1", .a_second = 10, .burst = 1, .refusal = PACE_TOO_FAST,
     .took_ms = 20, .asks_ms = 1000, .until_s = 60, .delivered = 8, .excess = 1.1},
    {"10/s that take a second", .a_second = 10, .burst = 10, .refusal = PACE_TOO_FAST,
     .took_ms = 1000, .until_s = 60, .delivered = 8, .excess = 1.2},
    {"10/s, then 503", .a_second = 10, .burst = 10, .refusal = PACE_TOO_MUCH, .took_ms = 20,
     .until_s = 60, .delivered = 8.5, .excess = 1.3},
    {"400/s, then 429", .a_second = 400, .burst = 40, .refusal = PACE_TOO_FAST, .took_ms = 5,
     .from_s = 30, .until_s = 60, .delivered = 340, .excess = 1.2},
    {"4 of a second, then 503", .workers = 4, .took_ms = 1000, .until_s = 25,
     .delivered = 60.0 / 25, .excess = 1.25},
    {"4 of a second, then 503: later", .workers = 4, .took_ms = 1000, .from_s = 30, .until_s = 90,
     .delivered = 3.4, .excess = 1.1},
    {"5/s, 503 beyond", .workers = 2, .took_ms = 400, .from_s = 30, .until_s = 60,
     .delivered = 4.25, .excess = 1.25},
    {"5/s, the rest waits", .workers = 2, .took_ms = 400, .queues = true, .from_s = 30,
     .until_s = 60, .delivered = 4.75, .excess = 1},
    {"40/s, 503 beyond", .workers = 4, .took_ms = 100, .from_s = 30, .until_s = 60, .delivered = 34,
     .excess = 1.1},
    {"40/s, the rest waits", .workers = 4, .took_ms = 100, .queues = true, .from_s = 30,
     .until_s = 60, .delivered = 38, .excess = 1},
    {"400/s, 503 beyond", .workers = 12, .took_ms = 30, .from_s = 30, .until_s = 60,
     .delivered = 329, .excess = 1.1},
    {"400/s, the rest waits", .workers = 12, .took_ms = 30, .queues = true, .from_s = 30,
     .until_s = 60, .delivered = 370, .excess = 1},
    {"all that come", .took_ms = 50, .from_s = 1, .until_s = 10, .delivered = 310, .excess = 1},
    {"all that come, one in 50 is answered 503 by chance", .took_ms = 10, .by_chance = 50,
     .max = 64, .refusal = PACE_TOO_MUCH, .from_s = 5, .until_s = 60, .delivered = 2500,
     .excess = 1.03},
    {"all that come, one in 50 is answered 429 by chance", .took_ms = 10, .by_chance = 50,
     .max = 64, .refusal = PACE_TOO_FAST, .from_s = 5, .until_s = 60, .delivered = 2500,
     .excess = 1.03},
    {"all that come, one in 30 is answered 429 by chance", .took_ms = 10, .by_chance = 30,
     .max = 64, .refusal = PACE_TOO_FAST, .from_s = 5, .until_s = 60, .delivered = 2000,
     .excess = 1.05},
};

static void finds_the_pace_of(void **state)
{
    int failed = 0;
    (void)state;
    for (size_t i = 0; i < sizeof receivers / sizeof *receivers; i++) {
        const struct receiver *r = &receivers[i];
        static struct simulated s;
        s = (struct simulated){.receiver = r, .tokens = r->burst, .dice = 1};
        pace_init(&s.pace, r->max > 0 ? r->max : MAX, 0);
        simulate(&s, r->from_s);
        s.delivered = s.begun = 0;
        simulate(&s, r->until_s - r->from_s);
        double rate = (double)s.delivered / (r->until_s - r->from_s);
        double excess = (double)s.begun / s.delivered;
        bool ok = rate >= r->delivered && s.begun <= r->excess * s.delivered + MAX;
        failed += !ok;
        print_message("%s%s: %.2f a second (at least %.2f), %.3f requests each (at most %.2f)\n",
                      ok ? "" : "FAILS: ", r->name, rate, r->delivered, excess, r->excess);
    }
    assert_int_equal(failed, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(doubles_up_to_its_ceiling),
        cmocka_unit_test(an_unused_limit_does_not_grow),
        cmocka_unit_test(one_round_trip_halves_once),
        cmocka_unit_test(a_failed_test_costs_one_and_patience),
        cmocka_unit_test(a_sign_among_many_answers_may_be_chance),
        cmocka_unit_test(latency_that_grows_is_a_sign),
        cmocka_unit_test(quick_answers_may_become_slower),
        cmocka_unit_test(a_429_finds_the_rate_that_passes),
        cmocka_unit_test(a_503_to_one_at_a_time_finds_it_as_well),
        cmocka_unit_test(a_time_out_leaves_two_at_a_time),
        cmocka_unit_test(a_hold_holds_all_and_passes),
        cmocka_unit_test(the_share_bounds_whatever_is_found),
        cmocka_unit_test(after_an_outage_it_starts_low),
        cmocka_unit_test(finds_the_pace_of),
    };
    return cmocka_run_group_tests_name("pace", tests, NULL, NULL);
}
