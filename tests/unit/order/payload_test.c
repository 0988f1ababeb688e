/* payload_test: what each kind of column becomes in each field, and why a record is refused. */
#include "base/time_text.h"
#include "order/payload.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { RECORD_MS = 1000, TEXT_MAX = 256 * 1024 };

static const struct payload_options nested = {"order_confirmation", PAYLOAD_NESTED, NULL, 0};

#define TEXT(text)                                                   \
    {                                                                \
        .kind = COLUMN_TEXT, .data = (text), .len = sizeof(text) - 1 \
    }
#define INT(value)                            \
    {                                         \
        .kind = COLUMN_INT, .number = (value) \
    }
#define TICKS(value, t)                                     \
    {                                                       \
        .kind = COLUMN_INT, .number = (value), .ticks = (t) \
    }
#define DOUBLE(value)                          \
    {                                          \
        .kind = COLUMN_DOUBLE, .real = (value) \
    }
#define FLOAT(value)                                  \
    {                                                 \
        .kind = COLUMN_FLOAT, .real = (double)(value) \
    }
#define DECIMAL(bytes, s)                                                               \
    {                                                                                   \
        .kind = COLUMN_DECIMAL, .data = (bytes), .len = sizeof(bytes) - 1, .scale = (s) \
    }
#define ABSENT                \
    {                         \
        .kind = COLUMN_ABSENT \
    }
#define NULL_COLUMN         \
    {                       \
        .kind = COLUMN_NULL \
    }
#define OTHER                \
    {                        \
        .kind = COLUMN_OTHER \
    }

/* An order that can be sent, and what its fields become. */
static const struct change good = {
    .field = {[FIELD_ORDER_ID] = INT(7),
              [FIELD_ORDER_NUMBER] = TEXT("ORD-7"),
              [FIELD_CLIENT_NAME] = TEXT("Amina"),
              [FIELD_CLIENT_PHONE] = TEXT("+213555000111"),
              [FIELD_CLIENT_ADDRESS] = TEXT("1 Main St"),
              [FIELD_CLIENT_CITY] = NULL_COLUMN,
              [FIELD_PRODUCT_NAME] = TEXT("Lamp"),
              [FIELD_QUANTITY] = INT(2),
              [FIELD_UNIT_PRICE] = DECIMAL("\x07\xcf", 2),
              [FIELD_TOTAL_AMOUNT] = TEXT("39.98"),
              [FIELD_STATUS] = TEXT("confirmed"),
              [FIELD_CONFIRMED_AT] = TICKS(1795338930123456, 6)},
};

static const char *const good_json[FIELD_COUNT] = {
    [FIELD_ORDER_ID] = "\"7\"",
    [FIELD_ORDER_NUMBER] = "\"ORD-7\"",
    [FIELD_CLIENT_NAME] = "\"Amina\"",
    [FIELD_CLIENT_PHONE] = "\"+213555000111\"",
    [FIELD_CLIENT_ADDRESS] = "\"1 Main St\"",
    [FIELD_CLIENT_CITY] = "\"\"",
    [FIELD_PRODUCT_NAME] = "\"Lamp\"",
    [FIELD_QUANTITY] = "2",
    [FIELD_UNIT_PRICE] = "19.99",
    [FIELD_TOTAL_AMOUNT] = "39.98",
    [FIELD_STATUS] = "\"confirmed\"",
    [FIELD_CONFIRMED_AT] = "\"2026-11-22T09:15:30.123456Z\"",
};

/* The body of `good` with one field's JSON replaced. */
static void expected_body(struct buf *b, size_t field, const char *json)
{
    buf_add_text(b, "{\"form_name\":\"order_confirmation\",\"fields\":{");
    for (size_t f = 0; f < FIELD_COUNT; f++)
        buf_addf(b, "%s\"%s\":%s", f > 0 ? "," : "", payload_field_names[f],
                 f == field ? json : good_json[f]);
    buf_add_text(b, "}}");
}

