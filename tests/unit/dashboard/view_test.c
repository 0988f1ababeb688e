/* view_test: records into the view, and what it then answers. */
#include "dashboard/view/database.h"
#include "unit/base/chosen_ids.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <fcntl.h>
#include <sys/stat.h>

static struct view *opened(const char *path, const char *identity)
{
    struct error err = {0};
    struct view *view = view_open(path, identity, &err);
    if (view == NULL)
        fail_msg("%s", err.text);
    while (!view_is_indexed(view))
        assert_true(view_index(view, &err));
    return view;
}

static const char *answer; /* of the next outcomes, as a JSON string; NULL: none */
static const char *source = "cdc", *status = "422"; /* of the next outcomes */
static const char *tries; /* of the next outcomes, a JSON array; NULL: none */
static const char *word;  /* of the next outcomes, their dismissal; NULL: none */

static bool put_maybe(struct view *view, const char *id, const char *number, const char *state,
                      const char *reason, int64_t at_ms, const char *request)
{
    char text[1024];
    struct error err = {0};
    snprintf(text, sizeof text,
             "{\"version\":1,\"state\":\"%s\",\"reason\":\"%s\",\"order_id\":\"%s\","
             "\"order_number\":\"%s\",\"confirmed_at\":\"2026-11-22T09:15:30Z\",\"webhook_id\":"
             "\"msg_1\",\"source\":\"%s\",\"request\":%s%s%s,\"topic\":\"orders\",\"partition\":0,"
             "\"offset\":%lld,\"timestamp_ms\":1,\"lsn\":2,\"attempts\":3,\"status\":%s,"
             "\"first_attempt_ms\":4,\"last_attempt_ms\":5,\"settled_ms\":%lld,"
             "\"next_attempt_ms\":null,\"member\":\"m\"%s%s%s%s%s%s,\"previous\":[]}",
             state, reason, id, number, source, request ? "\"" : "", request ? request : "null",
             request ? "\"" : "", (long long)at_ms, status, (long long)at_ms,
             answer != NULL ? ",\"response\":" : "", answer != NULL ? answer : "",
             tries != NULL ? ",\"tries\":" : "", tries != NULL ? tries : "",
             word != NULL ? ",\"dismissed\":" : "", word != NULL ? word : "");
    bool taken = view_put_delivery(view, slice_of(id), slice_of(text), 0, &err);
    assert_int_equal(err.code, ERROR_NONE);
    return taken;
}

static void put(struct view *view, const char *id, const char *number, const char *state,
                const char *reason, int64_t at_ms, const char *request)
{
    assert_true(put_maybe(view, id, number, state, reason, at_ms, request));
}

static void park(struct view *view, int64_t source_offset, const char *class)
{
    struct error err = {0};
    const struct parked_note note = {.partition = 1,
                                     .offset = source_offset + 1000,
                                     .at_ms = source_offset,
                                     .topic = slice_of("orders"),
                                     .source_offset = source_offset,
                                     .class = slice_of(class),
                                     .detail = slice_of("why"),
                                     .response = slice_of("<b>no</b>")};
    assert_true(view_put_parked(view, &note, &err));
}

static struct order_filter any(void)
{
    return (struct order_filter){.state = -1, .since_ms = -1, .until_ms = -1, .limit = 50};
}

/* The keys of a list, joined. */
static const char *keys_of(struct view *view, struct order_filter filter)
{
    static char text[2048];
    struct error err = {0};
    json_t *page = view_list(view, &filter, &err), *order;
    size_t i;
    assert_non_null(page);
    text[0] = '\0';
    json_array_foreach (json_object_get(page, "orders"), i, order) {
        strcat(strcat(text, i > 0 ? " " : ""), json_string_value(json_object_get(order, "key")));
    }
    json_decref(page);
    return text;
}

static void the_latest_outcome_counts(void **state)
{
    struct view *view = opened(":memory:", "t");
    (void)state;
    put(view, "a", "CMD-1", "parked", "http:422", 10, NULL);
    put(view, "a", "CMD-1", "delivered", "", 20, NULL);
    put(view, "b", "CMD-2", "parked", "http:422", 15, NULL);
    assert_int_equal(view_count(view, ORDER_DELIVERED), 1);
    assert_int_equal(view_count(view, ORDER_PARKED), 1);
    assert_string_equal(keys_of(view, any()), "a b");
    struct error err = {0};
    assert_true(view_put_delivery(view, slice_of("b"), (struct slice){0}, 0, &err));
    assert_int_equal(view_count(view, ORDER_PARKED), 0);
    assert_string_equal(keys_of(view, any()), "a");
    view_close(view);
}

