/* trend_test: what settled by minute: counts, latencies' shares, and what is no part of the last
 * seven days. */
#include "dashboard/view/trend.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define NOW INT64_C(1700000030000)
#define MINUTE (NOW / TREND_MINUTE_MS)

static struct trend_sum sum_of(const struct trend *trend, int64_t first, int64_t count)
{
    struct trend_sum sum;
    trend_add_up(trend, first, count, &sum);
    return sum;
}

static void outcomes_count_in_their_own_minute(void **state)
{
    struct trend trend;
    (void)state;
    assert_true(trend_open(&trend));
    trend_note_delivered(&trend, NOW, 100, NOW);
    trend_note_delivered(&trend, NOW - TREND_MINUTE_MS, -1, NOW);
    trend_note_parked(&trend, NOW - TREND_MINUTE_MS, NOW);
    struct trend_sum sum = sum_of(&trend, MINUTE, 1);
    assert_int_equal(sum.delivered, 1);
    assert_int_equal(sum.timed, 1);
    assert_int_equal(sum.parked, 0);
    sum = sum_of(&trend, MINUTE - 1, 1);
    assert_int_equal(sum.delivered, 1);
    assert_int_equal(sum.timed, 0);
    assert_int_equal(sum.parked, 1);
    assert_int_equal(sum_of(&trend, MINUTE - TREND_MINUTES + 1, TREND_MINUTES).delivered, 2);
    assert_int_equal(trend_delivered(&trend, MINUTE - 59, 60), 2);
    assert_int_equal(sum_of(&trend, MINUTE + 1, 60).delivered, 0);
    trend_done(&trend);
}

static void what_is_too_old_or_to_come_is_passed_over(void **state)
{
    static const int64_t away[] = {0, NOW - (int64_t)TREND_MINUTES * TREND_MINUTE_MS,
                                   NOW + 10 * TREND_MINUTE_MS, INT64_MAX / 2};
    struct trend trend;
    (void)state;
    assert_true(trend_open(&trend));
    for (size_t i = 0; i < sizeof away / sizeof *away; i++) {
        trend_note_delivered(&trend, away[i], 1, NOW);
        trend_note_parked(&trend, away[i], NOW);
    }
    assert_int_equal(trend.changed, 0);
    trend_note_parked(&trend, NOW + 30000, NOW); /* a member's clock */
    assert_int_equal(trend.changed, 1);
    /* a week later its place is another minute's */
    const int64_t later = NOW + 30000 + (int64_t)TREND_MINUTES * TREND_MINUTE_MS;
    trend_note_delivered(&trend, later, 1, later);
    assert_int_equal(trend.changed, 1);
    struct trend_sum sum = sum_of(&trend, later / TREND_MINUTE_MS, 1);
    assert_int_equal(sum.parked, 0);
    assert_int_equal(sum.delivered, 1);
    trend_done(&trend);
}

static int compare(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Against the sorted list, over all orders of magnitude. */
static void shares_are_right_to_within_an_eighth(void **state)
{
    enum { COUNT = 5000 };
    static int64_t all[COUNT];
    static const double shares[] = {0.01, 0.5, 0.95, 0.99, 1};
    struct trend trend;
    (void)state;
    for (int most = 9; most <= 27; most += 6) {
        assert_true(trend_open(&trend));
        uint64_t seed = 7;
        for (size_t i = 0; i < COUNT; i++) {
            seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
            all[i] = (int64_t)((seed >> 33) % (UINT64_C(1) << most));
            trend_note_delivered(&trend, NOW, all[i], NOW);
        }
        qsort(all, COUNT, sizeof *all, compare);
        struct trend_sum sum = sum_of(&trend, MINUTE, 1);
        for (size_t i = 0; i < sizeof shares / sizeof *shares; i++) {
            int64_t real = all[(size_t)(shares[i] * (COUNT - 1))];
            int64_t said = trend_latency(&sum, shares[i]);
            if (llabs(said - real) > real / 8 + 8)
                fail_msg("2^%d, %.2f: %lld, not %lld", most, shares[i], (long long)said,
                         (long long)real);
        }
        trend_done(&trend);
    }
}

static void nothing_has_no_latency_and_weeks_have_the_last_step(void **state)
{
    struct trend trend;
    (void)state;
    assert_true(trend_open(&trend));
    struct trend_sum sum = sum_of(&trend, MINUTE, 1);
    assert_int_equal(trend_latency(&sum, 0.5), -1);
    trend_note_delivered(&trend, NOW, INT64_MAX / 2, NOW);
    sum = sum_of(&trend, MINUTE, 1);
    assert_int_equal(sum.timed, 1);
    assert_in_range(trend_latency(&sum, 0.99), INT64_C(1) << 27, INT64_C(1) << 28);
    trend_done(&trend);
}

static bool count_it(void *context, const struct trend_minute *minute)
{
    int64_t *last = context;
    assert_true(minute->minute < last[1]); /* the newest first */
    last[0]++;
    last[1] = minute->minute;
    return true;
}

static void what_changed_is_given_once(void **state)
{
    struct trend trend;
    int64_t seen[2] = {0, INT64_MAX};
    (void)state;
    assert_true(trend_open(&trend));
    for (int i = 0; i < 10; i++)
        trend_note_delivered(&trend, NOW - i * INT64_C(3600000), 5, NOW);
    trend_note_parked(&trend, NOW, NOW);
    assert_true(trend_each_changed(&trend, count_it, seen));
    assert_int_equal(seen[0], 10);
    assert_true(trend_each_changed(&trend, count_it, seen));
    assert_int_equal(seen[0], 10);
    trend_done(&trend);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outcomes_count_in_their_own_minute),
        cmocka_unit_test(what_is_too_old_or_to_come_is_passed_over),
        cmocka_unit_test(shares_are_right_to_within_an_eighth),
        cmocka_unit_test(nothing_has_no_latency_and_weeks_have_the_last_step),
        cmocka_unit_test(what_changed_is_given_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
