/* plan_test: what each type of column, in each converter's dialect, is captured as; and which
 * shapes of record there are. Malformed bytes are malformed_test's, random ones property/'s. */
#include "cdc/plan.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BYTES(text) (text), sizeof(text) - 1

static struct plan_options default_options(void)
{
    struct plan_options options = {
        .rule_column = "status", .rule_value = "confirmed", .prefix = "__", .op_assumed = true};
    for (size_t f = 0; f < FIELD_COUNT; f++)
        options.columns[f] = payload_field_columns[f];
    return options;
}

static struct plan *compile(const char *schema, const struct plan_options *options)
{
    struct error err = {0};
    struct plan *plan = plan_compile(schema, strlen(schema), options, &err);
    if (plan == NULL)
        fail_msg("%s: %s", schema, err.text);
    return plan;
}

static void refused(const char *schema, const struct plan_options *options, enum error_code code,
                    const char *text)
{
    struct error err = {0};
    struct plan *plan = plan_compile(schema, strlen(schema), options, &err);
    if (plan != NULL || err.code != code || strstr(err.text, text) == NULL)
        fail_msg("%s: %s", schema, plan ? "accepted" : err.text);
}

/* A column's value as one line. */
static const char *show(const struct column *c, char *text, size_t size)
{
    size_t n = 0;
    switch (c->kind) {
    case COLUMN_ABSENT: snprintf(text, size, "absent"); break;
    case COLUMN_NULL: snprintf(text, size, "null"); break;
    case COLUMN_TEXT: snprintf(text, size, "text %.*s", (int)c->len, c->data); break;
    case COLUMN_INT: snprintf(text, size, "int %" PRId64 " ticks %d", c->number, c->ticks); break;
    case COLUMN_FLOAT: snprintf(text, size, "float %g", c->real); break;
    case COLUMN_DOUBLE: snprintf(text, size, "double %g", c->real); break;
    case COLUMN_BOOLEAN: snprintf(text, size, "boolean %d", (int)c->number); break;
    case COLUMN_OTHER: snprintf(text, size, "other"); break;
    case COLUMN_DECIMAL:
        n = (size_t)snprintf(text, size, "decimal %d ", c->scale);
        for (size_t i = 0; i < c->len; i++)
            n += (size_t)snprintf(text + n, size - n, "%02x", (unsigned char)c->data[i]);
        break;
    }
    return text;
}

static void expect(const char *what, const struct column *c, const char *expected)
{
    char text[300];
    if (strcmp(show(c, text, sizeof text), expected) != 0)
        fail_msg("%s: %s, not %s", what, text, expected);
}

static void run(const struct plan *plan, const void *bytes, size_t len, struct change *ret_change)
{
    const char *why = NULL;
    uint8_t *copy = malloc(len ? len : 1); /* freed late: captures borrow it */
    static uint8_t *last;
    assert_non_null(copy);
    memcpy(copy, bytes, len);
    free(last);
    last = copy;
    if (plan_run(plan, copy, len, false, ret_change, &why, NULL) != PLAN_DONE)
        fail_msg("%s", why);
}

/* ---- one column of each type ---- */

#define ROW(type)                                                                      \
    "{\"type\":\"record\",\"name\":\"Row\",\"namespace\":\"shop\",\"fields\":["        \
    "{\"name\":\"id\",\"type\":\"string\"},{\"name\":\"status\",\"type\":\"string\"}," \
    "{\"name\":\"total_amount\",\"type\":" type "}]}"
#define HEAD \
    "\2"     \
    "1"      \
    "\22"    \
    "confirmed"
#define CONNECT(base, more) "{\"type\":\"" base "\",\"connect.version\":1," more "}"
#define NAMED(name) "\"connect.name\":\"" name "\""
#define DECIMAL NAMED("org.apache.kafka.connect.data.Decimal")
#define SCALED(fields)                                                                    \
    "{\"type\":\"record\",\"name\":\"VariableScaleDecimal\",\"namespace\":\"io.debezium." \
    "data\",\"fields\":[" fields "]}"
#define SCALE "{\"name\":\"scale\",\"type\":\"int\"}"
#define VALUE "{\"name\":\"value\",\"type\":\"bytes\"}"
#define FIXED "\"name\":\"F\",\"size\":2"