/* `outcome`: "!REASON", or the JSON that the field becomes. */
static void check(const struct change *change, size_t field, const char *outcome)
{
    struct buf body, expected;
    struct rejection rejection;
    char text[64], why[64];
    buf_init(&body, PAYLOAD_BODY_MAX);
    buf_init(&expected, PAYLOAD_BODY_MAX);
    bool sent = payload_render(change, RECORD_MS, &nested, &body, &rejection);
    if (outcome[0] == '!') {
        snprintf(why, sizeof why, "%s:%s", outcome + 1, payload_field_names[field]);
        assert_string_equal(sent ? buf_text(&body) : rejection_text(&rejection, text, sizeof text),
                            why);
    } else {
        expected_body(&expected, field, outcome);
        assert_string_equal(sent ? buf_text(&body) : rejection_text(&rejection, text, sizeof text),
                            buf_text(&expected));
    }
    buf_done(&expected);
    buf_done(&body);
}

static void check_column(struct column column, size_t field, const char *outcome)
{
    struct change change = good;
    change.field[field] = column;
    check(&change, field, outcome);
}

static void the_body_of_a_good_order(void **state)
{
    (void)state;
    struct buf body;
    struct rejection rejection;
    buf_init(&body, PAYLOAD_BODY_MAX);
    assert_true(payload_render(&good, RECORD_MS, &nested, &body, &rejection));
    assert_string_equal(
        buf_text(&body),
        "{\"form_name\":\"order_confirmation\",\"fields\":{\"order_id\":\"7\",\"order_number\":"
        "\"ORD-7\",\"client_name\":\"Amina\",\"client_phone\":\"+213555000111\",\"client_address\":"
        "\"1 Main "
        "St\",\"client_city\":\"\",\"product_name\":\"Lamp\",\"quantity\":2,\"unit_price\":"
        "19.99,\"total_amount\":39.98,\"status\":\"confirmed\",\"confirmed_at\":"
        "\"2026-11-22T09:15:30.123456Z\"}}");
    buf_done(&body);
}

static void a_flat_body_with_another_name(void **state)
{
    (void)state;
    const struct payload_options flat = {"order \"x\"\n", PAYLOAD_FLAT, NULL, 0};
    struct buf body;
    struct rejection rejection;
    buf_init(&body, PAYLOAD_BODY_MAX);
    assert_true(payload_render(&good, RECORD_MS, &flat, &body, &rejection));
    assert_string_equal(
        buf_text(&body),
        "{\"form_name\":\"order \\\"x\\\"\\n\",\"order_id\":\"7\",\"order_number\":\"ORD-7\","
        "\"client_name\":\"Amina\",\"client_phone\":\"+213555000111\",\"client_address\":"
        "\"1 Main "
        "St\",\"client_city\":\"\",\"product_name\":\"Lamp\",\"quantity\":2,\"unit_price\":"
        "19.99,\"total_amount\":39.98,\"status\":\"confirmed\",\"confirmed_at\":"
        "\"2026-11-22T09:15:30.123456Z\"}");
    buf_done(&body);
}

/* ---- every kind of column in every field ---- */

enum field_class { REQUIRED_TEXT, OPTIONAL_TEXT, AMOUNT, WHOLE_NUMBER, TIME_TEXT, CLASS_COUNT };

static const enum field_class classes[FIELD_COUNT] = {
    [FIELD_ORDER_ID] = REQUIRED_TEXT,
    [FIELD_ORDER_NUMBER] = REQUIRED_TEXT,
    [FIELD_CLIENT_NAME] = REQUIRED_TEXT,
    [FIELD_CLIENT_PHONE] = REQUIRED_TEXT,
    [FIELD_CLIENT_ADDRESS] = OPTIONAL_TEXT,
    [FIELD_CLIENT_CITY] = OPTIONAL_TEXT,
    [FIELD_PRODUCT_NAME] = REQUIRED_TEXT,
    [FIELD_QUANTITY] = WHOLE_NUMBER,
    [FIELD_UNIT_PRICE] = AMOUNT,
    [FIELD_TOTAL_AMOUNT] = AMOUNT,
    [FIELD_STATUS] = OPTIONAL_TEXT,
    [FIELD_CONFIRMED_AT] = TIME_TEXT,
};

static char too_long[TEXT_MAX + 1]; /* digits, so that only its length is wrong */