static void unreadable_records_are_passed_over(void **state)
{
    struct view *view = opened(":memory:", "t");
    struct error err = {0};
    (void)state;
    static const char *const bad[] = {"",    "{", "[]", "{\"state\":\"lost\"}", "{\"state\":1}",
                                      "null"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(view_put_delivery(view, slice_of("k"), slice_of(bad[i]), 0, &err));
    assert_int_equal(err.code, ERROR_NONE);
    assert_string_equal(keys_of(view, any()), "");
    view_close(view);
}

/* Records that the fast reader leaves to the parser must come out the same. */
static void escapes_and_earlier_transitions_are_kept(void **state)
{
    static const char record[] =
        "{\"version\":1,\"state\":\"delivered\",\"reason\":\"\",\"order_id\":\"a\",\"order_"
        "number\":"
        "\"N\\u00e9\\\"1\",\"confirmed_at\":null,\"webhook_id\":\"msg_1\",\"source\":\"cdc\","
        "\"request\":null,\"topic\":\"orders\",\"partition\":0,\"offset\":9,\"timestamp_ms\":null,"
        "\"lsn\":2,\"attempts\":3,\"status\":200,\"first_attempt_ms\":4,\"last_attempt_ms\":5,"
        "\"settled_ms\":6,\"next_attempt_ms\":null,\"member\":\"m\",\"previous\":[{\"webhook_id\":"
        "\"msg_0\",\"state\":\"parked\",\"reason\":\"http:422\",\"confirmed_at\":null,"
        "\"attempts\":1,\"settled_ms\":3}]}";
    struct view *view = opened(":memory:", "t");
    struct error err = {0};
    (void)state;
    assert_true(view_put_delivery(view, slice_of("a"), slice_of(record), 0, &err));
    json_t *order = view_order_detail(view, "a");
    assert_string_equal(json_string_value(json_object_get(order, "order_number")), "N\u00e9\"1");
    assert_int_equal(json_integer_value(json_object_get(order, "lsn")), 2);
    assert_true(json_is_null(json_object_get(order, "timestamp_ms")));
    const json_t *history = json_object_get(order, "history");
    assert_int_equal(json_array_size(history), 2);
    assert_string_equal(
        json_string_value(json_object_get(json_array_get(history, 1), "webhook_id")), "msg_0");
    json_decref(order);
    view_close(view);
}

/* A record of a dismissal repeats the outcome that it is about; of another one it says nothing. */
static void a_dismissed_order_is_parked_no_more(void **state)
{
    static const char given_up[] = "{\"at_ms\":50,\"by\":\"amina\",\"reason\":\"cancelled\"}",
                      taken_back[] = "{\"at_ms\":50,\"by\":\"amina\",\"reason\":\"cancelled\","
                                     "\"undone_ms\":60,\"undone_by\":\"olga\"}";
    struct view *view = opened(":memory:", "t");
    (void)state;
    put(view, "a", "CMD-1", "parked", "http:422", 10, NULL);
    park(view, 10, "refused");
    word = given_up;
    put(view, "a", "CMD-1", "parked", "http:422", 10, NULL);
    assert_int_equal(view_count(view, ORDER_PARKED), 0);
    assert_int_equal(view_count(view, ORDER_DISMISSED), 1);
    json_t *order = view_order_detail(view, "a");
    assert_string_equal(json_string_value(json_object_get(order, "state")), "dismissed");
    assert_string_equal(json_string_value(json_object_get(order, "class")), "refused");
    json_decref(order);
    word = taken_back;
    put(view, "a", "CMD-1", "parked", "http:422", 10, NULL);
    assert_int_equal(view_count(view, ORDER_PARKED), 1);
    word = NULL;
    put(view, "a", "CMD-1", "delivered", "", 20, NULL);
    word = given_up;
    assert_false(put_maybe(view, "a", "CMD-1", "parked", "http:422", 10, NULL));
    assert_int_equal(view_count(view, ORDER_DELIVERED), 1);
    put(view, "b", "CMD-2", "parked", "http:422", 30, NULL); /* compaction left this one alone */
    assert_int_equal(view_count(view, ORDER_DISMISSED), 1);
    word = NULL;
    view_close(view);
}

/* The record of view_outcome makes the same row again. */
static void expect_same_again(const char *state, const char *reason)
{
    struct view *view = opened(":memory:", "t"), *other = opened(":memory:", "t");
    struct error err = {0};
    put(view, "a", "N\u00e9", state, reason, 10, "req");
    json_t *outcome = view_outcome(view, "a");
    char *text = json_dumps(outcome, JSON_COMPACT);
    assert_true(view_put_delivery(other, slice_of("a"), slice_of(text), 0, &err));
    json_t *one = view_order_detail(view, "a"), *two = view_order_detail(other, "a");
    assert_true(json_equal(one, two));
    json_decref(one);
    json_decref(two);
    json_decref(outcome);
    free(text);
    view_close(view);
    view_close(other);
}

static void an_outcome_is_written_as_it_was_read(void **state)
{
    (void)state;
    struct view *empty = opened(":memory:", "t");
    assert_null(view_outcome(empty, "a"));
    view_close(empty);
    answer = "\"no \\u00e9\\\"\"";
    tries = "[{\"at_ms\":1,\"took_ms\":2,\"status\":null,\"reason\":\"dns\"}]";
    expect_same_again("delivered", "");
    expect_same_again("superseded", "already_delivered");
    word = "{\"at_ms\":50,\"by\":\"amina\",\"reason\":\"cancelled\"}";
    expect_same_again("parked", "http:422");
    answer = tries = word = NULL;
    expect_same_again("retrying", "http:503");
}

static void search_finds_id_number_and_digits(void **state)
{
    struct view *view = opened(":memory:", "t");
    struct order_filter f = any();
    (void)state;
    put(view, "6e1f-a", "CMD-000123", "delivered", "", 1, NULL);
    put(view, "6e1f-b", "CMD-000124", "delivered", "", 2, NULL);
    put(view, "77aa", "CMD-000223", "parked", "http:422", 3, NULL);
    f.search = "6E1F";
    assert_string_equal(keys_of(view, f), "6e1f-b 6e1f-a");
    f.search = "cmd-00012";
    assert_string_equal(keys_of(view, f), "6e1f-b 6e1f-a");
    f.search = "223";
    assert_string_equal(keys_of(view, f), "77aa");
    f.search = "000123";
    assert_string_equal(keys_of(view, f), "6e1f-a");
    f.search = "' OR 1=1 --";
    assert_string_equal(keys_of(view, f), "");
    f.search = "%";
    assert_string_equal(keys_of(view, f), "");
    f.search = "CMD";
    f.state = ORDER_PARKED;
    assert_string_equal(keys_of(view, f), "77aa");
    view_close(view);
}

/* Too many fit to be sorted: the lists are walked through, or what the indexes hold is. */
/* More than FEW, and behind what a walk looks at (walk_rows); by SQL, which takes a second, where
 * as many records take ten. */
static void put_many(struct view *view)
{
    static const char sql[] =
        "WITH RECURSIVE n(i) AS (VALUES (0) UNION ALL SELECT i + 1 FROM n WHERE i < 79999)"
        " INSERT INTO orders (hash, key, at_ms, state, order_number, kind)"
        " SELECT i, printf('%08x', i), i, iif(i % 2, 0, 2),"
        " printf(iif(i < 55000, 'OLD-%05d', 'NEW-%05d'), i), 1 FROM n";
    assert_int_equal(sqlite3_exec(view->db, sql, NULL, NULL, NULL), SQLITE_OK);
}

static void search_finds_the_latest_of_very_many(void **state)
{
    struct view *view = opened(":memory:", "t");
    struct order_filter f = any();
    struct error err = {0};
    char next[64];
    (void)state;
    put_many(view);
    f.limit = 2;
    f.search = "000"; /* all of them: the walk soon has a page */
    assert_string_equal(keys_of(view, f), "0001387f 0001387e");
    f.search = "old"; /* the walk meets none for long */
    assert_string_equal(keys_of(view, f), "0000d6d7 0000d6d6");
    f.oldest_first = true;
    assert_string_equal(keys_of(view, f), "00000000 00000001");
    f.search = "new";
    assert_string_equal(keys_of(view, f), "0000d6d8 0000d6d9");
    f.search = "old";
    f.oldest_first = false;
    json_t *page = view_list(view, &f, &err);
    snprintf(next, sizeof next, "%s", json_string_value(json_object_get(page, "next_cursor")));
    json_decref(page);
    f.cursor = next;
    assert_string_equal(keys_of(view, f), "0000d6d5 0000d6d4");
    f.state = ORDER_PARKED;
    assert_string_equal(keys_of(view, f), "0000d6d4 0000d6d2");
    view_close(view);
}

/* ---- filters ---- */

enum { MIXED = 120, STATES = 3, STATUSES = 4, SOURCES = 3, STRIDE = 7 };
static const char *const mixed_status[STATUSES] = {"200", "503", "null", "422"};
static const int asked_status[STATUSES] = {200, 503, VIEW_NO_STATUS, 422};
static const char *const mixed_source[SOURCES] = {"cdc", "retry", "redrive"};

static void put_mixed(struct view *view, int i)
{
    char id[8];
    snprintf(id, sizeof id, "o%03d", i);
    status = mixed_status[i % STATUSES];
    source = mixed_source[i / 4 % SOURCES];
    put(view, id, "N", order_state_names[i * 7 / 5 % STATES], i % 2 == 0 ? "http:503" : "", i / 2,
        NULL); /* two of the same time */
    status = "422";
    source = "cdc";
}

static bool fits(const struct order_filter *f, int i)
{
    return (f->state < 0 || f->state == i * 7 / 5 % STATES) &&
           (f->status == 0 || f->status == asked_status[i % STATUSES]) &&
           (f->source == NULL || strcmp(f->source, mixed_source[i / 4 % SOURCES]) == 0) &&
           (f->reason == NULL || i % 2 == 0) && i / 2 >= f->since_ms &&
           (f->until_ms < 0 || i / 2 < f->until_ms);
}

/* All pages, one behind the other. */
static void expect_filtered(struct view *view, struct order_filter f)
{
    struct error err = {0};
    char next[64], wanted[8];
    int i = f.oldest_first ? 0 : MIXED - 1, step = f.oldest_first ? 1 : -1;
    f.limit = 9;
    for (bool more = true; more;) {
        json_t *page = view_list(view, &f, &err), *order;
        size_t at;
        assert_non_null(page);
        json_array_foreach (json_object_get(page, "orders"), at, order) {
            while (i >= 0 && i < MIXED && !fits(&f, i))
                i += step;
            snprintf(wanted, sizeof wanted, "o%03d", i);
            assert_string_equal(json_string_value(json_object_get(order, "key")), wanted);
            i += step;
        }
        const char *cursor = json_string_value(json_object_get(page, "next_cursor"));
        more = cursor != NULL;
        if (more)
            assert_int_equal(json_array_size(json_object_get(page, "orders")), f.limit);
        snprintf(next, sizeof next, "%s", more ? cursor : "");
        f.cursor = next;
        json_decref(page);
    }
    for (; i >= 0 && i < MIXED; i += step)
        assert_false(fits(&f, i));
}

static void expect_every_combination(struct view *view)
{
    for (int n = 0; n < (STATES + 1) * (STATUSES + 1) * (SOURCES + 1) * 8; n += STRIDE) {
        struct order_filter f = any();
        int state_at = n / 8 % (STATES + 1), status_at = n / 8 / (STATES + 1) % (STATUSES + 1),
            source_at = n / 8 / (STATES + 1) / (STATUSES + 1);
        f.state = state_at - 1;
        f.status = status_at == 0 ? 0 : asked_status[status_at - 1];
        f.source = source_at == 0 ? NULL : mixed_source[source_at - 1];
        f.oldest_first = n % 2 != 0;
        f.reason = n / 2 % 2 != 0 ? "http:503" : NULL;
        f.since_ms = n / 4 % 2 != 0 ? 11 : -1;
        f.until_ms = n / 4 % 2 != 0 ? 47 : -1;
        expect_filtered(view, f);
    }
}

/* Of whatever kind an order was before. */
static void every_combination_of_filters_finds_its_own(void **state)
{
    struct view *view = opened(":memory:", "t");
    char id[8];
    (void)state;
    for (int i = 0; i < MIXED; i++) {
        snprintf(id, sizeof id, "o%03d", i);
        put(view, id, "N", "retrying", "timeout", 1000 + i, NULL);
    }
    for (int i = 0; i < MIXED; i++)
        put_mixed(view, i);
    expect_every_combination(view);
    view_close(view);
}

/* While the view is being built it has no index. */
static void filters_need_no_index(void **state)
{
    struct error err = {0};
    struct view *view = view_open(":memory:", "t", &err);
    (void)state;
    assert_non_null(view);
    for (int i = 0; i < MIXED; i++)
        put_mixed(view, i);
    assert_false(view_is_indexed(view));
    expect_every_combination(view);
    view_close(view);
}

/* A program that is started again reads what came meanwhile: its lists are as fast as before. */
static void a_view_that_is_opened_again_has_its_indexes(void **state)
{
    static const char path[] = "view_test_indexes.db";
    struct error err = {0};
    (void)state;
    unlink(path);
    view_close(opened(path, "t"));
    struct view *view = view_open(path, "t", &err);
    assert_non_null(view);
    assert_true(view_is_indexed(view));
    view_close(view);
    view = view_open(path, "other topics", &err);
    assert_non_null(view);
    assert_false(view_is_indexed(view));
    view_close(view);
    unlink(path);
}

static void cursors_are_stable_while_orders_change(void **state)
{
    struct view *view = opened(":memory:", "t");
    struct order_filter f = any();
    struct error err = {0};
    char id[8], next[64];
    (void)state;
    for (int i = 0; i < 10; i++) {
        snprintf(id, sizeof id, "o%d", i);
        put(view, id, "N", "delivered", "", i / 2, NULL); /* two and two of the same time */
    }
    f.limit = 3;
    json_t *page = view_list(view, &f, &err);
    snprintf(next, sizeof next, "%s", json_string_value(json_object_get(page, "next_cursor")));
    json_decref(page);
    put(view, "o9", "N", "delivered", "", 100, NULL); /* they move to the front */
    put(view, "new", "N", "delivered", "", 101, NULL);
    f.cursor = next;
    assert_string_equal(keys_of(view, f), "o6 o5 o4");
    f.cursor = "1-2-3";
    assert_null(view_list(view, &f, &err));
    assert_int_equal(err.code, ERROR_CONFIG);
    view_close(view);
}

static void expect_response(struct view *view, const char *key, const char *expected)
{
    json_t *order = view_order_detail(view, key);
    const char *text = json_string_value(json_object_get(order, "response"));
    if (expected == NULL)
        assert_null(text);
    else
        assert_string_equal(text, expected);
    json_decref(order);
}

/* Of a delivered or retrying order too; a later outcome without one forgets it. */
static void the_last_answer_is_shown(void **state)
{
    static const char *const answers[] = {"\"ok\"", "\"{\\\"success\\\":true}\\n\\u00e9\"", NULL};
    static const char *const shown[] = {"ok", "{\"success\":true}\n\xc3\xa9", NULL};
    struct view *view = opened(":memory:", "t");
    (void)state;
    for (int i = 0; i < 3; i++) {
        answer = answers[i];
        put(view, "a", "CMD-1", i == 0 ? "retrying" : "delivered", "", 10 + i, NULL);
        answer = NULL;
        expect_response(view, "a", shown[i]);
    }
    answer = "\"short\"";
    put(view, "b", "CMD-2", "parked", "http:422", 10, NULL);
    answer = NULL;
    expect_response(view, "b", "short");
    park(view, 10, "refused");
    expect_response(view, "b", "<b>no</b>"); /* more of the same answer */
    view_close(view);
}

static void expect_tries(struct view *view, const char *expected)
{
    json_t *order = view_order_detail(view, "a");
    char *text = json_dumps(json_object_get(order, "tries"), JSON_COMPACT);
    assert_string_equal(text, expected);
    free(text);
    json_decref(order);
}

/* A record without any, of a former release too, is one of an order that needed none. */
static void attempts_are_those_of_the_latest_outcome(void **state)
{
    static const char two[] =
        "[{\"at_ms\":4,\"took_ms\":30,\"status\":503,\"reason\":\"http:503\"},"
        "{\"at_ms\":9,\"took_ms\":12,\"status\":200,\"reason\":\"\"}]";
    struct view *view = opened(":memory:", "t");
    (void)state;
    tries = two;
    put(view, "a", "CMD-1", "delivered", "", 10, NULL);
    expect_tries(view, two);
    tries = "{\"no\":\"list\"}";
    put(view, "a", "CMD-1", "delivered", "", 11, NULL);
    expect_tries(view, "[]");
    tries = NULL;
    put(view, "a", "CMD-1", "delivered", "", 12, NULL);
    expect_tries(view, "[]");
    view_close(view);
}

static void a_parked_order_has_its_reason_and_place(void **state)
{
    struct view *view = opened(":memory:", "t");
    struct order_facts facts;
    (void)state;
    put(view, "a", "CMD-1", "parked", "http:422", 10, NULL);
    park(view, 10, "refused");
    json_t *order = view_order_detail(view, "a");
    assert_string_equal(json_string_value(json_object_get(order, "class")), "refused");
    assert_string_equal(json_string_value(json_object_get(order, "response")), "<b>no</b>");
    json_decref(order);
    assert_true(view_facts(view, "a", &facts));
    assert_true(facts.is_parked_known);
    assert_int_equal(facts.parked_offset, 1010);
    put(view, "a", "CMD-1", "delivered", "", 20, NULL);
    assert_true(view_facts(view, "a", &facts));
    assert_false(facts.is_parked_known);
    assert_null(view_order_detail(view, "z"));
    view_close(view);
}

static bool is_pending(struct view *view, const char *key)
{
    struct order_facts facts;
    assert_true(view_facts(view, key, &facts));
    return facts.is_pending;
}

static void ask(struct view *view, const char *request, int64_t at_ms, const char *by)
{
    struct error err = {0};
    const struct retry_note note = {.order = slice_of("a"),
                                    .request = slice_of(request),
                                    .source = slice_of("retry"),
                                    .by = slice_of(by),
                                    .asked_ms = at_ms};
    assert_true(view_put_retry(view, &note, &err));
}

static void retries_are_pending_until_their_outcome(void **state)
{
    struct view *view = opened(":memory:", "t");
    (void)state;
    put(view, "a", "CMD-1", "parked", "http:422", 10, NULL);
    struct order_facts facts;
    ask(view, "r1", 20, "olga");
    assert_true(is_pending(view, "a"));
    ask(view, "r1", 21, "olga"); /* the same one, as its record says */
    assert_true(view_facts(view, "a", &facts));
    assert_int_equal(facts.pending_ms, 20);
    ask(view, "r1", 19,
        "olga"); /* or the record was read first: the answer named the earlier time */
    assert_true(view_facts(view, "a", &facts));
    assert_int_equal(facts.pending_ms, 19);
    struct order_filter f = any();
    f.state = ORDER_PARKED;
    f.not_pending = true;
    int64_t oldest, newest;
    assert_int_equal(view_parked_count(view, &f, &oldest, &newest), 0);
    put(view, "a", "CMD-1", "parked", "http:422", 15, "r1"); /* its clock is behind ours */
    assert_false(is_pending(view, "a"));
    assert_int_equal(view_parked_count(view, &f, &oldest, &newest), 1);
    /* the topics may be read in another order after a restart: the same comes out */
    ask(view, "r1", 20, "olga");
    assert_false(is_pending(view, "a"));
    ask(view, "r0", 12, "olga");
    assert_false(is_pending(view, "a"));
    view_close(view);
}

static void expect_audit(struct view *view, const char *expected)
{
    json_t *order = view_order_detail(view, "a");
    char *text = json_dumps(json_object_get(order, "audit"), JSON_COMPACT);
    assert_string_equal(text, expected);
    free(text);
    json_decref(order);
}

#define ASKED(at, by, request) \
    "{\"at_ms\":" at ",\"what\":\"retry\",\"by\":" by ",\"request\":\"" request "\"}"

/* In whatever order the topics are read, and each request once. A record of a former release names
 * nobody. */
static void who_asked_for_what_is_kept(void **state)
{
    struct view *view = opened(":memory:", "t");
    struct error err = {0};
    (void)state;
    ask(view, "r2", 20, "olga");
    ask(view, "r1", 10, NULL);
    put(view, "a", "CMD-1", "parked", "http:422", 15, "r1");
    assert_true(view_put_shown(view, "a", "yves", 12, &err));
    assert_true(view_put_shown(view, "b", "yves", 12, &err));
    ask(view, "r2", 21, "olga");
    expect_audit(view, "[" ASKED("10", "null", "r1") ",{\"at_ms\":12,\"what\":\"show\",\"by\":"
                                                     "\"yves\",\"request\":null}," ASKED(
                                                         "20", "\"olga\"", "r2") "]");
    put(view, "a", "", "forgotten", "", 30, NULL);
    put(view, "a", "CMD-1", "parked", "http:422", 40, NULL);
    expect_audit(view, "[]");
    view_close(view);
}

static void of_very_many_requests_the_newest_are_kept(void **state)
{
    enum { MANY = 100, KEPT = 32 };
    struct view *view = opened(":memory:", "t");
    struct error err = {0};
    char request[16];
    (void)state;
    put(view, "a", "CMD-1", "parked", "http:422", 1, NULL);
    for (int i = 0; i < MANY; i++) {
        snprintf(request, sizeof request, "r%d", i);
        ask(view, request, 1000 + i, "olga");
        assert_true(view_put_shown(view, "a", "olga", i, &err));
    }
    json_t *order = view_order_detail(view, "a"), *audit = json_object_get(order, "audit");
    assert_int_equal(json_array_size(audit), 2 * KEPT);
    for (size_t i = 0; i < KEPT; i++) {
        const json_t *shown = json_array_get(audit, i), *asked = json_array_get(audit, KEPT + i);
        assert_int_equal(json_integer_value(json_object_get(shown, "at_ms")), MANY - KEPT + i);
        assert_int_equal(json_integer_value(json_object_get(asked, "at_ms")),
                         1000 + MANY - KEPT + i);
    }
    json_decref(order);
    view_close(view);
}

static void reasons_are_counted(void **state)
{
    struct view *view = opened(":memory:", "t");
    struct order_filter f = any();
    (void)state;
    put(view, "a", "1", "parked", "http:422", 10, NULL);
    put(view, "b", "2", "parked", "http:422", 11, NULL);
    put(view, "c", "3", "parked", "missing:client_phone", 12, NULL);
    park(view, 10, "refused");
    f.state = ORDER_PARKED;
    json_t *reasons = view_reasons(view, &f);
    char *text = json_dumps(reasons, JSON_COMPACT);
    assert_string_equal(
        text, "[{\"reason\":\"http:422\",\"class\":\"refused\",\"count\":2,\"oldest_ms\":10},"
              "{\"reason\":\"missing:client_phone\",\"class\":null,\"count\":1,\"oldest_ms\":12}]");
    free(text);
    json_decref(reasons);
    f.reason = "http:422";
    f.since_ms = 11;
    int64_t oldest, newest;
    assert_int_equal(view_parked_count(view, &f, &oldest, &newest), 1);
    view_close(view);
}

/* ---- chosen ids ---- */

enum { FOUND_IDS = CHOSEN_IDS / 4 };

/* SQLite's work to find the orders, in steps of its machine. */
static int steps_of(struct view *view, chosen_id ids[FOUND_IDS])
{
    sqlite3_stmt *find = view->statements[STATEMENT_FIND];
    struct error err = {0};
    (void)sqlite3_stmt_status(find, SQLITE_STMTSTATUS_VM_STEP, 1);
    assert_true(view_begin(view, &err));
    for (size_t i = 0; i < FOUND_IDS; i++)
        put(view, ids[i], "CMD-1", "delivered", "", 10, NULL);
    assert_true(view_commit(view, &err));
    return sqlite3_stmt_status(find, SQLITE_STMTSTATUS_VM_STEP, 0);
}

static void chosen_ids_cost_what_others_cost(void **state)
{
    static chosen_id chosen[CHOSEN_IDS], others[FOUND_IDS];
    struct view *view = opened(":memory:", "t");
    (void)state;
    choose_ids(chosen);
    for (int i = 0; i < FOUND_IDS; i++)
        snprintf(others[i], sizeof others[i], "%032d", i);
    int usual = steps_of(view, others), steps = steps_of(view, chosen);
    assert_true(usual > FOUND_IDS);
    assert_in_range(steps, 1, usual + usual / 10);
    view_close(view);
}

/* ---- files ---- */

static void remove_database(const char *path)
{
    static const char *const parts[] = {"", "-wal", "-shm"};
    char file[128];
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        snprintf(file, sizeof file, "%s%s", path, parts[i]);
        unlink(file);
    }
}