static const struct {
    const char *name, *schema, *bytes;
    size_t len;
    const char *expected;
} columns[] = {
    {"text", ROW("\"string\""), BYTES(HEAD "\4ab"), "text ab"},
    {"optional", ROW("[\"null\",\"string\"]"), BYTES(HEAD "\2\2a"), "text a"},
    {"null", ROW("[\"null\",\"string\"]"), BYTES(HEAD "\0"), "null"},
    {"null last", ROW("[\"string\",\"null\"]"), BYTES(HEAD "\2"), "null"},
    {"always null", ROW("\"null\""), BYTES(HEAD), "null"},
    {"three branches", ROW("[\"null\",\"string\",\"double\"]"),
     BYTES(HEAD "\4\0\0\0\0\0\0\xf8\x3f"), "double 1.5"},
    {"Debezium's enum", ROW(CONNECT("string", NAMED("io.debezium.data.Enum"))), BYTES(HEAD "\2a"),
     "text a"},
    {"Avro's enum", ROW("{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\",\"BB\"]}"),
     BYTES(HEAD "\2"), "text BB"},
    {"uuid", ROW("{\"type\":\"string\",\"logicalType\":\"uuid\"}"), BYTES(HEAD "\2u"), "text u"},
    {"int", ROW("\"int\""), BYTES(HEAD "\1"), "int -1 ticks 0"},
    {"long", ROW("\"long\""), BYTES(HEAD "\xff\xff\xff\xff\xff\xff\xff\xff\xff\1"),
     "int -9223372036854775808 ticks 0"},
    {"smallint", ROW("{\"type\":\"int\",\"connect.type\":\"int16\"}"), BYTES(HEAD "\16"),
     "int 7 ticks 0"},
    {"float", ROW("\"float\""), BYTES(HEAD "\0\0\xc0\x3f"), "float 1.5"},
    {"boolean", ROW("\"boolean\""), BYTES(HEAD "\1"), "boolean 1"},
    {"array", ROW("{\"type\":\"array\",\"items\":\"int\"}"), BYTES(HEAD "\2\2\0"), "other"},
    {"map", ROW("{\"type\":\"map\",\"values\":\"int\"}"), BYTES(HEAD "\2\2k\2\0"), "other"},
    {"bytes", ROW("\"bytes\""), BYTES(HEAD "\2x"), "other"},
    {"fixed", ROW("{\"type\":\"fixed\"," FIXED "}"), BYTES(HEAD "xy"), "other"},
    /* decimals */
    {"Apicurio's decimal",
     ROW(CONNECT("bytes", DECIMAL ",\"scale\":2,\"precision\":12,\"connect.parameters\":"
                                  "{\"scale\":\"2\"},\"logicalType\":\"decimal\"")),
     BYTES(HEAD "\4\x04\xd2"), "decimal 2 04d2"},
    {"Confluent's decimal",
     ROW(CONNECT("bytes", DECIMAL ",\"connect.parameters\":{\"scale\":\"3\","
                                  "\"connect.decimal.precision\":\"9\"}")),
     BYTES(HEAD "\2\xff"), "decimal 3 ff"},
    {"logical decimal",
     ROW("{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":9,\"scale\":4}"),
     BYTES(HEAD "\2\1"), "decimal 4 01"},
    {"decimal of no scale", ROW("{\"type\":\"bytes\",\"logicalType\":\"decimal\"}"),
     BYTES(HEAD "\2\1"), "decimal 0 01"},
    {"decimal of a negative scale", ROW(CONNECT("bytes", DECIMAL ",\"scale\":-2")),
     BYTES(HEAD "\2\1"), "decimal -2 01"},
    {"negative scale as text",
     ROW(CONNECT("bytes", DECIMAL ",\"connect.parameters\":{\"scale\":\"-3\"}")),
     BYTES(HEAD "\2\1"), "decimal -3 01"},
    {"optional decimal", ROW("[\"null\"," CONNECT("bytes", DECIMAL ",\"scale\":2") "]"),
     BYTES(HEAD "\2\2\1"), "decimal 2 01"},
    {"decimal in a fixed",
     ROW("{\"type\":\"fixed\"," FIXED ",\"logicalType\":\"decimal\",\"scale\":1}"),
     BYTES(HEAD "\1\2"), "decimal 1 0102"},
    {"variable scale", ROW(SCALED(SCALE "," VALUE)), BYTES(HEAD "\6\4\1\2"), "decimal 3 0102"},
    {"variable scale, value first", ROW(SCALED(VALUE "," SCALE)), BYTES(HEAD "\4\1\2\1"),
     "decimal -1 0102"},
    {"optional variable scale", ROW("[\"null\"," SCALED(SCALE "," VALUE) "]"),
     BYTES(HEAD "\2\0\2\7"), "decimal 0 07"},
    {"a record of other fields", ROW(SCALED(SCALE ",{\"name\":\"x\",\"type\":\"bytes\"}")),
     BYTES(HEAD "\6\4\1\2"), "other"},
    /* times */
    {"ms", ROW(CONNECT("long", NAMED("io.debezium.time.Timestamp"))), BYTES(HEAD "\2"),
     "int 1 ticks 3"},
    {"µs", ROW(CONNECT("long", NAMED("io.debezium.time.MicroTimestamp"))), BYTES(HEAD "\2"),
     "int 1 ticks 6"},
    {"ns", ROW(CONNECT("long", NAMED("io.debezium.time.NanoTimestamp"))), BYTES(HEAD "\2"),
     "int 1 ticks 9"},
    {"Connect's",
     ROW(CONNECT("long", NAMED("org.apache.kafka.connect.data.Timestamp") ",\"logicalType\":"
                                                                          "\"timestamp-millis\"")),
     BYTES(HEAD "\2"), "int 1 ticks 3"},
    {"logical ms", ROW("{\"type\":\"long\",\"logicalType\":\"timestamp-millis\"}"),
     BYTES(HEAD "\2"), "int 1 ticks 3"},
    {"logical µs", ROW("[\"null\",{\"type\":\"long\",\"logicalType\":\"timestamp-micros\"}]"),
     BYTES(HEAD "\2\2"), "int 1 ticks 6"},
    {"logical ns", ROW("{\"type\":\"long\",\"logicalType\":\"timestamp-nanos\"}"), BYTES(HEAD "\2"),
     "int 1 ticks 9"},
    {"local ms", ROW("{\"type\":\"long\",\"logicalType\":\"local-timestamp-millis\"}"),
     BYTES(HEAD "\2"), "int 1 ticks 3"},
    {"local µs", ROW("{\"type\":\"long\",\"logicalType\":\"local-timestamp-micros\"}"),
     BYTES(HEAD "\2"), "int 1 ticks 6"},
    {"local ns", ROW("{\"type\":\"long\",\"logicalType\":\"local-timestamp-nanos\"}"),
     BYTES(HEAD "\2"), "int 1 ticks 9"},
    {"zoned", ROW(CONNECT("string", NAMED("io.debezium.time.ZonedTimestamp"))), BYTES(HEAD "\2z"),
     "text z"},
    /* annotations beside the type */
    {"decimal beside", ROW("\"bytes\",\"logicalType\":\"decimal\",\"precision\":9,\"scale\":2"),
     BYTES(HEAD "\2\1"), "decimal 2 01"},
    {"optional decimal beside", ROW("[\"null\",\"bytes\"],\"logicalType\":\"decimal\",\"scale\":2"),
     BYTES(HEAD "\2\2\1"), "decimal 2 01"},
    {"Connect's decimal beside",
     ROW("\"bytes\"," DECIMAL ",\"connect.parameters\":{\"scale\":\"3\"}"), BYTES(HEAD "\2\1"),
     "decimal 3 01"},
    {"decimal in a fixed beside",
     ROW("{\"type\":\"fixed\"," FIXED "},\"logicalType\":\"decimal\",\"scale\":1"),
     BYTES(HEAD "\1\2"), "decimal 1 0102"},
    {"decimal of a bare object beside",
     ROW("{\"type\":\"bytes\"},\"logicalType\":\"decimal\",\"scale\":1"), BYTES(HEAD "\2\1"),
     "decimal 1 01"},
    {"ms beside", ROW("\"long\",\"logicalType\":\"timestamp-millis\""), BYTES(HEAD "\2"),
     "int 1 ticks 3"},
    {"optional µs beside", ROW("[\"long\",\"null\"],\"logicalType\":\"timestamp-micros\""),
     BYTES(HEAD "\0\2"), "int 1 ticks 6"},
    {"Debezium's µs beside", ROW("\"long\"," NAMED("io.debezium.time.MicroTimestamp")),
     BYTES(HEAD "\2"), "int 1 ticks 6"},
    {"the type's own goes first",
     ROW("{\"type\":\"long\",\"logicalType\":\"timestamp-micros\"},\"logicalType\":"
         "\"timestamp-millis\""),
     BYTES(HEAD "\2"), "int 1 ticks 6"},
    {"two branches that it may be about",
     ROW("[\"null\",\"long\",\"string\"],\"logicalType\":\"timestamp-millis\""), BYTES(HEAD "\2\2"),
     "int 1 ticks 0"},
    /* annotations that mean nothing, and that no parser of JSON takes */
    {"annotations of no use",
     ROW("{\"type\":\"string\",\"connect.name\":\"\\ud800\",\"logicalType\":1e999,\"scale\":[{}],"
         "\"connect.parameters\":{\"scale\":\"\\ud800\"}},\"logicalType\":\"\\ud800\",\"scale\":"
         "1e999"),
     BYTES(HEAD "\2a"), "text a"},
    /* names */
    {"wrapped type", ROW("{\"type\":{\"type\":\"long\",\"logicalType\":\"timestamp-micros\"}}"),
     BYTES(HEAD "\2"), "int 1 ticks 6"},
};

