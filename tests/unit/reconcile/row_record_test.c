/* row_record: rows of the table become the events that Debezium would have written. The schemas,
 * rows and events are those that were captured for tests/cases. */
#include "reconcile/row_record.h"

#include "cdc/wire_format.h"
#include "config/load/time_zone_load.h"
#include "order/transform.h"
#include "registry/registry_reply.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct captured {
    char folder[300];
    struct config *config;
    json_t *schemas;
};

static struct config *new_config(void)
{
    struct error err = {0};
    struct config *config = config_new();
    assert_true(config_set(config, "kafka.topic", "shop.public.orders", "test", &err));
    return config;
}

static json_t *load(const struct captured *c, const char *name, bool must)
{
    char path[400];
    snprintf(path, sizeof path, "%s/%s", c->folder, name);
    json_t *json = json_load_file(path, 0, NULL);
    if (must && json == NULL)
        fail_msg("%s", path);
    return json;
}

static void open_case(struct captured *c, const char *name)
{
    struct error err = {0};
    const char *option;
    json_t *value;
    snprintf(c->folder, sizeof c->folder, "%s/cases/%s", TESTS_DIR, name);
    c->config = new_config();
    json_t *options = load(c, "options.json", false);
    json_object_foreach (options, option, value)
        assert_true(config_set(c->config, option, json_string_value(value), "test", &err));
    json_decref(options);
    assert_true(time_zone_load(c->config, &err));
    c->schemas = load(c, "schemas.json", true);
}

static void close_case(struct captured *c)
{
    json_decref(c->schemas);
    config_free(c->config);
}

/* Only a few of the cases' records name their schema other than in the first five bytes. */
static int base64_digit(char c)
{
    const char *digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c != '\0' ? strchr(digits, c) : NULL;
    return at != NULL ? (int)(at - digits) : -1;
}

static size_t decode(const char *text, uint8_t *ret)
{
    unsigned bits = 0, held = 0;
    size_t len = 0;
    for (; base64_digit(*text) >= 0; text++) {
        bits = bits << 6 | (unsigned)base64_digit(*text);
        held += 6;
        if (held >= 8) {
            held -= 8;
            ret[len++] = (uint8_t)(bits >> held & 0xff);
        }
    }
    return len;
}

static bool no_header(const void *context, const char *name)
{
    (void)context;
    (void)name;
    return false;
}

static void transform_body(struct transform *t, const struct plan *plan, const uint8_t *body,
                           size_t len, bool judged, struct transformed *ret)
{
    const struct record record = {.topic = "topic",
                                  .timestamp_ms = 1,
                                  .body = body,
                                  .len = len,
                                  .has_header = no_header,
                                  .any_row = judged,
                                  .alone = true};
    transform_apply(t, plan, &record, false, ret);
}

/* The row as COPY would write it, from the body that was expected of its event. */
static void row_of(const char *body, json_t *fields, struct row_values *ret)
{
    struct shape_values tokens;
    *ret = (struct row_values){0};
    assert_true(shape_values_read(slice_of(body), &tokens));
    for (size_t f = 0; f < FIELD_COUNT; f++) {
        const char *text = json_string_value(json_object_get(fields, payload_field_names[f]));
        ret->value[f] =
            (struct row_value){ROW_VALUE_TEXT, text != NULL ? slice_of(text) : tokens.token[f]};
    }
    ret->value[ROW_RULE_COLUMN] = ret->value[FIELD_STATUS];
}

static void compare(const struct captured *c, const char *body, const char *value, bool same_id)
{
    static uint8_t bytes[65536];
    char id[16];
    struct error err = {0};
    struct schema_reply reply = {0};
    struct row_values values;
    struct buf made;
    struct transformed event, again;
    size_t len = decode(value, bytes);
    snprintf(id, sizeof id, "%d", bytes[1] << 24 | bytes[2] << 16 | bytes[3] << 8 | bytes[4]);
    char *answer = json_dumps(json_object_get(c->schemas, id), JSON_COMPACT);
    assert_int_equal(schema_reply_read(SCHEMA_REF_ID, 200, answer, strlen(answer), &reply, &err),
                     SCHEMA_REPLY_SCHEMA);
    const struct plan_options options = transform_plan_options(c->config);
    struct plan *plan = plan_compile(reply.schema, strlen(reply.schema), &options, &err);
    struct transform *t = transform_new(c->config), *other = transform_new(c->config);
    struct row_record *r = row_record_new(c->config, reply.schema, &err);
    if (plan == NULL || r == NULL)
        fail_msg("%s: %s", c->folder, err.text);
    json_t *nested = json_loads(body, 0, NULL);
    row_of(body, json_object_get(nested, "fields"), &values);
    buf_init(&made, 65536);
    if (!row_record_write(r, &values, 1795338930123, &made, &err))
        fail_msg("%s: %s", c->folder, err.text);
    transform_body(t, plan, (const uint8_t *)made.data, made.len, true, &again);
    if (again.verdict != TRANSFORM_DELIVER || again.body->len != strlen(body) ||
        memcmp(again.body->data, body, again.body->len) != 0)
        fail_msg("%s:\nexpected %s\ngot      %s %.*s", c->folder, body, again.why,
                 again.verdict == TRANSFORM_DELIVER ? (int)again.body->len : 0,
                 again.verdict == TRANSFORM_DELIVER ? again.body->data : "");
    transform_body(other, plan, bytes + 5, len - 5, false, &event);
    if (same_id)
        assert_string_equal(again.id, event.id);
    assert_true(again.event_ms < 0 || again.event_ms == 1795338930123);
    buf_done(&made);
    row_record_free(r);
    transform_free(t);
    transform_free(other);
    plan_free(plan);
    schema_reply_done(&reply);
    free(answer);
    json_decref(nested);
}

