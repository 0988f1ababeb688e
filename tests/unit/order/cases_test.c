/* cases: every folder of tests/cases, through the whole functional core, byte for byte.
 *
 *   CASE/why               what is special about it, in one line
 *   CASE/records.ndjson    captured records: key and value in base64, headers, coordinates
 *   CASE/schemas.json      what the registry answers for each schema id
 *   CASE/expected.ndjson   verdict, reason and exact body, one line a record; or the one line that
 * the partition stops, and a part of the reason CASE/options.json      options that differ from the
 * defaults (may be absent) */
#include "cdc/wire_format.h"
#include "config/load/template_load.h"
#include "config/load/time_zone_load.h"
#include "order/transform.h"
#include "registry/registry_reply.h"
#include "registry/schema_proof.h"

#include <dirent.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct base64 {
    unsigned char *data;
    size_t len;
};

static int base64_digit(char c)
{
    const char *digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c != '\0' ? strchr(digits, c) : NULL;
    return at != NULL ? (int)(at - digits) : -1;
}

static struct base64 base64_decode(const char *text)
{
    struct base64 out = {malloc(strlen(text) + 1), 0};
    unsigned bits = 0, held = 0;
    assert_non_null(out.data);
    for (; base64_digit(*text) >= 0; text++) {
        bits = bits << 6 | (unsigned)base64_digit(*text);
        held += 6;
        if (held >= 8) {
            held -= 8;
            out.data[out.len++] = (unsigned char)(bits >> held & 0xff);
        }
    }
    return out;
}

struct suite {
    char folder[512];
    struct config *config;
    struct transform *transform, *gated;
    json_t *schemas;
    struct plan *decoders[256];
    struct schema_proof proofs[256];
};

static FILE *open_file(const struct suite *s, const char *name)
{
    char path[600];
    snprintf(path, sizeof path, "%s/%s", s->folder, name);
    return fopen(path, "r");
}

static json_t *load_json(const struct suite *s, const char *name)
{
    FILE *file = open_file(s, name);
    if (file == NULL)
        return NULL;
    json_error_t error;
    json_t *json = json_loadf(file, 0, &error);
    fclose(file);
    if (json == NULL)
        fail_msg("%s/%s: %s", s->folder, name, error.text);
    return json;
}

static void set_options(struct suite *s)
{
    json_t *options = load_json(s, "options.json"), *value;
    const char *name;
    json_object_foreach (options, name, value) {
        struct error err = {0};
        char path[600];
        const char *text = json_string_value(value);
        if (strcmp(name, "payload.template") == 0) { /* a file of the case */
            snprintf(path, sizeof path, "%s/%s", s->folder, text);
            text = path;
        }
        if (!config_set(s->config, name, text, "options.json", &err))
            fail_msg("%s: %s", s->folder, err.text);
    }
    json_decref(options);
    struct error err = {0};
    if (!template_load(s->config, &err))
        fail_msg("%s: %s", s->folder, err.text);
}

/* NULL with err: the schema cannot be read. */
static struct plan *compile(const struct suite *s, int32_t id, struct error *err)
{
    char key[16];
    struct schema_reply reply = {0};
    const struct plan_options options = transform_plan_options(s->config);
    snprintf(key, sizeof key, "%d", id);
    char *answer = json_dumps(json_object_get(s->schemas, key), JSON_COMPACT);
    assert_non_null(answer);
    enum schema_reply_kind kind =
        schema_reply_read(SCHEMA_REF_ID, 200, answer, strlen(answer), &reply, err);
    struct plan *plan = kind == SCHEMA_REPLY_SCHEMA
                            ? plan_compile(reply.schema, strlen(reply.schema), &options, err)
                            : NULL;
    schema_reply_done(&reply);
    free(answer);
    return plan;
}

static const struct plan *plan_for(struct suite *s, int32_t id)
{
    struct error err = {0};
    assert_in_range(id, 1, 255);
    if (s->decoders[id] == NULL)
        s->decoders[id] = compile(s, id, &err);
    if (s->decoders[id] == NULL)
        fail_msg("%s: schema %d: %s", s->folder, id, err.text);
    return s->decoders[id];
}