static void every_type_in_every_dialect(void **state)
{
    (void)state;
    struct plan_options options = default_options();
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
        struct change change;
        struct plan *plan = compile(columns[i].schema, &options);
        run(plan, columns[i].bytes, columns[i].len, &change);
        expect(columns[i].name, &change.field[FIELD_TOTAL_AMOUNT], columns[i].expected);
        expect(columns[i].name, &change.status, "text confirmed");
        plan_free(plan);
    }
}

/* Debezium's and Connect's names for a time without a zone; Avro's own are of instants. */
static void times_without_a_zone_are_marked(void **state)
{
    static const struct {
        const char *type;
        bool is_local;
    } types[] = {
        {CONNECT("long", NAMED("io.debezium.time.Timestamp")), true},
        {CONNECT("long", NAMED("io.debezium.time.MicroTimestamp")), true},
        {CONNECT("long", NAMED("io.debezium.time.NanoTimestamp")), true},
        {CONNECT("string", NAMED("io.debezium.time.IsoTimestamp")), true},
        {CONNECT("long", NAMED("org.apache.kafka.connect.data.Timestamp")), true},
        {"{\"type\":\"long\",\"logicalType\":\"local-timestamp-millis\"}", true},
        {"{\"type\":\"long\",\"logicalType\":\"local-timestamp-micros\"}", true},
        {"{\"type\":\"long\",\"logicalType\":\"local-timestamp-nanos\"}", true},
        {"[\"null\",{\"type\":\"long\",\"logicalType\":\"local-timestamp-micros\"}]", true},
        {"{\"type\":\"long\",\"logicalType\":\"timestamp-millis\"}", false},
        {"{\"type\":\"long\",\"logicalType\":\"timestamp-nanos\"}", false},
        {CONNECT("string", NAMED("io.debezium.time.ZonedTimestamp")), false},
        {"\"string\"", false},
        {"\"long\"", false},
    };
    struct plan_options options = default_options();
    (void)state;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        char schema[1000];
        struct change change;
        bool in_union = types[i].type[0] == '[', is_text = strstr(types[i].type, "string") != NULL;
        snprintf(schema, sizeof schema, ROW("%s"), types[i].type);
        struct plan *plan = compile(schema, &options);
        if (is_text || in_union)
            run(plan, BYTES(HEAD "\2a"), &change);
        else
            run(plan, BYTES(HEAD "\2"), &change);
        if (change.field[FIELD_TOTAL_AMOUNT].local != types[i].is_local)
            fail_msg("%s", types[i].type);
        plan_free(plan);
    }
}

