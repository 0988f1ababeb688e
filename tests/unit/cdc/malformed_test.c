/* malformed: bytes that are no record of their schema, each with its fate. Bytes are copied to
 * allocations of exactly their length, so that ASan sees a read past the end. */
#include "base/buf.h"
#include "cdc/plan.h"

#include "fakes/searches.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define BYTES(text) (text), sizeof(text) - 1

static uint8_t *exact_copy(const void *data, size_t len)
{
    uint8_t *copy = malloc(len ? len : 1);
    assert_non_null(copy);
    memcpy(copy, data, len);
    return copy;
}

static struct plan_options default_options(void)
{
    struct plan_options options = {
        .rule_column = "status", .rule_value = "confirmed", .prefix = "__", .op_assumed = true};
    for (size_t f = 0; f < FIELD_COUNT; f++)
        options.columns[f] = payload_field_columns[f];
    return options;
}

/* ---- one column of each type, behind id and status ---- */

#define ROW(type)                                                                      \
    "{\"type\":\"record\",\"name\":\"Row\",\"fields\":["                               \
    "{\"name\":\"id\",\"type\":\"string\"},{\"name\":\"status\",\"type\":\"string\"}," \
    "{\"name\":\"x\",\"type\":" type "}]}"
#define HEAD \
    "\2"     \
    "1"      \
    "\22"    \
    "confirmed"
#define LIST                                                                                    \
    "{\"type\":\"record\",\"name\":\"Cons\",\"fields\":[{\"name\":\"next\",\"type\":[\"null\"," \
    "\"Cons\"]}]}"
#define SYMBOLS "{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\",\"B\"]}"
#define NOTHING "{\"type\":\"record\",\"name\":\"Empty\",\"fields\":[]}"
#define SELF \
    "{\"type\":\"record\",\"name\":\"Self\",\"fields\":[{\"name\":\"s\",\"type\":\"Self\"}]}"

