/* schema_refs_test: references put into a schema, and what a registry's answers mean. */
#include "registry/references.h"
#include "registry/registry_reply.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <avro.h>
#include <jansson.h>

enum { REFERENCED_MAX = 4 };

#define FIELD(name, type) "{\"name\":\"" name "\",\"type\":" type "}"
#define RECORD_AFTER(name, fields) \
    "\"type\":\"record\",\"name\":\"" name "\",\"fields\":[" fields "]}"
#define RECORD(name, fields) "{" RECORD_AFTER(name, fields)
#define GLOBAL(name, fields) \
    "{\"type\":\"record\",\"name\":\"" name "\",\"fields\":[" fields "],\"namespace\":\"\"}"
#define COLOUR "{\"type\":\"enum\",\"name\":\"shop.Colour\",\"symbols\":[\"RED\",\"BLUE\"]}"
#define HASH "{\"type\":\"fixed\",\"name\":\"Hash\",\"namespace\":\"shop\",\"size\":4}"
#define ADDRESS RECORD("shop.Address", FIELD("city", "\"string\""))

static const struct {
    const char *name, *schema, *referenced[REFERENCED_MAX];
    const char *expected; /* NULL: as the schema */
} inline_cases[] = {
    {"nothing referenced", "\"string\"", {0}, NULL},
    {"a field's type",
     RECORD("shop.Order", FIELD("to", "\"shop.Address\"")),
     {ADDRESS},
     RECORD("shop.Order", FIELD("to", ADDRESS))},
    {"annotations that no parser of JSON takes",
     "{\"doc\":\"\\ud800\"," RECORD_AFTER("shop.Order", FIELD("to", "\"shop.Address\"")),
     {"{\"connect.default\":1e999," RECORD_AFTER("shop.Address", FIELD("city", "\"string\""))},
     RECORD("shop.Order", FIELD("to", ADDRESS))},
    {"a short name in its namespace",
     RECORD("shop.Order", FIELD("to", "\"Address\"")),
     {ADDRESS},
     RECORD("shop.Order", FIELD("to", ADDRESS))},
    {"a short name in another namespace",
     RECORD("other.Order", FIELD("to", "\"Address\"")),
     {ADDRESS},
     NULL},
    {"only the first use",
     RECORD("shop.Order", FIELD("a", "\"shop.Address\"") "," FIELD("b", "[\"null\",\"Address\"]")),
     {ADDRESS},
     RECORD("shop.Order", FIELD("a", ADDRESS) "," FIELD("b", "[\"null\",\"Address\"]"))},
    {"in a union",
     RECORD("shop.Order", FIELD("a", "[\"null\",\"Colour\"]")),
     {COLOUR},
     RECORD("shop.Order", FIELD("a", "[\"null\"," COLOUR "]"))},
    {"in an array",
     RECORD("shop.Order", FIELD("a", "{\"type\":\"array\",\"items\":\"Hash\"}")),
     {HASH},
     RECORD("shop.Order", FIELD("a", "{\"type\":\"array\",\"items\":" HASH "}"))},
    {"in a map",
     RECORD("shop.Order", FIELD("a", "{\"type\":\"map\",\"values\":\"Hash\"}")),
     {HASH},
     RECORD("shop.Order", FIELD("a", "{\"type\":\"map\",\"values\":" HASH "}"))},
    {"in a wrapping",
     RECORD("shop.Order", FIELD("a", "{\"type\":\"Hash\"}")),
     {HASH},
     RECORD("shop.Order", FIELD("a", HASH))},
    {"through one another",
     RECORD("shop.Order", FIELD("a", "\"Customer\"")),
     {ADDRESS, RECORD("shop.Customer", FIELD("home", "\"Address\""))},
     RECORD("shop.Order", FIELD("a", RECORD("shop.Customer", FIELD("home", ADDRESS))))},
    {"a cycle",
     RECORD("shop.Order", FIELD("a", "[\"null\",\"Line\"]")),
     {RECORD("shop.Line", FIELD("o", "[\"null\",\"Order\"]")),
      RECORD("shop.Order", FIELD("a", "[\"null\",\"Line\"]"))},
     RECORD("shop.Order",
            FIELD("a", "[\"null\"," RECORD("shop.Line", FIELD("o", "[\"null\",\"Order\"]")) "]"))},
    {"of itself",
     RECORD("shop.Tree", FIELD("up", "[\"null\",\"Tree\"]")),
     {RECORD("shop.Tree", FIELD("up", "[\"null\",\"Tree\"]"))},
     NULL},
    {"of the null namespace",
     RECORD("Order", FIELD("a", "\"Plain\"")),
     {RECORD("Plain", FIELD("n", "\"int\""))},
     RECORD("Order", FIELD("a", GLOBAL("Plain", FIELD("n", "\"int\""))))},
    {"defined by the schema itself",
     RECORD("shop.Order", FIELD("a", HASH) "," FIELD("b", "\"Hash\"")),
     {HASH},
     NULL},
    {"a default that looks like a name",
     RECORD("shop.Order", "{\"name\":\"a\",\"type\":\"string\",\"default\":\"shop.Hash\"}"),
     {HASH},
     NULL},
    {"a built-in type's name",
     RECORD("shop.Order", FIELD("a", "\"string\"")),
     {RECORD("shop.string", FIELD("n", "\"int\""))},
     NULL},
    {"a name alone", "\"shop.Hash\"", {HASH}, HASH},
};