static const struct {
    struct column column;
    const char *outcome[CLASS_COUNT]; /* required, optional text; amount; whole; time */
} kinds[] = {
    {ABSENT, {"!missing", "\"\"", "!missing", "!missing", "\"1970-01-01T00:00:01.000Z\""}},
    {NULL_COLUMN, {"!missing", "\"\"", "!missing", "!missing", "\"1970-01-01T00:00:01.000Z\""}},
    {OTHER, {"!not_a_number", "!not_a_number", "!not_a_number", "!not_a_number", "!bad_time"}},
    {TEXT("__debezium_unavailable_value"),
     {"!unavailable", "!unavailable", "!unavailable", "!unavailable", "!unavailable"}},
    {TEXT("__debezium_unavailable_valu"),
     {"\"__debezium_unavailable_valu\"", "\"__debezium_unavailable_valu\"", "!not_a_number",
      "!not_a_number", "!bad_time"}},
    {{.kind = COLUMN_TEXT, .data = too_long, .len = sizeof too_long},
     {"!bad_text", "!bad_text", "!bad_text", "!bad_text", "!bad_text"}},
    {TEXT("a\xff"), {"!bad_text", "!bad_text", "!bad_text", "!bad_text", "!bad_text"}},
    {TEXT(""), {"!missing", "\"\"", "!not_a_number", "!not_a_number", "!bad_time"}},
    {TEXT(" \t"), {"!missing", "\" \\t\"", "!not_a_number", "!not_a_number", "!bad_time"}},
    {TEXT("words"), {"\"words\"", "\"words\"", "!not_a_number", "!not_a_number", "!bad_time"}},
    {TEXT("2.00"), {"\"2.00\"", "\"2.00\"", "2.00", "2.00", "!bad_time"}},
    {TEXT("-0.5"), {"\"-0.5\"", "\"-0.5\"", "!negative", "!negative", "!bad_time"}},
    {TEXT("2026-11-22T09:15:30+01:00"),
     {"\"2026-11-22T09:15:30+01:00\"", "\"2026-11-22T09:15:30+01:00\"", "!not_a_number",
      "!not_a_number", "\"2026-11-22T09:15:30+01:00\""}},
    {INT(0), {"\"0\"", "\"0\"", "0", "!not_whole", "!bad_time"}},
    {INT(-1), {"\"-1\"", "\"-1\"", "!negative", "!negative", "!bad_time"}},
    {INT(INT64_MAX),
     {"\"9223372036854775807\"", "\"9223372036854775807\"", "9223372036854775807",
      "9223372036854775807", "!bad_time"}},
    {INT(INT64_MIN),
     {"\"-9223372036854775808\"", "\"-9223372036854775808\"", "!negative", "!negative",
      "!bad_time"}},
    {DOUBLE(1.5), {"\"1.5\"", "\"1.5\"", "1.5", "!not_whole", "!bad_time"}},
    {DOUBLE(3.0), {"\"3\"", "\"3\"", "3", "3", "!bad_time"}},
    {DOUBLE(1e16), {"\"1e+16\"", "\"1e+16\"", "1e+16", "!not_whole", "!bad_time"}},
    {DOUBLE(-1e-5), {"\"-1e-05\"", "\"-1e-05\"", "!negative", "!negative", "!bad_time"}},
    {DOUBLE(-0.0), {"\"-0\"", "\"-0\"", "-0", "!not_whole", "!bad_time"}},
    {FLOAT(0.1f), {"\"0.1\"", "\"0.1\"", "0.1", "!not_whole", "!bad_time"}},
    {DOUBLE((double)NAN),
     {"!not_a_number", "!not_a_number", "!not_a_number", "!not_a_number", "!bad_time"}},
    {FLOAT(INFINITY),
     {"!not_a_number", "!not_a_number", "!not_a_number", "!not_a_number", "!bad_time"}},
    {DECIMAL("\x64", 2), {"\"1.00\"", "\"1.00\"", "1.00", "1.00", "!bad_time"}},
    {DECIMAL("\x07", -3), {"\"7000\"", "\"7000\"", "7000", "7000", "!bad_time"}},
    {DECIMAL("", 2), {"\"0.00\"", "\"0.00\"", "0.00", "!not_whole", "!bad_time"}},
    {DECIMAL("\x85", 2), {"\"-1.23\"", "\"-1.23\"", "!negative", "!negative", "!bad_time"}},
    {DECIMAL("\x01", 2049),
     {"!not_a_number", "!not_a_number", "!not_a_number", "!not_a_number", "!bad_time"}},
    {{.kind = COLUMN_DECIMAL, .data = too_long, .len = 1281},
     {"!not_a_number", "!not_a_number", "!not_a_number", "!not_a_number", "!bad_time"}},
};

