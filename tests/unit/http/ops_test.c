/* ops_test: the port for machines, by plain bytes. */
#include "http/ops_server.h"

#include "http/connections.h"
#include "sys/clock.h"
#include "sys/listen.h"
#include "sys/log.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { PATIENCE_MS = 10000, LOOK_MS = 5, TEXT_MAX = 8192 };

struct here {
    struct loop *loop;
    struct ops *ops;
    bool live, ready;
    int scrapes;
};

static void metrics(void *context, struct buf *b)
{
    struct here *h = context;
    buf_addf(b, "scrapes %d\n", ++h->scrapes);
}

static bool live(void *context, const char **ret_why)
{
    const struct here *h = context;
    *ret_why = "dying\n";
    return h->live;
}

static bool ready(void *context, const char **ret_why)
{
    const struct here *h = context;
    *ret_why = "not yet\n";
    return h->ready;
}

static int open_here(void **state)
{
    static struct here here;
    struct here *h = *state = &here;
    struct error err = {0};
    const struct ops_source source = {h, metrics, live, ready};
    *h = (struct here){.live = true};
    log_setup(LOG_WARN, false);
    h->loop = loop_new(&err);
    h->ops = ops_new(h->loop, "127.0.0.1:0", &source, &err);
    if (h->ops == NULL)
        fail_msg("%s", err.text);
    return 0;
}

static int close_here(void **state)
{
    struct here *h = *state;
    ops_free(h->ops);
    loop_free(h->loop);
    return 0;
}

static int dial(const struct here *h)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)ops_port(h->ops)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

static void turn(struct here *h)
{
    int64_t wait_ms = ops_turn(h->ops);
    loop_wait(h->loop, wait_ms < 0 || wait_ms > LOOK_MS ? LOOK_MS : wait_ms);
}

/* All bytes until the far side closes. */
static void read_all(struct here *h, int fd, char *text)
{
    int64_t deadline_ms = clock_mono_ms() + PATIENCE_MS;
    size_t len = 0;
    for (;;) {
        turn(h);
        ssize_t got = recv(fd, text + len, TEXT_MAX - 1 - len, MSG_DONTWAIT);
        if (got == 0 || (got < 0 && errno != EAGAIN))
            break;
        len += got > 0 ? (size_t)got : 0;
        if (clock_mono_ms() > deadline_ms)
            fail_msg("no end of the answer: %.*s", (int)len, text);
    }
    text[len] = '\0';
    close(fd);
}

static void ask(struct here *h, const char *request, char *text)
{
    int fd = dial(h);
    assert_int_equal(send(fd, request, strlen(request), 0), strlen(request));
    read_all(h, fd, text);
}

#define GET(path) "GET " path " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

static void assert_begins(const char *text, const char *beginning)
{
    if (strncmp(text, beginning, strlen(beginning)) != 0)
        fail_msg("not \"%s\" but \"%s\"", beginning, text);
}

