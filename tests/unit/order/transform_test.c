/* transform_test: the options that change what becomes of a record, from their text to the verdict.
 * Each module's own use of them is its own test's; whole captured records are cases_test's. */
#include "order/transform.h"

#include "config/load/template_load.h"
#include "fakes/avro_bytes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* An unwrapped row of texts: the operation (under any name), then its columns. */
static const char *const columns[] = {"id",           "order_number", "client_name", "client_phone",
                                      "product_name", "quantity",     "unit_price",  "total_amount",
                                      "status",       "confirmed_at", "state",       "town"};
enum { COLUMN_COUNT = sizeof columns / sizeof *columns };
static const char *const values[COLUMN_COUNT] = {
    "7",     "N-7",  "Amina", "0600",      "Lamp",
    "2",     "1.50", "3.00",  "confirmed", "2026-11-22T09:15:30Z",
    "payée", "Oran"};

struct fixture {
    struct config *config;
    struct transform *transform;
    struct plan *plan;
};

struct option {
    const char *name, *value;
};

static const char *template_text; /* NULL: none */

static void open_fixture(struct fixture *f, const struct option *options, size_t count,
                         const char *op_column)
{
    struct error err = {0};
    struct buf schema;
    f->config = config_new();
    assert_non_null(f->config);
    for (size_t i = 0; i < count; i++)
        if (!config_set(f->config, options[i].name, options[i].value, "test", &err))
            fail_msg("%s", err.text);
    if (template_text != NULL)
        f->config->template =
            template_read("order.json", template_text, strlen(template_text), &err);
    f->transform = transform_new(f->config);
    assert_non_null(f->transform);
    buf_init(&schema, 4096);
    buf_addf(&schema,
             "{\"type\":\"record\",\"name\":\"Row\",\"fields\":[{\"name\":\"%s\",\"type\":"
             "[\"null\",\"string\"]}",
             op_column);
    for (size_t i = 0; i < COLUMN_COUNT; i++)
        buf_addf(&schema, ",{\"name\":\"%s\",\"type\":\"string\"}", columns[i]);
    buf_add_text(&schema, "]}");
    struct plan_options plan_options = transform_plan_options(f->config);
    f->plan = plan_compile(schema.data, schema.len, &plan_options, &err);
    if (f->plan == NULL)
        fail_msg("%s", err.text);
    buf_done(&schema);
}

static void close_fixture(struct fixture *f)
{
    plan_free(f->plan);
    transform_free(f->transform);
    config_free(f->config);
}

static bool no_header(const void *context, const char *name)
{
    (void)context, (void)name;
    return false;
}

static char nested[8000]; /* of the last outcome: its values, where the body has another form */

/* The row above with another id and state; "verdict why body". */
static const char *outcome(struct fixture *f, const char *op, const char *id, const char *status)
{
    static char line[8000];
    static const char *const verdicts[] = {"skip", "deliver", "reject", "stop"};
    struct transformed t;
    struct buf body;
    buf_init(&body, 4096);
    avro_add_long(&body, op != NULL);
    if (op != NULL)
        avro_add_text(&body, op);
    for (size_t i = 0; i < COLUMN_COUNT; i++)
        avro_add_text(&body, i == 0 ? id : strcmp(columns[i], "status") == 0 ? status : values[i]);
    const struct record record = {.topic = "orders",
                                  .timestamp_ms = 1,
                                  .body = (const uint8_t *)body.data,
                                  .len = body.len,
                                  .has_header = no_header};
    transform_apply(f->transform, f->plan, &record, false, &t);
    snprintf(line, sizeof line, "%s %s %.*s", verdicts[t.verdict], t.why,
             t.verdict == TRANSFORM_DELIVER ? (int)t.body->len : 0,
             t.verdict == TRANSFORM_DELIVER ? t.body->data : "");
    snprintf(nested, sizeof nested, "%.*s", (int)t.nested.len,
             t.nested.data != NULL ? t.nested.data : "");
    buf_done(&body);
    return line;
}

#define OPEN(f, op_column, ...)                                                \
    do {                                                                       \
        const struct option options[] = {__VA_ARGS__};                         \
        open_fixture(f, options, sizeof options / sizeof *options, op_column); \
    } while (0)

static void assert_contains(const char *text, const char *part)
{
    if (strstr(text, part) == NULL)
        fail_msg("%s: no %s", text, part);
}