/* The hash in the file is of the file's own key, which no other file has. */
static void orders_are_found_again_by_the_files_own_key(void **state)
{
    char path[] = "/tmp/view_test.XXXXXX", other_path[] = "/tmp/view_test.XXXXXX";
    struct order_facts facts;
    (void)state;
    close(mkstemp(path));
    close(mkstemp(other_path));
    struct view *view = opened(path, "t"), *other = opened(other_path, "t");
    const struct hash_key key = view->hash_key;
    put(view, "a", "1", "parked", "http:422", 1, NULL);
    assert_memory_not_equal(&key, &other->hash_key, sizeof key);
    int64_t hashes[] = {view_hash(view, slice_of("a")), view_hash(view, slice_of("b"))},
            others[] = {view_hash(other, slice_of("a")), view_hash(other, slice_of("b"))};
    assert_memory_not_equal(hashes, others, sizeof hashes);
    view_close(other);
    view_close(view);
    view = opened(path, "t");
    assert_memory_equal(&key, &view->hash_key, sizeof key);
    assert_true(view_facts(view, "a", &facts));
    put(view, "a", "1", "delivered", "", 2, NULL); /* the same order, and no second one */
    assert_string_equal(keys_of(view, any()), "a");
    assert_int_equal(view_count(view, ORDER_PARKED), 0);
    view_close(view);
    view = opened(path, "other topics"); /* built from the beginning: with a new one */
    assert_memory_not_equal(&key, &view->hash_key, sizeof key);
    view_close(view);
    remove_database(path);
    remove_database(other_path);
}

