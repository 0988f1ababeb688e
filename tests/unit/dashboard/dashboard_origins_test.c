/* dashboard_origins_test: pages of other origins (CORS): permissions and answers. */
#include "fakes/dashboard_harness.h"

#include <stdio.h>
#include <string.h>

#define SYNC "/functions/v1/sync-order-elementor"
#define SHOP "https://shop.example"

static void open_and_start(struct dashboard_harness *s)
{
    dashboard_harness_open(s);
    dashboard_harness_set(s, "dashboard.wait", "0s");
    dashboard_harness_set(s, "dashboard.origins", SHOP ", http://localhost:5173");
    dashboard_harness_start(s);
}

/* A browser's preflight request before a call of supabase-js. */
static struct answer preflight(struct dashboard_harness *s, const char *path, const char *origin)
{
    char headers[512];
    snprintf(headers, sizeof headers,
             "Origin: %s\r\nAccess-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: "
             "apikey,authorization,content-type,x-client-info\r\n",
             origin);
    return dashboard_harness_ask(s, "OPTIONS", path, headers, NULL);
}

static void assert_header(const struct answer *a, const char *name, const char *value)
{
    if (strcmp(answer_header(a, name), value) != 0)
        fail_msg("%s: %s in %s", name, answer_header(a, name), a->text);
}

static void a_shop_that_is_listed_may_call(void **state)
{
    static const char *const origins[] = {SHOP, "http://localhost:5173"};
    struct dashboard_harness s;
    (void)state;
    open_and_start(&s);
    for (size_t i = 0; i < 2; i++) {
        struct answer a = preflight(&s, SYNC, origins[i]);
        assert_int_equal(a.status, 204); /* without a token: browsers send none here */
        assert_header(&a, "Access-Control-Allow-Origin", origins[i]);
        assert_header(&a, "Access-Control-Allow-Methods", "POST, GET");
        assert_header(&a, "Access-Control-Allow-Headers",
                      "apikey,authorization,content-type,x-client-info");
        assert_header(&a, "Access-Control-Max-Age", "600");
        assert_header(&a, "Access-Control-Allow-Credentials", "");
        assert_header(&a, "Vary", "Origin, Access-Control-Request-Headers");
    }
    dashboard_harness_close(&s);
}

static void answers_to_a_listed_shop_can_be_read(void **state)
{
    struct dashboard_harness s;
    char headers[2048];
    (void)state;
    open_and_start(&s);
    snprintf(headers, sizeof headers, "Origin: " SHOP "\r\n%s", s.customer);
    struct answer a = dashboard_harness_ask(&s, "POST", SYNC, headers, "{\"order_id\":\"o1\"}");
    assert_int_equal(a.status, 202);
    assert_header(&a, "Access-Control-Allow-Origin", SHOP);
    assert_header(&a, "Access-Control-Expose-Headers", "Location, Retry-After");
    a = dashboard_harness_ask(&s, "POST", SYNC, "Origin: " SHOP "\r\n", "{\"order_id\":\"o1\"}");
    assert_int_equal(a.status, 401); /* and so can its refusals: else the shop saw no reason */
    assert_header(&a, "Access-Control-Allow-Origin", SHOP);
    a = dashboard_harness_ask(&s, "POST", SYNC, headers, "{}");
    assert_int_equal(a.status, 400);
    assert_header(&a, "Access-Control-Allow-Origin", SHOP);
    dashboard_harness_close(&s);
}

static void other_origins_are_refused(void **state)
{
    static const char *const origins[] = {"https://evil.example",
                                          "https://shop.example.evil.example",
                                          "https://shop.exampl",
                                          "https://shop.example/",
                                          "http://shop.example",
                                          "https://SHOP.example",
                                          "https://shop.example:8",
                                          "null",
                                          "",
                                          "https://shop.example, http://localhost:5173",
                                          "*"};
    struct dashboard_harness s;
    char headers[2048], request[64];
    (void)state;
    open_and_start(&s);
    for (size_t i = 0; i < sizeof origins / sizeof *origins; i++) {
        struct answer a = preflight(&s, SYNC, origins[i]);
        assert_int_equal(a.status, 403);
        assert_header(&a, "Access-Control-Allow-Origin", "");
        assert_header(&a, "Access-Control-Allow-Headers", "");
        snprintf(headers, sizeof headers, "Origin: %s\r\n%s", origins[i], s.operator);
        a = dashboard_harness_ask(&s, "POST", SYNC, headers,
                                  "{\"order_id\":\"o1\",\"force\":true}");
        assert_int_equal(a.status, 403); /* a stolen token helps no page of theirs */
        assert_non_null(strstr(a.body, "urn:elementor-sync:problem:origin"));
        assert_header(&a, "Access-Control-Allow-Origin", "");
    }
    assert_int_equal(dashboard_harness_retries(&s, request), 0);
    dashboard_harness_close(&s);
}

static void the_own_page_may_call(void **state)
{
    struct dashboard_harness s;
    char headers[2048];
    (void)state;
    dashboard_harness_open(&s); /* no origins are set */
    dashboard_harness_start(&s);
    snprintf(headers, sizeof headers, "Origin: https://shop.test\r\n%s", s.operator);
    struct answer a = dashboard_harness_ask(&s, "GET", "/api/v1/status", headers, NULL);
    assert_int_equal(a.status, 200);
    snprintf(headers, sizeof headers, "Origin: " SHOP "\r\n%s", s.operator);
    assert_int_equal(dashboard_harness_ask(&s, "GET", "/api/v1/status", headers, NULL).status, 403);
    dashboard_harness_close(&s);
}

static void methods_depend_on_the_path(void **state)
{
    struct dashboard_harness s;
    (void)state;
    open_and_start(&s);
    struct answer a = preflight(&s, "/api/v1/redrives/1", SHOP);
    assert_int_equal(a.status, 204);
    assert_header(&a, "Access-Control-Allow-Methods", "GET, DELETE");
    a = preflight(&s, "/no/such/path", SHOP);
    assert_int_equal(a.status, 404);
    a = dashboard_harness_ask(&s, "PUT", SYNC, s.customer, "{}");
    assert_int_equal(a.status, 405);
    assert_header(&a, "Allow", "POST, GET");
    dashboard_harness_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_shop_that_is_listed_may_call),
        cmocka_unit_test(answers_to_a_listed_shop_can_be_read),
        cmocka_unit_test(other_origins_are_refused),
        cmocka_unit_test(the_own_page_may_call),
        cmocka_unit_test(methods_depend_on_the_path),
    };
    return pipeline_harness_main("dashboard_origins", tests, sizeof tests / sizeof *tests);
}