static size_t count_of(const char *const *referenced)
{
    size_t count = 0;
    while (count < REFERENCED_MAX && referenced[count] != NULL)
        count++;
    return count;
}

/* Compared as JSON: the order of members does not count. */
static bool same_json(const char *a, const char *b)
{
    json_t *left = json_loads(a, JSON_DECODE_ANY, NULL);
    json_t *right = json_loads(b, JSON_DECODE_ANY, NULL);
    bool same = left != NULL && right != NULL && json_equal(left, right);
    json_decref(left);
    json_decref(right);
    return same;
}

static void references_are_inlined(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof inline_cases / sizeof *inline_cases; i++) {
        const char *expected =
            inline_cases[i].expected ? inline_cases[i].expected : inline_cases[i].schema;
        struct error err = {0};
        char *got = schema_refs_inline(inline_cases[i].schema, inline_cases[i].referenced,
                                       count_of(inline_cases[i].referenced), &err);
        if (got == NULL || !same_json(got, expected))
            fail_msg("%s: %s%s", inline_cases[i].name, got ? got : "", err.text);
        free(got);
    }
}

/* libavro must read what comes out, null namespace and all. */
static void libavro_reads_it(void **state)
{
    (void)state;
    const char *referenced[] = {RECORD("Plain", FIELD("n", "[\"null\",\"Plain\"]")), HASH, ADDRESS,
                                COLOUR};
    const char *schema =
        RECORD("Order", FIELD("a", "\"Plain\"") "," FIELD("b", "\"shop.Hash\"") "," FIELD(
                            "c", "\"shop.Hash\"") "," FIELD("d", "[\"null\",\"Plain\"]"));
    char *whole = schema_refs_inline(schema, referenced, 4, NULL);
    assert_non_null(whole);
    avro_schema_t parsed;
    if (avro_schema_from_json_length(whole, strlen(whole), &parsed) != 0)
        fail_msg("%s: %s", avro_strerror(), whole);
    avro_schema_decref(parsed);
    free(whole);
}