static void every_kind_of_column_in_every_field(void **state)
{
    (void)state;
    memset(too_long, '1', sizeof too_long);
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
        for (size_t f = 0; f < FIELD_COUNT; f++)
            check_column(kinds[k].column, f, kinds[k].outcome[classes[f]]);
}

/* ---- numbers ---- */

static const struct {
    const char *text, *amount, *whole;
} numbers[] = {
    {"0", "0", "!not_whole"},
    {"-0", "-0", "!not_whole"},
    {"-0.00e5", "-0.00e5", "!not_whole"},
    {"-0e7", "-0e7", "!not_whole"}, /* an exponent's digits make no number negative */
    {"-0.001", "!negative", "!negative"},
    {"-1E-9", "!negative", "!negative"},
    {"1", "1", "1"},
    {"10", "10", "10"},
    {"2.0", "2.0", "2.0"},
    {"2.01", "2.01", "!not_whole"},
    {"0.00", "0.00", "!not_whole"},
    {"0.9", "0.9", "!not_whole"},
    {"1e3", "1e3", "!not_whole"},
    {"1e0", "1e0", "!not_whole"},
    {"1.0e0", "1.0e0", "!not_whole"},
    {"123456789012345678901234567890", "123456789012345678901234567890",
     "123456789012345678901234567890"},
    {"01", "!not_a_number", "!not_a_number"},
    {"+1", "!not_a_number", "!not_a_number"},
    {"1 ", "!not_a_number", "!not_a_number"},
    {"NaN", "!not_a_number", "!not_a_number"},
    {"-", "!not_a_number", "!not_a_number"},
};

static void numbers_as_text(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        struct column column = {
            .kind = COLUMN_TEXT, .data = numbers[i].text, .len = strlen(numbers[i].text)};
        check_column(column, FIELD_UNIT_PRICE, numbers[i].amount);
        check_column(column, FIELD_TOTAL_AMOUNT, numbers[i].amount);
        check_column(column, FIELD_QUANTITY, numbers[i].whole);
    }
}

/* ---- text ---- */

static const struct {
    struct column column;
    const char *outcome; /* in a required field */
} texts[] = {
    {TEXT("\"\\/"), "\"\\\"\\\\/\""},
    {TEXT("\b\t\n\f\r"), "\"\\b\\t\\n\\f\\r\""},
    {TEXT("\0\x01\x0b\x1b\x1f"), "\"\\u0000\\u0001\\u000b\\u001b\\u001f\""},
    {TEXT("\x7f"), "\"\x7f\""},
    {TEXT("شارع 5"), "\"شارع 5\""},
    {TEXT("😀\xe2\x80\xa8"), "\"😀\xe2\x80\xa8\""},
    {TEXT("\"at both ends\""), "\"\\\"at both ends\\\"\""},
    {TEXT("\xed\xa0\x80"), "!bad_text"}, /* a surrogate; the rest is in utf8_test */
    {TEXT("cut off\xe2\x82"), "!bad_text"},
    {TEXT("\xe2\x80\x83 \x1f\xc2\xa0"), "!missing"}, /* white space of all kinds */
    {TEXT(" \xe2\x80\x8b"), "\" \xe2\x80\x8b\""},    /* zero width is none */
    {TEXT(" \xff"), "!bad_text"},                    /* before it is blank */
};

static void text_is_checked_and_escaped(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        check_column(texts[i].column, FIELD_CLIENT_NAME, texts[i].outcome);
}

