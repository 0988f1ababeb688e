/* dashboard_refused_test: calls that are refused, for their caller or their form, and their
 * answers. */
#include "fakes/dashboard_harness.h"

#include "dashboard/auth/token.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SYNC "/functions/v1/sync-order-elementor"
#define CANARY "canary-3c1f"

static const struct route {
    const char *method, *path, *body;
    bool customers; /* may call it too */
} routes[] = {
    {"POST", SYNC, "{\"order_id\":\"o1\",\"force\":true}", true},
    {"GET", SYNC "?order_id=o1", NULL, true},
    {"GET", "/api/v1/session", NULL, true},
    {"GET", "/api/v1/status", NULL, false},
    {"GET", "/api/v1/activity", NULL, false},
    {"GET", "/api/v1/orders", NULL, false},
    {"GET", "/api/v1/orders?q=CMD", NULL, false},
    {"GET", "/api/v1/orders/o1", NULL, false},
    {"POST", "/api/v1/orders/o1/retry", "{}", false},
    {"POST", "/api/v1/redrives/preview", "{}", false},
    {"POST", "/api/v1/redrives", "{\"confirm\":1}", false},
    {"GET", "/api/v1/redrives", NULL, false},
    {"GET", "/api/v1/redrives/1", NULL, false},
    {"DELETE", "/api/v1/redrives/1", NULL, false},
    {"GET", "/api/v1/events", NULL, false},
};
enum { ROUTES = sizeof routes / sizeof *routes };

/* One order is parked, and could be sent again. */
static void open_and_start(struct dashboard_harness *s)
{
    const struct outcome o = {.order = "o1", .state = "parked", .reason = "http:422"};
    dashboard_harness_open(s);
    dashboard_harness_set(s, "dashboard.wait", "0s");
    dashboard_harness_set(s, "webhook.url", "https://shop.example/" CANARY);
    dashboard_harness_start(s);
    cluster_produce(&s->cluster, 0, "bytes", 5);
    dashboard_harness_park(s, &o, "refused");
    dashboard_harness_outcome(s, &o);
    dashboard_harness_await_order(s, "o1", "parked");
}

/* The problem, and only the problem. */
static void assert_told(const struct answer *a, int status, const char *body)
{
    if (a->status != status || strcmp(a->body, body) != 0)
        fail_msg("%d %s instead of %d %s", a->status, a->body, status, body);
    assert_string_equal(answer_header(a, "Content-Type"), "application/problem+json");
    assert_string_equal(answer_header(a, "Cache-Control"), "no-store");
    assert_string_equal(answer_header(a, "X-Content-Type-Options"), "nosniff");
}

#define UNAUTHORIZED                                                                               \
    "{\"type\":\"urn:elementor-sync:problem:unauthorized\",\"title\":\"A valid token is needed\"," \
    "\"status\":401}"
#define EXPIRED                                                                             \
    "{\"type\":\"urn:elementor-sync:problem:expired\",\"title\":\"The token has expired\"," \
    "\"status\":401}"
#define FORBIDDEN                                                                              \
    "{\"type\":\"urn:elementor-sync:problem:forbidden\",\"title\":\"This token does not give " \
    "this "                                                                                    \
    "right\",\"status\":403}"

static struct answer call(struct dashboard_harness *s, const struct route *r, const char *headers)
{
    return dashboard_harness_ask(s, r->method, r->path, headers, r->body);
}

static void unknown_callers_learn_and_change_nothing(void **state)
{
    static const char *const headers[] = {
        "",
        "Authorization: \r\n",
        "Authorization: Bearer\r\n",
        "Authorization: Bearer \r\n",
        "Authorization: Bearer x.y.z\r\n",
        "Authorization: Basic b2xnYTpvbGdh\r\n",
        "Authorization: Bearer eyJhbGciOiJub25lIn0.eyJyb2xlIjoic2VydmljZV9yb2xlIn0.\r\n",
        "apikey: " HARNESS_SECRET "\r\n",
        "Cookie: token=x.y.z\r\n"};
    struct dashboard_harness s;
    char request[64];
    (void)state;
    open_and_start(&s);
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
        for (size_t r = 0; r < ROUTES; r++) {
            struct answer a = call(&s, &routes[r], headers[i]);
            assert_told(&a, 401, UNAUTHORIZED);
            assert_string_equal(answer_header(&a, "WWW-Authenticate"),
                                "Bearer error=\"invalid_token\"");
        }
    assert_int_equal(dashboard_harness_retries(&s, request), 0);
    dashboard_harness_close(&s);
}

