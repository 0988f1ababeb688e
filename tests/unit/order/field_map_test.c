/* field_map_test: what is said of the columns of captured schemas. */
#include "config/config.h"
#include "order/field_map.h"
#include "order/transform.h"

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
        found = found || (field_map_of(text, strlen(text), &options, 0, ret_map, &err) &&
                          ret_map->refused.code == ERROR_NONE);
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
         "no such column: every order is parked as missing:client_phone; set "
         "payload.fields.client_phone to the column that holds it"},
        {FIELD_CLIENT_CITY, FIELD_DOUBTFUL, "",
         "no such column: always \"\"; set payload.fields.client_city to the column that holds it"},
        {FIELD_QUANTITY, FIELD_HOPELESS, "bytes",
         "no number: every order is parked as not_a_number:quantity"},
        {FIELD_UNIT_PRICE, FIELD_DOUBTFUL, "int (Date)",
         "number: a count of time; map a column with a number"},
        {FIELD_CONFIRMED_AT, FIELD_FINE, "long (MicroTimestamp), or null",
         "time in UTC, from microseconds; null: the event's own time"},
    };
    struct config *config = config_new();
    struct field_map map;
    struct error err = {0};
    (void)state;
    assert_non_null(config);
    const struct plan_options options = transform_plan_options(config);
    if (!field_map_of(row, strlen(row), &options, 0, &map, &err))
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

#define COLUMN(name, type) "{\"name\":\"" name "\",\"type\":" type "}"
#define UUID "{\"type\":\"string\",\"connect.name\":\"io.debezium.data.Uuid\"}"

/* A row of these columns and __op, mapped with these options ("name=value", …, NULL). */
static void map_columns(const char *columns, const char *const *settings, struct field_map *ret_map)
{
    char schema[4096];
    struct error err = {0};
    struct config *config = config_new();
    assert_non_null(config);
    for (; *settings != NULL; settings += 2)
        assert_true(config_set(config, settings[0], settings[1], "test", &err));
    snprintf(schema, sizeof schema,
             "[\"null\",{\"type\":\"record\",\"name\":\"Row\",\"fields\":[%s,"
             "{\"name\":\"__op\",\"type\":\"string\"}]}]",
             columns);
    const struct plan_options options = transform_plan_options(config);
    if (!field_map_of(schema + strlen("[\"null\","), strlen(schema) - strlen("[\"null\",]"),
                      &options, config->payload_amount_decimals, ret_map, &err))
        fail_msg("%s", err.text);
    config_free(config);
}

static void expect_field(const struct field_source *source, enum field_fate fate, const char *words)
{
    if (source->fate != fate || strstr(source->becomes, words) == NULL)
        fail_msg("%d \"%s\"", (int)source->fate, source->becomes);
}

/* A union is read by the branch of each value: it fails only where every branch does. */
static void unions(void **state)
{
    static const char *const none[] = {NULL};
    struct field_map map;
    (void)state;
    map_columns(
        COLUMN("id", "[\"string\",\"long\"]") "," COLUMN("status", "\"string\"") "," COLUMN(
            "quantity",
            "[\"null\",\"string\",\"int\"]") "," COLUMN("unit_price",
                                                        "[\"string\",\"boolean\"]") "," COLUMN("tot"
                                                                                               "al_"
                                                                                               "amo"
                                                                                               "un"
                                                                                               "t",
                                                                                               "[\""
                                                                                               "boo"
                                                                                               "lea"
                                                                                               "n\""
                                                                                               ",\""
                                                                                               "byt"
                                                                                               "es"
                                                                                               "\""
                                                                                               "]") "," COLUMN("client_name",
                                                                                                               "[\"null\"]"),
        none, &map);
    assert_int_equal(map.refused.code, ERROR_NONE);
    expect_field(&map.field[FIELD_ORDER_ID], FIELD_FINE, "text; or text: the number's digits");
    assert_string_equal(map.field[FIELD_ORDER_ID].type, "string, or long");
    expect_field(&map.field[FIELD_QUANTITY], FIELD_FINE,
                 "whole number, read from the text; null is parked");
    expect_field(&map.field[FIELD_UNIT_PRICE], FIELD_DOUBTFUL, "; or no number: every order is");
    expect_field(&map.field[FIELD_TOTAL_AMOUNT], FIELD_HOPELESS, "no number");
    expect_field(&map.field[FIELD_CLIENT_NAME], FIELD_HOPELESS, "always null");
}