/* True when the record is to stop its partition; then it must, for the reason that is expected. */
static bool stops(struct suite *s, int line, int32_t id, const json_t *expected)
{
    struct error err = {0};
    const char *verdict = json_string_value(json_object_get(expected, "verdict"));
    const char *why = json_string_value(json_object_get(expected, "why"));
    if (strcmp(verdict, "stop") != 0)
        return false;
    struct plan *plan = compile(s, id, &err);
    if (plan != NULL || err.code != ERROR_CONFIG || strstr(err.text, why) == NULL)
        fail_msg("%s line %d: expected to stop for \"%s\", got \"%s\"", s->folder, line, why,
                 err.text);
    return true;
}

static bool has_header(const void *context, const char *name)
{
    size_t i;
    json_t *header;
    json_array_foreach ((json_t *)context, i, header) {
        if (strcmp(json_string_value(json_array_get(header, 0)), name) == 0)
            return true;
    }
    return false;
}

/* Text, or {"base64": …}, which is good until the next one. */
static struct slice value_of(const json_t *value)
{
    static struct base64 bytes;
    const char *text = json_string_value(json_object_get(value, "base64"));
    if (text == NULL)
        return slice_of(json_string_value(value));
    free(bytes.data);
    bytes = base64_decode(text);
    return (struct slice){(const char *)bytes.data, bytes.len};
}

static struct slice header_value(const void *context, const char *name)
{
    size_t i;
    json_t *header;
    json_array_foreach ((json_t *)context, i, header) {
        if (strcmp(json_string_value(json_array_get(header, 0)), name) == 0)
            return value_of(json_array_get(header, 1));
    }
    return (struct slice){0};
}

static const char *verdict_name(enum transform_verdict verdict)
{
    static const char *const names[] = {"skip", "deliver", "reject", "stop"};
    return names[verdict];
}

static void check(const struct suite *s, int line, const json_t *expected,
                  const struct transformed *t)
{
    const char *verdict = json_string_value(json_object_get(expected, "verdict"));
    const char *why = json_string_value(json_object_get(expected, "why"));
    const char *body = json_string_value(json_object_get(expected, "body"));
    if (strcmp(verdict, verdict_name(t->verdict)) != 0 || strcmp(why, t->why) != 0)
        fail_msg("%s line %d: expected %s %s, got %s %s (%s)", s->folder, line, verdict, why,
                 verdict_name(t->verdict), t->why, t->detail);
    if (body == NULL)
        return;
    if (strlen(body) != t->body->len || memcmp(body, t->body->data, t->body->len) != 0)
        fail_msg("%s line %d:\nexpected %s\ngot      %.*s", s->folder, line, body,
                 (int)t->body->len, t->body->data);
}

/* Behind a gate a record that does not trigger may be skipped for another reason, nothing else. */
static void check_gated(const struct suite *s, int line, const struct transformed *whole,
                        const struct transformed *gated)
{
    if (whole->verdict != gated->verdict ||
        (whole->verdict != TRANSFORM_SKIP && strcmp(whole->why, gated->why) != 0))
        fail_msg("%s line %d: %s %s without gate, %s %s with it", s->folder, line,
                 verdict_name(whole->verdict), whole->why, verdict_name(gated->verdict),
                 gated->why);
}