/* No topic has it, so a new release's schema must not end it; another group's topics do. */
static void showings_outlive_a_rebuilt_view(void **state)
{
    char path[] = "/tmp/view_test.XXXXXX";
    struct error err = {0};
    sqlite3 *db;
    (void)state;
    close(mkstemp(path));
    struct view *view = opened(path, "t");
    assert_true(view_put_shown(view, "a", "olga", 12, &err));
    ask(view, "r1", 20, "olga");
    view_close(view);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(db, "UPDATE meta SET value = '5' WHERE name = 'schema'", NULL, NULL, NULL),
        SQLITE_OK);
    sqlite3_close(db);
    view = opened(path, "t");
    put(view, "a", "CMD-1", "parked", "http:422", 1, NULL);
    expect_audit(view, "[{\"at_ms\":12,\"what\":\"show\",\"by\":\"olga\",\"request\":null}]");
    view_close(view);
    view = opened(path, "other");
    put(view, "a", "CMD-1", "parked", "http:422", 1, NULL);
    expect_audit(view, "[]");
    view_close(view);
    remove_database(path);
}

static void assert_private(const char *path)
{
    static const char *const parts[] = {"", "-wal", "-shm"};
    struct stat found;
    char file[128];
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        snprintf(file, sizeof file, "%s%s", path, parts[i]);
        if (stat(file, &found) == 0)
            assert_int_equal(found.st_mode & 0777, 0600);
        else
            assert_int_equal(i, 2); /* the index of the log is in memory: one process has it open */
    }
}