static void metrics_are_text(void **state)
{
    struct here *h = *state;
    char text[TEXT_MAX];
    ask(h, GET("/metrics"), text);
    assert_begins(text, "HTTP/1.1 200 ");
    assert_non_null(strstr(text, "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
    assert_non_null(strstr(text, "\r\n\r\nscrapes 1\n"));
    ask(h, GET("/metrics?ignored=1"), text);
    assert_non_null(strstr(text, "scrapes 2\n"));
}

static void states_have_their_http_status(void **state)
{
    struct here *h = *state;
    char text[TEXT_MAX];
    ask(h, GET("/livez"), text);
    assert_begins(text, "HTTP/1.1 200 ");
    ask(h, GET("/readyz"), text);
    assert_begins(text, "HTTP/1.1 503 ");
    assert_non_null(strstr(text, "not yet"));
    h->ready = true;
    h->live = false;
    ask(h, GET("/readyz"), text);
    assert_begins(text, "HTTP/1.1 200 ");
    ask(h, GET("/livez"), text);
    assert_begins(text, "HTTP/1.1 503 ");
}

static void nothing_else_is_served(void **state)
{
    static const struct {
        const char *request, *answer;
    } asked[] = {
        {GET("/"), "HTTP/1.1 404 "},
        {GET("/../etc/passwd"), "HTTP/1.1 404 "},
        {GET("/metrics/"), "HTTP/1.1 404 "},
        {"HEAD /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "HTTP/1.1 200 "},
        {"DELETE /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "HTTP/1.1 405 "},
        {"POST /livez HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc",
         "HTTP/1.1 405 "},
        {"nonsense\r\n\r\n", ""},
    };
    struct here *h = *state;
    char text[TEXT_MAX];
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
        ask(h, asked[i].request, text);
        assert_begins(text, asked[i].answer);
        assert_null(strstr(text, "scrapes"));
    }
}

/* A silent connection is kept until another needs the room. */
static void connections_are_bounded(void **state)
{
    enum { IDLERS = 40 };
    struct here *h = *state;
    char text[TEXT_MAX];
    int idle[IDLERS];
    for (int i = 0; i < IDLERS; i++) {
        idle[i] = dial(h);
        turn(h);
    }
    for (int i = 0; i < IDLERS; i++)
        close(idle[i]);
    ask(h, GET("/livez"), text);
    assert_begins(text, "HTTP/1.1 200 ");
}

/* A dripping request is kept no longer than a silent connection, and neither keeps a probe from its
 * answer. */
static void drips_keep_no_probe_waiting(void **state)
{
    enum { DRIPS = 100, ROUNDS = 5 };
    static const char head[] = "GET /livez HTTP/1.1\r\nX: ";
    struct here *h = *state;
    char text[TEXT_MAX];
    int drips[DRIPS];
    for (int i = 0; i < DRIPS; i++) {
        drips[i] = dial(h);
        send(drips[i], head, sizeof head - 1, MSG_NOSIGNAL);
        if (i % 3 == 0)
            turn(h);
    }
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < DRIPS; i++)
            send(drips[i], "x", 1, MSG_NOSIGNAL);
        ask(h, GET("/livez"), text);
        assert_begins(text, "HTTP/1.1 200 ");
        ask(h, GET("/metrics"), text);
        assert_begins(text, "HTTP/1.1 200 ");
    }
    for (int i = 0; i < DRIPS; i++)
        close(drips[i]);
}

/* True: the far side has closed. */
static bool is_closed(int fd)
{
    char byte;
    ssize_t got = recv(fd, &byte, 1, MSG_DONTWAIT);
    return got == 0 || (got < 0 && errno != EAGAIN);
}

/* Connections of one address, as they come and go. */
static void the_one_with_most_makes_room(void **state)
{
    struct connections all = {.limits = {OPS_CONNECTIONS_MAX, OPS_REQUEST_MS, 0, 16}};
    const struct sockaddr_in many = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(1)};
    const struct sockaddr_in prober = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(2)};
    struct connection *places[OPS_CONNECTIONS_MAX + 1];
    int pair[OPS_CONNECTIONS_MAX + 1][2];
    (void)state;
    for (int i = 0; i <= OPS_CONNECTIONS_MAX; i++)
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair[i]), 0);
    for (int i = 0; i < OPS_CONNECTIONS_MAX; i++) /* the prober's is the oldest */
        places[i] = connections_add(&all, pair[i][0],
                                    (const struct sockaddr *)(i == 0 ? &prober : &many), i);
    connections_set(&all, places[3], CONNECTION_LEAVING, 99); /* its time goes on */
    connections_answered(places[1], 100);                     /* 2 is the oldest of the many now */
    places[OPS_CONNECTIONS_MAX] =
        connections_add(&all, pair[OPS_CONNECTIONS_MAX][0], (const struct sockaddr *)&many, 200);
    for (int i = 0; i < OPS_CONNECTIONS_MAX; i++)
        assert_int_equal(is_closed(pair[i][1]), i == 2);
    connections_remove(&all, places[2]);
    assert_int_equal(all.open, OPS_CONNECTIONS_MAX);
    assert_int_equal(connections_turn(&all, OPS_REQUEST_MS - 1), 1);
    assert_int_equal(connections_turn(&all, OPS_REQUEST_MS + 50), 50);
    for (int i = 0; i <= OPS_CONNECTIONS_MAX; i++) { /* all but those of 100 and 200 ms */
        assert_int_equal(is_closed(pair[i][1]), i != 1 && i != OPS_CONNECTIONS_MAX);
        close(pair[i][0]);
        close(pair[i][1]);
    }
    assert_int_equal(connections_turn(&all, OPS_REQUEST_MS + 200), -1);
    for (int i = 0; i <= OPS_CONNECTIONS_MAX; i++)
        if (i != 2)
            connections_remove(&all, places[i]);
    assert_int_equal(all.open, 0);
}

static void endless_headers_are_cut(void **state)
{
    static const char line[] =
        "X-Filler: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n";
    struct here *h = *state;
    char text[TEXT_MAX];
    int fd = dial(h);
    assert_true(send(fd, "GET /metrics HTTP/1.1\r\n", 23, 0) > 0);
    for (int i = 0; i < 1000 && send(fd, line, sizeof line - 1, MSG_NOSIGNAL) > 0; i++)
        turn(h);
    read_all(h, fd, text);
    assert_int_equal(h->scrapes, 0);
}

static void addresses(void **state)
{
    static const char *const bad[] = {"",         "9464",          "127.0.0.1",       "127.0.0.1:",
                                      "::1:80",   "127.0.0.1:x1",  "127.0.0.1:99999", "[::1]",
                                      "host:1:2", "no such host:1"};
    static const char *const good[] = {"127.0.0.1:0", "localhost:0", ":0", "0.0.0.0:0"};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct error err = {0};
        int fd = listen_open(bad[i], "ops.listen", &err);
        if (fd >= 0)
            fail_msg("\"%s\" was taken", bad[i]);
        assert_int_equal(err.code, ERROR_CONFIG);
        assert_begins(err.text, "ops.listen: ");
    }
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct error err = {0};
        int fd = listen_open(good[i], "ops.listen", &err);
        if (fd < 0)
            fail_msg("%s", err.text);
        assert_true(listen_port(fd) > 0);
        close(fd);
    }
}

static void a_port_in_use_is_reported(void **state)
{
    struct error err = {0};
    char address[32];
    (void)state;
    int first = listen_open("127.0.0.1:0", "ops.listen", &err);
    snprintf(address, sizeof address, "127.0.0.1:%d", listen_port(first));
    assert_int_equal(listen_open(address, "ops.listen", &err), -1);
    assert_non_null(strstr(err.text, "in use"));
    close(first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(metrics_are_text, open_here, close_here),
        cmocka_unit_test_setup_teardown(states_have_their_http_status, open_here, close_here),
        cmocka_unit_test_setup_teardown(nothing_else_is_served, open_here, close_here),
        cmocka_unit_test_setup_teardown(connections_are_bounded, open_here, close_here),
        cmocka_unit_test_setup_teardown(drips_keep_no_probe_waiting, open_here, close_here),
        cmocka_unit_test(the_one_with_most_makes_room),
        cmocka_unit_test_setup_teardown(endless_headers_are_cut, open_here, close_here),
        cmocka_unit_test(addresses),
        cmocka_unit_test(a_port_in_use_is_reported),
    };
    return cmocka_run_group_tests_name("ops", tests, NULL, NULL);
}
