/* dashboard_payload: what an order's webhook says, read from Kafka when it is asked for. */
#include "fakes/dashboard_harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PAYLOAD "/api/v1/orders/o1/payload"
#define FIELD(name, value, characters, reason)                        \
    "{\"name\":\"" name "\",\"column\":\"" name "\",\"value\":" value \
    ",\"masked\":false,\"characters\":" characters ",\"reason\":\"" reason "\"}"
#define MASKED(name, characters)                \
    "{\"name\":\"" name "\",\"column\":\"" name \
    "\",\"value\":null,\"masked\":true,\"characters\":" characters ",\"reason\":\"\"}"

static const struct server_rule answers[] = {
    {"/schemas/ids/1", SERVER_ANSWER_CLOSE, HARNESS_SCHEMA, 0}, {0}};

struct shop {
    struct dashboard_harness s;
    struct server *registry;
};

static void open_shop(struct shop *shop, const struct server_rule *rules)
{
    char url[64];
    dashboard_harness_open(&shop->s);
    shop->registry = server_new(rules);
    server_listen(shop->registry);
    snprintf(url, sizeof url, "http://127.0.0.1:%d", server_port(shop->registry));
    dashboard_harness_set(&shop->s, "registry.url", url);
    dashboard_harness_set(&shop->s, "rule.assume_op", "u");
}

static void close_shop(struct shop *shop)
{
    dashboard_harness_close(&shop->s);
    server_free(shop->registry);
}

/* A row of the schema's nine texts at the next offset of partition 0. */
static void produce(struct shop *shop, const char *name, const char *phone, const char *quantity)
{
    const char *columns[] = {"o1",     "CMD-1", name,   phone,      "Watch",
                             quantity, "2.50",  "2.50", "confirmed"};
    unsigned char bytes[512] = {0, 0, 0, 0, 1};
    size_t at = 5;
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
        size_t len = strlen(columns[i]);
        bytes[at++] = (unsigned char)(len * 2);
        memcpy(bytes + at, columns[i], len);
        at += len;
    }
    cluster_produce(&shop->s.cluster, 0, bytes, at);
}

static void outcome(struct shop *shop, const char *state, const char *reason, int64_t offset)
{
    dashboard_harness_outcome(
        &shop->s,
        &(struct outcome){.order = "o1", .state = state, .reason = reason, .offset = offset});
    dashboard_harness_await_order(&shop->s, "o1", state);
}

static struct answer get(struct shop *shop)
{
    return dashboard_harness_ask(&shop->s, "GET", PAYLOAD, shop->s.operator, NULL);
}

static struct answer show(struct shop *shop)
{
    return dashboard_harness_ask(&shop->s, "POST", PAYLOAD "/show", shop->s.operator, "{}");
}

static void assert_has(const struct answer *a, const char *wanted)
{
    if (a->status != 200 || strstr(a->body, wanted) == NULL)
        fail_msg("%d without %s: %s", a->status, wanted, a->body);
}

static void assert_problem(const struct answer *a, int status, const char *name)
{
    if (a->status != status || strstr(a->body, name) == NULL)
        fail_msg("%d instead of %d %s: %s", a->status, status, name, a->body);
}

