/* comparison: the state of each confirmation of the table. */
#include "reconcile/comparison.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define T1 "2026-11-22T09:15:30.123456Z"
#define T2 "2026-11-22T10:00:00Z"
#define T3 "2026-11-22T11:00:00Z"
#define T1_MS 1795338930123
#define T2_MS 1795341600000
#define T3_MS 1795345200000

#define BEFORE(at, state)                                                                       \
    "[{\"webhook_id\":\"msg_1\",\"state\":\"" state "\",\"reason\":\"\",\"confirmed_at\":\"" at \
    "\",\"attempts\":1,\"settled_ms\":1}]"

static struct comparison *open_comparison(void)
{
    struct error err = {0};
    struct comparison *c = comparison_new(&err);
    assert_non_null(c);
    return c;
}

static void add(struct comparison *c, const char *id, int64_t at, bool confirmed)
{
    struct error err = {0};
    const struct order_row row = {.id = slice_of(id),
                                  .number = slice_of("CMD-1"),
                                  .confirmed_ms = at,
                                  .confirmed = confirmed};
    assert_true(comparison_add(c, &row, &err));
}

static void outcome(struct comparison *c, const char *id, const char *state, const char *at,
                    const char *previous)
{
    struct error err = {0};
    const struct outcome_record o = {.state = slice_of(state),
                                     .order_id = slice_of(id),
                                     .confirmed_at = slice_of(at),
                                     .previous = slice_of(previous)};
    assert_true(comparison_outcome(c, slice_of(id), &o, &err));
}

static void finish(struct comparison *c, int64_t until_ms)
{
    struct error err = {0};
    assert_true(comparison_finish(c, until_ms, &err));
}

/* One row, one outcome (state NULL: none), everything was read. */
static enum row_state state_of(int64_t at, bool confirmed, const char *state, const char *last_at,
                               const char *previous)
{
    struct comparison *c = open_comparison();
    add(c, "o1", at, confirmed);
    if (state != NULL)
        outcome(c, "o1", state, last_at, previous);
    finish(c, T3_MS);
    enum row_state found = ROW_STATE_COUNT;
    for (int i = 0; i < ROW_STATE_COUNT; i++)
        if (comparison_count(c, (enum row_state)i) == 1)
            found = (enum row_state)i;
    comparison_free(c);
    return found;
}

static void each_pair_has_its_state(void **state)
{
    static const struct {
        int64_t at;
        bool confirmed;
        const char *state, *last_at, *previous;
        enum row_state wanted;
    } cases[] = {
        {T1_MS, true, NULL, NULL, NULL, ROW_NEVER_SEEN},
        {T1_MS, true, "delivered", T1, "", ROW_DELIVERED},
        {T1_MS, true, "parked", T1, "", ROW_PARKED},
        {T1_MS, true, "retrying", T1, "", ROW_UNDER_WAY},
        {T1_MS, true, "superseded", T1, "", ROW_CONFIRMED_AGAIN},
        {T1_MS, true, "skipped", T1, "", ROW_NEVER_SEEN},
        {T1_MS, true, "forgotten", NULL, "", ROW_NOT_COUNTED},
        /* a later confirmation has an outcome, and the earlier one's is known or not */
        {T1_MS, true, "delivered", T2, "", ROW_CONFIRMED_AGAIN},
        {T1_MS, true, "retrying", T2, "", ROW_CONFIRMED_AGAIN},
        {T1_MS, true, "delivered", T2, BEFORE(T1, "delivered"), ROW_DELIVERED},
        {T1_MS, true, "delivered", T2, BEFORE(T1, "parked"), ROW_PARKED},
        /* only an earlier one has */
        {T2_MS, true, "delivered", T1, "", ROW_NEVER_SEEN},
        {T2_MS, true, "delivered", T1, BEFORE(T3, "delivered"), ROW_NEVER_SEEN},
        /* no time to compare */
        {NO_TIME, true, "delivered", T1, "", ROW_DELIVERED},
        {T1_MS, true, "delivered", NULL, "", ROW_DELIVERED},
        /* the table does not have it as confirmed */
        {T1_MS, false, NULL, NULL, NULL, ROW_NOT_COUNTED},
        {T1_MS, false, "delivered", T1, "", ROW_NO_LONGER_CONFIRMED},
        {NO_TIME, false, "delivered", T1, "", ROW_NO_LONGER_CONFIRMED},
        {T1_MS, false, "parked", T1, "", ROW_NOT_COUNTED},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        enum row_state found = state_of(cases[i].at, cases[i].confirmed, cases[i].state,
                                        cases[i].last_at, cases[i].previous);
        if (found != cases[i].wanted)
            fail_msg("case %zu: state %d, not %d", i, (int)found, (int)cases[i].wanted);
    }
}