static const struct {
    const char *name, *schema, *bytes;
    size_t len;
    const char *why; /* NULL: well-formed */
} bodies[] = {
    {"int", ROW("\"int\""), BYTES(HEAD "\1"), NULL},
    {"trailing byte", ROW("\"int\""), BYTES(HEAD "\1\0"), "left over"},
    {"nothing where an int should be", ROW("\"int\""), BYTES(HEAD), "cut off"},
    {"varint cut", ROW("\"long\""), BYTES(HEAD "\x80"), "cut off"},
    {"varint of 10 bytes", ROW("\"long\""), BYTES(HEAD "\xff\xff\xff\xff\xff\xff\xff\xff\xff\1"),
     NULL},
    {"varint of more than 64 bits", ROW("\"long\""),
     BYTES(HEAD "\xff\xff\xff\xff\xff\xff\xff\xff\xff\2"), "64 bits"},
    {"varint of 11 bytes", ROW("\"long\""),
     BYTES(HEAD "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x80\1"), "64 bits"},
    {"string", ROW("\"string\""), BYTES(HEAD "\4ab"), NULL},
    {"string past the end", ROW("\"string\""), BYTES(HEAD "\6ab"), "past the record's end"},
    {"negative length", ROW("\"bytes\""), BYTES(HEAD "\1"), "negative"},
    {"length INT64_MAX", ROW("\"bytes\""), BYTES(HEAD "\xfe\xff\xff\xff\xff\xff\xff\xff\xff\1"),
     "past the record's end"},
    {"length 2^43", ROW("\"bytes\""), BYTES(HEAD "\x80\x80\x80\x80\x80\x80\4"),
     "past the record's end"},
    {"length INT64_MIN", ROW("\"bytes\""), BYTES(HEAD "\xff\xff\xff\xff\xff\xff\xff\xff\xff\1"),
     "negative"},
    {"NUL in a string", ROW("\"string\""), BYTES(HEAD "\4\0b"), NULL},
    {"union", ROW("[\"null\",\"int\"]"), BYTES(HEAD "\0"), NULL},
    {"union index too large", ROW("[\"null\",\"int\"]"), BYTES(HEAD "\4"), "branch"},
    {"union index negative", ROW("[\"null\",\"string\"]"), BYTES(HEAD "\1"), "branch"},
    {"enum", ROW(SYMBOLS), BYTES(HEAD "\2"), NULL},
    {"enum index too large", ROW(SYMBOLS), BYTES(HEAD "\4"), "symbol"},
    {"enum index negative", ROW(SYMBOLS), BYTES(HEAD "\1"), "symbol"},
    {"boolean", ROW("\"boolean\""), BYTES(HEAD "\1"), NULL},
    {"boolean 7", ROW("\"boolean\""), BYTES(HEAD "\7"), "boolean"},
    {"boolean cut", ROW("\"boolean\""), BYTES(HEAD), "boolean"},
    {"double cut", ROW("\"double\""), BYTES(HEAD "1234567"), "past the record's end"},
    {"fixed", ROW("{\"type\":\"fixed\",\"name\":\"F\",\"size\":3}"), BYTES(HEAD "abc"), NULL},
    {"fixed cut", ROW("{\"type\":\"fixed\",\"name\":\"F\",\"size\":3}"), BYTES(HEAD "ab"),
     "past the record's end"},
    {"array", ROW("{\"type\":\"array\",\"items\":\"int\"}"), BYTES(HEAD "\4\2\4\0"), NULL},
    {"array without its end", ROW("{\"type\":\"array\",\"items\":\"int\"}"), BYTES(HEAD "\4\2\4"),
     "cut off"},
    {"block with its size", ROW("{\"type\":\"array\",\"items\":\"int\"}"), BYTES(HEAD "\3\4\2\4\0"),
     NULL},
    {"block with a negative size", ROW("{\"type\":\"array\",\"items\":\"int\"}"),
     BYTES(HEAD "\3\1\2\4\0"), "block"},
    {"count INT64_MIN", ROW("{\"type\":\"array\",\"items\":\"int\"}"),
     BYTES(HEAD "\xff\xff\xff\xff\xff\xff\xff\xff\xff\1\0\0"), "block"},
    {"array<null> of 2^62", ROW("{\"type\":\"array\",\"items\":\"null\"}"),
     BYTES(HEAD "\x80\x80\x80\x80\x80\x80\x80\x80\x80\1\0"), NULL},
    {"array of empty records", ROW("{\"type\":\"array\",\"items\":" NOTHING "}"),
     BYTES(HEAD "\x80\x80\x80\x80\x80\x80\x80\x80\x80\1\0"), NULL},
    {"record that can only hold itself", ROW(SELF), BYTES(HEAD), NULL},
    {"map", ROW("{\"type\":\"map\",\"values\":\"int\"}"), BYTES(HEAD "\2\2k\6\0"), NULL},
    {"map key past the end", ROW("{\"type\":\"map\",\"values\":\"int\"}"), BYTES(HEAD "\2\20k"),
     "past the record's end"},
    {"recursive value", ROW(LIST), BYTES(HEAD "\2\2\2\0"), NULL},
};

static void bodies_are_checked(void **state)
{
    (void)state;
    struct plan_options options = default_options();
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        struct error err = {0};
        struct change change;
        const char *why = NULL;
        struct plan *plan =
            plan_compile(bodies[i].schema, strlen(bodies[i].schema), &options, &err);
        if (plan == NULL)
            fail_msg("%s: %s", bodies[i].name, err.text);
        uint8_t *copy = exact_copy(bodies[i].bytes, bodies[i].len);
        uint64_t steps;
        enum plan_result result = plan_run(plan, copy, bodies[i].len, false, &change, &why, &steps);
        if ((result == PLAN_DONE) != (bodies[i].why == NULL) ||
            (why != NULL && strstr(why, bodies[i].why) == NULL))
            fail_msg("%s: %s", bodies[i].name, why ? why : "accepted");
        assert_true(steps <= PLAN_STEPS_PER_BYTE * (bodies[i].len + 1));
        free(copy);
        plan_free(plan);
    }
}