static void fields_come_from_the_columns_they_are_mapped_to(void **state)
{
    (void)state;
    struct fixture f;
    OPEN(&f, "__op", {"payload.fields.client_city", "town"}, {"payload.fields.status", "state"},
         {"payload.fields.order_number", "id"});
    const char *got = outcome(&f, "c", "7", "confirmed");
    assert_contains(got, "\"client_city\":\"Oran\"");
    assert_contains(got, "\"status\":\"payée\"");
    assert_contains(got, "\"order_id\":\"7\",\"order_number\":\"7\"");
    close_fixture(&f);
}

static void another_order_id_names_the_order(void **state)
{
    (void)state;
    struct fixture f;
    OPEN(&f, "__op", {"payload.fields.order_id", "order_number"});
    assert_contains(outcome(&f, "u", "7", "confirmed"), "\"order_id\":\"N-7\"");
    assert_contains(outcome(&f, "u", "8", "confirmed"), "already_confirmed"); /* N-7 again */
    close_fixture(&f);
}

/* An unavailable value was not changed: it triggers nothing, and no order is sent with it. */
static void the_connector_has_its_own_placeholder(void **state)
{
    static const struct {
        const char *option, *text;
    } cases[] = {
        {"__gone__", "__gone__"}, {"hex:5f5f676F6E655f5f", "__gone__"}, {"hex:c3a9", "\xc3\xa9"}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fixture f;
        OPEN(&f, "__op", {"rule.placeholder", cases[i].option});
        assert_contains(outcome(&f, "u", cases[i].text, "confirmed"),
                        "reject unavailable:order_id");
        assert_contains(outcome(&f, "c", "7", "confirmed"), "deliver  ");
        assert_contains(outcome(&f, "u", "7", cases[i].text), "skip not_confirmed");
        assert_contains(outcome(&f, "u", "7", "confirmed"), "skip already_confirmed");
        close_fixture(&f);
    }
}

static void shape_and_form_name(void **state)
{
    (void)state;
    struct fixture f;
    OPEN(&f, "__op", {"payload.shape", "flat"}, {"payload.form_name", "commande \"x\""});
    assert_contains(outcome(&f, "c", "7", "confirmed"),
                    "deliver  {\"form_name\":\"commande \\\"x\\\"\",\"order_id\":\"7\",");
    close_fixture(&f);
    OPEN(&f, "__op", {"payload.shape", "nested"});
    assert_contains(
        outcome(&f, "c", "7", "confirmed"),
        "deliver  {\"form_name\":\"order_confirmation\",\"fields\":{\"order_id\":\"7\",");
    close_fixture(&f);
}

/* An answer may repeat them, and they may be personal: they are left out of what
 * is kept of it, as the fields' values are. */
static void a_templates_columns_are_known_to_redaction(void **state)
{
    (void)state;
    struct fixture f;
    template_text =
        "{\"at\":\"${column:town}\",\"is\":\"${column:state}\",\"to\":\"${client_name}\"}";
    OPEN(&f, "__op", {"payload.shape", "template"}, {"payload.template", "order.json"});
    template_text = NULL;
    assert_contains(outcome(&f, "c", "7", "confirmed"),
                    "deliver  {\"at\":\"Oran\",\"is\":\"payée\",\"to\":\"Amina\"}");
    assert_contains(nested, "\"client_name\":\"Amina\"");
    assert_contains(nested, "},\"columns\":[\"Oran\",\"payée\"]}");
    close_fixture(&f);
}

static void elementors_shapes(void **state)
{
    (void)state;
    struct fixture f;
    OPEN(&f, "__op", {"payload.shape", "elementor"}, {"payload.form_id", "a1b2"},
         {"payload.labels.client_name", "Votre nom"});
    const char *got = outcome(&f, "c", "7", "confirmed");
    assert_contains(got, "deliver  order_id=7&order_number=N-7&Votre+nom=Amina&client_phone=0600&");
    assert_contains(got, "&unit_price=1.50&total_amount=3.00&");
    assert_contains(got, "&form_id=a1b2&form_name=order_confirmation");
    close_fixture(&f);
    OPEN(&f, "__op", {"payload.shape", "elementor-advanced"});
    got = outcome(&f, "c", "7", "confirmed");
    assert_contains(got, "deliver  form%5Bid%5D=elementor-sync&form%5Bname%5D=order_confirmation&");
    assert_contains(got, "&fields%5Bunit_price%5D%5Bvalue%5D=1.50&");
    close_fixture(&f);
}

