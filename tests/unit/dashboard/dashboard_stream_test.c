/* dashboard_stream_test: server-sent events: their contents, their end and their bounds. */
#include "fakes/dashboard_harness.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { STREAMS_MAX = 64, SHARE = 32, HOUR_MS = 3600000 };

#define EVENTS "/api/v1/events"

static int listening_as(struct dashboard_harness *s, const char *headers)
{
    char text[8192];
    int fd = dashboard_harness_send(s, "GET", EVENTS, headers, NULL);
    if (!dashboard_harness_hears(fd, text, sizeof text, "event: status\ndata: {"))
        fail_msg("no stream: %s", text);
    assert_non_null(strstr(text, "HTTP/1.1 200 OK\r\n"));
    assert_non_null(strstr(text, "Content-Type: text/event-stream\r\n"));
    assert_non_null(strstr(text, "Cache-Control: no-store\r\n"));
    return fd;
}

static int listening(struct dashboard_harness *s)
{
    return listening_as(s, s->operator);
}

static void assert_hears(int fd, const char *wanted)
{
    char text[HARNESS_TEXT];
    if (!dashboard_harness_hears(fd, text, sizeof text, wanted))
        fail_msg("no \"%s\" in: %s", wanted, text);
}

static void changes_reach_every_stream(void **state)
{
    struct dashboard_harness s;
    char text[HARNESS_TEXT];
    (void)state;
    dashboard_harness_open(&s);
    dashboard_harness_start(&s);
    int one = listening(&s), two = listening(&s);
    dashboard_harness_outcome(
        &s, &(struct outcome){.order = "o1", .state = "parked", .reason = "http:422"});
    assert_hears(two, "event: order\ndata: {\"key\":\"o1\"");
    /* one piece has both */
    if (!dashboard_harness_hears(one, text, sizeof text,
                                 "\"counts\":{\"delivered\":0,\"retrying\":0,\"parked\":1") ||
        strstr(text, "event: order\ndata: {\"key\":\"o1\"") == NULL)
        fail_msg("no order, or no count of it, in: %s", text);
    close(one); /* the others go on */
    dashboard_harness_outcome(&s, &(struct outcome){.order = "o1", .state = "delivered"});
    assert_hears(two, "event: order\ndata: {\"key\":\"o1\",\"order_id\":\"o1\",\"order_number\":"
                      "\"CMD-1\",\"state\":\"delivered\"");
    close(two);
    dashboard_harness_close(&s);
}

static void many_changes_are_one_event(void **state)
{
    struct dashboard_harness s;
    (void)state;
    dashboard_harness_open(&s);
    dashboard_harness_start(&s);
    int fd = listening(&s);
    dashboard_harness_delivered(&s, 0, 400, NULL);
    assert_hears(fd, "event: many\ndata: {\"count\":");
    close(fd);
    dashboard_harness_close(&s);
}

/* Bytes that come until nothing but beats does. */
static size_t bytes_until_it_rests(int fd)
{
    char bytes[HARNESS_TEXT];
    const struct timeval rest = {.tv_sec = 2};
    size_t came = 0;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &rest, sizeof rest);
    for (ssize_t len; (len = read(fd, bytes, sizeof bytes)) > 0;)
        came += (size_t)len;
    return came;
}

/* A page that looks on while thirty orders a second are delivered gets 5 KB a second. */
static void orders_are_compressed_together(void **state)
{
    enum { ORDERS = 30, MOST = 4096 };
    struct dashboard_harness s;
    char headers[2048], order[40] = "";
    uint64_t seed = 1;
    (void)state;
    dashboard_harness_open(&s);
    dashboard_harness_start(&s);
    snprintf(headers, sizeof headers, "%sAccept-Encoding: gzip\r\n", s.operator);
    int fd = dashboard_harness_send(&s, "GET", EVENTS, headers, NULL);
    size_t first = bytes_until_it_rests(fd);
    for (int i = 0; i < ORDERS; i++) {
        seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
        snprintf(order, sizeof order, "%016llx-%08d", (unsigned long long)seed, i);
        dashboard_harness_outcome(&s, &(struct outcome){.order = order, .state = "delivered"});
    }
    dashboard_harness_await_order(&s, order, "delivered");
    size_t then = bytes_until_it_rests(fd);
    printf("the first status %zu bytes, thirty orders %zu\n", first, then);
    assert_in_range(first, 200, MOST);
    assert_in_range(then, 10 * ORDERS, MOST);
    close(fd);
    dashboard_harness_close(&s);
}

