/* dashboard_callers_test: calls of sync-order-elementor as shops' code and SDKs really send them.
 */
#include "fakes/dashboard_harness.h"

#include "topics/owner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SYNC "/functions/v1/sync-order-elementor"
#define UUID "0a1b2c3d-0000-4000-8000-00000000abcd"
#define UPPER "0A1B2C3D-0000-4000-8000-00000000ABCD"
#define SHOP "https://shop.example"

static void open_and_start(struct dashboard_harness *s)
{
    dashboard_harness_open(s);
    dashboard_harness_set(s, "dashboard.wait", "0s");
    dashboard_harness_set(s, "dashboard.origins", SHOP);
    dashboard_harness_start(s);
}

static void deliver(struct dashboard_harness *s, const char *order, const char *number)
{
    dashboard_harness_outcome(
        s, &(struct outcome){.order = order, .state = "delivered", .number = number});
    dashboard_harness_await_order(s, order, "delivered");
}

static struct answer sync_order(struct dashboard_harness *s, const char *headers, const char *body)
{
    return dashboard_harness_ask(s, "POST", SYNC, headers, body);
}

static void assert_has(const struct answer *a, int status, const char *text)
{
    if (a->status != status || strstr(a->body, text) == NULL)
        fail_msg("%d %s instead of %d with %s", a->status, a->body, status, text);
}

static void an_order_is_known_by_what_the_shop_has(void **state)
{
    static const char *const names[][2] = {{"42", "42"},
                                           {"\"42\"", "42"},
                                           {"\" 42 \"", "42"},
                                           {"-7", "-7"},
                                           {"9223372036854775807", "9223372036854775807"},
                                           {"\"" UUID "\"", UUID},
                                           {"\"" UPPER "\"", UUID},
                                           {"\"\\n " UPPER "\\t\"", UUID},
                                           {"\"Ab\"", "Ab"},
                                           {"\" padded \"", " padded "}};
    struct dashboard_harness s;
    char body[256], id[256], path[256];
    (void)state;
    open_and_start(&s);
    static const char *const orders[] = {"42", "-7", "9223372036854775807", UUID, "Ab"};
    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++)
        deliver(&s, orders[i], "CMD-1");
    dashboard_harness_outcome(&s, &(struct outcome){.order = " padded ", .state = "delivered"});
    dashboard_harness_await_order(&s, "%20padded%20", "delivered");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(body, sizeof body, "{\"order_id\":%s}", names[i][0]);
        snprintf(id, sizeof id, "\"order_id\":\"%s\",\"status\":\"delivered\"", names[i][1]);
        struct answer a = sync_order(&s, s.customer, body);
        assert_has(&a, 200, id);
    }
    snprintf(path, sizeof path, SYNC "?order_id=%%20" UPPER);
    struct answer a = dashboard_harness_ask(&s, "GET", path, s.customer, NULL);
    assert_has(&a, 200, "\"order_id\":\"" UUID "\",\"status\":\"delivered\"");
    a = sync_order(&s, s.customer,
                   "{\"order_id\":\"AB\"}"); /* only a uuid's case is PostgreSQL's */
    assert_has(&a, 202, "unseen");
    dashboard_harness_close(&s);
}

static void what_names_no_order_is_said(void **state)
{
    static const char *const bodies[] = {
        "{}",
        "{\"order_id\":\"\"}",
        "{\"order_id\":\" \\n\"}",
        "{\"order_id\":null}",
        "{\"order_id\":true}",
        "{\"order_id\":4.5}",
        "{\"order_id\":[\"42\"]}",
        "{\"order_id\":{\"id\":\"42\"}}",
        "{\"order_id\":\"a\\u0000b\"}",
        "{\"order_id\":1e999}",
        "{\"order_id\":99999999999999999999}",
        "{\"order_id\":\"42\",\"order_id\":\"43\"}",
        "{\"type\":\"UPDATE\",\"record\":{}}",
        "{\"type\":\"UPDATE\",\"record\":\"42\"}",
        "{\"type\":\"DELETE\",\"record\":null,\"old_record\":{\"id\":\"42\"}}",
    };
    struct dashboard_harness s;
    (void)state;
    open_and_start(&s);
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        struct answer a = sync_order(&s, s.customer, bodies[i]);
        if (a.status != 400 || strstr(a.body, "\"detail\":") == NULL)
            fail_msg("%s: %d %s", bodies[i], a.status, a.body);
    }
    struct answer a = sync_order(&s, s.customer, "{\"type\":\"UPDATE\",\"record\":{}}");
    assert_has(&a, 400, "record.id");
    dashboard_harness_close(&s);
}