/* The converter writes a column's default in place of null: nothing was confirmed in 1970. */
static void the_epoch_as_a_default_is_null(void **state)
{
#define CONFIRMED(type, more)                                                          \
    "{\"type\":\"record\",\"name\":\"Row\",\"fields\":["                               \
    "{\"name\":\"id\",\"type\":\"string\"},{\"name\":\"status\",\"type\":\"string\"}," \
    "{\"name\":\"confirmed_at\",\"type\":" type more "}]}"
#define EPOCH "1970-01-01T00:00:00"
    static const struct {
        const char *schema, *bytes;
        size_t len;
        const char *expected;
    } records[] = {
        {CONFIRMED("\"long\"", ",\"default\":0"), BYTES(HEAD "\0"), "null"},
        {CONFIRMED("\"long\"", ",\"default\":0"), BYTES(HEAD "\2"), "int 1 ticks 0"},
        {CONFIRMED("\"long\"", ""), BYTES(HEAD "\0"), "int 0 ticks 0"},
        {CONFIRMED("\"long\"", ",\"default\":7"), BYTES(HEAD "\0"), "int 0 ticks 0"},
        {CONFIRMED("[\"long\",\"null\"]", ",\"default\":0"), BYTES(HEAD "\0\0"), "null"},
        {CONFIRMED("\"string\"", ",\"default\":\"" EPOCH ".000000Z\""), BYTES(HEAD "\50" EPOCH "Z"),
         "null"},
        {CONFIRMED("\"string\"", ",\"default\":\"" EPOCH "Z\""), BYTES(HEAD "\66" EPOCH ".000000Z"),
         "null"},
        {CONFIRMED("\"string\"", ",\"default\":\"" EPOCH "Z\""), BYTES(HEAD "\54" EPOCH ".5Z"),
         "text " EPOCH ".5Z"},
        {CONFIRMED("\"string\"", ""), BYTES(HEAD "\50" EPOCH "Z"), "text " EPOCH "Z"},
    };
    struct plan_options options = default_options();
    (void)state;
    for (size_t i = 0; i < sizeof records / sizeof *records; i++) {
        struct change change;
        struct plan *plan = compile(records[i].schema, &options);
        run(plan, records[i].bytes, records[i].len, &change);
        expect(records[i].schema, &change.field[FIELD_CONFIRMED_AT], records[i].expected);
        plan_free(plan);
    }
}