/* Signed by the right secret, with bad claims: claims, expected status. */
static void bad_claims_get_one_answer(void **state)
{
    static const struct {
        const char *claims; /* after "exp", which a second one makes ambiguous */
        int status;
    } cases[] = {
        {"\"role\":\"anon\"", 403},
        {"\"sub\":\"u\",\"role\":\"authenticated\",\"is_anonymous\":true", 403},
        {"\"sub\":\"u\"", 403},
        {"\"role\":\"authenticated\"", 403}, /* who? */
        {"\"sub\":\"u\",\"role\":\"SERVICE_ROLE\"", 403},
        {"\"sub\":\"u\",\"role\":[\"service_role\"]", 403},
        {"\"exp\":4000000000,\"role\":\"service_role\"", 401},
        {"\"role\":\"anon\",\"role\":\"service_role\"", 401},
        {"\"nbf\":4000000000,\"role\":\"service_role\"", 401},
        {"\"nbf\":\"0\",\"role\":\"service_role\"", 401},
        {"\"nbf\":1.5,\"role\":\"service_role\"", 401},
        {"\"role\":\"service_role\"} {", 401},
    };
    struct dashboard_harness s;
    char headers[2048], request[64];
    (void)state;
    open_and_start(&s);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        dashboard_harness_sign(headers, sizeof headers, cases[i].claims);
        for (size_t r = 0; r < ROUTES; r++) {
            struct answer a = call(&s, &routes[r], headers);
            assert_told(&a, cases[i].status, cases[i].status == 403 ? FORBIDDEN : UNAUTHORIZED);
        }
    }
    assert_int_equal(dashboard_harness_retries(&s, request), 0);
    dashboard_harness_close(&s);
}

static void customers_have_one_call(void **state)
{
    struct dashboard_harness s;
    (void)state;
    open_and_start(&s);
    for (size_t r = 1; r < ROUTES; r++) {
        struct answer a = call(&s, &routes[r], s.customer);
        if (!routes[r].customers)
            assert_told(&a, 403, FORBIDDEN);
        else
            assert_int_equal(a.status, 200);
        assert_null(strstr(a.body, "CMD-1")); /* states, no personal data */
        assert_null(strstr(a.body, "msg_1"));
    }
    dashboard_harness_skip(&s, 3600000 + 10000); /* clocks may differ by half a minute */
    struct answer a = call(&s, &routes[1], s.customer);
    assert_int_equal(a.status, 200);
    dashboard_harness_skip(&s, 21000);
    for (size_t r = 0; r < ROUTES; r++) {
        a = call(&s, &routes[r], s.customer);
        assert_told(&a, 401, EXPIRED);
    }
    dashboard_harness_close(&s);
}

static void issuer_and_audience_are_required_when_set(void **state)
{
    struct dashboard_harness s;
    char headers[2048];
    (void)state;
    dashboard_harness_open(&s);
    dashboard_harness_set(&s, "auth.issuer", "https://p.supabase.co/auth/v1");
    dashboard_harness_set(&s, "auth.audience", "authenticated");
    dashboard_harness_start(&s);
    static const struct {
        const char *claims;
        int status;
    } cases[] = {
        {"\"iss\":\"https://p.supabase.co/auth/v1\",\"aud\":\"authenticated\"", 200},
        {"\"iss\":\"https://p.supabase.co/auth/v1\",\"aud\":[\"authenticated\"]", 200},
        {"\"iss\":\"https://q.supabase.co/auth/v1\",\"aud\":\"authenticated\"", 401},
        {"\"iss\":\"https://p.supabase.co/auth/v1\",\"aud\":\"other\"", 401},
        {"\"iss\":\"https://p.supabase.co/auth/v1\"", 401},
        {"\"aud\":\"authenticated\"", 401},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char claims[512];
        snprintf(claims, sizeof claims, "\"role\":\"service_role\",%s", cases[i].claims);
        dashboard_harness_sign(headers, sizeof headers, claims);
        struct answer a = dashboard_harness_ask(&s, "GET", "/api/v1/status", headers, NULL);
        assert_int_equal(a.status, cases[i].status);
        if (a.status == 401)
            assert_told(&a, 401, UNAUTHORIZED);
    }
    dashboard_harness_close(&s);
}

