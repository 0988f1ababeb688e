/* outcome_record_test: what is written is read, fast or by the parser, and all else is left alone.
 */
#include "topics/outcome_record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct outcome_record usual = {.state = {"parked", 6},
                                            .reason = {"http:422", 8},
                                            .order_id = {"6e1f", 4},
                                            .order_number = {"CMD-\xc3\xa9", 6},
                                            .confirmed_at = {"2026-11-22T09:15:30Z", 20},
                                            .webhook_id = {"msg_1", 5},
                                            .source = {"retry", 5},
                                            .request = {"r1", 2},
                                            .topic = {"orders", 6},
                                            .partition = 0,
                                            .offset = 999999999999999999,
                                            .timestamp_ms = -1,
                                            .lsn = 10,
                                            .attempts = 3,
                                            .status = 422,
                                            .first_attempt_ms = 4,
                                            .last_attempt_ms = 5,
                                            .settled_ms = 6,
                                            .next_attempt_ms = -1,
                                            .member = {"m", 1}};

/* The caller's. */
static struct slice written(struct outcome_record record)
{
    struct buf b;
    buf_init(&b, 4096);
    assert_true(outcome_record_write(&record, &b));
    struct slice text = {strdup(buf_text(&b)), strlen(buf_text(&b))};
    buf_done(&b);
    return text;
}

static void is(struct slice found, const char *expected)
{
    if (found.len != strlen(expected) || memcmp(found.data, expected, found.len) != 0)
        fail_msg("\"%.*s\" instead of \"%s\"", (int)found.len, found.data, expected);
}

/* A record that was read and written again is the same record. */
static void same_again(const struct outcome_record *record, struct slice text)
{
    struct slice again = written(*record);
    is(again, text.data);
    free((char *)again.data);
}

static void what_is_written_is_read(void **state)
{
    struct slice text = written(usual);
    struct outcome_record f;
    (void)state;
    assert_true(outcome_record_read(text, &f));
    is(f.state, "parked");
    is(f.reason, "http:422");
    is(f.order_id, "6e1f");
    is(f.order_number, "CMD-\xc3\xa9");
    is(f.confirmed_at, "2026-11-22T09:15:30Z");
    is(f.webhook_id, "msg_1");
    is(f.source, "retry");
    is(f.request, "r1");
    is(f.topic, "orders");
    is(f.member, "m");
    assert_int_equal(f.previous.len, 0);
    const int64_t numbers[] = {
        f.partition, f.offset,           f.timestamp_ms,    f.lsn,        f.attempts,
        f.status,    f.first_attempt_ms, f.last_attempt_ms, f.settled_ms, f.next_attempt_ms};
    static const int64_t expected[] = {0, 999999999999999999, -1, 10, 3, 422, 4, 5, 6, -1};
    assert_memory_equal(numbers, expected, sizeof expected);
    same_again(&f, text);
    free((char *)text.data);
}

/* As it stands in the record, by either way of reading it. */
static void the_answer_is_read_with_its_escapes(void **state)
{
    static const char json[] = "\"{\\\"ok\\\":true}\\n\"";
    struct outcome_record record = usual, f;
    struct outcome outcome;
    (void)state;
    record.response = slice_of("{\"ok\":true}\n");
    struct slice text = written(record);
    assert_true(outcome_record_read(text, &f));
    is(f.response_json, json);
    free((char *)text.data);
    record.previous = slice_of("[{}]");
    text = written(record);
    assert_false(outcome_record_read(text, &f));
    assert_true(outcome_read(text, &outcome));
    is(outcome.record.response_json, json);
    outcome_done(&outcome);
    free((char *)text.data);
    text = written(usual);
    assert_true(outcome_record_read(text, &f));
    assert_int_equal(f.response_json.len, 0);
    free((char *)text.data);
}

/* Between the answer and the transitions; left out where the first attempt succeeded. */
static void attempts_are_read_as_they_were_written(void **state)
{
    static const char json[] = "[{\"at_ms\":4,\"took_ms\":1,\"status\":503,\"reason\":"
                               "\"http:503\"}]";
    struct outcome_record record = usual;
    struct outcome outcome;
    (void)state;
    record.response = slice_of("busy");
    record.tries = slice_of(json);
    record.previous = slice_of("[{}]");
    struct slice text = written(record);
    assert_non_null(strstr(text.data, "\"busy\",\"tries\":[{"));
    assert_true(outcome_read(text, &outcome));
    is(outcome.record.tries, json);
    is(outcome.record.previous, "[{}]");
    outcome_done(&outcome);
    free((char *)text.data);
    text = written(usual);
    assert_null(strstr(text.data, "tries"));
    assert_true(outcome_read(text, &outcome));
    assert_int_equal(outcome.record.tries.len, 0);
    outcome_done(&outcome);
    free((char *)text.data);
}