static void the_longest_text(void **state)
{
    (void)state;
    struct buf json;
    buf_init(&json, PAYLOAD_BODY_MAX);
    memset(too_long, '1', sizeof too_long);
    buf_addf(&json, "\"%.*s\"", TEXT_MAX, too_long);
    struct column column = {.kind = COLUMN_TEXT, .data = too_long, .len = TEXT_MAX};
    check_column(column, FIELD_CLIENT_ADDRESS, buf_text(&json));
    buf_done(&json);
}

/* Control characters take six bytes each: one column of them already is more than a body may be. */
static void a_body_has_a_limit(void **state)
{
    (void)state;
    memset(too_long, '\x01', sizeof too_long);
    struct column column = {.kind = COLUMN_TEXT, .data = too_long, .len = TEXT_MAX};
    check_column(column, FIELD_CLIENT_CITY, "!bad_text");

    struct buf body;
    struct rejection rejection;
    buf_init(&body, PAYLOAD_BODY_MAX);
    assert_true(payload_render(&good, RECORD_MS, &nested, &body, &rejection));
    size_t len = body.len;
    buf_done(&body);
    for (size_t limit = 0; limit <= len; limit++) {
        buf_init(&body, limit);
        bool sent = payload_render(&good, RECORD_MS, &nested, &body, &rejection);
        assert_int_equal(sent, limit == len);
        assert_true(sent || rejection.reason == REJECT_BAD_TEXT);
        buf_done(&body);
    }
    assert_int_equal(rejection.field, FIELD_CONFIRMED_AT); /* all but the last byte had room */
}

/* ---- times ---- */

static const struct {
    struct column confirmed_at, event_ms;
    int64_t record_ms;
    const char *outcome;
} times[] = {
    {NULL_COLUMN, INT(2000), 1000, "\"1970-01-01T00:00:02.000Z\""},
    {NULL_COLUMN, TICKS(2000, 6), 1000, "\"1970-01-01T00:00:02.000Z\""}, /* always ms */
    {NULL_COLUMN, INT(-1), 1000, "\"1969-12-31T23:59:59.999Z\""},
    {NULL_COLUMN, INT(0), -1, "\"1970-01-01T00:00:00.000Z\""},
    {NULL_COLUMN, INT(INT64_MAX), 1000, "!bad_time"},
    {NULL_COLUMN, ABSENT, 1000, "\"1970-01-01T00:00:01.000Z\""},
    {NULL_COLUMN, NULL_COLUMN, 1000, "\"1970-01-01T00:00:01.000Z\""},
    {NULL_COLUMN, TEXT("2000"), 0, "\"1970-01-01T00:00:00.000Z\""},
    {NULL_COLUMN, ABSENT, -1, "!bad_time"},
    {NULL_COLUMN, ABSENT, INT64_MAX, "!bad_time"},
    {ABSENT, INT(2000), 1000, "\"1970-01-01T00:00:02.000Z\""},
    {TICKS(1795338930123, 0), INT(2000), 1000, "\"2026-11-22T09:15:30.123Z\""},
    /* without an annotation the size tells the unit */
    {TICKS(1795338930123456, 0), INT(2000), 1000, "\"2026-11-22T09:15:30.123456Z\""},
    {TICKS(1795338930123456789, 0), INT(2000), 1000, "\"2026-11-22T09:15:30.123456789Z\""},
    {TICKS(1795338930, 0), INT(2000), 1000, "!bad_time"}, /* seconds: 1970 in milliseconds */
    {TICKS(1795338930123, 3), INT(2000), 1000, "\"2026-11-22T09:15:30.123Z\""},
    {TICKS(1795338930123456, 6), INT(2000), 1000, "\"2026-11-22T09:15:30.123456Z\""},
    {TICKS(1795338930123456789, 9), ABSENT, -1, "\"2026-11-22T09:15:30.123456789Z\""},
    {TICKS(1795338930123, 6), INT(2000), 1000, "!bad_time"}, /* another unit than is said */
    {TICKS(1795338930123456, 3), INT(2000), 1000, "!bad_time"},
    {TICKS(631152000000, 3), INT(2000), 1000, "\"1990-01-01T00:00:00.000Z\""},
    {TICKS(631151999999, 3), INT(2000), 1000, "!bad_time"},
    {TICKS(4102444799999, 3), INT(2000), 1000, "\"2099-12-31T23:59:59.999Z\""},
    {TICKS(4102444800000, 3), INT(2000), 1000, "!bad_time"},
    {TICKS(0, 3), INT(2000), 1000, "!bad_time"},
    {TICKS(9223372036825200000, 6), INT(2000), 1000, "!bad_time"}, /* infinity */
    {TICKS(INT64_MIN, 9), INT(2000), 1000, "!bad_time"},
    {TEXT("0001-01-01T00:00:00Z"), INT(2000), 1000, "!bad_time"},
    {TEXT("1970-01-01T00:00:00Z"), INT(2000), 1000, "!bad_time"},
    {TEXT("2026-13-45T99:99:99Z"), INT(2000), 1000, "!bad_time"},
    {TEXT("2100-01-01T00:00:00Z"), INT(2000), 1000, "!bad_time"},
    {TEXT("2100-01-01T00:00:00+01:00"), INT(2000), 1000, "\"2100-01-01T00:00:00+01:00\""},
    {TEXT("2026-11-22 09:15:30"), INT(2000), 1000, "!bad_time"},
};