static void another_column_and_value_decide(void **state)
{
    (void)state;
    struct fixture f;
    OPEN(&f, "__op", {"rule.column", "state"}, {"rule.value", "payée"});
    assert_contains(outcome(&f, "c", "7", "pending"), "deliver  ");
    close_fixture(&f);
    OPEN(&f, "__op", {"rule.value", "shipped"});
    assert_contains(outcome(&f, "c", "7", "shipped"), "deliver  ");
    assert_contains(outcome(&f, "c", "8", "confirmed"), "skip not_confirmed");
    close_fixture(&f);
}

static void snapshots(void **state)
{
    (void)state;
    struct fixture f;
    OPEN(&f, "__op", {"rule.snapshot", "skip"});
    assert_contains(outcome(&f, "r", "7", "confirmed"), "skip snapshot");
    close_fixture(&f);
    OPEN(&f, "__op", {"rule.snapshot", "deliver"});
    assert_contains(outcome(&f, "r", "7", "confirmed"), "deliver  ");
    assert_contains(outcome(&f, "r", "8", "pending"), "skip not_confirmed");
    close_fixture(&f);
}

static void an_operation_may_be_assumed(void **state)
{
    (void)state;
    struct fixture f;
    OPEN(&f, "anything", {"rule.assume_op", "u"});
    assert_contains(outcome(&f, NULL, "7", "confirmed"), "deliver  ");
    assert_contains(outcome(&f, NULL, "7", "confirmed"), "skip already_confirmed");
    close_fixture(&f);
    OPEN(&f, "anything", {"rule.assume_op", "c"});
    assert_contains(outcome(&f, NULL, "7", "confirmed"), "deliver  ");
    assert_contains(outcome(&f, NULL, "7", "confirmed"),
                    "skip already_confirmed"); /* with the same confirmed_at */
    close_fixture(&f);
}

static void prefixes(void **state)
{
    (void)state;
    struct fixture f;
    OPEN(&f, "cdc_op", {"rule.prefix", "cdc_"});
    assert_contains(outcome(&f, "r", "7", "confirmed"), "skip snapshot");
    close_fixture(&f);
    OPEN(&f, "op", {"rule.prefix", "none"});
    assert_contains(outcome(&f, "r", "7", "confirmed"), "skip snapshot");
    close_fixture(&f);
}

static void the_memory_is_as_large_as_asked_for_and_counts(void **state)
{
    (void)state;
    struct fixture f;
    OPEN(&f, "__op", {"rule.memory", "2"});
    assert_contains(outcome(&f, "u", "1", "confirmed"), "deliver  ");
    assert_contains(outcome(&f, "u", "2", "confirmed"), "deliver  ");
    assert_contains(outcome(&f, "u", "1", "confirmed"), "skip already_confirmed");
    assert_contains(outcome(&f, "u", "3", "confirmed"), "deliver  "); /* 2 is forgotten */
    assert_contains(outcome(&f, "u", "1", "confirmed"), "skip already_confirmed");
    assert_contains(outcome(&f, "u", "2", "confirmed"), "deliver  ");
    struct status_cache_stats stats = transform_status_cache_stats(f.transform);
    assert_int_equal(stats.hits, 2);
    assert_int_equal(stats.misses, 4);
    assert_int_equal(stats.evictions, 2);
    assert_int_equal(stats.held, 2);
    close_fixture(&f);
    OPEN(&f, "__op", {"rule.memory", "0"});
    assert_contains(outcome(&f, "u", "1", "confirmed"), "deliver  ");
    assert_contains(outcome(&f, "u", "1", "confirmed"), "deliver  ");
    close_fixture(&f);
}