static void deep_recursion_is_refused(void **state)
{
    (void)state;
    struct plan_options options = default_options();
    struct error err = {0};
    struct change change;
    const char *why = NULL;
    enum { LEN = 30000 };
    uint8_t *bytes = malloc(LEN);
    assert_non_null(bytes);
    memset(bytes, 2, LEN);
    memcpy(bytes, HEAD, sizeof(HEAD) - 1);
    struct plan *plan = plan_compile(ROW(LIST), strlen(ROW(LIST)), &options, &err);
    assert_non_null(plan);
    assert_int_equal(plan_run(plan, bytes, LEN, false, &change, &why, NULL), PLAN_MALFORMED);
    assert_non_null(strstr(why, "nested too deeply"));
    plan_free(plan);
    free(bytes);
}

/* ---- a real record, cut at every byte ---- */

static char *real_schema(void)
{
    json_error_t error;
    json_t *schemas = json_load_file(TESTS_DIR "/cases/default/schemas.json", 0, &error);
    assert_non_null(schemas);
    char *schema =
        strdup(json_string_value(json_object_get(json_object_get(schemas, "27"), "schema")));
    json_decref(schemas);
    assert_non_null(schema);
    return schema;
}

/* before null, after a whole row, an empty source, op c: built by hand from the schema. */
static const char real_body[] = "\0\2"
                                "\2"
                                "7"
                                "\6"
                                "CMD"
                                "\4"
                                "Al"
                                "\4"
                                "06"
                                "\0"
                                "\0"
                                "\2"
                                "P"
                                "\4"
                                "\2"
                                "\1"
                                "\2"
                                "\2"
                                "\22"
                                "confirmed"
                                "\0"
                                "\0\2"
                                "Z"
                                "\2"
                                "3"
                                "\2"
                                "p"
                                "\2"
                                "n"
                                "\2"
                                "\0\2"
                                "f"
                                "\2"
                                "d"
                                "\0\0\0"
                                "\2"
                                "s"
                                "\2"
                                "t"
                                "\0\2\14\0"
                                "\0"
                                "\2"
                                "c"
                                "\0\0\0";

static void every_truncation_is_refused(void **state)
{
    (void)state;
    struct plan_options options = default_options();
    struct error err = {0};
    char *schema = real_schema();
    struct plan *plan = plan_compile(schema, strlen(schema), &options, &err);
    assert_non_null(plan);
    size_t whole = sizeof real_body - 1;
    for (size_t len = 0; len <= whole; len++) {
        struct change change;
        const char *why = NULL;
        uint8_t *copy = exact_copy(real_body, len);
        enum plan_result result = plan_run(plan, copy, len, false, &change, &why, NULL);
        if ((result == PLAN_DONE) != (len == whole))
            fail_msg("%zu of %zu bytes: %s", len, whole, why ? why : "accepted");
        assert_true(result == PLAN_DONE || why != NULL);
        free(copy);
    }
    plan_free(plan);
    free(schema);
}

/* ---- schemas ---- */

