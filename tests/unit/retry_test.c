/* retry_test: whose failure is it, when is it over, how long to wait. */
#include "core/retry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct retry_options options = {
    .base_ms = 1000, .cap_ms = 60000, .attempts = 3, .endpoint_attempts = 2, .give_up_ms = 100000};

/* One attempt: what came of it, how many other orders had been delivered by then, and the verdict
 * that is due. */
struct step {
    enum outcome_class class;
    uint64_t others;
    bool breaker_open;
    int64_t now_ms;
    enum retry_verdict expected;
};

#define T OUTCOME_TRANSIENT
#define R OUTCOME_REFUSED
#define E OUTCOME_ENDPOINT
#define D OUTCOME_DELIVERED

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

static void each_story(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof stories / sizeof *stories; i++) {
        struct retry_history history = {0};
        for (int s = 0; s < stories[i].count; s++) {
            const struct step *step = &stories[i].steps[s];
            const struct retry_outcome outcome = {step->class, step->breaker_open, step->others,
                                                  step->now_ms, 0};
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
        struct retry_outcome outcome = {T, true, 0, 1, 0};
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

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_story),
                                       cmocka_unit_test(the_delay_is_bounded)};
    return cmocka_run_group_tests_name("retry", tests, NULL, NULL);
}