/* A key where words are wanted. */
static void keys_for_words(void **state)
{
    static const char *const mapped[] = {"payload.fields.client_name",
                                         "client_id",
                                         "payload.fields.product_name",
                                         "product",
                                         "payload.fields.client_phone",
                                         "customerId",
                                         NULL};
    struct field_map map;
    (void)state;
    map_columns(
        COLUMN("id", UUID) "," COLUMN("status", "\"string\"") "," COLUMN(
            "client_id", UUID) "," COLUMN("product",
                                          UUID) "," COLUMN("customerId",
                                                           "\"string\"") "," COLUMN("client_city",
                                                                                    "\"long\""),
        mapped, &map);
    expect_field(&map.field[FIELD_ORDER_ID], FIELD_FINE, "text");
    expect_field(&map.field[FIELD_CLIENT_NAME], FIELD_DOUBTFUL, "a key, and no name");
    expect_field(&map.field[FIELD_PRODUCT_NAME], FIELD_DOUBTFUL, "a key, and no name");
    expect_field(&map.field[FIELD_CLIENT_PHONE], FIELD_DOUBTFUL, "a key, and no name");
    expect_field(&map.field[FIELD_CLIENT_CITY], FIELD_DOUBTFUL, "the number's digits");
}

/* Everything at once, each with what to do. */
static void absent_columns(void **state)
{
    static const char *const none[] = {NULL};
    struct field_map map;
    (void)state;
    map_columns(
        COLUMN("order_ref", "\"string\"") "," COLUMN("statut", "\"string\"") "," COLUMN(
            "customer_name",
            "\"string\"") "," COLUMN("tel",
                                     "\"string\"") "," COLUMN("product_id",
                                                              UUID) "," COLUMN("qty",
                                                                               "\"int\"") "," COLUMN("montant_total",
                                                                                                     "\"double\""),
        none, &map);
    assert_int_equal(map.refused.code, ERROR_CONFIG);
    assert_true(map.has_absent);
    expect_field(&map.rule, FIELD_HOPELESS,
                 "no such column: no order is ever sent; set "
                 "rule.column=statut?");
    expect_field(&map.field[FIELD_ORDER_NUMBER], FIELD_HOPELESS,
                 "set payload.fields.order_number=order_ref?");
    expect_field(&map.field[FIELD_CLIENT_NAME], FIELD_HOPELESS,
                 "set payload.fields.client_name=customer_name?");
    expect_field(&map.field[FIELD_CLIENT_PHONE], FIELD_HOPELESS, "client_phone=tel?");
    expect_field(&map.field[FIELD_PRODUCT_NAME], FIELD_HOPELESS,
                 "product_id is the key of another table's row, which these records do not show: "
                 "capture a table that holds the text (docker/supabase makes one");
    expect_field(&map.field[FIELD_QUANTITY], FIELD_HOPELESS, "quantity=qty?");
    expect_field(&map.field[FIELD_TOTAL_AMOUNT], FIELD_HOPELESS, "total_amount=montant_total?");
    expect_field(&map.field[FIELD_ORDER_ID], FIELD_HOPELESS, "no such column");
    assert_non_null(strstr(map.columns, "order_ref string, statut string, customer_name string"));
    assert_non_null(strstr(map.columns, "product_id string (Uuid)"));
}