/* Orders' numbers and states are in it: whatever the umask, and whatever it was before. */
static void the_database_is_its_owners_alone(void **state)
{
    static const char *const parts[] = {"", "-wal", "-shm"};
    char folder[] = "/tmp/view_test.XXXXXX", path[64], file[128];
    struct view *view;
    (void)state;
    mode_t mask = umask(0);
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/view.db", folder);
    view = opened(path, "t");
    put(view, "a", "1", "delivered", "", 1, NULL);
    assert_private(path);
    view_close(view);
    assert_int_equal(chmod(path, 0644), 0); /* as a former release made it */
    for (size_t i = 1; i < sizeof parts / sizeof *parts; i++) {
        snprintf(file, sizeof file, "%s%s", path, parts[i]);
        close(open(file, O_CREAT | O_WRONLY | O_CLOEXEC, 0666));
    }
    view = opened(path, "t");
    put(view, "b", "2", "delivered", "", 2, NULL);
    assert_private(path);
    assert_string_equal(keys_of(view, any()), "b a");
    view_close(view);
    umask(mask);
    remove_database(path);
    rmdir(folder);
}

static void a_batch_is_all_or_nothing(void **state)
{
    char path[] = "/tmp/view_test.XXXXXX";
    struct error err = {0};
    (void)state;
    close(mkstemp(path));
    struct view *view = opened(path, "t");
    assert_true(view_begin(view, &err));
    put(view, "a", "1", "delivered", "", 1, NULL);
    assert_true(view_set_offset(view, VIEW_DELIVERIES, 3, 7, &err));
    assert_true(view_commit(view, &err));
    assert_true(view_begin(view, &err));
    put(view, "b", "2", "delivered", "", 2, NULL);
    assert_true(view_set_offset(view, VIEW_DELIVERIES, 3, 8, &err));
    view_close(view); /* without a commit: as if killed */
    view = opened(path, "t");
    assert_int_equal(view_offset(view, VIEW_DELIVERIES, 3), 7);
    assert_int_equal(view_offset(view, VIEW_PARKED, 3), 0);
    assert_string_equal(keys_of(view, any()), "a");
    assert_int_equal(view_count(view, ORDER_DELIVERED), 1);
    view_close(view);
    view = opened(path, "other topics"); /* is of something else: from the beginning */
    assert_int_equal(view_offset(view, VIEW_DELIVERIES, 3), 0);
    assert_string_equal(keys_of(view, any()), "");
    view_close(view);
    remove_database(path);
}