static void times_and_what_stands_in_for_them(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        struct change change = good;
        struct rejection rejection;
        struct buf body;
        char text[64], expected[64] = "bad_time:confirmed_at";
        change.field[FIELD_CONFIRMED_AT] = times[i].confirmed_at;
        change.event_ms = times[i].event_ms;
        buf_init(&body, PAYLOAD_BODY_MAX);
        bool sent = payload_render(&change, times[i].record_ms, &nested, &body, &rejection);
        if (times[i].outcome[0] != '!')
            snprintf(expected, sizeof expected, "%s}}", times[i].outcome);
        const char *got = sent ? strstr(buf_text(&body), "\"confirmed_at\":")
                               : rejection_text(&rejection, text, sizeof text);
        assert_string_equal(sent ? got + strlen("\"confirmed_at\":") : got, expected);
        buf_done(&body);
    }
}

/* ---- the order of checks, and the reason's text ---- */

static void the_first_bad_field_is_named(void **state)
{
    (void)state;
    struct change change = good;
    for (size_t f = FIELD_COUNT; f-- > 0;) { /* backwards: each new one comes first */
        change.field[f] = (struct column)TEXT("\xff");
        check(&change, f, "!bad_text");
    }
}

static void reasons_as_text(void **state)
{
    (void)state;
    struct rejection rejection = {REJECT_NOT_A_NUMBER, FIELD_TOTAL_AMOUNT, NULL};
    char text[64], small[8];
    assert_ptr_equal(rejection_text(&rejection, text, sizeof text), text);
    assert_string_equal(text, "not_a_number:total_amount");
    assert_string_equal(rejection_text(&rejection, small, sizeof small), "not_a_n");
}

static void strings_as_json(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 64);
    assert_true(json_add_string(&b, "", 0));
    assert_true(json_add_string(&b, "a\nb", 3));
    assert_string_equal(buf_text(&b), "\"\"\"a\\nb\"");
    buf_reset(&b);
    assert_false(json_add_string(&b, "abc\xe9", 4));
    assert_int_equal(b.len, 0);
    buf_done(&b);
}

/* ---- amounts in cents ---- */