/* Every event of the case that was delivered at the time of its row; how many. */
static int compare_all(const char *name, bool same_id)
{
    char path[400];
    struct captured c;
    int count = 0;
    json_error_t error;
    open_case(&c, name);
    snprintf(path, sizeof path, "%s/records.ndjson", c.folder);
    FILE *records = fopen(path, "r");
    snprintf(path, sizeof path, "%s/expected.ndjson", c.folder);
    FILE *expected = fopen(path, "r");
    assert_true(records != NULL && expected != NULL);
    for (;;) {
        json_t *record = json_loadf(records, JSON_DISABLE_EOF_CHECK, &error);
        json_t *wanted = json_loadf(expected, JSON_DISABLE_EOF_CHECK, &error);
        if (record == NULL)
            break;
        const char *body = json_string_value(json_object_get(wanted, "body"));
        if (body != NULL && strstr(body, "2026-11-22T09:15:30.123456Z") != NULL) {
            compare(&c, body, json_string_value(json_object_get(record, "value")), same_id);
            count++;
        }
        json_decref(record);
        json_decref(wanted);
    }
    fclose(records);
    fclose(expected);
    close_case(&c);
    return count;
}

static void a_row_leaves_as_its_event_did(void **state)
{
    static const char *const cases[] = {"default",
                                        "decimal-double-time-connect",
                                        "decimal-string-time-isostring",
                                        "money-double-microseconds",
                                        "numeric-key",
                                        "numeric-default-zero",
                                        "time-isostring",
                                        "odd-columns",
                                        "unwrapped-op"};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (compare_all(cases[i], false) == 0)
            fail_msg("%s: no event was delivered at the row's time", cases[i]);
}

/* Events that do not show the row before are named by order and confirmed_at. */
static void an_event_without_its_before_has_the_same_id(void **state)
{
    (void)state;
    assert_true(compare_all("replica-identity-default", true) >= 1);
    assert_true(compare_all("unwrapped-bare", true) >= 1);
}

/* ---- values that do not fit ---- */

#define SCHEMA                                                                                   \
    "{\"type\":\"record\",\"name\":\"Value\",\"fields\":[{\"name\":\"id\",\"type\":\"string\"}," \
    "{\"name\":\"status\",\"type\":[\"null\",\"string\"]},{\"name\":\"quantity\",\"type\":"      \
    "\"int\"},"                                                                                  \
    "{\"name\":\"secret\",\"type\":\"string\"},{\"name\":\"__op\",\"type\":\"string\"}]}"

static const char *refused(size_t column, struct row_value value)
{
    static struct error err;
    struct buf b;
    struct config *config = new_config();
    struct row_values values = {.value = {[FIELD_ORDER_ID] = {ROW_VALUE_TEXT, {"o1", 2}},
                                          [FIELD_QUANTITY] = {ROW_VALUE_TEXT, {"2", 1}},
                                          [ROW_RULE_COLUMN] = {ROW_VALUE_TEXT, {"confirmed", 9}}}};
    values.value[column] = value;
    err = (struct error){0};
    buf_init(&b, 1024);
    struct row_record *r = row_record_new(config, SCHEMA, &err);
    assert_non_null(r);
    bool ok = row_record_write(r, &values, 0, &b, &err);
    assert_int_equal(ok, err.code == ERROR_NONE);
    row_record_free(r);
    config_free(config);
    buf_done(&b);
    return err.text;
}

static void a_value_that_does_not_fit_names_its_column(void **state)
{
    (void)state;
    assert_string_equal(refused(FIELD_QUANTITY, (struct row_value){ROW_VALUE_TEXT, {"7", 1}}), "");
    assert_non_null(strstr(refused(FIELD_QUANTITY, (struct row_value){ROW_VALUE_TEXT, {"two", 3}}),
                           "\"quantity\" has a value that is none of its type (int)"));
    assert_non_null(
        strstr(refused(FIELD_QUANTITY, (struct row_value){ROW_VALUE_TEXT, {"2147483648", 10}}),
               "\"quantity\""));
    assert_non_null(strstr(refused(FIELD_QUANTITY, (struct row_value){ROW_VALUE_NULL, {"", 0}}),
                           "\"quantity\" is null, and cannot be (int)"));
}

static void columns_that_are_lacking_are_named(void **state)
{
    char names[100];
    struct error err = {0};
    struct config *config = new_config();
    const struct row_values values = {.value = {[FIELD_ORDER_ID] = {ROW_VALUE_TEXT, {"o1", 2}}}};
    (void)state;
    struct row_record *r = row_record_new(config, SCHEMA, &err);
    assert_string_equal(row_record_lacks(r, &values, names, sizeof names), "quantity, status");
    row_record_free(r);
    config_free(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_leaves_as_its_event_did),
        cmocka_unit_test(an_event_without_its_before_has_the_same_id),
        cmocka_unit_test(a_value_that_does_not_fit_names_its_column),
        cmocka_unit_test(columns_that_are_lacking_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