static void personal_values_are_masked_until_shown(void **state)
{
    struct shop shop;
    (void)state;
    open_shop(&shop, answers);
    dashboard_harness_start(&shop.s);
    produce(&shop, "Am\xc3\xadna", "0600", "2");
    outcome(&shop, "delivered", NULL, 0);
    struct answer a = get(&shop);
    assert_has(&a, "\"verdict\":\"deliver\",\"reason\":\"\",\"detail\":\"\",\"shown\":false");
    assert_has(&a, FIELD("order_number", "\"CMD-1\"", "5", ""));
    assert_has(&a, FIELD("quantity", "\"2\"", "1", ""));
    assert_has(&a, FIELD("unit_price", "\"2.50\"", "4", ""));
    assert_has(&a, FIELD("client_city", "\"\"", "0", "")); /* nothing to hide */
    assert_has(&a, MASKED("client_name", "5"));
    assert_has(&a, MASKED("client_phone", "4"));
    assert_has(&a, "\"body\":null");
    assert_null(strstr(a.body, "0600"));
    a = show(&shop);
    assert_has(&a, "\"shown\":true");
    assert_has(&a, FIELD("client_name", "\"Am\xc3\xadna\"", "5", ""));
    assert_has(&a, FIELD("client_phone", "\"0600\"", "4", ""));
    assert_has(&a, "\"body\":\"{\\\"form_name\\\":\\\"order_confirmation\\\",\\\"fields\\\":{"
                   "\\\"order_id\\\":\\\"o1\\\"");
    assert_int_equal(server_request_count(shop.registry), 1); /* the schema is kept */
    a = dashboard_harness_ask(&shop.s, "GET", "/api/v1/orders/o1", shop.s.operator, NULL);
    const char *first = strstr(a.body, "\"what\":\"show\",\"by\":\"olga\",\"request\":null}");
    assert_non_null(first); /* and looking at masked values is none */
    assert_null(strstr(first + 1, "\"what\""));
    close_shop(&shop);
}

static void the_offending_field_is_named(void **state)
{
    struct shop shop;
    (void)state;
    open_shop(&shop, answers);
    dashboard_harness_start(&shop.s);
    produce(&shop, "Amina", " ", "two");
    outcome(&shop, "parked", "missing:client_phone", 0);
    struct answer a = get(&shop);
    assert_has(&a, "\"verdict\":\"reject\",\"reason\":\"missing:client_phone\"");
    assert_has(&a, "\"name\":\"client_phone\",\"column\":\"client_phone\",\"value\":null,"
                   "\"masked\":true,\"characters\":1,\"reason\":\"missing\"");
    assert_has(&a, FIELD("quantity", "\"two\"", "3", "not_a_number"));
    assert_has(&a, MASKED("client_name", "5"));
    close_shop(&shop);
}

static void a_record_that_is_gone_is_said_to_be(void **state)
{
    struct shop shop;
    (void)state;
    open_shop(&shop, answers);
    dashboard_harness_start(&shop.s);
    outcome(&shop, "delivered", NULL, 70);
    struct answer a = get(&shop);
    assert_problem(&a, 410, "problem:gone");
    a = show(&shop);
    assert_problem(&a, 410, "problem:gone");
    produce(&shop, "Amina", "0600", "2"); /* the topic was made again: this is o1's */
    dashboard_harness_outcome(&shop.s, &(struct outcome){.order = "o2", .state = "delivered"});
    dashboard_harness_await_order(&shop.s, "o2", "delivered");
    a = dashboard_harness_ask(&shop.s, "POST", "/api/v1/orders/o2/payload/show", shop.s.operator,
                              "{}");
    assert_problem(&a, 410, "problem:gone");
    assert_null(strstr(a.body, "0600"));
    close_shop(&shop);
}

/* Others are answered while one waits for the registry. */
static void a_silent_registry_holds_up_nobody(void **state)
{
    static const struct server_rule silent[] = {
        {"/schemas/ids/1", SERVER_HOLD, BUSY, 1},
        {"/schemas/ids/1", SERVER_ANSWER_CLOSE, HARNESS_SCHEMA, 0},
        {0}};
    struct shop shop;
    (void)state;
    open_shop(&shop, silent);
    dashboard_harness_start(&shop.s);
    produce(&shop, "Amina", "0600", "2");
    outcome(&shop, "delivered", NULL, 0);
    int held = dashboard_harness_send(&shop.s, "GET", PAYLOAD, shop.s.operator, NULL);
    while (server_request_count(shop.registry) == 0)
        usleep(1000);
    assert_int_equal(
        dashboard_harness_ask(&shop.s, "GET", "/api/v1/orders/o1", shop.s.operator, NULL).status,
        200);
    int left = dashboard_harness_send(&shop.s, "GET", PAYLOAD, shop.s.operator, NULL);
    close(left); /* a client that has gone is not waited for */
    server_release(shop.registry);
    struct answer a = dashboard_harness_receive(held);
    assert_has(&a, "\"verdict\":\"deliver\"");
    close_shop(&shop);
}

