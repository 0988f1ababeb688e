/* filled_test: the values of a template by their types, and a template's columns in a schema. */
#include "order/shape/filled.h"

#include "cdc/plan.h"
#include "order/payload.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char nested[] =
    "{\"form_name\":\"f\",\"fields\":{\"order_id\":\"6e1f\",\"order_number\":\"CMD-1\","
    "\"client_name\":\"Zo\xc3\xa9 "
    "\\\"Z\\\"\",\"client_phone\":\"+213\",\"client_address\":\"1\\n2\","
    "\"client_city\":\"\",\"product_name\":\"Lamp\",\"quantity\":2,\"unit_price\":1250.50,"
    "\"total_amount\":2501.00,\"status\":\"confirmed\",\"confirmed_at\":\"2026-11-22T09:15:30Z\"}}";

struct outcome {
    enum filled_fault fault;
    const char *column;
    char body[512];
};

/* Of times without a zone. */
static const struct time_zone algiers = {1, {{0, 3600}}};

static struct outcome fill(const char *file, const struct column *columns, int64_t event_ms,
                           size_t limit)
{
    struct error err = {0};
    struct shape_values fields;
    struct buf b;
    struct outcome outcome;
    struct payload_template *t = template_read("t.json", file, strlen(file), &err);
    if (t == NULL)
        fail_msg("%s", err.text);
    assert_true(shape_values_read(slice_of(nested), &fields));
    const struct filled_values values = {.fields = &fields,
                                         .columns = columns,
                                         .form_name = "my \"form\"",
                                         .event_id = "msg_1",
                                         .event_ms = event_ms,
                                         .zone = &algiers};
    buf_init(&b, limit);
    outcome.fault = filled_write(t, &values, &b, &outcome.column);
    snprintf(outcome.body, sizeof outcome.body, "%s", buf_text(&b));
    if (outcome.column != NULL)
        assert_string_equal(outcome.column, "c");
    outcome.column = outcome.column != NULL ? "c" : NULL;
    buf_done(&b);
    free(t);
    return outcome;
}