static void run_record(struct suite *s, int line, const json_t *record, const json_t *expected)
{
    const char *value = json_string_value(json_object_get(record, "value"));
    if (value == NULL) {
        assert_string_equal(json_string_value(json_object_get(expected, "why")), "tombstone");
        return;
    }
    struct base64 bytes = base64_decode(value);
    struct wire wire;
    struct error err = {0};
    const struct wire_input input = {.value = bytes.data,
                                     .len = bytes.len,
                                     .header = header_value,
                                     .context = json_object_get(record, "headers"),
                                     .use_id = (enum wire_use_id)s->config->registry_use_id};
    if (!wire_split(&input, &wire, &err))
        fail_msg("%s line %d: %s", s->folder, line, err.text);
    assert_int_equal(wire.schema.kind, SCHEMA_REF_ID);
    int32_t id = (int32_t)wire.schema.number;
    struct record r = {.topic = json_string_value(json_object_get(record, "topic")),
                       .partition =
                           (int32_t)json_integer_value(json_object_get(record, "partition")),
                       .offset = json_integer_value(json_object_get(record, "offset")),
                       .timestamp_ms = json_integer_value(json_object_get(record, "timestamp")),
                       .body = wire.body,
                       .len = wire.len,
                       .has_header = has_header,
                       .header = header_value,
                       .context = json_object_get(record, "headers")};
    struct transformed whole, gated;
    if (stops(s, line, id, expected)) {
        free(bytes.data);
        return;
    }
    const struct plan *plan = plan_for(s, id);
    transform_apply(s->transform, plan, &r, false, &whole);
    check(s, line, expected, &whole);
    /* While none of this schema id was read to its end, none is read through the gate. */
    schema_proof_note(&s->proofs[id], whole.whole);
    transform_apply(s->gated, plan, &r, s->proofs[id].whole > 0, &gated);
    check_gated(s, line, &whole, &gated);
    free(bytes.data);
}

static void run_lines(struct suite *s)
{
    FILE *records = open_file(s, "records.ndjson"), *expected = open_file(s, "expected.ndjson");
    assert_non_null(records);
    assert_non_null(expected);
    int line = 0;
    for (;;) {
        json_error_t error;
        json_t *record = json_loadf(records, JSON_DISABLE_EOF_CHECK, &error);
        json_t *wanted = json_loadf(expected, JSON_DISABLE_EOF_CHECK, &error);
        assert_true((record == NULL) == (wanted == NULL));
        if (record == NULL)
            break;
        run_record(s, ++line, record, wanted);
        json_decref(record);
        json_decref(wanted);
    }
    assert_true(line > 0);
    fclose(records);
    fclose(expected);
}

static void check_why(const struct suite *s)
{
    char line[400], more[2];
    FILE *file = open_file(s, "why");
    if (file == NULL || fgets(line, sizeof line, file) == NULL || strlen(line) < 10 ||
        fgets(more, sizeof more, file) != NULL)
        fail_msg("%s/why is to say in one line what is special about the case", s->folder);
    fclose(file);
}

static void run_case(void **state)
{
    struct suite s = {.config = config_new()};
    struct error err = {0};
    snprintf(s.folder, sizeof s.folder, "%s/cases/%s", TESTS_DIR, (const char *)*state);
    check_why(&s);
    set_options(&s);
    if (!time_zone_load(s.config, &err))
        fail_msg("%s", err.text);
    s.transform = transform_new(s.config);
    s.gated = transform_new(s.config);
    s.schemas = load_json(&s, "schemas.json");
    run_lines(&s);
    for (size_t i = 0; i < 256; i++)
        plan_free(s.decoders[i]);
    transform_free(s.transform);
    transform_free(s.gated);
    json_decref(s.schemas);
    config_free(s.config);
}

static int is_case(const struct dirent *entry)
{
    return entry->d_name[0] != '.' && strcmp(entry->d_name, "README.md") != 0;
}

int main(void)
{
    struct dirent **entries;
    int count = scandir(TESTS_DIR "/cases", &entries, is_case, alphasort);
    struct CMUnitTest *tests = calloc((size_t)(count > 0 ? count : 1), sizeof *tests);
    if (count <= 0 || tests == NULL)
        return 1;
    for (int i = 0; i < count; i++)
        tests[i] = (struct CMUnitTest){
            .name = entries[i]->d_name, .test_func = run_case, .initial_state = entries[i]->d_name};
    int failed = _cmocka_run_group_tests("cases", tests, (size_t)count, NULL, NULL);
    for (int i = 0; i < count; i++)
        free(entries[i]);
    free(entries);
    free(tests);
    return failed;
}
