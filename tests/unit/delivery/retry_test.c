/* retry_test: whose failure is it, when is it over, how long to wait. */
#include "delivery/policy/retry_policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct retry_options options = {.base_ms = 1000,
                                             .cap_ms = 60000,
                                             .attempts = 3,
                                             .endpoint_attempts = 2,
                                             .unknown_attempts = 4,
                                             .give_up_ms = 100000};

/* One attempt: what came of it, how many other orders had been delivered by then, and the verdict
 * that is due. */
struct step {
    enum response_class class;
    uint64_t others;
    bool breaker_open;
    int64_t now_ms;
    enum retry_verdict expected;
};

#define T RESPONSE_TRANSIENT
#define R RESPONSE_REFUSED
#define E RESPONSE_ENDPOINT
#define D RESPONSE_DELIVERED

static const struct story {
    const char *name;
    struct step steps[10]; /* the last one ends the delivery, or there are no more */
    int count;
} stories[] = {
    {"delivered at once", {{D, 0, false, 1, RETRY_DONE}}, 1},
    {"refused at once", {{R, 0, false, 1, RETRY_REFUSED}}, 1},
    {"a refusal while the breaker is open parks nothing",
     {{R, 0, true, 1, RETRY_AGAIN}, {R, 9, true, 2, RETRY_AGAIN}, {R, 99, true, 3, RETRY_AGAIN}},
     3},
    {"the endpoint is down for all: nothing counts",
     {{T, 7, false, 1, RETRY_AGAIN},
      {T, 7, false, 2, RETRY_AGAIN},
      {T, 7, false, 3, RETRY_AGAIN},
      {T, 7, false, 4, RETRY_AGAIN},
      {T, 7, false, 5, RETRY_AGAIN},
      {T, 7, false, 6, RETRY_AGAIN},
      {D, 7, false, 7, RETRY_DONE}},
     7},
    {"others are delivered in between: three count",
     {{T, 0, false, 1, RETRY_AGAIN}, /* the first never counts: nothing to compare it with */
      {T, 1, false, 2, RETRY_AGAIN},
      {T, 2, false, 3, RETRY_AGAIN},
      {T, 3, false, 4, RETRY_EXHAUSTED}},
     4},
    {"only those count between which others were delivered",
     {{T, 0, false, 1, RETRY_AGAIN},
      {T, 1, false, 2, RETRY_AGAIN},
      {T, 1, false, 3, RETRY_AGAIN},
      {T, 5, false, 4, RETRY_AGAIN},
      {T, 5, false, 5, RETRY_AGAIN},
      {T, 6, false, 6, RETRY_EXHAUSTED}},
     6},
    {"deliveries before the first attempt prove nothing",
     {{T, 50, false, 1, RETRY_AGAIN},
      {T, 50, false, 2, RETRY_AGAIN},
      {T, 50, false, 3, RETRY_AGAIN},
      {T, 50, false, 4, RETRY_AGAIN}},
     4},
    {"nor is the first failure counted for them",
     {{T, 50, false, 1, RETRY_AGAIN},
      {T, 51, false, 2, RETRY_AGAIN},
      {T, 52, false, 3, RETRY_AGAIN},
      {T, 53, false, 4, RETRY_EXHAUSTED}},
     4},
    {"transient failures behind an open breaker do not count",
     {{T, 0, true, 1, RETRY_AGAIN},
      {T, 1, true, 2, RETRY_AGAIN},
      {T, 2, true, 3, RETRY_AGAIN},
      {T, 3, true, 4, RETRY_AGAIN},
      {T, 4, true, 5, RETRY_AGAIN}},
     5},
    {"an order that alone is turned away is at fault itself",
     {{E, 0, true, 1, RETRY_AGAIN}, {E, 3, true, 2, RETRY_AGAIN}, {E, 4, true, 3, RETRY_SINGULAR}},
     3},
    {"an endpoint that turns everybody away blames nobody",
     {{E, 3, true, 1, RETRY_AGAIN},
      {E, 3, true, 2, RETRY_AGAIN},
      {E, 3, true, 3, RETRY_AGAIN},
      {E, 3, true, 4, RETRY_AGAIN}},
     4},
    {"time is over, whatever is counted",
     {{T, 0, true, 1, RETRY_AGAIN},
      {T, 0, true, 99999, RETRY_AGAIN},
      {T, 0, true, 100000, RETRY_EXHAUSTED}},
     3},
    {"a delivery after time is over is a delivery", {{D, 0, true, 100001, RETRY_DONE}}, 1},
};

/* An earlier owner's note counts for one attempt. */
static void a_delivery_elsewhere_counts_once(void **state)
{
    struct retry_history history = {
        .attempts = 3, .counted = 1, .others_before = 9, .others_since = true};
    struct retry_outcome outcome = {.class = T, .others = 9, .now_ms = 1};
    int64_t delay_ms;
    (void)state;
    for (int i = 0; i < 3; i++) {
        history.attempts++;
        assert_int_equal(retry_decide(&options, &history, &outcome, &delay_ms), RETRY_AGAIN);
        assert_int_equal(history.counted, 2);
    }
    outcome.others++;
    history.attempts++;
    assert_int_equal(retry_decide(&options, &history, &outcome, &delay_ms), RETRY_EXHAUSTED);
}