static void a_megabyte_of_token_is_not_read(void **state)
{
    struct dashboard_harness s;
    size_t size = 1 << 20;
    char *text = malloc(size + 200);
    (void)state;
    open_and_start(&s);
    int len =
        snprintf(text, 200, "GET /api/v1/status HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ");
    memset(text + len, 'a', size);
    strcpy(text + len + size, "\r\n\r\n");
    struct answer a = dashboard_harness_say(&s, text, (size_t)len + size + 4);
    assert_true(a.status == 431 || a.status == 0); /* closed while it was being sent */
    text[len + AUTH_TOKEN_MAX + 1] = '\0';
    strcat(text, "\r\n\r\n");
    a = dashboard_harness_say(&s, text, strlen(text));
    assert_told(&a, 401, UNAUTHORIZED);
    assert_int_equal(dashboard_harness_ask(&s, "GET", "/livez", "", NULL).status, 200);
    free(text);
    dashboard_harness_close(&s);
}

/* ---- forms ---- */

static void assert_status(struct dashboard_harness *s, int status, const char *method,
                          const char *path, const char *body)
{
    struct answer a = dashboard_harness_ask(s, method, path, s->operator, body);
    if (a.status != status)
        fail_msg("%s %s %s: %d %s", method, path, body != NULL ? body : "", a.status, a.body);
    static const char *const inner[] = {CANARY, "sqlite",  "SELECT",    "/tmp/",
                                        ".c:",  "jansson", "127.0.0.1", "rd_kafka"};
    for (size_t i = 0; i < sizeof inner / sizeof *inner; i++)
        if (strstr(a.text, inner[i]) != NULL)
            fail_msg("%s is told: %s", inner[i], a.text);
}

static void bodies_are_read_strictly(void **state)
{
    static const char *const bodies[] = {
        "",
        "null",
        "[]",
        "{",
        "{}",
        "{\"order_id\":\"o1\"} x",
        "{\"order_id\":\"o1\",\"order_id\":\"o2\"}",
        "{\"order_id\":null}",
        "{\"order_id\":7.5}",
        "{\"order_id\":[\"o1\"]}",
        "{\"order_id\":{\"a\":1}}",
        "{\"order_id\":\"\"}",
        "{\"order_id\":\"o1\\u0000\"}",
        "{\"order_id\":\"\\ud800\"}",
        "{\"order_id\":\"\xff\xfe\"}",
        "{\"order_id\":\"\xc0\xae\"}",
        "{\"order_id\":\"o1\",\"force\":\"true\"}",
        "{\"order_id\":\"o1\",\"force\":1}",
        "{\"order_id\":\"o1\",\"confirmed_at\":1}",
        "{\"order_id\":\"o1\",\"confirmed_at\":\"\"}",
        "{\"order_id\":\"o1\",\"confirmed_at\":\"yesterday\"}",
        "{\"order_id\":\"o1\",\"confirmed_at\":\"2026-13-45T99:99:99Z\"}",
        "{\"order_id\":\"o1\",\"quantity\":99999999999999999999}",
        "{\"order_id\":\"o1\",\"total_amount\":1e999}",
    };
    static const char *const selections[] = {
        "{\"confirm\":0}",
        "{\"confirm\":-1}",
        "{\"confirm\":1.0}",
        "{\"confirm\":\"1\"}",
        "{\"confirm\":null}",
        "{\"confirm\":9223372036854775808}",
        "{\"confirm\":1,\"since_ms\":-1}",
        "{\"confirm\":1,\"since_ms\":\"0\"}",
        "{\"confirm\":1,\"until_ms\":1e3}",
        "{\"confirm\":1,\"reason\":\"\"}",
        "{\"confirm\":1,\"reason\":[]}",
        "{\"confirm\":1,\"reason\":\"0123456789012345678901234567890123456789012345678901234567890"
        "1234\"}",
    };
    struct dashboard_harness s;
    char long_id[1100], deep[9000] = "{\"order_id\":", request[64];
    (void)state;
    open_and_start(&s);
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++)
        assert_status(&s, 400, "POST", SYNC, bodies[i]);
    for (size_t i = 0; i < sizeof selections / sizeof *selections; i++)
        assert_status(&s, 400, "POST", "/api/v1/redrives", selections[i]);
    snprintf(long_id, sizeof long_id, "{\"order_id\":\"%01025d\"}", 1);
    assert_status(&s, 400, "POST", SYNC, long_id);
    memset(deep + strlen(deep), '[', 8000);
    assert_status(&s, 400, "POST", SYNC, deep);
    assert_int_equal(dashboard_harness_retries(&s, request), 0);
    dashboard_harness_close(&s);
}