/* ---- numbers ---- */

static void operators_may_say_the_number(void **state)
{
    struct dashboard_harness s;
    (void)state;
    open_and_start(&s);
    deliver(&s, "o1", "CMD-000123");
    deliver(&s, "o2", "CMD-2");
    deliver(&s, "o3", "CMD-2");
    struct answer a = sync_order(&s, s.operator, "{\"order_id\":\"CMD-000123\"}");
    assert_has(&a, 200, "\"order_id\":\"o1\"");
    a = sync_order(&s, s.operator, "{\"order_id\":\" cmd-000123\"}");
    assert_has(&a, 200, "\"order_id\":\"o1\"");
    a = dashboard_harness_ask(&s, "GET", SYNC "?order_id=CMD-000123", s.operator, NULL);
    assert_has(&a, 200, "\"order_id\":\"o1\"");
    a = sync_order(&s, s.operator, "{\"order_id\":\"CMD-2\"}");
    assert_has(&a, 404, "several orders");
    a = sync_order(&s, s.operator, "{\"order_id\":\"CMD-0001\"}"); /* never a part of it */
    assert_has(&a, 202, "unseen");
    a = sync_order(&s, s.operator, "{\"order_id\":\"%\"}");
    assert_has(&a, 202, "unseen");
    /* Numbers can be counted up: each would give away the id of another's order. */
    a = sync_order(&s, s.customer, "{\"order_id\":\"CMD-000123\"}");
    assert_has(&a, 202, "\"order_id\":\"CMD-000123\",\"status\":\"unseen\"");
    a = dashboard_harness_ask(&s, "GET", SYNC "?order_id=CMD-2", s.customer, NULL);
    assert_has(&a, 404, "never-seen");
    dashboard_harness_close(&s);
}

static void customers_may_say_the_number_of_their_own(void **state)
{
    struct dashboard_harness s;
    char mark[OWNER_MARK_MAX];
    (void)state;
    dashboard_harness_open(&s);
    dashboard_harness_set(&s, "dashboard.wait", "0s");
    dashboard_harness_set(&s, "auth.owner_column", "user_id");
    dashboard_harness_start(&s);
    owner_mark(s.config, slice_of("u-1"), mark);
    dashboard_harness_outcome(
        &s,
        &(struct outcome){.order = "own", .state = "delivered", .number = "CMD-7", .owner = mark});
    deliver(&s, "other", "CMD-7"); /* of no known owner: it does not make the own one doubtful */
    deliver(&s, "other2", "CMD-8");
    struct answer a = sync_order(&s, s.customer, "{\"order_id\":\"CMD-7\"}");
    assert_has(&a, 200, "\"order_id\":\"own\"");
    a = sync_order(&s, s.customer, "{\"order_id\":\"CMD-8\"}");
    assert_has(&a, 202, "\"order_id\":\"CMD-8\",\"status\":\"unseen\"");
    dashboard_harness_close(&s);
}

/* Another customer's order is answered like one that does not exist, to the letter: not even the
 * spelling of its id tells that there is one. */
static void anothers_order_is_none(void **state)
{
    static const char *const taken[] = {UPPER, " padded ", "o1"},
                             *const none[] = {"0A1B2C3D-0000-4000-8000-00000000ABCE", " pudded ",
                                              "o2"};
    struct dashboard_harness s;
    char body[256], said[4096], path[256];
    (void)state;
    dashboard_harness_open(&s);
    dashboard_harness_set(&s, "dashboard.wait", "0s");
    dashboard_harness_set(&s, "auth.owner_column", "user_id");
    dashboard_harness_start(&s);
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
        dashboard_harness_outcome(&s, &(struct outcome){.order = taken[i], .state = "delivered"});
    dashboard_harness_await_order(&s, "o1", "delivered");
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++) {
        snprintf(body, sizeof body, "{\"order_id\":\"%s\"}", none[i]);
        struct answer a = sync_order(&s, s.customer, body);
        snprintf(said, sizeof said, "%s", a.body);
        snprintf(body, sizeof body, "{\"order_id\":\"%s\"}", taken[i]);
        a = sync_order(&s, s.customer, body);
        assert_int_equal(a.status, 202);
        assert_int_equal(strlen(a.body), strlen(said));
        snprintf(path, sizeof path, "\"order_id\":\"%s\"", taken[i]);
        assert_true((strstr(a.body, path) != NULL) == (i == 2)); /* blanks and case are gone */
    }
    dashboard_harness_close(&s);
}