static void what_does_not_fit(void **state)
{
    (void)state;
    static const struct {
        const char *schema, *referenced[REFERENCED_MAX], *why;
    } cases[] = {
        {"\"shop.A\"", {"[\"null\"," HASH "]"}, "defines no record"},
        {"\"shop.A\"", {"\"string\""}, "defines no record"},
        {"\"shop.A\"", {"{\"type\":\"record\",\"fields\":[]}"}, "has no name"},
        {"\"shop.A\"", {"{"}, "not JSON"},
        {"{\"type\":", {HASH}, "not JSON"},
        {"{\"type\":\"int\",\"type\":\"long\"}", {HASH}, "not JSON"},
        {"\"shop.Address\"", {ADDRESS, RECORD("shop.Address", "")}, "two versions"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error err = {0};
        assert_null(schema_refs_inline(cases[i].schema, cases[i].referenced,
                                       count_of(cases[i].referenced), &err));
        assert_int_equal(err.code, ERROR_UNDECODABLE);
        if (strstr(err.text, cases[i].why) == NULL)
            fail_msg("\"%s\" is not in \"%s\"", cases[i].why, err.text);
    }
}

static void nested_too_deep(void **state)
{
    (void)state;
    enum { DEEP = 1500 }; /* jansson reads 2048 */
    char *schema = malloc(2 * DEEP + 16);
    assert_non_null(schema);
    memset(schema, '[', DEEP);
    memcpy(schema + DEEP, "\"int\"", 5);
    memset(schema + DEEP + 5, ']', DEEP);
    schema[2 * DEEP + 5] = '\0';
    struct error err = {0};
    assert_null(schema_refs_inline(schema, (const char *[]){HASH}, 1, &err));
    assert_non_null(strstr(err.text, "deep"));
    free(schema);
}

/* --- answers --------------------------------------------------------------------------- */

static const struct {
    int status;
    const char *body;
    enum schema_reply_kind kind;
    size_t references;
} reply_cases[] = {
    {200, "{\"schema\":\"\\\"int\\\"\"}", SCHEMA_REPLY_SCHEMA, 0},
    {200, "{\"schema\":\"\\\"int\\\"\",\"schemaType\":\"AVRO\",\"references\":[]}",
     SCHEMA_REPLY_SCHEMA, 0},
    {200, "{\"schema\":\"\\\"int\\\"\",\"schemaType\":null,\"references\":null}",
     SCHEMA_REPLY_SCHEMA, 0},
    {200,
     "{\"schema\":\"x\",\"references\":[{\"name\":\"a.B\",\"subject\":\"s\",\"version\":3},"
     "{\"name\":\"a.C\",\"subject\":\"t\",\"version\":1}]}",
     SCHEMA_REPLY_SCHEMA, 2},
    {200, "{\"schema\":\"x\",\"references\":[{\"subject\":\"s\"}]}", SCHEMA_REPLY_TROUBLE, 0},
    {200, "{\"schema\":\"x\",\"references\":[{\"subject\":\"s\",\"version\":1},{}]}",
     SCHEMA_REPLY_TROUBLE, 0},
    {200, "{\"schema\":\"x\",\"references\":{}}", SCHEMA_REPLY_TROUBLE, 0},
    {200, "{\"schema\":\"{}\",\"schemaType\":\"JSON\"}", SCHEMA_REPLY_FOREIGN, 0},
    {200, "{\"schema\":\"syntax\",\"schemaType\":\"PROTOBUF\"}", SCHEMA_REPLY_FOREIGN, 0},
    {200, "{\"schema\":\"x\",\"schema\":\"y\"}", SCHEMA_REPLY_TROUBLE, 0},
    {200, "{\"schema\":\"x\",\"metadata\":{\"properties\":{\"note\":\"\\u0000\"}}}",
     SCHEMA_REPLY_SCHEMA, 0},
    {200, "{\"schema\":7}", SCHEMA_REPLY_TROUBLE, 0},
    {200, "{\"schema\":\"x\"", SCHEMA_REPLY_TROUBLE, 0},
    {200, "[]", SCHEMA_REPLY_TROUBLE, 0},
    {200, "", SCHEMA_REPLY_TROUBLE, 0},
    {200, "<html>proxy login</html>", SCHEMA_REPLY_TROUBLE, 0},
    {204, "", SCHEMA_REPLY_TROUBLE, 0},
    {302, "", SCHEMA_REPLY_TROUBLE, 0},
    {401, "{\"error_code\":401}", SCHEMA_REPLY_TROUBLE, 0},
    {403, "{\"error_code\":403}", SCHEMA_REPLY_TROUBLE, 0},
    {404, "{\"error_code\":40403,\"message\":\"Schema not found\"}", SCHEMA_REPLY_MISSING, 0},
    {404, "{\"error_code\":40401,\"message\":\"Subject not found\"}", SCHEMA_REPLY_MISSING, 0},
    {404, "{\"error_code\":404,\"message\":\"No content with id 9 was found\"}",
     SCHEMA_REPLY_MISSING, 0},
    {404, "{\"error_code\":40402,\"message\":\"Version not found\"}", SCHEMA_REPLY_MISSING, 0},
    {404, "{\"detail\":\"\",\"status\":404,\"name\":\"ContentNotFoundException\"}",
     SCHEMA_REPLY_MISSING, 0},
    {404, "{\"detail\":\"\",\"status\":404,\"name\":\"VersionNotFoundException\"}",
     SCHEMA_REPLY_MISSING, 0},
    {404, "{\"error_code\":404,\"message\":\"HTTP 404 Not Found\"}", SCHEMA_REPLY_TROUBLE, 0},
    {404, "{\"error_code\":404,\"message\":\"Not Found\"}", SCHEMA_REPLY_TROUBLE, 0},
    {404, "{\"error_code\":40404,\"message\":\"Not Found\"}", SCHEMA_REPLY_TROUBLE, 0},
    {404, "{\"error_code\":\"40403\"}", SCHEMA_REPLY_TROUBLE, 0},
    {404, "{\"message\":\"no Route matched with those values\"}", SCHEMA_REPLY_TROUBLE, 0},
    {404, "{\"status\":404,\"error\":\"Not Found\",\"path\":\"/schemas/ids/7\"}",
     SCHEMA_REPLY_TROUBLE, 0},
    {404, "{\"message\":\"Not Found\"}", SCHEMA_REPLY_TROUBLE, 0},
    {404, "{\"detail\":\"Not Found\"}", SCHEMA_REPLY_TROUBLE, 0},
    {404, "{\"detail\":\"x\",\"title\":\"x\",\"status\":404,\"name\":\"NotFoundException\"}",
     SCHEMA_REPLY_TROUBLE, 0},
    {404, "{}", SCHEMA_REPLY_TROUBLE, 0},
    {410, "{\"error_code\":40403}", SCHEMA_REPLY_TROUBLE, 0},
    {404, "<html>Not Found</html>", SCHEMA_REPLY_TROUBLE, 0},
    {500, "{\"error_code\":50001}", SCHEMA_REPLY_TROUBLE, 0},
};

static void answers_are_told_apart(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof reply_cases / sizeof *reply_cases; i++) {
        struct schema_reply reply = {0};
        struct error err = {0};
        const char *body = reply_cases[i].body;
        enum schema_reply_kind kind = schema_reply_read(SCHEMA_REF_ID, reply_cases[i].status, body,
                                                        strlen(body), &reply, &err);
        if (kind != reply_cases[i].kind || reply.reference_count != reply_cases[i].references ||
            (kind == SCHEMA_REPLY_SCHEMA) != (err.code == ERROR_NONE))
            fail_msg("%d %s: kind %d, error \"%s\"", reply_cases[i].status, body, (int)kind,
                     err.text);
        schema_reply_done(&reply);
    }
}