static const struct {
    int status;
    const char *path;
} strict[] = {
    {404, "/../../etc/passwd"},
    {404, "/api/v1/../v1/orders"},
    {404, "/api/v1//orders"},
    {404, "/api/v1/orders/"},
    {404, "/API/v1/orders"},
    {404, "/%61pi/v1/orders"},
    {404, "/api/v1/orders/..%2f..%2fetc%2fpasswd"}, /* a key like any other, of no order */
    {404, "/api/v1/orders/%2e%2e"},
    {404, "/api/v1/orders/%3Cscript%3E"},
    {404, "/api/v1/orders/a%0d%0aX:1"},
    {400, "/api/v1/orders/a%00b"},
    {400, "/api/v1/orders/%"},
    {400, "/api/v1/orders/%4"},
    {400, "/api/v1/orders/%zz"},
    {400, "/api/v1/orders/%ff"},
    {400, "/api/v1/orders/%c0%ae"},
    {400, "/api/v1/orders/%ed%a0%80"},
    {400, "/api/v1/orders?limit=0"},
    {400, "/api/v1/orders?limit=201"},
    {400, "/api/v1/orders?limit=-1"},
    {400, "/api/v1/orders?limit=+1"},
    {400, "/api/v1/orders?limit=1e2"},
    {400, "/api/v1/orders?limit="},
    {400, "/api/v1/orders?limit=18446744073709551617"},
    {400, "/api/v1/orders?since_ms=9223372036854775808"},
    {400, "/api/v1/orders?state=lost"},
    {400, "/api/v1/orders?status="},
    {400, "/api/v1/orders.csv?status="},
    {400, "/api/v1/orders?status=200&status=200"},
    {400, "/api/v1/orders?status=-1"},
    {400, "/api/v1/orders?status=99"},
    {400, "/api/v1/orders?status=600"},
    {400, "/api/v1/orders?status=200x"},
    {400, "/api/v1/orders?status=%20200"},
    {400, "/api/v1/orders?source=other"},
    {400, "/api/v1/orders?sort=amount"},
    {200, "/api/v1/orders?status=none&source=replay&sort=oldest&state=parked&reason=x"},
    {400, "/api/v1/orders?state=parked&state=delivered"},
    {400, "/api/v1/orders?q=%00"},
    {400, "/api/v1/orders?q="},
    {400, "/api/v1/orders?cursor=1-99999999999999999999"},
    {400, "/api/v1/orders?cursor=1-2%20OR%201=1"},
    {400, "/api/v1/orders?cursor=1--2"},
    {400, "/api/v1/orders?cursor=1-"},
    {200, "/api/v1/orders?cursor=999999999999999999-999999999999999999"},
    {400, "/api/v1/orders?debug=1"},
    {400, "/api/v1/status?x"},
    {400, SYNC},
    {400, SYNC "?order_id=o1&confirmed_at=now"},
    {400, SYNC "?order_id=o1&order_id=o2"},
    {200, "/api/v1/orders?q=%27%3B%20DROP%20TABLE%20orders%3B--"},
    {200, "/api/v1/orders?q=%3Cscript%3Ealert(1)%3C/script%3E"},
};

static void paths_and_queries_are_read_strictly(void **state)
{
    struct dashboard_harness s;
    char path[2048];
    (void)state;
    open_and_start(&s);
    for (size_t i = 0; i < sizeof strict / sizeof *strict; i++)
        assert_status(&s, strict[i].status, "GET", strict[i].path, NULL);
    snprintf(path, sizeof path, "/api/v1/orders/%0301d", 1);
    assert_status(&s, 404, "GET", path, NULL);
    snprintf(path, sizeof path, "/api/v1/orders?q=%01100d", 1);
    assert_status(&s, 400, "GET", path, NULL);
    assert_status(&s, 405, "DELETE", "/api/v1/orders/o1", NULL);
    assert_status(&s, 405, "PATCH", SYNC, "{}");
    assert_status(&s, 405, "POST", "/", "{}");
    dashboard_harness_await_order(&s, "o1", "parked"); /* all is as it was */
    dashboard_harness_close(&s);
}

