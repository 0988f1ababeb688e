/* latency_test: the hops of a delivery add up to its whole time, whatever the clocks say; reasons
 * of parking are counted within a bound. */
#include "pipeline/sending/latency.h"
#include "pipeline/sending/park_reasons.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { MONO = 500000 };
#define NOW INT64_C(1795564800000)
static const struct now now = {.mono_ms = MONO, .wall_ms = NOW};

/* Read 400 ms ago, sent 100 ms ago. */
static struct delivery answered(int64_t committed_ms, int64_t written_ms)
{
    return (struct delivery){.source = "cdc",
                             .event_ms = committed_ms,
                             .timestamp_ms = written_ms,
                             .held_ms = MONO - 400,
                             .sent_ms = MONO - 100};
}

static void adds_up(int64_t committed_ms, int64_t written_ms, const int64_t took_ms[HOP_COUNT])
{
    struct latency l = {0};
    const struct delivery d = answered(committed_ms, written_ms);
    int64_t sum = 0;
    latency_note(&l, &d, &now);
    for (int i = 0; i < HOP_COUNT; i++) {
        assert_int_equal(l.hop[i].sum_ms, took_ms[i]);
        assert_int_equal(histogram_count(&l.hop[i]), 1);
        sum += took_ms[i];
    }
    assert_int_equal(l.whole.sum_ms, sum);
    assert_int_equal(histogram_count(&l.whole), 1);
}

static void hops_add_up_to_the_whole(void **state)
{
    (void)state;
    adds_up(NOW - 1000, NOW - 700, (const int64_t[]){300, 300, 300, 100});
    /* the database's clock is ahead of the brokers', then of ours too */
    adds_up(NOW - 600, NOW - 700, (const int64_t[]){0, 200, 300, 100});
    adds_up(NOW + 5000, NOW - 700, (const int64_t[]){0, 0, 300, 100});
    /* the brokers' clock is ahead of ours */
    adds_up(NOW - 1000, NOW + 50, (const int64_t[]){1050, 0, 300, 100});
}

static void only_what_came_this_way_is_counted(void **state)
{
    struct latency l = {0};
    struct delivery unknown = answered(-1, NOW), unwritten = answered(NOW, -1),
                    retry = answered(NOW - 1000, NOW - 700);
    (void)state;
    retry.source = "retry";
    latency_note(&l, &unknown, &now);
    latency_note(&l, &unwritten, &now);
    latency_note(&l, &retry, &now);
    assert_int_equal(histogram_count(&l.whole), 0);
    assert_int_equal(histogram_count(&l.hop[HOP_ANSWERED]), 0);
}

static void reasons_are_counted_within_a_bound(void **state)
{
    struct park_reasons r = {0};
    char text[DELIVERY_REASON_MAX];
    uint64_t sum = 0;
    (void)state;
    for (int round = 0; round < 3; round++)
        for (int i = 0; i < PARK_REASONS_MAX + 20; i++) {
            snprintf(text, sizeof text, "http:%d", 400 + i);
            park_reasons_note(&r, text);
        }
    assert_int_equal(r.count, PARK_REASONS_MAX + 1);
    for (size_t i = 0; i < r.count; i++)
        sum += r.list[i].count;
    assert_int_equal(sum, 3 * (PARK_REASONS_MAX + 20));
    assert_string_equal(r.list[0].text, "http:400");
    assert_int_equal(r.list[0].count, 3);
    assert_string_equal(r.list[PARK_REASONS_MAX].text, "other");
    assert_int_equal(r.list[PARK_REASONS_MAX].count, 60);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hops_add_up_to_the_whole),
        cmocka_unit_test(only_what_came_this_way_is_counted),
        cmocka_unit_test(reasons_are_counted_within_a_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