/* Apicurio's own API answers with the schema itself, annotations and all. */
static void a_bare_schema_may_hold_any_annotation(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        enum schema_reply_kind kind;
    } cases[] = {
        {RECORD("a.B", ""), SCHEMA_REPLY_SCHEMA},
        {"[\"null\"," RECORD("a.B", "") "]", SCHEMA_REPLY_SCHEMA},
        {"{\"type\":\"bytes\",\"connect.default\":\"\\u0000\"}", SCHEMA_REPLY_SCHEMA},
        {"{\"type\":\"bytes\",\"connect.default\":\"\\ud800\"}", SCHEMA_REPLY_SCHEMA},
        {"{\"type\":\"double\",\"connect.default\":1e999}", SCHEMA_REPLY_SCHEMA},
        {"{\"type\":\"long\",\"default\":123456789012345678901234567890}", SCHEMA_REPLY_SCHEMA},
        {"{\"type\":\"double\",\"connect.default\":NaN}", SCHEMA_REPLY_SCHEMA},
        {"{\"doc\":\"a\",\"doc\":\"b\",\"type\":\"int\"}", SCHEMA_REPLY_SCHEMA},
        {"\"string\"", SCHEMA_REPLY_TROUBLE},
        {"<html>proxy login</html>", SCHEMA_REPLY_TROUBLE},
        {"", SCHEMA_REPLY_TROUBLE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct schema_reply reply = {0};
        struct error err = {0};
        enum schema_reply_kind kind = schema_reply_read(SCHEMA_REF_GLOBAL, 200, cases[i].body,
                                                        strlen(cases[i].body), &reply, &err);
        if (kind != cases[i].kind)
            fail_msg("%s: kind %d, error \"%s\"", cases[i].body, (int)kind, err.text);
        if (kind == SCHEMA_REPLY_SCHEMA)
            assert_string_equal(reply.schema, cases[i].body);
        schema_reply_done(&reply);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(references_are_inlined),
        cmocka_unit_test(libavro_reads_it),
        cmocka_unit_test(what_does_not_fit),
        cmocka_unit_test(nested_too_deep),
        cmocka_unit_test(answers_are_told_apart),
        cmocka_unit_test(a_bare_schema_may_hold_any_annotation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