static void a_file_that_is_not_a_database_is_refused(void **state)
{
    char path[] = "/tmp/view_test.XXXXXX";
    struct error err = {0};
    (void)state;
    int fd = mkstemp(path);
    assert_int_equal(write(fd, "not a database, certainly not", 29), 29);
    close(fd);
    assert_null(view_open(path, "t", &err));
    assert_non_null(strstr(err.text, "dashboard.database"));
    unlink(path);
}

/* SQLite's, once a number of its steps: not zero ends what it is at. */
static int breaks_later(void *context)
{
    int *left = context;
    return --*left < 0;
}

static void a_page_that_breaks_off_is_an_error(void **state)
{
    enum { ORDERS = 300, STEPS = 2000 };
    struct view *view = opened(":memory:", "t");
    struct order_filter filter = any();
    struct error err = {0};
    char id[16];
    int left = STEPS;
    (void)state;
    for (int i = 0; i < ORDERS; i++) {
        snprintf(id, sizeof id, "o%d", i);
        put(view, id, "CMD-1", "delivered", "", i, NULL);
    }
    filter.limit = ORDERS;
    sqlite3_progress_handler(view->db, 1, breaks_later, &left);
    assert_null(view_list(view, &filter, &err));
    assert_int_equal(err.code, ERROR_FAILED);
    sqlite3_progress_handler(view->db, 0, NULL, NULL);
    json_t *page = view_list(view, &filter, &err);
    assert_int_equal(json_array_size(json_object_get(page, "orders")), ORDERS);
    json_decref(page);
    view_close(view);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_latest_outcome_counts),
        cmocka_unit_test(unreadable_records_are_passed_over),
        cmocka_unit_test(a_dismissed_order_is_parked_no_more),
        cmocka_unit_test(an_outcome_is_written_as_it_was_read),
        cmocka_unit_test(a_page_that_breaks_off_is_an_error),
        cmocka_unit_test(search_finds_id_number_and_digits),
        cmocka_unit_test(escapes_and_earlier_transitions_are_kept),
        cmocka_unit_test(search_finds_the_latest_of_very_many),
        cmocka_unit_test(every_combination_of_filters_finds_its_own),
        cmocka_unit_test(filters_need_no_index),
        cmocka_unit_test(a_view_that_is_opened_again_has_its_indexes),
        cmocka_unit_test(cursors_are_stable_while_orders_change),
        cmocka_unit_test(the_last_answer_is_shown),
        cmocka_unit_test(attempts_are_those_of_the_latest_outcome),
        cmocka_unit_test(a_parked_order_has_its_reason_and_place),
        cmocka_unit_test(retries_are_pending_until_their_outcome),
        cmocka_unit_test(who_asked_for_what_is_kept),
        cmocka_unit_test(of_very_many_requests_the_newest_are_kept),
        cmocka_unit_test(showings_outlive_a_rebuilt_view),
        cmocka_unit_test(reasons_are_counted),
        cmocka_unit_test(chosen_ids_cost_what_others_cost),
        cmocka_unit_test(orders_are_found_again_by_the_files_own_key),
        cmocka_unit_test(the_database_is_its_owners_alone),
        cmocka_unit_test(a_batch_is_all_or_nothing),
        cmocka_unit_test(a_file_that_is_not_a_database_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