/* An order's values come back as text. */
static void markup_formulas_and_line_breaks_stay_text(void **state)
{
    struct dashboard_harness s;
    (void)state;
    open_and_start(&s);
    struct answer a = dashboard_harness_ask(
        &s, "POST", SYNC, s.customer, "{\"order_id\":\"a\\r\\nX-Evil: 1\\r\\n\\r\\n<script>\"}");
    assert_int_equal(a.status, 202);
    assert_string_equal(answer_header(&a, "X-Evil"), "");
    assert_string_equal(answer_header(&a, "Location"),
                        SYNC "?order_id=a%0D%0AX-Evil%3A%201%0D%0A%0D%0A%3Cscript%3E");
    assert_string_equal(answer_header(&a, "Content-Type"), "application/json");
    assert_string_equal(answer_header(&a, "X-Content-Type-Options"), "nosniff");
    assert_non_null(strstr(a.body, "\"order_id\":\"a\\r\\nX-Evil: 1"));
    const struct outcome o = {.order = "=cmd|' /C calc'!A0", .state = "parked", .reason = "<b>"};
    dashboard_harness_outcome(&s, &o);
    dashboard_harness_await_order(&s, "%3Dcmd%7C%27%20%2FC%20calc%27%21A0", "parked");
    a = dashboard_harness_ask(&s, "GET", "/api/v1/orders?reason=%3Cb%3E", s.operator, NULL);
    assert_int_equal(a.status, 200);
    assert_string_equal(answer_header(&a, "Content-Type"), "application/json");
    assert_non_null(strstr(a.body, "\"key\":\"=cmd|' /C calc'!A0\""));
    dashboard_harness_close(&s);
}

/* Requests that two readers would read differently. */
static void smuggled_requests_are_refused(void **state)
{
    static const struct {
        int status; /* 0: closed without an answer */
        const char *head;
    } cases[] = {
        {400, "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
        {400, "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!"},
        {400, "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello"},
        {400, "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n"},
        {400, "Host: other\r\nContent-Length: 2\r\n\r\n{}"},
        {413, "Content-Length: 65537\r\n\r\n"},
        {413, "Content-Length: 9999999999999\r\n\r\n"},
        {415, "Content-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}"},
        {415, "Content-Type: application/jsonp\r\nContent-Length: 2\r\n\r\n{}"},
        {415, "Content-Length: 2\r\n\r\n{}"},
    };
    static const char *const unclear[] = {
        "Content-Length: -1\r\n\r\n",
        "Content-Length: 0x2\r\n\r\n{}",
        "Content-Length: 2, 2\r\n\r\n{}",
        "Content-Length: 18446744073709551618\r\n\r\n{}",
        "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
        "Transfer-Encoding: chunked\r\n\r\n-1\r\n",
        "Content-Length : 2\r\n\r\n{}",
    };
    struct dashboard_harness s;
    char text[4096], request[64];
    (void)state;
    open_and_start(&s);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        snprintf(text, sizeof text, "POST " SYNC " HTTP/1.1\r\nHost: x\r\n%s%s", s.operator,
                 cases[i].head);
        struct answer a = dashboard_harness_say(&s, text, strlen(text));
        if (a.status != cases[i].status)
            fail_msg("%s: %d %s", cases[i].head, a.status, a.body);
    }
    for (size_t i = 0; i < sizeof unclear / sizeof *unclear; i++) {
        snprintf(text, sizeof text,
                 "POST " SYNC " HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n%s%s",
                 s.operator, unclear[i]);
        struct answer a = dashboard_harness_say(&s, text, strlen(text));
        if (a.status != 0 && (a.status < 400 || a.status > 499))
            fail_msg("%s: %d %s", unclear[i], a.status, a.body);
    }
    assert_int_equal(dashboard_harness_retries(&s, request), 0);
    assert_int_equal(dashboard_harness_ask(&s, "GET", "/livez", "", NULL).status, 200);
    dashboard_harness_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unknown_callers_learn_and_change_nothing),
        cmocka_unit_test(bad_claims_get_one_answer),
        cmocka_unit_test(customers_have_one_call),
        cmocka_unit_test(issuer_and_audience_are_required_when_set),
        cmocka_unit_test(a_megabyte_of_token_is_not_read),
        cmocka_unit_test(bodies_are_read_strictly),
        cmocka_unit_test(paths_and_queries_are_read_strictly),
        cmocka_unit_test(markup_formulas_and_line_breaks_stay_text),
        cmocka_unit_test(smuggled_requests_are_refused),
    };
    return pipeline_harness_main("dashboard_refused", tests, sizeof tests / sizeof *tests);
}
