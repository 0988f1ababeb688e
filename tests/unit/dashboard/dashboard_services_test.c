/* dashboard_services_test: opaque keys of services, and operators without a second factor. */
#include "fakes/dashboard_harness.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SYNC "/functions/v1/sync-order-elementor"
#define KEY "sb_secret_N7UND0UgjKTVK-Uodkm0Hg_xSvEMPvz"
#define LINK "https://shop.example/wp-admin/post.php?post={order_id}"
#define OTHER "sb_secret_aaaaaUgjKTVK-Uodkm0Hg_bbbbbbbbb"

static void open_and_start(struct dashboard_harness *s)
{
    dashboard_harness_open(s);
    dashboard_harness_set(s, "dashboard.wait", "0s");
    dashboard_harness_set(s, "auth.service_keys", OTHER " " KEY);
    dashboard_harness_set(s, "dashboard.order_link", LINK);
    dashboard_harness_start(s);
}

static int status_of(struct dashboard_harness *s, const char *path, const char *headers)
{
    return dashboard_harness_ask(s, "GET", path, headers, NULL).status;
}

static void a_service_is_an_operator(void **state)
{
    static const char *const headers[] = {
        "Authorization: Bearer " KEY "\r\n", "Authorization: bearer " KEY "\r\n",
        "apikey: " KEY "\r\n", "Authorization: Bearer " OTHER "\r\napikey: " OTHER "\r\n"};
    struct dashboard_harness s;
    (void)state;
    open_and_start(&s);
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
        assert_int_equal(status_of(&s, "/api/v1/orders", headers[i]), 200);
    struct answer a = dashboard_harness_ask(&s, "GET", "/api/v1/session", headers[0], NULL);
    assert_int_equal(a.status, 200);
    assert_non_null(strstr(a.body, "\"subject\":\"service key 2\",\"role\":\"service_role\","
                                   "\"operator\":true"));
    assert_null(strstr(a.body, "sb_secret"));
    assert_non_null(strstr(a.body, "\"order_link\":\"" LINK "\""));
    a = dashboard_harness_ask(&s, "GET", "/api/v1/session", s.customer, NULL);
    assert_non_null(strstr(a.body, "\"order_link\":null")); /* the shop's admin is none of theirs */
    int fd = dashboard_harness_send(&s, "GET", "/api/v1/events", headers[2], NULL);
    char text[8192];
    assert_true(dashboard_harness_hears(fd, text, sizeof text, "event: status"));
    assert_null(strstr(text, "event: expired"));
    close(fd);
    dashboard_harness_close(&s);
}

static void nothing_else_is_a_service(void **state)
{
    static const char *const headers[] = {
        "",
        "Authorization: Bearer \r\n",
        "Authorization: " KEY "\r\n",
        "Authorization: Basic " KEY "\r\n",
        "Authorization: Bearer " KEY "x\r\n",
        "Authorization: Bearer " KEY " x\r\n",
        "Authorization: Bearer " KEY "," OTHER "\r\n",
        "Authorization: Bearer sb_secret_N7UND0UgjKTVK-Uodkm0Hg_xSvEMPv\r\n",
        "Authorization: Bearer SB_SECRET_N7UND0UgjKTVK-Uodkm0Hg_xSvEMPvz\r\n",
        "Authorization: Bearer sb_secret_\r\n",
        "apikey: \r\n",
        "apikey: x\r\n",
        "apikey: Bearer " KEY "\r\n",
        "x-api-key: " KEY "\r\n",
        "Cookie: apikey=" KEY "\r\n",
        /* who Authorization names is who calls */
        "apikey: " KEY "\r\nAuthorization: Bearer x.y.z\r\n",
        "apikey: " KEY "\r\nAuthorization: Bearer sb_publishable_xxxxxxxxxxxxxxxxxxxxxx_xx\r\n",
        "apikey: " KEY "\r\nAuthorization: Basic eDp5\r\n",
        "apikey: " KEY "\r\nAuthorization: \r\n",
    };
    struct dashboard_harness s;
    char with_user[4096];
    (void)state;
    open_and_start(&s);
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
        if (status_of(&s, "/api/v1/orders", headers[i]) != 401)
            fail_msg("not refused: %s", headers[i]);
    /* a URL is written into logs: no key is read from it */
    assert_int_equal(status_of(&s, "/api/v1/orders?apikey=" KEY, ""), 401);
    assert_int_equal(status_of(&s, SYNC "?order_id=o1&apikey=" KEY, ""), 401);
    assert_int_equal(status_of(&s, SYNC "?order_id=o1&access_token=" KEY, ""), 401);
    /* a service that passes on its user's token has the user's rights */
    snprintf(with_user, sizeof with_user, "apikey: " KEY "\r\n%s", s.customer);
    assert_int_equal(status_of(&s, "/api/v1/orders", with_user), 403);
    dashboard_harness_close(&s);
}