/* A day, a time of day, a year or a span is no point in time, whatever its number looks like. */
static void annotated_numbers_that_are_no_times(void **state)
{
    (void)state;
    static const char *const types[] = {
        CONNECT("int", NAMED("io.debezium.time.Date")),
        CONNECT("int", NAMED("org.apache.kafka.connect.data.Date") ",\"logicalType\":\"date\""),
        "{\"type\":\"int\",\"logicalType\":\"date\"}",
        "{\"type\":\"int\",\"logicalType\":\"time-millis\"}",
        "{\"type\":\"long\",\"logicalType\":\"time-micros\"}",
        CONNECT("int", NAMED("io.debezium.time.Time")),
        CONNECT("long", NAMED("io.debezium.time.MicroTime")),
        CONNECT("long", NAMED("io.debezium.time.NanoTime")),
        CONNECT("int", NAMED("org.apache.kafka.connect.data.Time")),
        CONNECT("int", NAMED("io.debezium.time.Year")),
        CONNECT("long", NAMED("io.debezium.time.MicroDuration")),
    };
    struct plan_options options = default_options();
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        char schema[1000], expected[40];
        struct change change;
        snprintf(schema, sizeof schema, ROW("%s"), types[i]);
        struct plan *plan = compile(schema, &options);
        run(plan, BYTES(HEAD "\2"), &change);
        snprintf(expected, sizeof expected, "int 1 ticks %d", COLUMN_TICKS_NO_TIME);
        expect(types[i], &change.field[FIELD_TOTAL_AMOUNT], expected);
        plan_free(plan);
    }
}

/* ---- names: a reference finds the definition that Avro's rules say ---- */

#define FIELD(name, type) "{\"name\":\"" name "\",\"type\":" type "}"
#define RECORD(name, space, fields)                                                              \
    "{\"type\":\"record\",\"name\":\"" name "\",\"namespace\":\"" space "\",\"fields\":[" fields \
    "]}"
#define FIX(name, more) \
    "{\"type\":\"fixed\",\"name\":\"" name "\",\"size\":1,\"logicalType\":\"decimal\"," more "}"

static void names_are_resolved_within_their_namespaces(void **state)
{
    (void)state;
    static const char schema[] = RECORD(
        "Row", "a",
        FIELD("id", "\"string\"") "," FIELD("status", "\"string\"") "," FIELD("x", RECORD("Inner", "b", FIELD("m", FIX("Money", "\"scale\":5")))) "," FIELD(
            "y",
            FIX("Money",
                "\"scale\":2")) "," FIELD("z",
                                          FIX("c.Money",
                                              "\"scale\":7")) "," FIELD("unit_price",
                                                                        "\"Money\"") "," FIELD("tot"
                                                                                               "al_"
                                                                                               "amo"
                                                                                               "un"
                                                                                               "t",
                                                                                               "\"b"
                                                                                               ".Mo"
                                                                                               "ney"
                                                                                               "\"") "," FIELD("quantity",
                                                                                                               "[\"null\",\"c.Money\"]"));
    struct plan_options options = default_options();
    struct change change;
    struct plan *plan = compile(schema, &options);
    run(plan, BYTES(HEAD "\1\2\3\4\5\2\6"), &change);
    expect("its own namespace", &change.field[FIELD_UNIT_PRICE], "decimal 2 04");
    expect("another, dotted", &change.field[FIELD_TOTAL_AMOUNT], "decimal 5 05");
    expect("a dotted definition", &change.field[FIELD_QUANTITY], "decimal 7 06");
    plan_free(plan);
}

/* ---- shapes ---- */

#define ROW_FIELDS FIELD("id", "\"string\"") "," FIELD("status", "[\"null\",\"string\"]")
#define ENVELOPE(more)                                                                             \
    RECORD(                                                                                        \
        "Envelope", "shop",                                                                        \
        FIELD("before", "[\"null\"," RECORD("Value", "shop", ROW_FIELDS) "]") "," FIELD(           \
            "after",                                                                               \
            "[\"null\",\"Value\"]") "," FIELD("source",                                            \
                                              RECORD(                                              \
                                                  "Source", "io.debezium",                         \
                                                  FIELD("ts_ms", "\"long\"") "," FIELD(            \
                                                      "lsn",                                       \
                                                      "[\"null\",\"long\"]"))) "," FIELD("op",     \
                                                                                         "\"strin" \
                                                                                         "g\"")    \
            more)