/* The order comes while its number is waited for. */
static void a_number_is_waited_for(void **state)
{
    struct dashboard_harness s;
    (void)state;
    dashboard_harness_open(&s);
    dashboard_harness_set(&s, "dashboard.wait", "60s");
    dashboard_harness_start(&s);
    deliver(&s, "o0", "CMD-0");
    int fd = dashboard_harness_send(&s, "POST", SYNC, s.operator, "{\"order_id\":\"CMD-9\"}");
    deliver(&s, "o1", "CMD-1");
    deliver(&s, "o9", "CMD-9");
    struct answer a = dashboard_harness_receive(fd);
    assert_has(&a, 200, "\"order_id\":\"o9\",\"status\":\"delivered\"");
    dashboard_harness_close(&s);
}

/* ---- an order that was never seen ---- */

static void what_never_comes_ends_with_a_hint(void **state)
{
    struct dashboard_harness s;
    (void)state;
    open_and_start(&s);
    struct answer a = sync_order(&s, s.customer, "{\"order_id\":\"none\"}");
    assert_has(&a, 202, "\"status\":\"unseen\"");
    a = dashboard_harness_ask(&s, "GET", SYNC "?order_id=none", s.customer, NULL);
    assert_has(&a, 200, "\"success\":false,\"order_id\":\"none\",\"status\":\"unseen\"");
    a = dashboard_harness_ask(&s, "GET", SYNC "?order_id=other", s.customer, NULL);
    assert_has(&a, 404, "never-seen"); /* no call asked for that one */
    dashboard_harness_skip(&s, 4 * 60000);
    a = sync_order(&s, s.customer, "{\"order_id\":\"none\"}");
    assert_has(&a, 202, "unseen");
    dashboard_harness_skip(&s, 2 * 60000);
    a = sync_order(&s, s.customer, "{\"order_id\":\"none\"}");
    assert_has(&a, 404, "never-seen");
    assert_non_null(strstr(a.body, "payload.fields.order_id"));
    a = dashboard_harness_ask(&s, "GET", SYNC "?order_id=none", s.customer, NULL);
    assert_has(&a, 404, "payload.fields.order_id");
    a = sync_order(&s, s.customer, "{\"order_id\":\"other\"}");
    assert_has(&a, 202, "unseen"); /* each order has its own time */
    deliver(&s, "none", "CMD-1");
    a = sync_order(&s, s.customer, "{\"order_id\":\"none\"}");
    assert_has(&a, 200, "delivered"); /* it came after all */
    dashboard_harness_skip(&s, 20 * 60000);
    a = sync_order(&s, s.customer, "{\"order_id\":\"other\"}");
    assert_has(&a, 202, "unseen"); /* long forgotten: this is a new question */
    dashboard_harness_close(&s);
}

/* ---- database webhooks ---- */