/* Names of another language, compounds among them. */
static void german_columns(void **state)
{
    static const char *const none[] = {NULL};
    struct field_map map;
    (void)state;
    map_columns(
        COLUMN("id", "\"long\"") "," COLUMN("bestellnummer", "\"string\"") "," COLUMN("kundenname", "\"string\"") "," COLUMN("telefon", "\"string\"") "," COLUMN(
            "stra\xc3\x9f"
            "e",
            "\"string\"") "," COLUMN("ort",
                                     "\"string\"") "," COLUMN("artikelbezeichnung",
                                                              "\"string\"") "," COLUMN("menge",
                                                                                       "\"int\"") "," COLUMN("einzelpreis_cent",
                                                                                                             "\"long\"") "," COLUMN("gesamtbetrag_cent",
                                                                                                                                    "\"long\"") "," COLUMN("bestellstatus",
                                                                                                                                                           "\"string\"") "," COLUMN("best__tigt_am",
                                                                                                                                                                                    "\"string\""),
        none, &map);
    expect_field(&map.rule, FIELD_HOPELESS, "set rule.column=bestellstatus?");
    static const struct {
        enum payload_field field;
        const char *column;
    } hints[] = {
        {FIELD_ORDER_NUMBER, "order_number=bestellnummer?"},
        {FIELD_CLIENT_NAME, "client_name=kundenname?"},
        {FIELD_CLIENT_PHONE, "client_phone=telefon?"},
        {FIELD_CLIENT_ADDRESS, "client_address=stra\xc3\x9f"
                               "e?"},
        {FIELD_CLIENT_CITY, "client_city=ort?"},
        {FIELD_PRODUCT_NAME, "product_name=artikelbezeichnung?"},
        {FIELD_QUANTITY, "quantity=menge?"},
        {FIELD_UNIT_PRICE, "unit_price=einzelpreis_cent?"},
        {FIELD_TOTAL_AMOUNT, "total_amount=gesamtbetrag_cent?"},
        {FIELD_CONFIRMED_AT, "confirmed_at=best__tigt_am?"},
    };
    for (size_t i = 0; i < sizeof hints / sizeof *hints; i++)
        if (strstr(map.field[hints[i].field].becomes, hints[i].column) == NULL)
            fail_msg("%s: %s", hints[i].column, map.field[hints[i].field].becomes);
    map_columns(COLUMN("id", "\"long\"") "," COLUMN("status", "\"string\"") "," COLUMN(
                    "bestellnummer", "\"string\"") "," COLUMN("kundennummer", "\"long\""),
                none, &map);
    expect_field(&map.field[FIELD_CLIENT_NAME], FIELD_HOPELESS,
                 "kundennummer is the key of another table's row");
}

/* A hundred times an amount is a wrong amount, and nothing but the column's name shows it. */
static void integer_amounts(void **state)
{
    static const char *const mapped[] = {"payload.fields.total_amount", "total_cents", NULL};
    static const char *const scaled[] = {"payload.fields.total_amount", "total_cents",
                                         "payload.amount_decimals", "2", NULL};
    static const char columns[] =
        COLUMN("id", "\"long\"") "," COLUMN("status", "\"string\"") "," COLUMN(
            "unit_price", "\"long\"") "," COLUMN("total_cents", "\"int\"") "," COLUMN("quantity",
                                                                                      "\"int\"");
    struct field_map map;
    (void)state;
    map_columns(columns, mapped, &map);
    expect_field(&map.field[FIELD_UNIT_PRICE], FIELD_FINE,
                 "if it counts cents, set "
                 "payload.amount_decimals=2");
    expect_field(&map.field[FIELD_TOTAL_AMOUNT], FIELD_DOUBTFUL,
                 "a hundred times the amount; set "
                 "payload.amount_decimals=2");
    map_columns(columns, scaled, &map);
    expect_field(&map.field[FIELD_UNIT_PRICE], FIELD_FINE, "payload.amount_decimals = 2");
    expect_field(&map.field[FIELD_TOTAL_AMOUNT], FIELD_FINE, "payload.amount_decimals = 2");
    expect_field(&map.field[FIELD_QUANTITY], FIELD_FINE, "whole number");
}

/* An optional column with a default: Struct.get of Connect answers the default for a null. */
static void null_or_default(void **state)
{
    static const char *const none[] = {NULL};
    struct field_map map;
    (void)state;
    map_columns(
        COLUMN("id", UUID) "," COLUMN(
            "status",
            "\"string\"") ","
                          "{\"name\":\"client_city\",\"type\":[\"string\",\"null\"],\"default\":"
                          "\"Oran\"},"
                          "{\"name\":\"client_address\",\"type\":[\"null\",\"string\"],\"default\":"
                          "null},"
                          "{\"name\":\"client_name\",\"type\":\"string\",\"default\":\"?\"}",
        none, &map);
    expect_field(&map.field[FIELD_CLIENT_CITY], FIELD_DOUBTFUL, "default in place of a null");
    expect_field(&map.field[FIELD_CLIENT_ADDRESS], FIELD_FINE, "null: \"\"");
    expect_field(&map.field[FIELD_CLIENT_NAME], FIELD_FINE, "text");
}

/* A column with other letters than ASCII's is named as the table names it. */
static void other_letters(void **state)
{
    static const char *const mapped[] = {"payload.fields.client_name", "pr\xc3\xa9nom", NULL};
    struct field_map map;
    (void)state;
    map_columns(COLUMN("id", UUID) "," COLUMN("status", "\"string\"") "," COLUMN("pr\xc3\xa9nom",
                                                                                 "\"string\""),
                mapped, &map);
    expect_field(&map.field[FIELD_CLIENT_NAME], FIELD_FINE, "text");
    assert_non_null(strstr(map.columns, "pr\xc3\xa9nom string"));
}