static void an_envelope(void **state)
{
    (void)state;
    struct plan_options options = default_options();
    struct change change;
    struct plan *plan = compile(ENVELOPE(""), &options);
    assert_int_equal(plan_shape(plan), PLAN_ENVELOPE);
    run(plan, BYTES("\2\2x\2\2p\2\2x\2\22confirmed\6\2\10\2u"), &change);
    assert_true(change.has_before && change.has_row);
    expect("before", &change.before_status, "text p");
    expect("status", &change.status, "text confirmed");
    expect("op", &change.op, "text u");
    expect("lsn", &change.lsn, "int 4 ticks 0");
    expect("event", &change.event_ms, "int 3 ticks 0");
    run(plan, BYTES("\0\0\6\0\2t"), &change);
    assert_false(change.has_before || change.has_row);
    expect("before", &change.before_status, "absent");
    expect("lsn", &change.lsn, "null");
    plan_free(plan);
    /* a transaction block behind op, as provide.transaction.metadata adds it */
    plan = compile(
        ENVELOPE("," FIELD("transaction", "[\"null\"," RECORD("block", "event",
                                                              FIELD("id", "\"string\"") "," FIELD(
                                                                  "total_order", "\"long\"")) "]")),
        &options);
    run(plan, BYTES("\0\2\2x\0\6\0\2c\2\2t\2"), &change);
    expect("id", &change.field[FIELD_ORDER_ID], "text x");
    plan_free(plan);
}

/* Without schema.name.adjustment.mode=avro a server called my-shop is part of the namespace, which
 * Java's Avro lets pass. */
static void namespaces_that_are_no_identifiers(void **state)
{
    (void)state;
    static const char schema[] =
        "{\"type\":\"record\",\"name\":\"Envelope\",\"namespace\":\"my-shop.public.1st\","
        "\"fields\":[{\"name\":\"before\",\"type\":[\"null\",{\"type\":\"record\",\"name\":"
        "\"Value\","
        "\"fields\":[{\"name\":\"id\",\"type\":\"string\"},{\"name\":\"status\",\"type\":"
        "\"string\"}]}]},"
        "{\"name\":\"after\",\"type\":[\"null\",\"my-shop.public.1st.Value\"]},"
        "{\"name\":\"op\",\"type\":\"string\"}]}";
    struct plan_options options = default_options();
    struct change change;
    struct plan *plan = compile(schema, &options);
    run(plan, BYTES("\0\2\2x\2p\2c"), &change);
    expect("id", &change.field[FIELD_ORDER_ID], "text x");
    plan_free(plan);
}

/* Java's Avro takes any letter for a name's; so does Debezium unless told otherwise. */
static void names_of_other_letters(void **state)
{
    (void)state;
    static const char schema[] =
        "{\"type\":\"record\",\"name\":\"Enveloppé\",\"namespace\":\"boutique.été\",\"fields\":["
        "{\"name\":\"before\",\"type\":[\"null\",{\"type\":\"record\",\"name\":\"Rangée\","
        "\"fields\":["
        "{\"name\":\"id\",\"type\":\"string\"},{\"name\":\"état\",\"type\":{\"type\":\"enum\","
        "\"name\":"
        "\"État\",\"symbols\":[\"créée\",\"payée\"]}},{\"name\":\"prénom\",\"type\":\"string\"},"
        "{\"name\":\"العنوان\",\"type\":\"string\"}]}]},"
        "{\"name\":\"after\",\"type\":[\"null\",\"boutique.été.Rangée\"]},"
        "{\"name\":\"op\",\"type\":\"string\"}]}";
    struct plan_options options = default_options();
    struct change change;
    options.rule_column = options.columns[FIELD_STATUS] = "état";
    options.columns[FIELD_CLIENT_NAME] = "prénom";
    options.columns[FIELD_CLIENT_ADDRESS] = "العنوان";
    struct plan *plan = compile(schema, &options);
    run(plan, BYTES("\2\2x\0\2n\2a\2\2x\2\2n\2a\2c"), &change);
    expect("before", &change.before_status, "text créée");
    expect("status", &change.status, "text payée");
    expect("name", &change.field[FIELD_CLIENT_NAME], "text n");
    expect("address", &change.field[FIELD_CLIENT_ADDRESS], "text a");
    plan_free(plan);
    options.rule_column = "étape";
    refused(schema, &options, ERROR_CONFIG, "no column \"étape\"");
}

#define ADDED(prefix)                                                                   \
    "," FIELD(prefix "op", "\"string\"") "," FIELD(prefix "lsn", "\"long\"") "," FIELD( \
        prefix "source_ts_ms", "\"long\"") "," FIELD("__deleted", "\"string\"")