static const struct {
    const char *name, *schema;
    enum error_code code;
    const char *error;
} schemas[] = {
    {"not JSON", "{", ERROR_UNDECODABLE, "not JSON"},
    {"not Avro", "{\"type\":\"widget\"}", ERROR_UNDECODABLE, "not a valid Avro schema"},
    {"a primitive", "\"string\"", ERROR_UNDECODABLE, "not a record"},
    {"no status",
     "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"id\",\"type\":"
     "\"string\"}]}",
     ERROR_CONFIG, "no column \"status\""},
    {"no id",
     "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"status\",\"type\":"
     "\"string\"}]}",
     ERROR_CONFIG, "no column \"id\""},
    {"duplicate JSON keys",
     "{\"type\":\"record\",\"type\":\"record\",\"name\":\"R\",\"fields\":[]}", ERROR_UNDECODABLE,
     "not JSON"},
    {"unknown reference", ROW("\"Elsewhere\""), ERROR_UNDECODABLE, "not a valid Avro"},
    {"fixed of a negative size", ROW("{\"type\":\"fixed\",\"name\":\"F\",\"size\":-1}"),
     ERROR_UNDECODABLE, "fixed type \"F\" has no size"},
    {"fixed of a huge size", ROW("{\"type\":\"fixed\",\"name\":\"F\",\"size\":2147483648}"),
     ERROR_UNDECODABLE, "fixed type \"F\" has no size"},
    {"fixed of no size", ROW("{\"type\":\"fixed\",\"name\":\"F\"}"), ERROR_UNDECODABLE,
     "fixed type \"F\" has no size"},
    {"fixed of a broken size", ROW("{\"type\":\"fixed\",\"name\":\"F\",\"size\":1.5}"),
     ERROR_UNDECODABLE, "fixed type \"F\" has no size"},
    {"a NUL in a type's name", ROW("{\"type\":\"fixed\",\"name\":\"F\\u0000\",\"size\":1}"),
     ERROR_UNDECODABLE, "NUL"},
    {"a NUL in a symbol", ROW("{\"type\":\"enum\",\"name\":\"F\",\"symbols\":[\"A\\u0000B\"]}"),
     ERROR_UNDECODABLE, "NUL"},
    {"no fields", ROW("{\"type\":\"record\",\"name\":\"F\"}"), ERROR_UNDECODABLE, "no fields"},
    {"a field without a type", "{\"type\":\"record\",\"name\":\"F\",\"fields\":[{\"name\":\"a\"}]}",
     ERROR_UNDECODABLE, "no type"},
    {"text behind the schema", ROW("\"int\"") "x", ERROR_UNDECODABLE, "not JSON"},
    {"an annotation that does not end", "{\"doc\":[\"}", ERROR_UNDECODABLE, "not JSON"},
};

static void schemas_are_checked(void **state)
{
    (void)state;
    struct plan_options options = default_options();
    for (size_t i = 0; i < sizeof schemas / sizeof *schemas; i++) {
        struct error err = {0};
        struct plan *plan =
            plan_compile(schemas[i].schema, strlen(schemas[i].schema), &options, &err);
        if (plan != NULL || err.code != schemas[i].code ||
            strstr(err.text, schemas[i].error) == NULL)
            fail_msg("%s: %s", schemas[i].name, plan ? "accepted" : err.text);
    }
}

static void unwrapped_without_op_stops(void **state)
{
    (void)state;
    struct plan_options options = default_options();
    options.op_assumed = false;
    struct error err = {0};
    assert_null(plan_compile(ROW("\"int\""), strlen(ROW("\"int\"")), &options, &err));
    assert_int_equal(err.code, ERROR_CONFIG);
    assert_non_null(strstr(err.text, "rule.assume_op"));
}

static void very_deep_schemas_are_refused(void **state)
{
    (void)state;
    struct plan_options options = default_options();
    enum { DEPTH = 3000 };
    static const char open[] = "{\"type\":\"array\",\"items\":";
    char *schema = malloc(DEPTH * sizeof open + 16), *at = schema;
    assert_non_null(schema);
    for (int i = 0; i < DEPTH; i++)
        at = stpcpy(at, open);
    at = stpcpy(at, "\"int\"");
    memset(at, '}', DEPTH);
    struct error err = {0};
    assert_null(plan_compile(schema, (size_t)(at - schema) + DEPTH, &options, &err));
    assert_int_equal(err.code, ERROR_UNDECODABLE);
    free(schema);
}

/* Two columns of one name are no valid Avro; and a thousand of type null, of a name that is wanted,
 * would be a thousand steps for no byte at all. */