static void nulls_are_read(void **state)
{
    struct outcome_record bare = usual;
    struct outcome_record f;
    (void)state;
    bare.order_id = bare.order_number = bare.confirmed_at = (struct slice){0};
    bare.reason = bare.request = bare.webhook_id = (struct slice){0};
    bare.status = -1;
    struct slice text = written(bare);
    assert_true(outcome_record_read(text, &f));
    assert_int_equal(f.order_id.len + f.confirmed_at.len + f.request.len + f.webhook_id.len, 0);
    assert_int_equal(f.status, -1);
    free((char *)text.data);
}

static void escapes_and_earlier_transitions_are_for_a_parser(void **state)
{
    struct outcome_record other = usual;
    struct outcome_record f;
    (void)state;
    struct outcome outcome;
    other.order_number = slice_of("a\"b");
    other.owner = slice_of("0a");
    struct slice text = written(other);
    assert_false(outcome_record_read(text, &f));
    assert_true(outcome_read(text, &outcome));
    is(outcome.record.order_number, "a\"b");
    is(outcome.record.owner, "0a");
    same_again(&outcome.record, text);
    outcome_done(&outcome);
    free((char *)text.data);
    other = usual;
    other.previous = slice_of("[{}]");
    text = written(other);
    assert_false(outcome_record_read(text, &f));
    assert_true(outcome_read(text, &outcome));
    is(outcome.record.previous, "[{}]");
    same_again(&outcome.record, text);
    outcome_done(&outcome);
    free((char *)text.data);
}

/* No byte can be missing, added, or another one, unless it is within a text or a number. */
static void nothing_else_is_read(void **state)
{
    struct slice text = written(usual);
    struct outcome_record f;
    char *changed = malloc(text.len + 1);
    (void)state;
    for (size_t len = 0; len < text.len; len++) {
        char *exact = malloc(len > 0 ? len : 1); /* so that nothing lies behind */
        memcpy(exact, text.data, len);
        assert_false(outcome_record_read((struct slice){exact, len}, &f));
        free(exact);
    }
    memcpy(changed, text.data, text.len);
    changed[text.len] = ' ';
    assert_false(outcome_record_read((struct slice){changed, text.len + 1}, &f));
    for (size_t i = 0; i < text.len; i++) {
        static const char others[] = {'\0', '\n', '"', '\\', '\xff'};
        for (size_t o = 0; o < sizeof others; o++) {
            memcpy(changed, text.data, text.len);
            if (changed[i] == others[o])
                continue;
            changed[i] = others[o];
            if (outcome_record_read((struct slice){changed, text.len}, &f))
                fail_msg("byte %zu may be %02x", i, (unsigned char)others[o]);
        }
    }
    free(changed);
    free((char *)text.data);
}

static void numbers_are_whole_and_short(void **state)
{
    static const char *const bad[] = {"-1", "1.5",  "1e3", "01", "", "1234567890123456789",
                                      "+1", "\"1\""};
    struct slice text = written(usual);
    char *at = strstr((char *)text.data, "\"lsn\":10,");
    (void)state;
    assert_non_null(at);
    at += strlen("\"lsn\":");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char changed[2048];
        struct outcome_record f;
        int len = snprintf(changed, sizeof changed, "%.*s%s%s", (int)(at - text.data), text.data,
                           bad[i], at + 2);
        if (outcome_record_read((struct slice){changed, (size_t)len}, &f))
            fail_msg("%s is taken for a number", bad[i]);
    }
    free((char *)text.data);
}

/* The parser too refuses what is no number from 0 to INT64_MAX. */
static void numbers_out_of_range_are_refused(void **state)
{
    static const char *const bad[] = {"-1", "1.5", "1e3", "\"1\"", "9999999999999999999"};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char text[64];
        struct outcome outcome;
        int len = snprintf(text, sizeof text, "{\"offset\":%s}", bad[i]);
        if (outcome_read((struct slice){text, (size_t)len}, &outcome) &&
            outcome.record.offset != -1)
            fail_msg("%s is taken for a number", bad[i]);
        outcome_done(&outcome);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(the_answer_is_read_with_its_escapes),
        cmocka_unit_test(attempts_are_read_as_they_were_written),
        cmocka_unit_test(nulls_are_read),
        cmocka_unit_test(escapes_and_earlier_transitions_are_for_a_parser),
        cmocka_unit_test(nothing_else_is_read),
        cmocka_unit_test(numbers_are_whole_and_short),
        cmocka_unit_test(numbers_out_of_range_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