static void an_unwrapped_row(const char *schema, const char *prefix)
{
    struct plan_options options = default_options();
    struct change change;
    options.op_assumed = false;
    options.prefix = prefix;
    struct plan *plan = compile(schema, &options);
    assert_int_equal(plan_shape(plan), PLAN_UNWRAPPED);
    run(plan, BYTES("\2x\2\2p\2u\10\6\12false"), &change);
    assert_true(change.has_row && !change.has_before);
    expect(prefix, &change.op, "text u");
    expect(prefix, &change.lsn, "int 4 ticks 0");
    expect(prefix, &change.event_ms, "int 3 ticks 0");
    expect(prefix, &change.deleted, "text false");
    plan_free(plan);
}

static void unwrapped_rows_of_any_prefix(void **state)
{
    (void)state;
    an_unwrapped_row(RECORD("Value", "shop", ROW_FIELDS ADDED("__")), "__");
    an_unwrapped_row(RECORD("Value", "shop", ROW_FIELDS ADDED("cdc_")), "cdc_");
    an_unwrapped_row(RECORD("Value", "shop", ROW_FIELDS ADDED("")), "");
}

/* add.fields=source.lsn calls it so; without it one transition may get two webhook-ids. */
static void the_place_in_the_log_has_two_names(void **state)
{
    (void)state;
    static const char *const names[] = {"__lsn", "__source_lsn"};
    struct plan_options options = default_options();
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char schema[1000];
        struct change change;
        snprintf(schema, sizeof schema,
                 RECORD("Value", "shop", ROW_FIELDS "," FIELD("%s", "[\"null\",\"long\"]")),
                 names[i]);
        struct plan *plan = compile(schema, &options);
        run(plan, BYTES("\2x\2\2p\2\10"), &change);
        expect(names[i], &change.lsn, "int 4 ticks 0");
        plan_free(plan);
    }
}

static void another_prefix_than_the_rows_stops(void **state)
{
    (void)state;
    struct plan_options options = default_options();
    options.op_assumed = false;
    refused(RECORD("Value", "shop", ROW_FIELDS ADDED("cdc_")), &options, ERROR_CONFIG,
            "rule.prefix");
}

static void foreign_records_are_known(void **state)
{
    (void)state;
    static const char *const schemas[] = {
        RECORD("Heartbeat", "io.debezium.connector.common", FIELD("ts_ms", "\"long\"")),
        RECORD("TransactionMetadataValue", "io.debezium.connector.common",
               FIELD("status", "\"string\"") "," FIELD("id", "\"string\"")),
        RECORD("MessageValue", "io.debezium.connector.postgresql",
               FIELD("op", "[\"null\",\"string\"]") "," FIELD("source", "\"string\"") "," FIELD(
                   "message", RECORD("Message", "io.debezium", FIELD("content", "\"bytes\"")))),
        RECORD("SchemaChangeValue", "io.debezium.connector.schema", FIELD("ddl", "\"string\"")),
    };
    struct plan_options options = default_options();
    for (size_t i = 0; i < sizeof schemas / sizeof *schemas; i++) {
        struct plan *plan = compile(schemas[i], &options);
        assert_int_equal(plan_shape(plan), PLAN_FOREIGN);
        plan_free(plan);
    }
}

/* ---- schemas that would silence every order ---- */

/* As MongoDB's connector writes it: the document's JSON in `before` and `after`. */
static void an_envelope_of_documents_says_how_to_unwrap_them(void **state)
{
    (void)state;
    const char *document = "[\"null\"," CONNECT("string", NAMED("io.debezium.data.Json")) "]";
    char schema[600];
    struct plan_options options = default_options();
    snprintf(schema, sizeof schema,
             RECORD("Envelope", "shop.shop.orders",
                    FIELD("before", "%s") "," FIELD("after", "%s") "," FIELD("op", "\"string\"")),
             document, document);
    refused(schema, &options, ERROR_CONFIG, "ExtractNewDocumentState");
}

/* A row's schema with these types of its id and its status; valid until the next call. */
static const char *row_of(const char *id, const char *status)
{
    static char schema[600];
    snprintf(schema, sizeof schema,
             RECORD("Value", "shop", FIELD("id", "%s") "," FIELD("status", "%s")), id, status);
    return schema;
}

static void a_rule_column_that_can_hold_no_text_stops(void **state)
{
    (void)state;
    static const char *const types[] = {"\"int\"", "\"boolean\"", "[\"null\",\"long\"]", "\"null\"",
                                        "{\"type\":\"array\",\"items\":\"string\"}"};
    struct plan_options options = default_options();
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        refused(row_of("\"string\"", types[i]), &options, ERROR_CONFIG,
                "column \"status\" (rule.column) is no text");
}

