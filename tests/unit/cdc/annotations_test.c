/* annotations_test: what decoding does not need cannot change a plan, or fail a schema. Every
 * schema of tests/cases is decorated with random annotations, which no JSON library would write or
 * even read, and must compile to the plan that it compiled to without. */
#include "base/buf.h"
#include "cdc/plan_internal.h"
#include "registry/references.h"

#include "fakes/searches.h"

#include <dirent.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ROUNDS = 8 / SEARCH_PARTS, DEEP = 4000, LONG = 200000, LIMIT = 64 << 20 };
#define ANY "@any@" /* a default that is replaced by a random value in the text */

static uint64_t random_state = 1;

static uint32_t random_below(uint32_t limit)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(random_state >> 33) % limit;
}

/* ---- random annotations ---- */

static void add_repeated(struct buf *b, const char *text, int count)
{
    for (int i = 0; i < count; i++)
        buf_add_text(b, text);
}

static void add_value(struct buf *b)
{
    static const char *const values[] = {
        "\"\\u0000\"",
        "\"\\u0000\\u00ff\\u0001\"",
        "\"\\ud800\"",
        "\"\\udfff\\u0000\\\"}]\"",
        "\"\xff\xc0\"",
        "\"io.debezium.time.MicroTimestamp\"",
        "\"d\"",
        "\"\"",
        "0",
        "-1",
        "1e999",
        "-0.0",
        "123456789012345678901234567890",
        "true",
        "null",
        "[]",
        "{}",
        "{\"\\u0000\":{\"\":[1,{}]},\"a\":1,\"a\":2}",
        "[{\"name\":\"status\",\"type\":\"int\"}]",
        "{\"type\":\"record\",\"name\":\"Value\",\"fields\":[]}",
        "\"{\\\"type\\\":\\\"record\\\"}\"",
        "{ \"scale\" : [ ] , \"x\" : \"\\\\\" }",
    };
    enum { COUNT = sizeof values / sizeof *values };
    uint32_t which = random_below(COUNT * 20);
    if (which == COUNT) { /* seldom: they are large */
        add_repeated(b, "[", DEEP);
        add_repeated(b, "]", DEEP);
    } else if (which == COUNT + 1) {
        buf_add_char(b, '"');
        add_repeated(b, "doc\\n", LONG / 5);
        buf_add_char(b, '"');
    } else {
        buf_add_text(b, values[which % COUNT]);
    }
}

static void add_annotations(struct buf *b)
{
    static const char *const names[] = {
        "doc",          "aliases",         "order",
        "connect.doc",  "connect.default", "connect.version",
        "java-class",   "sqlType",         "",
        "\\u0000",      "\\ud800",         "connect.record.aliases.x",
        "adjudicate",   "precision",       "avro.java.string",
        "prop\\\"erty", "x-\xc3\xa9",      "connect.record.doc"};
    for (uint32_t count = random_below(4); count > 0; count--) {
        buf_addf(b, "\"%s\" : ", names[random_below(sizeof names / sizeof *names)]);
        add_value(b);
        buf_add_text(b, count % 2 ? ",\n " : ",");
    }
}

/* ---- decorated schemas ---- */

/* Gives every field a default, except the one whose default means something. */
static void add_defaults(json_t *node)
{
    const char *key;
    json_t *value;
    size_t i;
    json_array_foreach (json_object_get(node, "fields"), i, value) {
        const char *name = json_string_value(json_object_get(value, "name"));
        if (name != NULL && strcmp(name, "confirmed_at") != 0)
            json_object_set_new(value, "default", json_string(ANY));
    }
    json_object_foreach (node, key, value)
        add_defaults(value);
    json_array_foreach (node, i, value)
        add_defaults(value);
}