static void each_story(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof stories / sizeof *stories; i++) {
        struct retry_history history = {0};
        for (int s = 0; s < stories[i].count; s++) {
            const struct step *step = &stories[i].steps[s];
            const struct retry_outcome outcome = {.class = step->class,
                                                  .breaker_open = step->breaker_open,
                                                  .others = step->others,
                                                  .now_ms = step->now_ms};
            int64_t delay_ms = -1;
            history.attempts++;
            if (retry_decide(&options, &history, &outcome, &delay_ms) != step->expected)
                fail_msg("%s: step %d", stories[i].name, s);
        }
    }
}

/* Full jitter: from nothing up to the bound, which doubles up to the cap. */
static void the_delay_is_bounded(void **state)
{
    static const int64_t bounds[] = {1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000, 60000};
    static const int many = 1000000;
    (void)state;
    for (int attempts = 1; attempts <= many;
         attempts = attempts < 9 ? attempts + 1 : attempts * 2) {
        int64_t bound = bounds[attempts < 9 ? attempts - 1 : 8], delay_ms = -1;
        struct retry_history history = {.attempts = attempts};
        struct retry_outcome outcome = {.class = T, .breaker_open = true, .now_ms = 1};
        assert_int_equal(retry_decide(&options, &history, &outcome, &delay_ms), RETRY_AGAIN);
        assert_int_equal(delay_ms, 0);
        outcome.random = UINT32_MAX;
        assert_int_equal(retry_decide(&options, &history, &outcome, &delay_ms), RETRY_AGAIN);
        assert_int_equal(delay_ms, bound);
        outcome.random = UINT32_MAX / 2;
        assert_int_equal(retry_decide(&options, &history, &outcome, &delay_ms), RETRY_AGAIN);
        assert_int_equal(delay_ms, bound / 2);
    }
}

static enum retry_verdict decide(struct retry_history *h, struct retry_outcome outcome,
                                 int64_t *ret_delay_ms)
{
    h->attempts++;
    return retry_decide(&options, h, &outcome, ret_delay_ms);
}

/* A receiver that asks for another pace blames no order, however often it asks. */
static void a_pace_never_counts(void **state)
{
    struct retry_history history = {0};
    int64_t delay_ms;
    (void)state;
    for (uint64_t others = 0; others < 1000; others++)
        assert_int_equal(decide(&history,
                                (struct retry_outcome){.class = T,
                                                       .is_pace = true,
                                                       .others = others,
                                                       .now_ms = (int64_t)others * 1000},
                                &delay_ms),
                         RETRY_AGAIN);
}

/* Apart from the other failures, and only while others are delivered. */
static void unknown_results_have_a_count_of_their_own(void **state)
{
    static const struct {
        uint64_t others;
        bool breaker_open, is_unknown;
        enum retry_verdict expected;
    } steps[] = {{0, false, true, RETRY_AGAIN}, /* nothing to compare it with */
                 {1, false, true, RETRY_AGAIN}, {2, false, false, RETRY_AGAIN},
                 {3, false, true, RETRY_AGAIN}, {3, false, true, RETRY_AGAIN},
                 {4, true, true, RETRY_AGAIN},  {5, false, false, RETRY_AGAIN},
                 {6, false, true, RETRY_AGAIN}, {7, false, true, RETRY_UNKNOWN}};
    struct retry_history history = {0};
    int64_t delay_ms;
    (void)state;
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        const struct retry_outcome outcome = {.class = T,
                                              .others = steps[i].others,
                                              .breaker_open = steps[i].breaker_open,
                                              .is_unknown = steps[i].is_unknown,
                                              .now_ms = 1};
        if (decide(&history, outcome, &delay_ms) != steps[i].expected)
            fail_msg("step %zu", i);
    }
}

/* A minute, twice as long each time, an hour at most; whatever the other failures in between. */
static void a_time_out_is_waited_for_slowly(void **state)
{
    static const int64_t minutes[] = {1, 2, 4, 8, 16, 32, 60, 60, 60};
    const struct retry_outcome late = {
        .class = T, .is_unknown = true, .is_timeout = true, .now_ms = 1, .random = UINT32_MAX};
    const struct retry_outcome busy = {.class = T, .now_ms = 1};
    struct retry_history history = {0};
    int64_t delay_ms;
    (void)state;
    for (size_t i = 0; i < sizeof minutes / sizeof *minutes; i++) {
        assert_int_equal(decide(&history, late, &delay_ms), RETRY_AGAIN);
        assert_int_equal(delay_ms, minutes[i] * 60000);
        assert_int_equal(decide(&history, busy, &delay_ms), RETRY_AGAIN);
        assert_int_equal(delay_ms, 0);
    }
}

/* The first attempt was made after 5 s of an open breaker; 300 s more are none of its time. */
static void an_outage_is_none_of_the_orders_time(void **state)
{
    struct retry_history history = {.first_ms = 10000, .first_still_ms = 5000};
    struct retry_outcome outcome = {.class = T, .breaker_open = true, .still_ms = 305000};
    int64_t delay_ms;
    (void)state;
    outcome.now_ms = 10000 + 300000 + 99999;
    assert_int_equal(decide(&history, outcome, &delay_ms), RETRY_AGAIN);
    outcome.now_ms++;
    assert_int_equal(decide(&history, outcome, &delay_ms), RETRY_EXHAUSTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_story),
        cmocka_unit_test(a_delivery_elsewhere_counts_once),
        cmocka_unit_test(the_delay_is_bounded),
        cmocka_unit_test(a_pace_never_counts),
        cmocka_unit_test(unknown_results_have_a_count_of_their_own),
        cmocka_unit_test(a_time_out_is_waited_for_slowly),
        cmocka_unit_test(an_outage_is_none_of_the_orders_time),
    };
    return cmocka_run_group_tests_name("retry", tests, NULL, NULL);
}