static void an_order_id_of_no_use_stops(void **state)
{
    (void)state;
    static const char *const types[] = {
        "\"boolean\"",
        "\"null\"",
        "\"bytes\"",
        "[\"null\",\"bytes\"]",
        "{\"type\":\"fixed\",\"name\":\"Id\",\"size\":16,\"logicalType\":\"uuid\"}",
        "{\"type\":\"array\",\"items\":\"string\"}",
        "{\"type\":\"map\",\"values\":\"string\"}",
        RECORD("Point", "shop", FIELD("x", "\"double\"")),
    };
    struct plan_options options = default_options();
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        refused(row_of(types[i], "\"string\""), &options, ERROR_CONFIG,
                "column \"id\" (payload.fields.order_id) is neither text nor a number");
}

/* One branch that holds it is enough. */
static void an_order_id_may_be_of_many_types(void **state)
{
    (void)state;
    static const char *const types[] = {
        "[\"bytes\",\"string\"]",
        "{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"scale\":0}",
        "[\"null\"," CONNECT("bytes", DECIMAL) "]",
        "{\"type\":\"fixed\",\"name\":\"Id\",\"size\":16,\"logicalType\":\"decimal\"}",
        "[" SCALED(SCALE "," VALUE) ",\"null\"]",
        "{\"type\":\"enum\",\"name\":\"Id\",\"symbols\":[\"a\"]}",
    };
    struct plan_options options = default_options();
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        plan_free(compile(row_of(types[i], "\"string\""), &options));
}

/* ---- columns come and go between two records ---- */

static void columns_are_found_by_name_in_each_schema(void **state)
{
    (void)state;
    static const struct {
        const char *schema, *bytes;
        size_t len;
        const char *status, *city, *quantity;
    } records[] = {
        {RECORD("V", "s",
                ROW_FIELDS "," FIELD("client_city", "\"string\"") "," FIELD("quantity", "\"int\"")),
         BYTES("\2x\2\2p\2O\4"), "text p", "text O", "int 2 ticks 0"},
        {RECORD(
             "V", "s",
             FIELD("quantity", "\"long\"") "," FIELD("client_city", "\"string\"") "," ROW_FIELDS),
         BYTES("\4\2O\2x\2\2p"), "text p", "text O", "int 2 ticks 0"}, /* reordered, retyped */
        {RECORD("V", "s",
                ROW_FIELDS "," FIELD("town", "\"string\"") "," FIELD("quantity", "\"string\"")),
         BYTES("\2x\2\2p\2O\2"
               "2"),
         "text p", "absent", "text 2"}, /* renamed, retyped */
        {RECORD("V", "s", FIELD("new", "\"boolean\"") "," ROW_FIELDS), BYTES("\1\2x\0"), "null",
         "absent", "absent"}, /* added, dropped */
    };
    struct plan_options options = default_options();
    for (size_t i = 0; i < sizeof records / sizeof *records; i++) {
        struct change change;
        struct plan *plan = compile(records[i].schema, &options);
        run(plan, records[i].bytes, records[i].len, &change);
        expect("status", &change.status, records[i].status);
        expect("city", &change.field[FIELD_CLIENT_CITY], records[i].city);
        expect("quantity", &change.field[FIELD_QUANTITY], records[i].quantity);
        plan_free(plan);
    }
}

static void one_column_feeds_many_fields(void **state)
{
    (void)state;
    struct plan_options options = default_options();
    struct change change;
    for (size_t f = 0; f < FIELD_COUNT; f++)
        options.columns[f] = "status";
    struct plan *plan = compile(RECORD("V", "s", FIELD("status", "\"string\"")), &options);
    run(plan, BYTES("\2p"), &change);
    expect("status", &change.status, "text p");
    for (size_t f = 0; f < FIELD_COUNT; f++)
        expect(payload_field_names[f], &change.field[f], "text p");
    plan_free(plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_in_every_dialect),
        cmocka_unit_test(times_without_a_zone_are_marked),
        cmocka_unit_test(the_epoch_as_a_default_is_null),
        cmocka_unit_test(annotated_numbers_that_are_no_times),
        cmocka_unit_test(names_are_resolved_within_their_namespaces),
        cmocka_unit_test(an_envelope),
        cmocka_unit_test(namespaces_that_are_no_identifiers),
        cmocka_unit_test(names_of_other_letters),
        cmocka_unit_test(unwrapped_rows_of_any_prefix),
        cmocka_unit_test(the_place_in_the_log_has_two_names),
        cmocka_unit_test(another_prefix_than_the_rows_stops),
        cmocka_unit_test(foreign_records_are_known),
        cmocka_unit_test(a_rule_column_that_can_hold_no_text_stops),
        cmocka_unit_test(an_envelope_of_documents_says_how_to_unwrap_them),
        cmocka_unit_test(an_order_id_of_no_use_stops),
        cmocka_unit_test(an_order_id_may_be_of_many_types),
        cmocka_unit_test(columns_are_found_by_name_in_each_schema),
        cmocka_unit_test(one_column_feeds_many_fields),
    };
    return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