static void a_database_webhook_names_its_row(void **state)
{
    struct dashboard_harness s;
    (void)state;
    dashboard_harness_open(&s);
    dashboard_harness_set(&s, "dashboard.wait", "60s");
    dashboard_harness_start(&s);
    deliver(&s, UUID, "CMD-1");
    struct answer a = sync_order(
        &s, s.operator,
        "{\"type\":\"UPDATE\",\"table\":\"orders\",\"schema\":\"public\",\"record\":{\"id\":\"" UUID
        "\",\"status\":\"confirmed\"},\"old_record\":{\"id\":\"x\",\"status\":\"pending\"}}");
    assert_has(&a, 200, "\"order_id\":\"" UUID "\",\"status\":\"delivered\"");
    /* Sent for every change of a row: one that is not confirmed is not waited for. */
    a = sync_order(&s, s.operator,
                   "{\"type\":\"INSERT\",\"record\":{\"id\":43,\"status\":\"pending\"},"
                   "\"old_record\":null}");
    assert_has(&a, 202, "\"order_id\":\"43\",\"status\":\"unseen\"");
    a = sync_order(&s, s.operator,
                   "{\"type\":\"DELETE\",\"record\":null,\"old_record\":{\"id\":43}}");
    assert_has(&a, 400, "type: the database webhook of an INSERT or an UPDATE");
    a = sync_order(&s, s.operator,
                   "{\"type\":\"TRUNCATE\",\"record\":{\"id\":43},\"old_record\":null}");
    assert_has(&a, 400, "type: the database webhook of an INSERT or an UPDATE");
    int fd = dashboard_harness_send(
        &s, "POST", SYNC, s.operator,
        "{\"type\":\"INSERT\",\"record\":{\"id\":44,\"status\":\"confirmed\"}}");
    deliver(&s, "44", "CMD-2");
    a = dashboard_harness_receive(fd);
    assert_has(&a, 200, "\"order_id\":\"44\"");
    dashboard_harness_close(&s);
}

static void a_webhooks_column_is_the_configured_one(void **state)
{
    struct dashboard_harness s;
    (void)state;
    dashboard_harness_open(&s);
    dashboard_harness_set(&s, "dashboard.wait", "0s");
    dashboard_harness_set(&s, "payload.fields.order_id", "order_uuid");
    dashboard_harness_start(&s);
    deliver(&s, "o1", "CMD-1");
    struct answer a = sync_order(
        &s, s.operator, "{\"type\":\"UPDATE\",\"record\":{\"id\":1,\"order_uuid\":\"o1\"}}");
    assert_has(&a, 200, "\"order_id\":\"o1\"");
    a = sync_order(&s, s.operator, "{\"type\":\"UPDATE\",\"record\":{\"id\":1}}");
    assert_has(&a, 400, "record.order_uuid");
    dashboard_harness_close(&s);
}

/* ---- parameters and headers that SDKs add ---- */

static void parameters_of_sdks_are_ignored(void **state)
{
    struct dashboard_harness s;
    (void)state;
    open_and_start(&s);
    deliver(&s, "o1", "CMD-1");
    struct answer a = dashboard_harness_ask(&s, "POST", SYNC "?forceFunctionRegion=eu-west-3",
                                            s.customer, "{\"order_id\":\"o1\"}");
    assert_has(&a, 200, "delivered");
    a = dashboard_harness_ask(&s, "GET", SYNC "?forceFunctionRegion=eu-west-3&order_id=o1&x=1&x=2",
                              s.customer, NULL);
    assert_has(&a, 200, "delivered");
    a = dashboard_harness_ask(&s, "GET", SYNC "?order_id=o1&order_id=o2", s.customer, NULL);
    assert_int_equal(a.status, 400);
    a = dashboard_harness_ask(&s, "GET", "/api/v1/orders?forceFunctionRegion=x", s.operator, NULL);
    assert_int_equal(a.status, 400); /* a filter that is misspelt would show everything */
    dashboard_harness_close(&s);
}

static struct answer preflight(struct dashboard_harness *s, const char *origin, const char *asked)
{
    char headers[8192];
    snprintf(headers, sizeof headers,
             "Origin: %s\r\nAccess-Control-Request-Method: POST\r\n"
             "Access-Control-Request-Headers: %s\r\n",
             origin, asked);
    return dashboard_harness_ask(s, "OPTIONS", SYNC, headers, NULL);
}

static void a_listed_page_may_send_any_header(void **state)
{
    static const char *const asked[] = {"authorization,apikey,content-type,x-client-info,x-region",
                                        "authorization, traceparent, tracestate, baggage",
                                        "x-supabase-api-version", "X-Retry-Count"};
    struct dashboard_harness s;
    (void)state;
    open_and_start(&s);
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
        struct answer a = preflight(&s, SHOP, asked[i]);
        assert_int_equal(a.status, 204);
        assert_string_equal(answer_header(&a, "Access-Control-Allow-Headers"), asked[i]);
        assert_string_equal(answer_header(&a, "Access-Control-Allow-Origin"), SHOP);
        assert_non_null(strstr(answer_header(&a, "Vary"), "Access-Control-Request-Headers"));
    }
    struct answer a = dashboard_harness_ask(&s, "OPTIONS", SYNC,
                                            "Access-Control-Request-Headers: x-region\r\n", NULL);
    assert_int_equal(a.status, 204); /* no page asked: nothing to allow it */
    assert_null(strstr(a.text, "x-region"));
    a = preflight(&s, "https://evil.example", asked[0]);
    assert_int_equal(a.status, 403);
    assert_string_equal(answer_header(&a, "Access-Control-Allow-Headers"), "");
    dashboard_harness_close(&s);
}

