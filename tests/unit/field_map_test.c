/* field_map_test: what is said of the columns of captured schemas. */
#include "core/config.h"
#include "core/field_map.h"
#include "core/transform.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* The map of the first schema of a case whose rows can be read. */
static void map_case(const char *name, struct field_map *ret_map)
{
    char path[512];
    const char *id;
    json_t *schema;
    bool found = false;
    struct config *config = config_new();
    snprintf(path, sizeof path, TESTS_DIR "/cases/%s/schemas.json", name);
    json_t *schemas = json_load_file(path, 0, NULL);
    assert_non_null(schemas);
    assert_non_null(config);
    const struct plan_options options = transform_plan_options(config);
    json_object_foreach (schemas, id, schema) {
        const char *text = json_string_value(json_object_get(schema, "schema"));
        struct error err = {0};
        found = found || field_map_of(text, strlen(text), &options, ret_map, &err);
    }
    assert_true(found);
    json_decref(schemas);
    config_free(config);
}

struct expectation {
    enum payload_field field;
    enum field_fate fate;
    const char *type, *becomes;
};

static void expect(const char *name, const struct expectation *expected, size_t count)
{
    struct field_map map;
    map_case(name, &map);
    for (size_t i = 0; i < count; i++) {
        const struct field_source *source = &map.field[expected[i].field];
        assert_string_equal(source->type, expected[i].type);
        assert_string_equal(source->becomes, expected[i].becomes);
        assert_int_equal(source->fate, expected[i].fate);
    }
}

#define EXPECT(name, ...)                                     \
    expect((name), (const struct expectation[]){__VA_ARGS__}, \
           sizeof((const struct expectation[]){__VA_ARGS__}) / sizeof(struct expectation))

static void precise(void **state)
{
    (void)state;
    EXPECT("default", {FIELD_ORDER_ID, FIELD_FINE, "string (Uuid)", "text"},
           {FIELD_UNIT_PRICE, FIELD_FINE, "bytes (Decimal, scale 2)",
            "number with exactly its digits"},
           {FIELD_QUANTITY, FIELD_FINE, "int", "whole number"},
           {FIELD_CLIENT_CITY, FIELD_FINE, "string, or null", "text; null: \"\""});
}

static void modes(void **state)
{
    (void)state;
    EXPECT("decimal-string-time-isostring",
           {FIELD_UNIT_PRICE, FIELD_FINE, "string", "number, with the text's own digits"});
    EXPECT("decimal-double-time-connect",
           {FIELD_UNIT_PRICE, FIELD_DOUBTFUL, "double",
            "number, rounded to floating point by the connector already "
            "(decimal.handling.mode=precise keeps all digits)"});
}

/* A column of each kind, in hand-made rows. */
static const char row[] =
    "{\"type\":\"record\",\"name\":\"Row\",\"namespace\":\"shop\",\"fields\":["
    "{\"name\":\"id\",\"type\":\"long\"},{\"name\":\"__op\",\"type\":\"string\"},"
    "{\"name\":\"status\",\"type\":\"string\"},"
    "{\"name\":\"order_number\",\"type\":[\"null\",\"string\"]},"
    "{\"name\":\"client_name\",\"type\":\"boolean\"},"
    "{\"name\":\"client_address\",\"type\":[\"null\",\"string\",\"int\"]},"
    "{\"name\":\"quantity\",\"type\":\"bytes\"},"
    "{\"name\":\"unit_price\",\"type\":{\"type\":\"int\",\"connect.name\":"
    "\"io.debezium.time.Date\"}},"
    "{\"name\":\"total_amount\",\"type\":\"float\"},"
    "{\"name\":\"confirmed_at\",\"type\":[\"null\",{\"type\":\"long\",\"connect.name\":"
    "\"io.debezium.time.MicroTimestamp\"}]}]}";

static void kinds(void **state)
{
    static const struct expectation expected[] = {
        {FIELD_ORDER_ID, FIELD_FINE, "long", "text: the number's digits"},
        {FIELD_ORDER_NUMBER, FIELD_FINE, "string, or null", "text; null is parked"},
        {FIELD_CLIENT_NAME, FIELD_HOPELESS, "boolean",
         "no text: every order is parked as not_a_number:client_name"},
        {FIELD_CLIENT_PHONE, FIELD_HOPELESS, "",
         "no such column: every order is parked as missing:client_phone"},
        {FIELD_CLIENT_CITY, FIELD_DOUBTFUL, "", "no such column: always \"\""},
        {FIELD_QUANTITY, FIELD_HOPELESS, "bytes",
         "no number: every order is parked as not_a_number:quantity"},
        {FIELD_UNIT_PRICE, FIELD_DOUBTFUL, "int (Date)", "number: a count of time"},
        {FIELD_CONFIRMED_AT, FIELD_FINE, "long (MicroTimestamp), or null",
         "time in UTC, from microseconds; null: the event's own time"},
    };
    struct config *config = config_new();
    struct field_map map;
    struct error err = {0};
    (void)state;
    assert_non_null(config);
    const struct plan_options options = transform_plan_options(config);
    if (!field_map_of(row, strlen(row), &options, &map, &err))
        fail_msg("%s", err.text);
    assert_string_equal(map.schema, "shop.Row");
    assert_int_equal(map.shape, PLAN_UNWRAPPED);
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        const struct field_source *source = &map.field[expected[i].field];
        assert_string_equal(source->type, expected[i].type);
        assert_string_equal(source->becomes, expected[i].becomes);
        assert_int_equal(source->fate, expected[i].fate);
    }
    config_free(config);
}

static void what_is_no_row(void **state)
{
    struct config *config = config_new();
    struct field_map map;
    struct error err = {0};
    (void)state;
    assert_non_null(config);
    const struct plan_options options = transform_plan_options(config);
    assert_false(field_map_of("\"int\"", 5, &options, &map, &err));
    assert_int_equal(err.code, ERROR_UNDECODABLE);
    config_free(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(precise), cmocka_unit_test(modes),
                                       cmocka_unit_test(kinds), cmocka_unit_test(what_is_no_row)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