static void columns_of_one_name_are_refused(void **state)
{
    (void)state;
    struct plan_options options = default_options();
    struct error err = {0};
    static const char schema[] =
        "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"id\",\"type\":\"string\"},"
        "{\"name\":\"status\",\"type\":\"string\"},{\"name\":\"quantity\",\"type\":\"null\"},"
        "{\"name\":\"quantity\",\"type\":\"null\"}]}";
    assert_null(plan_compile(schema, strlen(schema), &options, &err));
    assert_int_equal(err.code, ERROR_UNDECODABLE);
    assert_non_null(strstr(err.text, "two fields"));
}

/* As many columns as fit into what a registry may answer: compiling must not be quadratic. Nor must
 * it be for a thousand records each of which takes bytes only because the one before it does. */
static void large_schemas_compile(void **state)
{
    (void)state;
    enum { COLUMNS = 120000 / SEARCH_PARTS, RECORDS = 1000 };
    struct plan_options options = default_options();
    struct error err = {0};
    struct buf s;
    buf_init(&s, 4 * 1024 * 1024);
    buf_add_text(&s, "{\"type\":\"record\",\"name\":\"R0\",\"fields\":[");
    for (int i = 1; i < RECORDS; i++)
        buf_addf(&s,
                 "{\"name\":\"r%d\",\"type\":{\"type\":\"record\",\"name\":\"R%d\",\"fields\":"
                 "[{\"name\":\"s\",\"type\":\"R%d\"}]}},",
                 i, i, i - 1);
    for (int i = 0; i < COLUMNS; i++)
        buf_addf(&s, "{\"name\":\"q%d\",\"type\":\"int\"},", i);
    buf_add_text(&s, "{\"name\":\"id\",\"type\":\"string\"},"
                     "{\"name\":\"status\",\"type\":\"string\"}]}");
    assert_true(buf_ok(&s));
    struct plan *plan = plan_compile(s.data, s.len, &options, &err);
    if (plan == NULL)
        fail_msg("%s", err.text);
    plan_free(plan);
    buf_done(&s);
}

/* Each record holds the one before it many times, and only the first takes bytes: the order that
 * makes a fixed point by passes cubic. */
static void compiling_is_linear(void **state)
{
    (void)state;
    enum { TYPES = 1020, EACH = 40, SECONDS = 20 };
    struct plan_options options = default_options();
    struct error err = {0};
    struct buf s;
    buf_init(&s, 8 << 20);
    buf_add_text(&s, "{\"type\":\"record\",\"name\":\"Row\",\"fields\":["
                     "{\"name\":\"id\",\"type\":\"string\"},"
                     "{\"name\":\"status\",\"type\":\"string\"}");
    for (int i = 0; i < TYPES; i++) {
        buf_addf(&s,
                 ",{\"name\":\"c%d\",\"type\":{\"type\":\"record\",\"name\":\"T%d\",\"fields\":[",
                 i, i);
        for (int j = 0; i > 0 && j < EACH; j++)
            buf_addf(&s, "{\"name\":\"a%d\",\"type\":\"T%d\"},", j, i - 1);
        buf_addf(&s, "{\"name\":\"z\",\"type\":\"%s\"}]}}", i > 0 ? "null" : "int");
    }
    buf_add_text(&s, "]}");
    assert_true(buf_ok(&s));
    clock_t begin = clock();
    struct plan *plan = plan_compile(s.data, s.len, &options, &err);
    if (plan == NULL)
        fail_msg("%s", err.text);
    assert_in_range((clock() - begin) / CLOCKS_PER_SEC, 0, SECONDS);
    plan_free(plan);
    buf_done(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compiling_is_linear),
        cmocka_unit_test(bodies_are_checked),
        cmocka_unit_test(deep_recursion_is_refused),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(schemas_are_checked),
        cmocka_unit_test(unwrapped_without_op_stops),
        cmocka_unit_test(very_deep_schemas_are_refused),
        cmocka_unit_test(columns_of_one_name_are_refused),
        cmocka_unit_test(large_schemas_compile),
    };
    return cmocka_run_group_tests_name("malformed", tests, NULL, NULL);
}