/* Behind every brace that opens an object with something in it, and in place of ANY. */
static char *decorate(const char *schema)
{
    json_t *json = json_loads(schema, JSON_ALLOW_NUL, NULL);
    assert_non_null(json);
    add_defaults(json);
    char *plain = json_dumps(json, JSON_COMPACT);
    json_decref(json);
    struct buf b;
    buf_init(&b, LIMIT);
    bool inside = false; /* a string */
    for (const char *at = plain; *at != '\0'; at++) {
        if (!inside && strncmp(at, "\"" ANY "\"", strlen(ANY) + 2) == 0) {
            add_value(&b);
            at += strlen(ANY) + 1;
            continue;
        }
        buf_add_char(&b, *at);
        if (inside && *at == '\\')
            buf_add_char(&b, *++at);
        else if (*at == '"')
            inside = !inside;
        else if (!inside && *at == '{' && at[1] != '}')
            add_annotations(&b);
    }
    buf_add_char(&b, '\0');
    assert_true(buf_ok(&b));
    free(plain);
    size_t len;
    return buf_take(&b, &len);
}

/* ---- plans that are the same ---- */

static bool same_plan(const struct plan *a, const struct plan *b)
{
    bool same = a->shape == b->shape && a->code_len == b->code_len && a->jump_len == b->jump_len &&
                a->symbol_len == b->symbol_len;
    for (size_t i = 0; same && i < a->code_len; i++)
        same = a->code[i].operation == b->code[i].operation &&
               a->code[i].ticks == b->code[i].ticks && a->code[i].slot == b->code[i].slot &&
               a->code[i].scale == b->code[i].scale && a->code[i].a == b->code[i].a &&
               a->code[i].b == b->code[i].b;
    for (size_t i = 0; same && i < a->jump_len; i++)
        same = a->jumps[i] == b->jumps[i];
    for (size_t i = 0; same && i < a->symbol_len; i++)
        same = strcmp(a->symbols[i], b->symbols[i]) == 0;
    return same;
}

static struct plan *compile(const char *schema, struct error *err)
{
    struct plan_options options = {
        .rule_column = "status", .rule_value = "confirmed", .prefix = "__", .op_assumed = true};
    for (size_t f = 0; f < FIELD_COUNT; f++)
        options.columns[f] = payload_field_columns[f];
    return plan_compile(schema, strlen(schema), &options, err);
}

static void check_round(const char *name, const char *schema, const struct plan *plain)
{
    struct error err = {0};
    uint64_t seed = random_state;
    char *decorated = decorate(schema);
    char *inlined = schema_refs_inline(decorated, NULL, 0, &err);
    struct plan *plan = compile(decorated, &err);
    struct plan *through_references = inlined != NULL ? compile(inlined, &err) : NULL;
    if (plan == NULL || through_references == NULL)
        fail_msg("%s, seed %llu: %s", name, (unsigned long long)seed, err.text);
    if (!same_plan(plain, plan) || !same_plan(plain, through_references))
        fail_msg("%s, seed %llu: another plan", name, (unsigned long long)seed);
    plan_free(plan);
    plan_free(through_references);
    free(inlined);
    free(decorated);
}

static void check_case(const char *name)
{
    char path[600];
    const char *id;
    json_t *reply;
    snprintf(path, sizeof path, "%s/cases/%s/schemas.json", TESTS_DIR, name);
    json_t *schemas = json_load_file(path, 0, NULL);
    assert_non_null(schemas);
    json_object_foreach (schemas, id, reply) {
        const char *schema = json_string_value(json_object_get(reply, "schema"));
        struct error err = {0};
        struct plan *plain = compile(schema, &err);
        for (int i = 0; plain != NULL && i < ROUNDS; i++)
            check_round(name, schema, plain);
        plan_free(plain); /* NULL: a key's schema, say, which holds no status */
    }
    json_decref(schemas);
}

static int is_case(const struct dirent *entry)
{
    return entry->d_name[0] != '.' && strcmp(entry->d_name, "README.md") != 0;
}

static void annotations_do_not_matter(void **state)
{
    (void)state;
    struct dirent **entries;
    int count = scandir(TESTS_DIR "/cases", &entries, is_case, alphasort);
    assert_true(count > 0);
    for (int i = 0; i < count; i++) {
        check_case(entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(annotations_do_not_matter)};
    return cmocka_run_group_tests_name("annotations", tests, NULL, NULL);
}
