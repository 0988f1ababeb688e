/* dashboard_site_test: the dashboard behind a proxy: its own origin, and a prefix that the proxy
 * takes off or leaves. */
#include "dashboard/web/page.h"
#include "fakes/dashboard_harness.h"

#include <stdio.h>
#include <string.h>

#define SYNC "/functions/v1/sync-order-elementor"

static void open_and_start(struct dashboard_harness *s)
{
    dashboard_harness_open(s);
    dashboard_harness_set(s, "dashboard.wait", "0s");
    dashboard_harness_set(s, "dashboard.url", "https://Ops.example.com:443/orders/");
    dashboard_harness_start(s);
}

static struct answer get(struct dashboard_harness *s, const char *path)
{
    return dashboard_harness_ask(s, "GET", path, s->operator, NULL);
}

static void a_prefix_may_stay_or_go(void **state)
{
    static const char *const paths[] = {"/", "/page.css", "/api/v1/session", "/readyz"};
    struct dashboard_harness s;
    char path[256];
    (void)state;
    open_and_start(&s);
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        assert_int_equal(get(&s, paths[i]).status, 200);
        snprintf(path, sizeof path, "/orders%s", paths[i]);
        assert_int_equal(get(&s, path).status, 200);
    }
    assert_int_equal(get(&s, "/orders/api/v1/orders?limit=1").status, 200);
    assert_int_equal(get(&s, "/orders/api/v1/orders/none").status, 404);
    static const char *const none[] = {"/orders/orders/", "/ordersx/", "/orders//",
                                       "/orders/..%2f",   "/Orders/",  "/other/api/v1/session"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_int_equal(get(&s, none[i]).status, 404);
    dashboard_harness_close(&s);
}

/* A file that never changes is kept for a year, another one is asked for again; both are compressed
 * where that is taken. */
static void files_are_kept_and_compressed(void **state)
{
    struct dashboard_harness s;
    char path[256], etag[128];
    (void)state;
    open_and_start(&s);
    snprintf(path, sizeof path, "/orders/v/%s/main.js", page_version);
    struct answer a = dashboard_harness_ask(&s, "GET", path, "Accept-Encoding: gzip\r\n", NULL);
    assert_int_equal(a.status, 200);
    assert_string_equal(answer_header(&a, "Cache-Control"), "public, max-age=31536000, immutable");
    assert_string_equal(answer_header(&a, "Content-Encoding"), "gzip");
    assert_string_equal(answer_header(&a, "Vary"), "Accept-Encoding");
    a = get(&s, path);
    assert_int_equal(a.status, 200);
    assert_string_equal(answer_header(&a, "Content-Encoding"), "");
    assert_non_null(strstr(a.body, "import "));
    a = get(&s, "/orders/");
    assert_string_equal(answer_header(&a, "Cache-Control"), "no-cache");
    snprintf(path, sizeof path, "src=\"v/%s/main.js\"", page_version);
    assert_non_null(strstr(a.body, path));
    snprintf(etag, sizeof etag, "If-None-Match: %s\r\n", answer_header(&a, "ETag"));
    assert_int_equal(dashboard_harness_ask(&s, "GET", "/orders/", etag, NULL).status, 304);
    a = dashboard_harness_ask(&s, "GET", "/orders/v/0000/main.js", "", NULL);
    assert_int_equal(a.status, 200);
    assert_string_equal(answer_header(&a, "Cache-Control"), "no-cache");
    a = dashboard_harness_ask(&s, "GET", "/openapi.yaml", "Accept-Encoding: gzip\r\n", NULL);
    assert_string_equal(answer_header(&a, "Content-Encoding"), "gzip");
    dashboard_harness_close(&s);
}

static void without_its_slash_the_page_moves(void **state)
{
    struct dashboard_harness s;
    (void)state;
    open_and_start(&s);
    struct answer a = get(&s, "/orders");
    assert_int_equal(a.status, 308);
    assert_string_equal(answer_header(&a, "Location"), "/orders/");
    a = get(&s, "/orders?next=//evil.example");
    assert_string_equal(answer_header(&a, "Location"), "/orders/");
    dashboard_harness_close(&s);
}

static void links_have_the_prefix(void **state)
{
    struct dashboard_harness s;
    (void)state;
    open_and_start(&s);
    struct answer a = dashboard_harness_ask(&s, "POST", SYNC, s.customer, "{\"order_id\":\"o1\"}");
    assert_int_equal(a.status, 202);
    assert_string_equal(answer_header(&a, "Location"), "/orders" SYNC "?order_id=o1");
    assert_non_null(strstr(a.body, "\"status_url\":\"/orders" SYNC "?order_id=o1\""));
    assert_int_equal(get(&s, "/orders" SYNC "?order_id=o1").status, 200);
    dashboard_harness_close(&s);
}

/* The harness calls with Host: shop.test, as a proxy with its own Host does. */
static void its_own_page_may_call_whatever_the_host(void **state)
{
    static const char *const foreign[] = {
        "http://ops.example.com",   "https://ops.example.com:8443",
        "https://ops.example.com/", "https://ops.example.com.evil",
        "https://xops.example.com", "",
        "https://Ops.example.com",  "null"};
    struct dashboard_harness s;
    char headers[2048];
    (void)state;
    open_and_start(&s);
    snprintf(headers, sizeof headers, "Origin: https://ops.example.com\r\n%s", s.operator);
    struct answer a =
        dashboard_harness_ask(&s, "POST", "/orders" SYNC, headers, "{\"order_id\":\"o1\"}");
    assert_int_equal(a.status, 202);
    for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++) {
        snprintf(headers, sizeof headers, "Origin: %s\r\n%s", foreign[i], s.operator);
        a = dashboard_harness_ask(&s, "POST", SYNC, headers, "{\"order_id\":\"o1\"}");
        if (a.status != 403)
            fail_msg("%s: %d", foreign[i], a.status);
    }
    dashboard_harness_close(&s);
}

static void without_an_url_no_origin_is_empty(void **state)
{
    struct dashboard_harness s;
    char headers[2048];
    (void)state;
    dashboard_harness_open(&s);
    dashboard_harness_start(&s);
    snprintf(headers, sizeof headers, "Origin: \r\n%s", s.operator);
    assert_int_equal(dashboard_harness_ask(&s, "POST", SYNC, headers, "{}").status, 403);
    dashboard_harness_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_prefix_may_stay_or_go),
        cmocka_unit_test(files_are_kept_and_compressed),
        cmocka_unit_test(without_its_slash_the_page_moves),
        cmocka_unit_test(links_have_the_prefix),
        cmocka_unit_test(its_own_page_may_call_whatever_the_host),
        cmocka_unit_test(without_an_url_no_origin_is_empty),
    };
    return pipeline_harness_main("dashboard_site", tests, sizeof tests / sizeof *tests);
}