static void what_is_no_row(void **state)
{
    struct config *config = config_new();
    struct field_map map;
    struct error err = {0};
    (void)state;
    assert_non_null(config);
    const struct plan_options options = transform_plan_options(config);
    assert_false(field_map_of("\"int\"", 5, &options, 0, &map, &err));
    assert_int_equal(err.code, ERROR_UNDECODABLE);
    config_free(config);
}

/* Every payload column that may be so, and how to end it. */
static void nulls_that_became_defaults(void **state)
{
    (void)state;
    static const enum payload_field replaced[] = {FIELD_UNIT_PRICE, FIELD_CLIENT_ADDRESS,
                                                  FIELD_CONFIRMED_AT};
    struct field_map map;
    map_case("null-replaced-by-default", &map);
    for (size_t i = 0; i < sizeof replaced / sizeof *replaced; i++) {
        const struct field_source *source = &map.field[replaced[i]];
        assert_int_equal(source->fate, FIELD_DOUBTFUL);
        assert_non_null(strstr(source->becomes, "ignore.default.for.nullables=true"));
        assert_non_null(strstr(source->becomes, "Apicurio"));
    }
    assert_null(strstr(map.field[FIELD_CLIENT_NAME].becomes, "default"));
}

/* The columns of a template, whatever their types. */
static void columns_of_a_template(void **state)
{
    static const struct {
        const char *column, *type, *becomes;
        enum field_fate fate;
    } rows[] = {
        {"id", "long", "number with exactly its digits", FIELD_FINE},
        {"total_amount", "bytes (Decimal, scale 2), or null",
         "number with exactly its digits; or null", FIELD_FINE},
        {"zoned", "string (ZonedTime), or null", "text; or null", FIELD_FINE},
        {"real8", "double, or null", "number; or null", FIELD_FINE},
        {"yes", "boolean, or null", "true or false; or null", FIELD_FINE},
        {"day", "int (Date), or null", "date, YYYY-MM-DD; or null", FIELD_FINE},
        {"clock", "long (MicroTime), or null",
         "number: a count of a day's time, or of a span; or null", FIELD_DOUBTFUL},
        {"raw", "bytes, or null", "no text, number or boolean: parked, if it is one; or null",
         FIELD_DOUBTFUL},
        {"nowhere", "", "no such column: its partitions stop; correct the name in payload.template",
         FIELD_HOPELESS},
    };
    enum { COUNT = sizeof rows / sizeof *rows };
    const char *names[COUNT];
    struct field_map map;
    struct error err = {0};
    struct config *config = config_new();
    assert_non_null(config);
    (void)state;
    for (size_t i = 0; i < COUNT; i++)
        names[i] = rows[i].column;
    json_t *schemas = json_load_file(TESTS_DIR "/cases/odd-columns/schemas.json", 0, NULL);
    const char *text = json_string_value(json_object_get(json_object_get(schemas, "10"), "schema"));
    assert_non_null(text);
    struct plan_options options = transform_plan_options(config);
    options.extra_columns = names;
    options.extra_count = COUNT;
    assert_true(field_map_of(text, strlen(text), &options, 0, &map, &err));
    for (size_t i = 0; i < COUNT; i++) {
        assert_string_equal(map.extra[i].type, rows[i].type);
        assert_string_equal(map.extra[i].becomes, rows[i].becomes);
        assert_int_equal(map.extra[i].fate, rows[i].fate);
    }
    assert_non_null(strstr(map.refused.text, "has no column \"nowhere\""));
    json_decref(schemas);
    config_free(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(nulls_that_became_defaults),
                                       cmocka_unit_test(precise),
                                       cmocka_unit_test(modes),
                                       cmocka_unit_test(kinds),
                                       cmocka_unit_test(what_is_no_row),
                                       cmocka_unit_test(unions),
                                       cmocka_unit_test(keys_for_words),
                                       cmocka_unit_test(absent_columns),
                                       cmocka_unit_test(german_columns),
                                       cmocka_unit_test(integer_amounts),
                                       cmocka_unit_test(null_or_default),
                                       cmocka_unit_test(other_letters),
                                       cmocka_unit_test(columns_of_a_template)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
