/* dashboard_customers_test: limits of one customer: no force, one resend of an order in a while, a
 * rate of calls, few connections; and the log lines of refused calls. */
#include "fakes/dashboard_harness.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SYNC "/functions/v1/sync-order-elementor"

static void assert_problem(const struct answer *a, int status, const char *name)
{
    char type[96];
    snprintf(type, sizeof type, "\"type\":\"urn:elementor-sync:problem:%s\"", name);
    if (a->status != status || strstr(a->body, type) == NULL)
        fail_msg("%d %s instead of %d %s", a->status, a->body, status, name);
}

static void await_retries(struct dashboard_harness *s, size_t count, char request[64])
{
    for (int i = 0; dashboard_harness_retries(s, request) < count; i++) {
        if (i == 1000)
            fail_msg("no retry record");
        usleep(10000);
    }
}

static struct answer sync_order(struct dashboard_harness *s, const char *headers, const char *body)
{
    return dashboard_harness_ask(s, "POST", SYNC, headers, body);
}

static void start_parked(struct dashboard_harness *s)
{
    const struct outcome o = {.order = "o1", .state = "parked", .reason = "http:422"};
    dashboard_harness_start(s);
    cluster_produce(&s->cluster, 0, "bytes", 5);
    dashboard_harness_park(s, &o, "refused");
    dashboard_harness_outcome(s, &o);
    dashboard_harness_await_order(s, "o1", "parked");
}

static void force_is_the_operators(void **state)
{
    struct dashboard_harness s;
    char request[64];
    (void)state;
    dashboard_harness_open(&s);
    dashboard_harness_set(&s, "dashboard.wait", "0s");
    start_parked(&s);
    struct answer a = sync_order(&s, s.customer, "{\"order_id\":\"o1\",\"force\":true}");
    assert_problem(&a, 403, "forbidden");
    a = sync_order(&s, s.customer, "{\"order_id\":\"none\",\"force\":true}");
    assert_problem(&a, 403, "forbidden");
    assert_int_equal(dashboard_harness_retries(&s, request), 0);
    a = sync_order(&s, s.customer, "{\"order_id\":\"o1\",\"force\":false}");
    assert_int_equal(a.status, 202);
    await_retries(&s, 1, request);
    dashboard_harness_outcome(
        &s, &(struct outcome){.order = "o1", .state = "delivered", .request = request});
    dashboard_harness_await_order(&s, "o1", "delivered");
    a = sync_order(&s, s.operator, "{\"order_id\":\"o1\",\"force\":true}");
    assert_int_equal(a.status, 202);
    await_retries(&s, 2, request);
    dashboard_harness_close(&s);
}

/* The retry came to nothing. */
static void refused_again(struct dashboard_harness *s, const char *request)
{
    dashboard_harness_outcome(s, &(struct outcome){.order = "o1",
                                                   .state = "parked",
                                                   .reason = "http:422",
                                                   .request = request,
                                                   .source = "retry"});
}

static void one_order_is_sent_again_once_in_a_while(void **state)
{
    enum { INTERVAL_MS = 600000 };
    struct dashboard_harness s;
    char request[64];
    (void)state;
    dashboard_harness_open(&s);
    dashboard_harness_set(&s, "dashboard.wait", "20s");
    start_parked(&s);
    int fd = dashboard_harness_send(&s, "POST", SYNC, s.customer, "{\"order_id\":\"o1\"}");
    await_retries(&s, 1, request);
    refused_again(&s, request);
    struct answer a = dashboard_harness_receive(fd);
    assert_problem(&a, 502, "refused");
    for (int i = 0; i < 5; i++) {
        a = sync_order(&s, s.customer, "{\"order_id\":\"o1\"}");
        assert_problem(&a, 429, "too-soon");
        assert_in_range(atoi(answer_header(&a, "Retry-After")), 590, 600);
        assert_non_null(strstr(a.body, "\"reason\":\"http:422\""));
    }
    assert_int_equal(dashboard_harness_retries(&s, request), 1);
    dashboard_harness_skip(&s, INTERVAL_MS);
    fd = dashboard_harness_send(&s, "POST", SYNC, s.customer, "{\"order_id\":\"o1\"}");
    await_retries(&s, 2, request);
    refused_again(&s, request);
    assert_int_equal(dashboard_harness_receive(fd).status, 502);
    fd = dashboard_harness_send(&s, "POST", SYNC, s.operator,
                                "{\"order_id\":\"o1\"}"); /* not bounded */
    await_retries(&s, 3, request);
    refused_again(&s, request);
    assert_int_equal(dashboard_harness_receive(fd).status, 502);
    dashboard_harness_close(&s);
}