static void the_last_outcome_counts(void **state)
{
    struct error err = {0};
    struct comparison *c = open_comparison();
    (void)state;
    add(c, "o1", T1_MS, true);
    add(c, "o2", T1_MS, true);
    add(c, "o3", T1_MS, true);
    outcome(c, "o1", "parked", T1, "");
    outcome(c, "o1", "delivered", T1, "");
    outcome(c, "o2", "delivered", T1, "");
    assert_true(comparison_outcome(c, slice_of("o2"), NULL, &err)); /* a tombstone */
    outcome(c, "another", "delivered", T1, "");
    finish(c, T3_MS);
    assert_int_equal(comparison_count(c, ROW_DELIVERED), 1);
    assert_int_equal(comparison_count(c, ROW_NEVER_SEEN), 2);
    assert_true(comparison_oldest_missing_ms(c) == T1_MS);
    comparison_free(c);
}

/* A missing row without a time may be older than all that have one. */
static void a_row_without_a_time_may_be_the_oldest(void **state)
{
    struct comparison *c = open_comparison();
    (void)state;
    add(c, "o1", T1_MS, true);
    add(c, "o2", NO_TIME, true);
    finish(c, T3_MS);
    assert_int_equal(comparison_count(c, ROW_NEVER_SEEN), 2);
    assert_true(comparison_oldest_missing_ms(c) == NO_TIME);
    comparison_free(c);
}

/* Nothing that may still be read is missing. */
static void newer_than_the_newest_change_is_under_way(void **state)
{
    struct comparison *c = open_comparison();
    (void)state;
    add(c, "o1", T1_MS, true);
    add(c, "o2", T2_MS, true);
    add(c, "o3", T3_MS, true);
    add(c, "o4", NO_TIME, true);
    outcome(c, "o3", "delivered", T1, ""); /* an earlier confirmation of it */
    finish(c, T2_MS);
    assert_int_equal(comparison_count(c, ROW_NEVER_SEEN), 3);
    assert_int_equal(comparison_count(c, ROW_UNDER_WAY), 1);
    comparison_free(c);
    c = open_comparison();
    add(c, "o1", T1_MS, true);
    finish(c, NO_TIME); /* nothing was read at all */
    assert_int_equal(comparison_count(c, ROW_UNDER_WAY), 1);
    comparison_free(c);
}

/* Two exports in one pipe, or a JOIN: a confirmation counts once, as its last row has it. */
static void a_row_that_comes_again_counts_once(void **state)
{
    struct comparison *c = open_comparison();
    (void)state;
    add(c, "o1", T1_MS, true);
    add(c, "o1", T2_MS, true);
    add(c, "o1", T1_MS, true);
    add(c, "o2", NO_TIME, true);
    add(c, "o2", NO_TIME, false);
    outcome(c, "another", "delivered", T1, "");
    finish(c, T3_MS);
    assert_int_equal(comparison_count(c, ROW_NEVER_SEEN), 2);
    assert_int_equal(comparison_count(c, ROW_NOT_COUNTED), 1);
    assert_int_equal(comparison_repeated(c), 2);
    comparison_free(c);
}

static void a_retry_that_waits_is_under_way(void **state)
{
    struct error err = {0};
    struct comparison *c = open_comparison();
    (void)state;
    add(c, "o1", T1_MS, true);
    add(c, "o2", T1_MS, true);
    add(c, "o3", T1_MS, true);
    outcome(c, "o2", "parked", T1, "");
    outcome(c, "o3", "delivered", T1, "");
    assert_true(comparison_request(c, slice_of("o1"), &err));
    assert_true(comparison_request(c, slice_of("o2"), &err));
    assert_true(comparison_request(c, slice_of("o3"), &err));
    finish(c, T3_MS);
    assert_int_equal(comparison_count(c, ROW_UNDER_WAY), 2);
    assert_int_equal(comparison_count(c, ROW_DELIVERED), 1);
    comparison_free(c);
}