static void fields_and_constants(void **state)
{
    static const struct {
        const char *file, *body;
    } rows[] = {
        {"[\"${order_id}\",\"${quantity}\",\"${unit_price}\"]", "[\"6e1f\",2,1250.50]"},
        {"[\"${quantity} at ${unit_price}\"]", "[\"2 at 1250.50\"]"},
        {"[\"for ${client_name}\",\"${client_address}\"]",
         "[\"for Zo\xc3\xa9 \\\"Z\\\"\",\"1\\n2\"]"},
        {"[\"${client_city}\",\"<${client_city}>\"]", "[\"\",\"<>\"]"},
        {"[\"${event_id}\",\"${event_at}\",\"${form_name}\"]",
         "[\"msg_1\",\"2026-11-22T09:15:30.123Z\",\"my \\\"form\\\"\"]"},
        {"[\"${event_at}, ${form_name}\"]", "[\"2026-11-22T09:15:30.123Z, my \\\"form\\\"\"]"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct outcome o = fill(rows[i].file, NULL, 1795338930123, PAYLOAD_BODY_MAX);
        assert_int_equal(o.fault, FILLED_FINE);
        assert_string_equal(o.body, rows[i].body);
    }
    assert_string_equal(
        fill("[\"${event_at}\",\"<${event_at}>\"]", NULL, -1, PAYLOAD_BODY_MAX).body,
        "[null,\"<>\"]");
}

#define TEXT(t)                                                \
    {                                                          \
        .kind = COLUMN_TEXT, .data = (t), .len = sizeof(t) - 1 \
    }
#define DAY(n)                                                                           \
    {                                                                                    \
        .kind = COLUMN_INT, .ticks = COLUMN_TICKS_NO_TIME, .is_day = true, .number = (n) \
    }
#define LOCAL(t, n)                                                    \
    {                                                                  \
        .kind = COLUMN_INT, .local = true, .ticks = (t), .number = (n) \
    }
#define COUNT(t, n)                                     \
    {                                                   \
        .kind = COLUMN_INT, .ticks = (t), .number = (n) \
    }

/* Each column alone, and within a text. */
static void columns(void **state)
{
    static const struct {
        struct column column;
        enum filled_fault fault;
        const char *alone, *within;
    } rows[] = {
        {{.kind = COLUMN_NULL}, FILLED_FINE, "null", ""},
        {TEXT(""), FILLED_FINE, "\"\"", ""},
        {TEXT("a \"b\"\n\x01 \xc3\xa9"), FILLED_FINE, "\"a \\\"b\\\"\\n\\u0001 \xc3\xa9\"",
         "a \\\"b\\\"\\n\\u0001 \xc3\xa9"},
        {TEXT("\xe9"), FILLED_BAD_TEXT, NULL, NULL},
        {TEXT("__debezium_unavailable_value"), FILLED_UNAVAILABLE, NULL, NULL},
        {COUNT(0, 9007199254740993), FILLED_FINE, "9007199254740993", "9007199254740993"},
        {COUNT(0, INT64_MIN), FILLED_FINE, "-9223372036854775808", "-9223372036854775808"},
        {COUNT(3, 1795338930123), FILLED_FINE, "\"2026-11-22T09:15:30.123Z\"",
         "2026-11-22T09:15:30.123Z"},
        {COUNT(6, -1), FILLED_FINE, "\"1969-12-31T23:59:59.999999Z\"",
         "1969-12-31T23:59:59.999999Z"},
        {COUNT(3, INT64_MAX), FILLED_BAD_TIME, NULL, NULL},
        {LOCAL(6, 1795338930123456), FILLED_FINE, "\"2026-11-22T08:15:30.123456Z\"",
         "2026-11-22T08:15:30.123456Z"},
        {LOCAL(9, -1), FILLED_FINE, "\"1969-12-31T22:59:59.999999999Z\"",
         "1969-12-31T22:59:59.999999999Z"},
        {LOCAL(6, INT64_MIN), FILLED_BAD_TIME, NULL, NULL}, /* infinity, and the like */
        {LOCAL(9, INT64_MIN), FILLED_BAD_TIME, NULL, NULL},
        {LOCAL(6, INT64_MAX), FILLED_BAD_TIME, NULL, NULL},
        {COUNT(COLUMN_TICKS_NO_TIME, 20779), FILLED_FINE, "20779", "20779"},
        {DAY(20779), FILLED_FINE, "\"2026-11-22\"", "2026-11-22"},
        {DAY(-1), FILLED_FINE, "\"1969-12-31\"", "1969-12-31"},
        {DAY(2932896), FILLED_FINE, "\"9999-12-31\"", "9999-12-31"},
        {DAY(2932897), FILLED_BAD_TIME, NULL, NULL}, /* infinity, and the like */
        {DAY(INT64_MAX), FILLED_BAD_TIME, NULL, NULL},
        {{.kind = COLUMN_BOOLEAN, .number = 1}, FILLED_FINE, "true", "true"},
        {{.kind = COLUMN_BOOLEAN, .number = 0}, FILLED_FINE, "false", "false"},
        {{.kind = COLUMN_DECIMAL, .data = "\x01\xe8\x7a", .len = 3, .scale = 2},
         FILLED_FINE,
         "1250.50",
         "1250.50"},
        {{.kind = COLUMN_DOUBLE, .real = 0.1}, FILLED_FINE, "0.1", "0.1"},
        {{.kind = COLUMN_DOUBLE, .real = __builtin_inf()}, FILLED_NO_VALUE, NULL, NULL},
        {{.kind = COLUMN_OTHER}, FILLED_NO_VALUE, NULL, NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char expected[128];
        struct outcome alone = fill("[\"${column:c}\"]", &rows[i].column, -1, PAYLOAD_BODY_MAX);
        struct outcome within = fill("[\"<${column:c}>\"]", &rows[i].column, -1, PAYLOAD_BODY_MAX);
        assert_int_equal(alone.fault, rows[i].fault);
        assert_int_equal(within.fault, rows[i].fault);
        assert_int_equal(alone.column != NULL, rows[i].fault != FILLED_FINE);
        if (rows[i].fault != FILLED_FINE)
            continue;
        snprintf(expected, sizeof expected, "[%s]", rows[i].alone);
        assert_string_equal(alone.body, expected);
        snprintf(expected, sizeof expected, "[\"<%s>\"]", rows[i].within);
        assert_string_equal(within.body, expected);
    }
}

static void what_does_not_fit_is_no_body(void **state)
{
    static const struct column text = TEXT("a text");
    static const char file[] =
        "{\"a\":\"${order_id}\",\"b\":\"${column:c}\",\"c\":\"<${quantity}>\"}";
    static const char body[] = "{\"a\":\"6e1f\",\"b\":\"a text\",\"c\":\"<2>\"}";
    (void)state;
    for (size_t limit = 0; limit < sizeof body - 1; limit++)
        assert_int_equal(fill(file, &text, -1, limit).fault, FILLED_BAD_TEXT);
    assert_string_equal(fill(file, &text, -1, sizeof body - 1).body, body);
}

/* ---- in a schema ---- */

#define FIELD(name, type) "{\"name\":\"" name "\",\"type\":" type "}"
#define ROW(extra)                                                                              \
    "{\"type\":\"record\",\"name\":\"Envelope\",\"namespace\":\"shop\",\"fields\":[{\"name\":"  \
    "\"before\",\"type\":\"null\"},{\"name\":\"after\",\"type\":{\"type\":\"record\",\"name\":" \
    "\"Value\",\"fields\":[" FIELD("id", "\"string\"") "," FIELD("status", "\"string\"") extra  \
        "]}}," FIELD("op", "\"string\"") "]}"

static void a_schema_must_have_the_columns(void **state)
{
    static const struct {
        const char *schema, *error; /* "": accepted */
    } rows[] = {
        {ROW("," FIELD("note", "[\"null\",\"string\"]")), ""},
        {ROW("," FIELD("note", "\"boolean\"")), ""},
        {ROW("," FIELD("note", "[\"null\",{\"type\":\"array\",\"items\":\"string\"}]")),
         "schema \"shop.Envelope\": column \"note\" of payload.template is neither text, a number "
         "nor a "
         "boolean: no order could be sent as it says"},
        {ROW(""), "schema \"shop.Envelope\" has no column \"note\", which payload.template names "
                  "(${column:note}): no order could be sent as it says"},
        {ROW("," FIELD("notes", "\"string\"")), "has no column \"note\""},
    };
    static const char *const names[] = {"note"};
    (void)state;
    struct plan_options options = {.extra_columns = names,
                                   .extra_count = 1,
                                   .rule_column = "status",
                                   .rule_value = "confirmed",
                                   .prefix = "__"};
    for (size_t f = 0; f < FIELD_COUNT; f++)
        options.columns[f] = payload_field_columns[f];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error err = {0};
        struct plan *plan = plan_compile(rows[i].schema, strlen(rows[i].schema), &options, &err);
        assert_int_equal(plan != NULL, *rows[i].error == '\0');
        if (strstr(err.text, rows[i].error) == NULL)
            fail_msg("%s", err.text);
        assert_int_equal(err.code, plan != NULL ? ERROR_NONE : ERROR_CONFIG);
        plan_free(plan);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_and_constants),
        cmocka_unit_test(columns),
        cmocka_unit_test(what_does_not_fit_is_no_body),
        cmocka_unit_test(a_schema_must_have_the_columns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