static void a_registry_that_stays_silent_is_named(void **state)
{
    static const struct server_rule silent[] = {{"/schemas/ids/1", SERVER_HANG, "", 0}, {0}};
    struct shop shop;
    (void)state;
    open_shop(&shop, silent);
    dashboard_harness_start(&shop.s);
    produce(&shop, "Amina", "0600", "2");
    outcome(&shop, "delivered", NULL, 0);
    int held = dashboard_harness_send(&shop.s, "GET", PAYLOAD, shop.s.operator, NULL);
    while (server_request_count(shop.registry) == 0)
        usleep(1000);
    dashboard_harness_skip(&shop.s, 10000);
    struct answer a = dashboard_harness_receive(held);
    assert_problem(&a, 503, "problem:registry");
    close_shop(&shop);
}

static void without_a_registry_it_says_what_to_set(void **state)
{
    struct dashboard_harness s;
    (void)state;
    dashboard_harness_open(&s);
    dashboard_harness_start(&s);
    dashboard_harness_outcome(&s, &(struct outcome){.order = "o1", .state = "delivered"});
    dashboard_harness_await_order(&s, "o1", "delivered");
    struct answer a = dashboard_harness_ask(&s, "GET", PAYLOAD, s.operator, NULL);
    assert_problem(&a, 503, "registry.url is not set");
    dashboard_harness_close(&s);
}

static void only_operators_see_it(void **state)
{
    struct shop shop;
    (void)state;
    open_shop(&shop, answers);
    dashboard_harness_start(&shop.s);
    struct answer a = dashboard_harness_ask(&shop.s, "GET", PAYLOAD, shop.s.customer, NULL);
    assert_problem(&a, 403, "problem:forbidden");
    a = dashboard_harness_ask(&shop.s, "POST", PAYLOAD "/show", shop.s.customer, "{}");
    assert_problem(&a, 403, "problem:forbidden");
    a = dashboard_harness_ask(&shop.s, "POST", PAYLOAD "/show", "", "{}");
    assert_problem(&a, 401, "problem:");
    a = get(&shop);
    assert_problem(&a, 404, "problem:not-found");
    a = dashboard_harness_ask(&shop.s, "POST", PAYLOAD "/show", shop.s.operator, "[]");
    assert_problem(&a, 400, "problem:bad-request");
    close_shop(&shop);
}

/* It ends while a payload waits. */
static void the_end_is_not_held_up(void **state)
{
    static const struct server_rule silent[] = {{"/schemas/ids/1", SERVER_HANG, "", 0}, {0}};
    struct shop shop;
    (void)state;
    open_shop(&shop, silent);
    dashboard_harness_start(&shop.s);
    produce(&shop, "Amina", "0600", "2");
    outcome(&shop, "delivered", NULL, 0);
    int held = dashboard_harness_send(&shop.s, "GET", PAYLOAD, shop.s.operator, NULL);
    while (server_request_count(shop.registry) == 0)
        usleep(1000);
    close_shop(&shop);
    close(held);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(personal_values_are_masked_until_shown),
        cmocka_unit_test(the_offending_field_is_named),
        cmocka_unit_test(a_record_that_is_gone_is_said_to_be),
        cmocka_unit_test(a_silent_registry_holds_up_nobody),
        cmocka_unit_test(a_registry_that_stays_silent_is_named),
        cmocka_unit_test(without_a_registry_it_says_what_to_set),
        cmocka_unit_test(only_operators_see_it),
        cmocka_unit_test(the_end_is_not_held_up),
    };
    return pipeline_harness_main("dashboard_payload", tests, sizeof tests / sizeof *tests);
}