static void without_keys_nobody_is_a_service(void **state)
{
    struct dashboard_harness s;
    (void)state;
    dashboard_harness_open(&s);
    dashboard_harness_start(&s);
    assert_int_equal(status_of(&s, "/api/v1/orders", "apikey: " KEY "\r\n"), 401);
    assert_int_equal(status_of(&s, "/api/v1/orders", "apikey: \r\n"), 401);
    assert_int_equal(status_of(&s, "/api/v1/orders", "Authorization: Bearer \r\n"), 401);
    dashboard_harness_close(&s);
}

/* ---- a second factor ---- */

static int retry(struct dashboard_harness *s, const char *headers, char *ret_type, size_t size)
{
    struct answer a = dashboard_harness_ask(s, "POST", "/api/v1/orders/o1/retry", headers, "{}");
    snprintf(ret_type, size, "%.60s", a.body);
    return a.status;
}

static void asked_for(const char *mode, int list, int change)
{
    struct dashboard_harness s;
    char weak[1024], strong[1024], bare[1024], said[64];
    dashboard_harness_open(&s);
    dashboard_harness_set(&s, "dashboard.wait", "0s");
    dashboard_harness_set(&s, "auth.operator_claim", "app_metadata.role");
    dashboard_harness_set(&s, "auth.operator_values", "operator");
    dashboard_harness_set(&s, "auth.service_keys", KEY);
    dashboard_harness_set(&s, "auth.operator_aal2", mode);
    dashboard_harness_sign(weak, sizeof weak,
                           "\"sub\":\"olga\",\"role\":\"authenticated\",\"aal\":\"aal1\","
                           "\"app_metadata\":{\"role\":\"operator\"}");
    dashboard_harness_sign(strong, sizeof strong,
                           "\"sub\":\"olga\",\"role\":\"authenticated\",\"aal\":\"aal2\","
                           "\"app_metadata\":{\"role\":\"operator\"}");
    dashboard_harness_sign(bare, sizeof bare, "\"app_metadata\":{\"role\":\"operator\"}");
    dashboard_harness_start(&s);
    assert_int_equal(status_of(&s, "/api/v1/orders", weak), list);
    assert_int_equal(status_of(&s, "/api/v1/orders", bare), list);
    assert_int_equal(retry(&s, weak, said, sizeof said), change);
    if (change == 403)
        assert_non_null(strstr(said, "problem:second-factor"));
    assert_int_equal(retry(&s, strong, said, sizeof said), 404);     /* allowed; there is no o1 */
    assert_int_equal(retry(&s, s.operator, said, sizeof said), 404); /* services have none */
    assert_int_equal(retry(&s, "apikey: " KEY "\r\n", said, sizeof said), 404);
    assert_int_equal(status_of(&s, "/api/v1/orders", strong), 200);
    /* and never more than a customer by the shop's call */
    struct answer a =
        dashboard_harness_ask(&s, "POST", SYNC, weak, "{\"order_id\":\"o1\",\"force\":true}");
    assert_int_equal(a.status, change == 403 ? 403 : 404);
    a = dashboard_harness_ask(&s, "POST", SYNC, weak, "{\"order_id\":\"o1\"}");
    assert_int_equal(a.status, 202); /* a customer's right is left */
    a = dashboard_harness_ask(&s, "POST", SYNC, bare, "{\"order_id\":\"o1\"}");
    assert_int_equal(a.status, change == 403 ? 403 : 202);
    dashboard_harness_close(&s);
}

static void a_second_factor_may_be_asked_for(void **state)
{
    (void)state;
    asked_for("never", 200, 404);
    asked_for("changes", 200, 403);
    asked_for("always", 403, 403);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_service_is_an_operator),
        cmocka_unit_test(nothing_else_is_a_service),
        cmocka_unit_test(without_keys_nobody_is_a_service),
        cmocka_unit_test(a_second_factor_may_be_asked_for),
    };
    return pipeline_harness_main("dashboard_services", tests, sizeof tests / sizeof *tests);
}