/* Integers alone have no decimals of their own; a quantity and a key are no amounts. */
static void amounts_in_cents(void **state)
{
    (void)state;
    static const struct {
        struct column column;
        int32_t decimals;
        const char *sent;
    } cases[] = {
        {INT(125050), 2, "1250.50"},
        {INT(5), 2, "0.05"},
        {INT(0), 2, "0.00"},
        {INT(1250500), 3, "1250.500"},
        {INT(125050), 0, "125050"},
        {INT(INT64_MAX), 2, "92233720368547758.07"},
        {DECIMAL("\x07\xcf", 2), 2, "19.99"},
        {TEXT("39.98"), 2, "39.98"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (size_t f = FIELD_UNIT_PRICE; f <= FIELD_TOTAL_AMOUNT; f++) {
            const struct payload_options options = {"order_confirmation", PAYLOAD_NESTED, NULL,
                                                    cases[i].decimals};
            struct change change = good;
            struct rejection rejection;
            struct buf body, expected;
            change.field[f] = cases[i].column;
            buf_init(&body, PAYLOAD_BODY_MAX);
            buf_init(&expected, PAYLOAD_BODY_MAX);
            expected_body(&expected, f, cases[i].sent);
            assert_true(payload_render(&change, RECORD_MS, &options, &body, &rejection));
            assert_string_equal(buf_text(&body), buf_text(&expected));
            change.field[f] = (struct column)INT(-1);
            buf_reset(&body);
            assert_false(payload_render(&change, RECORD_MS, &options, &body, &rejection));
            assert_int_equal(rejection.reason, REJECT_NEGATIVE);
            buf_done(&body);
            buf_done(&expected);
        }
}

/* ---- times without a zone ---- */

/* Clocks of 2026 in Paris: forward on 29 March at 01:00Z, back on 25 October at 01:00Z. */
static const struct time_zone paris = {
    .count = 3, .spans = {{0, 3600}, {1774746000, 7200}, {1792890000, 3600}}};

static void times_without_a_zone(void **state)
{
    (void)state;
    static const struct {
        const char *local, *utc;
    } cases[] = {
        {"2026-01-15T12:00:00.5Z", "2026-01-15T11:00:00.5Z"},
        {"2026-07-15T12:00:00.5Z", "2026-07-15T10:00:00.5Z"},
        {"2026-12-15T12:00:00.5Z", "2026-12-15T11:00:00.5Z"},
        {"2026-03-29T01:59:59.9Z", "2026-03-29T00:59:59.9Z"},
        {"2026-03-29T02:30:00.0Z", "2026-03-29T01:30:00.0Z"}, /* skipped: as before the change */
        {"2026-03-29T03:00:00.0Z", "2026-03-29T01:00:00.0Z"},
        {"2026-10-25T01:59:59.0Z", "2026-10-24T23:59:59.0Z"},
        {"2026-10-25T02:30:00.0Z", "2026-10-25T00:30:00.0Z"}, /* twice: its first */
        {"2026-10-25T03:00:00.0Z", "2026-10-25T02:00:00.0Z"},
    };
    const struct payload_options options = {"f", PAYLOAD_NESTED, &paris, 0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int counted = 0; counted < 3; counted++) {
            struct change change = good;
            struct column *at = &change.field[FIELD_CONFIRMED_AT];
            struct rejection rejection;
            struct timestamp t;
            struct buf body;
            assert_true(timestamp_read(cases[i].local, strlen(cases[i].local), &t));
            *at = (struct column){.kind = COLUMN_TEXT,
                                  .local = counted < 2,
                                  .data = cases[i].local,
                                  .len = strlen(cases[i].local)};
            if (counted == 1)
                *at = (struct column){.kind = COLUMN_INT,
                                      .local = true,
                                      .ticks = 1 + 2,
                                      .number = t.seconds * 1000 + (t.fraction[0] - '0') * 100};
            buf_init(&body, PAYLOAD_BODY_MAX);
            assert_true(payload_render(&change, RECORD_MS, &options, &body, &rejection));
            const char *got = strstr(buf_text(&body), "\"confirmed_at\":\"") + 16;
            const char *expected = counted == 2 ? cases[i].local : cases[i].utc;
            if (strncmp(got, expected, strlen(expected) - 1) != 0)
                fail_msg("%s is %s", cases[i].local, got);
            buf_done(&body);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_without_a_zone),
        cmocka_unit_test(amounts_in_cents),
        cmocka_unit_test(the_body_of_a_good_order),
        cmocka_unit_test(a_flat_body_with_another_name),
        cmocka_unit_test(every_kind_of_column_in_every_field),
        cmocka_unit_test(numbers_as_text),
        cmocka_unit_test(text_is_checked_and_escaped),
        cmocka_unit_test(the_longest_text),
        cmocka_unit_test(a_body_has_a_limit),
        cmocka_unit_test(times_and_what_stands_in_for_them),
        cmocka_unit_test(the_first_bad_field_is_named),
        cmocka_unit_test(reasons_as_text),
        cmocka_unit_test(strings_as_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