/* A reflected header is a list of names, or it is not the caller's text. */
static void no_header_can_be_smuggled_back(void **state)
{
    static const char *const hostile[] = {"x-a\tx-b",
                                          "x-a; Set-Cookie: a=b",
                                          "x-a\"",
                                          "x-a:b",
                                          "x-\xc3\xa9",
                                          "<script>",
                                          "x-a/b",
                                          "x-a=1",
                                          "(x)",
                                          "x-\x7f",
                                          "x-a\r\n Set-Cookie: a=b" /* folded */,
                                          "x-a,{y}"};
    struct dashboard_harness s;
    static char longest[2000];
    (void)state;
    open_and_start(&s);
    for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++) {
        struct answer a = preflight(&s, SHOP, hostile[i]);
        assert_true(a.status == 204 || a.status == 400);
        if (a.status == 204)
            assert_string_equal(answer_header(&a, "Access-Control-Allow-Headers"),
                                "authorization, x-client-info, apikey, content-type");
        assert_null(strstr(a.text, "Set-Cookie"));
    }
    memset(longest, 'x', sizeof longest - 1);
    struct answer a = preflight(&s, SHOP, longest);
    assert_int_equal(a.status, 204);
    assert_null(strstr(a.text, "xxxxx"));
    dashboard_harness_close(&s);
}

static void another_type_is_named(void **state)
{
    struct dashboard_harness s;
    char headers[2048];
    (void)state;
    open_and_start(&s);
    snprintf(headers, sizeof headers,
             "Content-Type: text/plain;charset=UTF-8\r\nContent-Length: 17\r\n%s", s.customer);
    int fd = dashboard_harness_send(&s, "POST", SYNC, headers, NULL);
    assert_int_equal(write(fd, "{\"order_id\":\"o1\"}", 17), 17);
    struct answer a = dashboard_harness_receive(fd);
    assert_has(&a, 415, "text/plain;charset=UTF-8");
    assert_non_null(strstr(a.body, "Content-Type: application/json"));
    dashboard_harness_close(&s);
}

static void a_refused_origin_says_what_was_seen(void **state)
{
    struct dashboard_harness s;
    char headers[2048];
    (void)state;
    open_and_start(&s);
    snprintf(headers, sizeof headers, "Origin: https://ops.example.test\r\n%s", s.operator);
    struct answer a = sync_order(&s, headers, "{\"order_id\":\"o1\"}");
    assert_has(&a, 403, "https://ops.example.test");
    assert_non_null(strstr(a.body, "shop.test")); /* the Host of the request */
    assert_non_null(strstr(a.body, "dashboard.url"));
    dashboard_harness_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_order_is_known_by_what_the_shop_has),
        cmocka_unit_test(what_names_no_order_is_said),
        cmocka_unit_test(operators_may_say_the_number),
        cmocka_unit_test(customers_may_say_the_number_of_their_own),
        cmocka_unit_test(anothers_order_is_none),
        cmocka_unit_test(a_number_is_waited_for),
        cmocka_unit_test(what_never_comes_ends_with_a_hint),
        cmocka_unit_test(a_database_webhook_names_its_row),
        cmocka_unit_test(a_webhooks_column_is_the_configured_one),
        cmocka_unit_test(parameters_of_sdks_are_ignored),
        cmocka_unit_test(a_listed_page_may_send_any_header),
        cmocka_unit_test(no_header_can_be_smuggled_back),
        cmocka_unit_test(another_type_is_named),
        cmocka_unit_test(a_refused_origin_says_what_was_seen),
    };
    return pipeline_harness_main("dashboard_callers", tests, sizeof tests / sizeof *tests);
}
