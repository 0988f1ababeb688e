/* history_test: what is remembered of orders, and that it is bounded. */
#include "delivery/history.h"

#include "delivery/row_offset.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void note(struct history *r, const char *order, int number)
{
    struct transition t = {.delivered = number % 2 == 0, .attempts = number, .settled_ms = 1000};
    snprintf(t.webhook_id, sizeof t.webhook_id, "msg_%d", number);
    snprintf(t.reason, sizeof t.reason, "%s", number % 2 ? "missing:client_phone" : "");
    history_note(r, slice_of(order), &t);
}

/* The attempts of the order's transitions as digits: "321". */
static void assert_known(const struct history *r, const char *order, const char *expected)
{
    char digits[8] = "";
    struct buf b;
    buf_init(&b, 4096);
    assert_true(history_write(r, slice_of(order), &b));
    json_t *array = json_loadb(b.data, b.len, JSON_REJECT_DUPLICATES, NULL);
    assert_true(json_is_array(array));
    for (size_t i = 0; i < json_array_size(array); i++) {
        json_t *t = json_array_get(array, i);
        json_int_t number = json_integer_value(json_object_get(t, "attempts"));
        snprintf(digits + i, sizeof digits - i, "%d", (int)number);
        assert_string_equal(json_string_value(json_object_get(t, "state")),
                            number % 2 ? "parked" : "delivered");
        assert_true(json_is_null(json_object_get(t, "confirmed_at")));
    }
    assert_string_equal(digits, expected);
    json_decref(array);
    buf_done(&b);
}

static void the_latest_three_latest_first(void **state)
{
    struct history *r = history_new(100, &(struct hash_key){{1, 2}});
    (void)state;
    assert_known(r, "a", "");
    note(r, "a", 1);
    assert_known(r, "a", "1");
    note(r, "b", 9);
    note(r, "a", 2);
    note(r, "a", 3);
    assert_known(r, "a", "321");
    note(r, "a", 4);
    assert_known(r, "a", "432");
    assert_known(r, "b", "9");
    assert_known(r, "c", "");
    history_free(r);
}

/* The order that was touched the longest ago gives way; one that is touched again and again stays.
 */
static void old_ones_give_way(void **state)
{
    struct history *r = history_new(64, &(struct hash_key){{1, 2}});
    char id[16];
    int known = 0;
    (void)state;
    for (int i = 0; i < 10000; i++) {
        snprintf(id, sizeof id, "o%d", i);
        note(r, id, 5);
        note(r, "a", 6);
    }
    assert_known(r, "a", "666");
    assert_known(r, "o9999", "5");
    for (int i = 0; i < 10000; i++) {
        struct buf b;
        snprintf(id, sizeof id, "o%d", i);
        buf_init(&b, 4096);
        assert_true(history_write(r, slice_of(id), &b));
        known += b.len > 2;
        buf_done(&b);
    }
    assert_true(known > 32 && known < 64);
    history_free(r);
}

static void text_that_is_no_text_is_told(void **state)
{
    struct history *r = history_new(1, &(struct hash_key){{1, 2}});
    struct transition t = {.reason = "\xff"};
    struct buf b;
    (void)state;
    buf_init(&b, 4096);
    history_note(r, slice_of("a"), &t);
    assert_false(history_write(r, slice_of("a"), &b));
    buf_done(&b);
    history_free(r);
}

/* An order that was sent from the shop's table has no place among the records. */
static void a_row_of_the_table_is_before_and_behind_nothing(void **state)
{
    struct history *r = history_new(1, &(struct hash_key){{1, 2}});
    const struct slice order = slice_of("a");
    struct transition row = {.offset = row_offset(order, 1795338930123),
                             .lsn = -1,
                             .delivered = true,
                             .confirmed_at = "2026-11-22T09:15:30.123456Z"};
    const struct transition record = {.offset = 7, .lsn = -1, .delivered = true};
    (void)state;
    assert_false(history_has_row(r, order, slice_of(row.confirmed_at)));
    history_note(r, order, &row);
    assert_int_equal(history_standing(r, order, &record), HISTORY_UNKNOWN);
    assert_int_equal(history_standing(r, order, &row), HISTORY_DELIVERED);
    assert_true(history_has_row(r, order, slice_of("2026-11-22T09:15:30.123Z")));
    assert_false(history_has_row(r, order, slice_of("2026-11-22T09:15:30.124Z")));
    assert_false(history_has_row(r, order, slice_of("")));
    assert_false(history_has_row(r, slice_of("b"), slice_of(row.confirmed_at)));
    history_note(r, order, &record);
    assert_int_equal(history_standing(r, order, &record), HISTORY_DELIVERED);
    row.offset = row_offset(order, 1795338930124);
    assert_int_equal(history_standing(r, order, &row), HISTORY_UNKNOWN);
    history_free(r);
}

static void only_a_delivered_row_counts(void **state)
{
    struct history *r = history_new(1, &(struct hash_key){{1, 2}});
    const struct slice order = slice_of("a");
    struct transition t = {.offset = row_offset(order, 0), .confirmed_at = "2026-11-22T09:15:30Z"};
    (void)state;
    history_note(r, order, &t);
    t.offset = 9;
    t.delivered = true;
    history_note(r, order, &t);
    assert_false(history_has_row(r, order, slice_of(t.confirmed_at)));
    history_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_latest_three_latest_first), cmocka_unit_test(old_ones_give_way),
        cmocka_unit_test(text_that_is_no_text_is_told),
        cmocka_unit_test(a_row_of_the_table_is_before_and_behind_nothing),
        cmocka_unit_test(only_a_delivered_row_counts)};
    return cmocka_run_group_tests_name("recent", tests, NULL, NULL);
}