static bool collect(void *context, const struct order_row *row, enum row_state state,
                    struct error *err)
{
    char *text = context;
    (void)err;
    snprintf(text + strlen(text), 100, "%.*s:%d ", (int)row->id.len, row->id.data, (int)state);
    return true;
}

static void rows_come_by_their_time(void **state)
{
    struct error err = {0};
    struct comparison *c = open_comparison();
    char text[400] = "";
    (void)state;
    add(c, "o2", T2_MS, true);
    add(c, "o1", T1_MS, true);
    add(c, "o3", T3_MS, false);
    outcome(c, "o1", "delivered", T1, "");
    finish(c, T3_MS);
    assert_true(comparison_each(c, -1, collect, text, &err));
    assert_string_equal(text, "o1:3 o2:0 ");
    *text = '\0';
    assert_true(comparison_each(c, ROW_NEVER_SEEN, collect, text, &err));
    assert_string_equal(text, "o2:0 ");
    comparison_free(c);
}

/* An order with two confirmations has two rows, each with the record that made it. */
static void a_missing_row_finds_its_record(void **state)
{
    struct error err = {0};
    struct comparison *c = open_comparison();
    const struct row_source first = {0, 7}, again = {0, 9}, late = {1, 3}, other = {2, 1};
    (void)state;
    add(c, "o1", T1_MS, true);
    add(c, "o2", T1_MS, true);
    outcome(c, "o2", "delivered", T1, "");
    finish(c, T3_MS);
    assert_true(comparison_note_source(c, slice_of("o1"), T1_MS, &first, &err));
    assert_true(comparison_note_source(c, slice_of("o1"), T1_MS, &again, &err));
    assert_true(comparison_note_source(c, slice_of("o1"), T2_MS, &late, &err));
    assert_true(comparison_note_source(c, slice_of("o2"), T1_MS, &other, &err));
    assert_int_equal(comparison_sources(c, &err), 1);
    assert_int_equal(comparison_source_of(c, &again).len, 2);
    assert_int_equal(comparison_source_of(c, &first).len, 0);
    assert_int_equal(comparison_source_of(c, &late).len, 0);
    assert_int_equal(comparison_source_of(c, &other).len, 0);
    comparison_free(c);
}

static bool note_row(void *context, const struct order_row *row, enum row_state state,
                     struct error *err)
{
    char *text = context;
    (void)state;
    (void)err;
    assert_non_null(row->values);
    const struct row_value *v = row->values->value;
    snprintf(text + strlen(text), 100, "%.*s %.*s %d %d;", (int)row->id.len, row->id.data,
             (int)v[FIELD_CLIENT_NAME].text.len, v[FIELD_CLIENT_NAME].text.data,
             (int)v[FIELD_CLIENT_CITY].kind, (int)v[FIELD_QUANTITY].kind);
    return true;
}

static void a_missing_row_without_a_record_keeps_its_values(void **state)
{
    struct error err = {0};
    struct comparison *c = open_comparison();
    char text[400] = "";
    const struct row_source source = {0, 7};
    const struct row_values values = {
        .value = {[FIELD_CLIENT_NAME] = {ROW_VALUE_TEXT, slice_of("Amina")},
                  [FIELD_CLIENT_CITY] = {ROW_VALUE_NULL, {"", 0}}}};
    (void)state;
    for (int i = 0; i < 3; i++) {
        const char id[] = {'o', (char)('1' + i), '\0'};
        const struct order_row row = {slice_of(id), slice_of(""), T1_MS, true, &values};
        assert_true(comparison_add(c, &row, &err));
    }
    outcome(c, "o1", "delivered", T1, "");
    finish(c, T3_MS);
    assert_true(comparison_note_source(c, slice_of("o2"), T1_MS, &source, &err));
    assert_true(comparison_each_without_source(c, note_row, text, &err));
    assert_string_equal(text, "o3 Amina 1 0;");
    comparison_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_pair_has_its_state),
        cmocka_unit_test(the_last_outcome_counts),
        cmocka_unit_test(a_row_without_a_time_may_be_the_oldest),
        cmocka_unit_test(newer_than_the_newest_change_is_under_way),
        cmocka_unit_test(a_row_that_comes_again_counts_once),
        cmocka_unit_test(a_retry_that_waits_is_under_way),
        cmocka_unit_test(rows_come_by_their_time),
        cmocka_unit_test(a_missing_row_finds_its_record),
        cmocka_unit_test(a_missing_row_without_a_record_keeps_its_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