static void calls_are_counted_by_subject(void **state)
{
    enum { RATE = 5 };
    struct dashboard_harness s;
    char other[1024];
    (void)state;
    dashboard_harness_open(&s);
    dashboard_harness_set(&s, "auth.call_rate", "5");
    dashboard_harness_sign(other, sizeof other, "\"sub\":\"u-2\",\"role\":\"authenticated\"");
    dashboard_harness_start(&s);
    for (int i = 0; i < RATE; i++)
        assert_int_equal(
            dashboard_harness_ask(&s, "GET", "/api/v1/session", s.customer, NULL).status, 200);
    struct answer a = dashboard_harness_ask(&s, "GET", "/api/v1/session", s.customer, NULL);
    assert_problem(&a, 429, "too-often");
    assert_in_range(atoi(answer_header(&a, "Retry-After")), 1, 12);
    a = sync_order(&s, s.customer, "{\"order_id\":\"o1\"}");
    assert_problem(&a, 429, "too-often");
    assert_int_equal(dashboard_harness_ask(&s, "GET", "/api/v1/session", other, NULL).status, 200);
    for (int i = 0; i < 3 * RATE; i++)
        assert_int_equal(
            dashboard_harness_ask(&s, "GET", "/api/v1/status", s.operator, NULL).status, 200);
    dashboard_harness_skip(&s, 60000 / RATE);
    assert_int_equal(dashboard_harness_ask(&s, "GET", "/api/v1/session", s.customer, NULL).status,
                     200);
    assert_int_equal(dashboard_harness_ask(&s, "GET", "/api/v1/session", s.customer, NULL).status,
                     429);
    dashboard_harness_close(&s);
}

/* Beyond the customer's share a call is answered at once. */
static void one_customer_holds_few_connections(void **state)
{
    enum { SHARE = 8 };
    struct dashboard_harness s;
    int fds[SHARE];
    (void)state;
    dashboard_harness_open(&s);
    dashboard_harness_set(&s, "dashboard.wait", "60s");
    dashboard_harness_start(&s);
    for (int i = 0; i < SHARE; i++)
        fds[i] = dashboard_harness_send(&s, "POST", SYNC, s.customer, "{\"order_id\":\"o1\"}");
    dashboard_harness_skip(&s, 3000); /* all of them wait by now */
    for (int i = 0; i < 3; i++) {
        struct answer a = sync_order(&s, s.customer, "{\"order_id\":\"o1\"}");
        assert_int_equal(a.status, 202);
        assert_non_null(strstr(a.body, "\"status\":\"unseen\""));
    }
    dashboard_harness_outcome(&s, &(struct outcome){.order = "o1", .state = "delivered"});
    for (int i = 0; i < SHARE; i++)
        assert_int_equal(dashboard_harness_receive(fds[i]).status, 200);
    dashboard_harness_close(&s);
}

/* More silent or dripping connections than the limit: probes and operators still get in. */
static void silent_connections_leave_room_for_others(void **state)
{
    enum { MANY = 400 };
    static const char *const first[] = {"", "G", "GET /livez HTTP/1.1\r\nHost: x\r\nX-Drip: ",
                                        "POST " SYNC " HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n"
                                        "\r\n{"};
    struct dashboard_harness s;
    int fds[MANY];
    (void)state;
    dashboard_harness_open(&s);
    dashboard_harness_start(&s);
    for (int i = 0; i < MANY; i++) {
        fds[i] = dashboard_harness_connect(&s);
        assert_true(send(fds[i], first[i % 4], strlen(first[i % 4]), MSG_NOSIGNAL) >= 0);
        if (i % 50 == 0)
            assert_int_equal(dashboard_harness_ask(&s, "GET", "/livez", "", NULL).status, 200);
    }
    assert_int_equal(dashboard_harness_ask(&s, "GET", "/readyz", "", NULL).status, 200);
    assert_int_equal(dashboard_harness_ask(&s, "GET", "/api/v1/status", s.operator, NULL).status,
                     200);
    for (int i = 0; i < MANY; i++)
        close(fds[i]);
    dashboard_harness_close(&s);
}

