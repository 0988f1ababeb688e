/* trend_store_test: outcomes of the deliveries topic, counted by minute, and found again after a
 * restart. */
#include "dashboard/view/database.h"
#include "sys/clock.h"

#include "base/time_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { LATENCY_MS = 40000, WEEK_MINUTES = TREND_MINUTES };

static struct view *opened(const char *path)
{
    struct error err = {0};
    struct view *view = view_open(path, "t", &err);
    if (view == NULL)
        fail_msg("%s", err.text);
    return view;
}

/* word: of a dismissal, or "". */
static void put(struct view *view, const char *id, const char *state, const char *source,
                int64_t at_ms, const char *word)
{
    char text[1024], confirmed_at[TIMESTAMP_TEXT];
    struct error err = {0};
    snprintf(
        text, sizeof text,
        "{\"version\":1,\"state\":\"%s\",\"reason\":\"\",\"order_id\":\"%s\",\"order_number\":null,"
        "\"confirmed_at\":\"%s\",\"webhook_id\":\"msg_1\",\"source\":\"%s\",\"request\":null,"
        "\"topic\":\"orders\",\"partition\":0,\"offset\":1,\"timestamp_ms\":1,\"lsn\":2,"
        "\"attempts\":3,\"status\":200,\"first_attempt_ms\":4,\"last_attempt_ms\":5,"
        "\"settled_ms\":%lld,\"next_attempt_ms\":null,\"member\":\"m\"%s,\"previous\":[]}",
        state, id, timestamp_text(at_ms - LATENCY_MS, confirmed_at), source, (long long)at_ms,
        word);
    assert_true(view_begin(view, &err));
    (void)view_put_delivery(view, slice_of(id), slice_of(text), 0, &err);
    assert_int_equal(err.code, ERROR_NONE);
}

static struct trend_sum week(const struct view *view)
{
    struct trend_sum sum;
    trend_add_up(view_trend(view), clock_wall_ms() / TREND_MINUTE_MS - WEEK_MINUTES + 2,
                 WEEK_MINUTES - 1, &sum);
    return sum;
}

static void expect(const struct view *view, uint64_t delivered, uint64_t parked, uint64_t timed)
{
    struct trend_sum sum = week(view);
    assert_int_equal(sum.delivered, delivered);
    assert_int_equal(sum.parked, parked);
    assert_int_equal(sum.timed, timed);
}

static void what_happened_stays_whatever_is(void **state)
{
    struct view *view = opened(":memory:");
    int64_t now_ms = clock_wall_ms();
    (void)state;
    put(view, "a", "parked", "cdc", now_ms - 7200000, "");
    put(view, "a", "delivered", "retry", now_ms - 60000, "");
    expect(view, 1, 1, 1);
    assert_in_range(trend_latency(&(struct trend_sum){.timed = 0}, 0.5), -1, -1);
    struct trend_sum sum = week(view);
    assert_in_range(trend_latency(&sum, 0.5), LATENCY_MS * 7 / 8, LATENCY_MS * 9 / 8);
    put(view, "a", "retrying", "cdc", now_ms, "");
    put(view, "b", "superseded", "retry", now_ms, "");
    put(view, "c", "overtaken", "cdc", now_ms, "");
    expect(view, 1, 1, 1);
    view_close(view);
}

/* Read twice, or repeated by an operator's word. */
static void the_same_outcome_counts_once(void **state)
{
    static const char given_up[] =
        ",\"dismissed\":{\"at_ms\":50,\"by\":\"amina\",\"reason\":\"x\"}",
                      taken_back[] =
                          ",\"dismissed\":{\"at_ms\":50,\"by\":\"amina\",\"reason\":\"x\","
                          "\"undone_ms\":60,\"undone_by\":\"olga\"}";
    struct view *view = opened(":memory:");
    int64_t now_ms = clock_wall_ms();
    (void)state;
    put(view, "a", "parked", "cdc", now_ms, "");
    put(view, "a", "parked", "cdc", now_ms, given_up);
    put(view, "a", "parked", "cdc", now_ms, taken_back);
    expect(view, 0, 1, 0);
    put(view, "a", "delivered", "retry", now_ms + 1, "");
    put(view, "a", "delivered", "retry", now_ms + 1, "");
    expect(view, 1, 1, 1);
    put(view, "a", "delivered", "retry", now_ms + 2, ""); /* sent again all the same */
    put(view, "b", "delivered", "replay", now_ms, "");
    expect(view, 3, 1, 1); /* neither tells how long a confirmation takes */
    view_close(view);
}

static void a_restart_counts_none_twice_and_leaves_none_out(void **state)
{
    char path[] = "/tmp/trend_store_test.XXXXXX", beside[64];
    struct error err = {0};
    int64_t now_ms = clock_wall_ms();
    (void)state;
    close(mkstemp(path));
    struct view *view = opened(path);
    while (!view_is_indexed(view)) /* else a commit is put off */
        assert_true(view_index(view, &err));
    put(view, "a", "delivered", "cdc", now_ms - 3600000, "");
    put(view, "b", "parked", "cdc", now_ms - 60000, "");
    assert_true(view_commit(view, &err));
    put(view, "c", "delivered", "cdc", now_ms, ""); /* is read again */
    expect(view, 2, 1, 2);
    view_close(view);
    view = opened(path);
    expect(view, 1, 1, 1);
    put(view, "c", "delivered", "cdc", now_ms, "");
    expect(view, 2, 1, 2);
    assert_true(view_commit(view, &err));
    assert_int_equal(view_oldest(view), now_ms - 3600000);
    assert_true(view_begin(view, &err) && view_reset(view, &err));
    expect(view, 0, 0, 0);
    assert_int_equal(view_oldest(view), -1);
    view_close(view);
    unlink(path);
    for (size_t i = 0; i < 2; i++) {
        snprintf(beside, sizeof beside, "%s%s", path, i == 0 ? "-wal" : "-shm");
        unlink(beside);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_happened_stays_whatever_is),
        cmocka_unit_test(the_same_outcome_counts_once),
        cmocka_unit_test(a_restart_counts_none_twice_and_leaves_none_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