/* Connect writes an optional struct at the top as a union, whose null is a tombstone. */
static void null_in_place_of_the_row_is_a_tombstone(void **state)
{
    (void)state;
    static const char schema[] =
        "[\"null\",{\"type\":\"record\",\"name\":\"Value\",\"fields\":["
        "{\"name\":\"__op\",\"type\":\"string\"},{\"name\":\"id\",\"type\":\"string\"},"
        "{\"name\":\"status\",\"type\":\"string\"}]}]";
    struct error err = {0};
    struct transformed t;
    struct config *config = config_new();
    assert_non_null(config);
    struct transform *transform = transform_new(config);
    const struct plan_options options = transform_plan_options(config);
    struct plan *plan = plan_compile(schema, sizeof schema - 1, &options, &err);
    assert_non_null(plan);
    const struct record record = {
        .topic = "t", .body = (const uint8_t *)"", .len = 1, .has_header = no_header};
    for (int gate = 0; gate < 2; gate++) {
        transform_apply(transform, plan, &record, gate, &t);
        assert_int_equal(t.verdict, TRANSFORM_SKIP);
        assert_string_equal(t.why, "tombstone");
        assert_true(t.whole);
    }
    plan_free(plan);
    transform_free(transform);
    config_free(config);
}

/* A row of three columns, of which neither is the rule's. */
static const char *judge_stranger(const char *rule_table, const char *table, struct error *err)
{
    static char line[500];
    static const char *const verdicts[] = {"skip", "deliver", "reject", "stop"};
    static const char schema[] =
        "{\"type\":\"record\",\"name\":\"Value\",\"namespace\":\"shop.public.carts\",\"fields\":["
        "{\"name\":\"__table\",\"type\":\"string\"},{\"name\":\"cart\",\"type\":\"string\"},"
        "{\"name\":\"__schema\",\"type\":\"string\"}]}";
    struct transformed t;
    struct config *config = config_new();
    struct buf body;
    assert_non_null(config);
    if (rule_table != NULL)
        assert_true(config_set(config, "rule.table", rule_table, "test", NULL));
    struct transform *transform = transform_new(config);
    const struct plan_options options = transform_plan_options(config);
    struct plan *plan = plan_compile(schema, sizeof schema - 1, &options, err);
    buf_init(&body, 100);
    avro_add_text(&body, table);
    avro_add_text(&body, "1");
    avro_add_text(&body, "public");
    const struct record record = {
        .topic = "t", .body = (const uint8_t *)body.data, .len = body.len, .has_header = no_header};
    line[0] = '\0';
    if (plan != NULL) {
        transform_apply(transform, plan, &record, true, &t);
        snprintf(line, sizeof line, "%s %s %s", verdicts[t.verdict], t.why, t.detail);
    }
    buf_done(&body);
    plan_free(plan);
    transform_free(transform);
    config_free(config);
    return line;
}

static void another_table_lacks_the_columns(void **state)
{
    (void)state;
    struct error err = {0};
    assert_string_equal(judge_stranger("public.orders", "carts", &err), "skip other_table ");
    assert_contains(judge_stranger("public.carts", "carts", &err),
                    "stop refused schema \"shop.public.carts.Value\" has no column \"status\"");
    assert_string_equal(judge_stranger("archive.carts", "carts", &err), "skip other_table ");
    assert_string_equal(judge_stranger("lic.carts", "carts", &err), "skip other_table ");
    assert_contains(judge_stranger("carts", "carts", &err), "stop refused ");
    assert_int_equal(err.code, ERROR_NONE);
    assert_string_equal(judge_stranger(NULL, "carts", &err), "");
    assert_int_equal(err.code, ERROR_CONFIG);
    assert_contains(err.text, "\"shop.public.carts.Value\" has no column");
    assert_contains(err.text, "rule.table");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(another_table_lacks_the_columns),
        cmocka_unit_test(fields_come_from_the_columns_they_are_mapped_to),
        cmocka_unit_test(another_order_id_names_the_order),
        cmocka_unit_test(the_connector_has_its_own_placeholder),
        cmocka_unit_test(null_in_place_of_the_row_is_a_tombstone),
        cmocka_unit_test(shape_and_form_name),
        cmocka_unit_test(a_templates_columns_are_known_to_redaction),
        cmocka_unit_test(elementors_shapes),
        cmocka_unit_test(another_column_and_value_decide),
        cmocka_unit_test(snapshots),
        cmocka_unit_test(an_operation_may_be_assumed),
        cmocka_unit_test(prefixes),
        cmocka_unit_test(the_memory_is_as_large_as_asked_for_and_counts),
    };
    return cmocka_run_group_tests_name("transform", tests, NULL, NULL);
}