static void a_token_that_expires_ends_it(void **state)
{
    struct dashboard_harness s;
    char text[HARNESS_TEXT];
    (void)state;
    dashboard_harness_open(&s);
    dashboard_harness_start(&s);
    int fd = listening(&s);
    clock_skip(HOUR_MS - 60000);
    assert_hears(fd, ":\n\n"); /* the beat; it goes on */
    clock_skip(61000);
    assert_hears(fd, "event: expired\ndata: {}\n\n");
    while (dashboard_harness_hears(fd, text, sizeof text, "nothing of the kind"))
        ;
    assert_null(strstr(text, "event:")); /* the end, and nothing before it */
    close(fd);
    dashboard_harness_skip(&s, 30000); /* a clock may differ by so much */
    struct answer a = dashboard_harness_ask(&s, "GET", EVENTS, s.operator, NULL);
    assert_int_equal(a.status, 401);
    assert_non_null(strstr(a.body, "urn:elementor-sync:problem:expired"));
    dashboard_harness_close(&s);
}

static void only_operators_look_on(void **state)
{
    struct dashboard_harness s;
    (void)state;
    dashboard_harness_open(&s);
    dashboard_harness_start(&s);
    assert_int_equal(dashboard_harness_ask(&s, "GET", EVENTS, s.customer, NULL).status, 403);
    assert_int_equal(dashboard_harness_ask(&s, "GET", EVENTS, "", NULL).status, 401);
    dashboard_harness_close(&s);
}

/* One operator's pages leave room for another's. */
static void one_subject_has_a_share_of_streams(void **state)
{
    struct dashboard_harness s;
    int fds[SHARE];
    char other[1024];
    (void)state;
    dashboard_harness_open(&s);
    dashboard_harness_sign(other, sizeof other, "\"sub\":\"omar\",\"role\":\"service_role\"");
    dashboard_harness_start(&s);
    for (int i = 0; i < SHARE; i++)
        fds[i] = listening(&s);
    struct answer a = dashboard_harness_ask(&s, "GET", EVENTS, s.operator, NULL);
    assert_int_equal(a.status, 429);
    assert_string_equal(answer_header(&a, "Retry-After"), "30");
    close(listening_as(&s, other));
    for (int i = 0; i < SHARE; i++)
        close(fds[i]);
    dashboard_harness_close(&s);
}

static void streams_are_bounded(void **state)
{
    struct dashboard_harness s;
    int fds[STREAMS_MAX];
    char other[1024];
    struct answer a;
    (void)state;
    dashboard_harness_open(&s);
    dashboard_harness_start(&s);
    dashboard_harness_sign(other, sizeof other, "\"sub\":\"omar\",\"role\":\"service_role\"");
    for (int i = 0; i < STREAMS_MAX; i++)
        fds[i] = listening_as(&s, i < SHARE ? s.operator : other);
    for (int i = 0; i < 3; i++) {
        a = dashboard_harness_ask(&s, "GET", EVENTS, s.operator, NULL);
        assert_int_equal(a.status, 429);
        assert_non_null(strstr(a.body, "urn:elementor-sync:problem:too-many"));
    }
    assert_int_equal(dashboard_harness_ask(&s, "GET", "/api/v1/status", s.operator, NULL).status,
                     200);
    close(fds[0]);
    for (int i = 0;; i++) { /* its place is free as soon as its end is noticed */
        fds[0] = dashboard_harness_send(&s, "GET", EVENTS, s.operator, NULL);
        char text[4096];
        assert_true(dashboard_harness_hears(fds[0], text, sizeof text, "\r\n\r\n"));
        if (strstr(text, "HTTP/1.1 200 OK") != NULL)
            break;
        assert_true(i < 1000);
        close(fds[0]);
        dashboard_harness_outcome(&s, &(struct outcome){.order = "o1", .state = "delivered"});
        clock_skip(1000); /* to what is then written */
    }
    dashboard_harness_outcome(&s, &(struct outcome){.order = "last", .state = "delivered"});
    for (int i = 0; i < STREAMS_MAX; i++) {
        assert_hears(fds[i], "\"key\":\"last\"");
        close(fds[i]);
    }
    dashboard_harness_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changes_reach_every_stream),
        cmocka_unit_test(many_changes_are_one_event),
        cmocka_unit_test(orders_are_compressed_together),
        cmocka_unit_test(a_token_that_expires_ends_it),
        cmocka_unit_test(only_operators_look_on),
        cmocka_unit_test(one_subject_has_a_share_of_streams),
        cmocka_unit_test(streams_are_bounded),
    };
    return pipeline_harness_main("dashboard_stream", tests, sizeof tests / sizeof *tests);
}