/* ---- lines ---- */

/* Redirects standard error to a file; returns the old one. */
static int divert(char path[64])
{
    snprintf(path, 64, "/tmp/customers-test-%d", getpid());
    int old = dup(STDERR_FILENO), fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    assert_true(old >= 0 && fd >= 0);
    dup2(fd, STDERR_FILENO);
    close(fd);
    return old;
}

static char *restore(int old, const char *path)
{
    enum { SIZE = 256 * 1024 };
    char *text = calloc(1, SIZE);
    dup2(old, STDERR_FILENO);
    close(old);
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    (void)!fread(text, 1, SIZE - 1, file);
    fclose(file);
    unlink(path);
    return text;
}

static size_t count_of(const char *text, const char *what)
{
    size_t count = 0;
    for (const char *at = text; (at = strstr(at, what)) != NULL; at++)
        count++;
    return count;
}

static void refused_calls_leave_lines(void **state)
{
    struct dashboard_harness s;
    char path[64], nobody[1024];
    (void)state;
    dashboard_harness_open(&s);
    dashboard_harness_sign(nobody, sizeof nobody, "\"sub\":\"a-1\",\"role\":\"anon\"");
    dashboard_harness_start(&s);
    int old = divert(path);
    dashboard_harness_ask(&s, "GET", "/api/v1/orders/secret-order", "", NULL);
    dashboard_harness_ask(&s, "GET", "/api/v1/orders", "Authorization: Bearer canary.token.x\r\n",
                          NULL);
    dashboard_harness_ask(&s, "GET", "/api/v1/orders/secret-order", s.customer, NULL);
    dashboard_harness_ask(&s, "POST", SYNC, s.customer,
                          "{\"order_id\":\"secret-order\",\"force\":true}");
    dashboard_harness_ask(&s, "GET", "/api/v1/session", nobody, NULL);
    dashboard_harness_ask(&s, "GET", "/api/v1/status", "Origin: https://evil.example\r\n", NULL);
    for (int i = 0; i < 100; i++)
        dashboard_harness_ask(&s, "GET", "/api/v1/status", "", NULL);
    dashboard_harness_skip(&s, 11000);
    dashboard_harness_ask(&s, "GET", "/api/v1/status", "", NULL);
    dashboard_harness_close(&s);
    char *text = restore(old, path);
    static const char *const lines[] = {
        "level=audit event=\"call refused\" who=unknown address=127.0.0.1 what=\"GET "
        "/api/v1/orders/:\" reason=unauthorized error=\"it has no Authorization\"\n",
        "who=unknown address=127.0.0.1 what=\"GET /api/v1/orders\" reason=unauthorized "
        "error=\"its header is not a JSON object\"\n",
        "who=u-1 address=127.0.0.1 what=\"GET /api/v1/orders/:\" reason=forbidden "
        "error=\"it is a customer's: it has no operator claim\"\n",
        "who=u-1 address=127.0.0.1 what=\"POST " SYNC "\" reason=forbidden error=",
        "who=a-1 address=127.0.0.1 what=\"GET /api/v1/session\" reason=forbidden "
        "error=\"it is an anonymous visitor's",
        "what=\"GET /api/v1/status\" reason=origin\n",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        if (strstr(text, lines[i]) == NULL)
            fail_msg("no line %s in %s", lines[i], text);
    assert_in_range(count_of(text, "event=\"call refused\""), 20, 25);
    assert_int_equal(count_of(text, "event=\"more calls refused\" calls=86\n"), 1);
    assert_null(strstr(text, "canary"));
    assert_null(strstr(text, "secret-order"));
    assert_null(strstr(text, "eyJ"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(force_is_the_operators),
        cmocka_unit_test(one_order_is_sent_again_once_in_a_while),
        cmocka_unit_test(calls_are_counted_by_subject),
        cmocka_unit_test(one_customer_holds_few_connections),
        cmocka_unit_test(silent_connections_leave_room_for_others),
        cmocka_unit_test(refused_calls_leave_lines),
    };
    return pipeline_harness_main("dashboard_customers", tests, sizeof tests / sizeof *tests);
}
