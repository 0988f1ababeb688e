/* web_test: the HTTP server: its bounds in time and size. */
#include "http/web_server.h"

#include "fakes/clock.h"
#include "sys/clock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum {
    TURNS = 20000,
    SOON = 100,
    WAIT_MS = 5,
    CONNECTIONS = 8,
    REQUEST_MS = 1000,
    ANSWER_MS = 2000
};

struct site {
    struct loop *loop;
    struct web *web;
    int port, requests, gone;
    bool streams;          /* what is asked for is a stream */
    struct web_request *x; /* the last one, while it is there */
};

static void asked(void *context, struct web_request *x)
{
    static const char big[WEB_BODY_MAX]; /* zeros */
    struct site *site = context;
    site->requests++;
    site->x = x;
    if (web_request_is_ambiguous(x))
        web_request_reply(x, 400, NULL, (struct slice){0});
    else if (web_request_body_cut(x))
        web_request_reply(x, 413, NULL, (struct slice){0});
    else if (site->streams)
        web_request_stream(x, "text/event-stream");
    else
        web_request_reply_static(x, 200, "text/plain", (struct slice){big, sizeof big});
}

static void left(void *context, struct web_request *x)
{
    struct site *site = context;
    site->gone++;
    if (site->x == x)
        site->x = NULL;
}

static int open_with(void **state, const struct web_limits *limits)
{
    static struct site only;
    struct site *site = *state = &only;
    const struct web_callbacks callbacks = {asked, left, site};
    struct error err = {0};
    *site = (struct site){.loop = loop_new(&err)};
    site->web = web_new(site->loop, "127.0.0.1:0", "test", limits, &callbacks, &err);
    assert_non_null(site->web);
    site->port = web_port(site->web);
    return 0;
}

static int open_site(void **state)
{
    static const struct web_limits limits = {.connections = {CONNECTIONS, REQUEST_MS, ANSWER_MS, 8},
                                             .head_max = 32 * 1024,
                                             .body_max = WEB_BODY_MAX};
    return open_with(state, &limits);
}

static int open_default_site(void **state)
{
    return open_with(state, &web_limits_default);
}

static int close_site(void **state)
{
    struct site *site = *state;
    web_free(site->web);
    loop_free(site->loop);
    return 0;
}

static void turn(struct site *site)
{
    web_turn(site->web, clock_mono_ms());
    loop_wait(site->loop, WAIT_MS);
}

static int connected(const struct site *site)
{
    const struct sockaddr_in to = {.sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)site->port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), small = 4096;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    assert_int_equal(connect(fd, (const struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

static void say(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* Turns until the other end closes; returns the status before that, 0: none. */
static int status_at_end(struct site *site, int fd)
{
    char text[256 * 1024];
    size_t len = 0;
    for (int i = 0; i < TURNS; i++) {
        turn(site);
        ssize_t got = recv(fd, text + len, sizeof text - 1 - len, MSG_DONTWAIT);
        if (got > 0)
            len += (size_t)got;
        text[len] = '\0';
        if (got == 0 || (got < 0 && errno != EAGAIN)) {
            close(fd);
            return len > 12 ? atoi(text + 9) : 0;
        }
    }
    fail_msg("it does not end");
    return 0;
}

/* By our own limit, long before libmicrohttpd's (a minute without a byte). */
static void assert_cut_soon(struct site *site, int fd)
{
    char byte;
    for (int i = 0; recv(fd, &byte, 1, MSG_DONTWAIT) != 0; i++) {
        assert_true(i < SOON);
        turn(site);
    }
    close(fd);
}

static void turn_until(struct site *site, const int *count, int until)
{
    for (int i = 0; *count < until; i++) {
        assert_true(i < TURNS);
        turn(site);
    }
}

static void half_a_request_is_not_waited_for(void **state)
{
    struct site *site = *state;
    int idle = connected(site), head = connected(site), body = connected(site);
    say(head, "GET / HTTP/1.1\r\nHost: x\r\n");
    say(body, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf");
    for (int i = 0; i < 20; i++)
        turn(site);
    say(head, "X-Slow: 1\r\n"); /* each byte would begin libmicrohttpd's own limit again */
    say(body, "a");
    clock_skip(REQUEST_MS + 1);
    assert_cut_soon(site, head);
    assert_cut_soon(site, body);
    assert_cut_soon(site, idle);
    assert_int_equal(site->requests, 0);
}

static void a_silent_connection_has_ten_seconds(void **state)
{
    enum { BY_DEFAULT_MS = 10000 };
    struct site *site = *state;
    int fd = connected(site);
    for (int i = 0; i < 20; i++)
        turn(site);
    clock_skip(BY_DEFAULT_MS + 1);
    assert_cut_soon(site, fd);
}

static void an_answer_that_is_not_read_is_not_kept(void **state)
{
    struct site *site = *state;
    int fd = connected(site);
    for (int i = 0; i < 200; i++) /* many answers: more than the sockets hold */
        say(fd, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    turn_until(site, &site->requests, 1);
    int before;
    do { /* until it is stuck */
        before = site->requests;
        for (int i = 0; i < 20; i++)
            turn(site);
    } while (site->requests > before);
    assert_true(site->requests < 200);
    clock_skip(ANSWER_MS + 1);
    turn_until(site, &site->gone, site->requests);
    assert_int_equal(site->requests, before);
    close(fd);
}

static void a_stream_that_is_not_read_ends(void **state)
{
    enum { EVENT = 64 * 1024, EVENTS = 1000 };
    static char event[EVENT];
    struct site *site = *state;
    site->streams = true;
    memset(event, ':', sizeof event);
    int fd = connected(site), sent = 0;
    say(fd, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    turn_until(site, &site->requests, 1);
    while (sent < EVENTS && web_request_send(site->x, (struct slice){event, sizeof event})) {
        sent++;
        turn(site);
    }
    assert_in_range(sent, 1, EVENTS - 1);
    assert_false(web_request_send(site->x, (struct slice){event, 1})); /* for good */
    status_at_end(site, fd);
    turn_until(site, &site->gone, 1);
}

static void a_stream_is_not_cut_for_its_age(void **state)
{
    struct site *site = *state;
    char text[4096] = "";
    site->streams = true;
    int fd = connected(site);
    say(fd, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    turn_until(site, &site->requests, 1);
    clock_skip(ANSWER_MS * 100);
    for (int i = 0; i < 20; i++)
        turn(site);
    assert_non_null(site->x);
    assert_true(web_request_send(site->x, slice_of("event: late\n\n")));
    for (int i = 0, len = 0; strstr(text, "event: late") == NULL; i++) {
        assert_true(i < TURNS);
        turn(site);
        ssize_t got = recv(fd, text + len, sizeof text - 1 - (size_t)len, MSG_DONTWAIT);
        len += got > 0 ? (int)got : 0;
        text[len] = '\0';
    }
    close(fd);
    while (site->x != NULL) { /* seen when there is something to say */
        web_request_send(site->x, slice_of(":\n\n"));
        turn(site);
    }
}

static void ask_of_each(struct site *site, int fds[CONNECTIONS])
{
    for (int i = 0; i < CONNECTIONS; i++) {
        fds[i] = connected(site);
        say(fds[i], "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        turn_until(site, &site->requests, i + 1);
    }
}

/* All connections are idle: the oldest leaves, no other. */
static void a_new_connection_gets_in(void **state)
{
    struct site *site = *state;
    int fds[CONNECTIONS];
    ask_of_each(site, fds);
    int more = connected(site);
    say(more, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    turn_until(site, &site->requests, CONNECTIONS + 1);
    say(fds[1], "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    turn_until(site, &site->requests, CONNECTIONS + 2);
    (void)send(fds[0], "GET / HTTP/1.1\r\nHost: x\r\n\r\n", 27, MSG_NOSIGNAL);
    assert_int_equal(status_at_end(site, fds[0]), 200); /* to what it asked for before */
    assert_int_equal(site->requests, CONNECTIONS + 2);
    close(more);
    for (int i = 1; i < CONNECTIONS; i++)
        close(fds[i]);
}

/* Connections with a request at work are not cut: the new one leaves. */
static void connections_are_bounded(void **state)
{
    struct site *site = *state;
    int fds[CONNECTIONS];
    site->streams = true;
    ask_of_each(site, fds);
    for (int i = 0; i < 2 * CONNECTIONS; i++)
        assert_int_equal(status_at_end(site, connected(site)), 0);
    assert_int_equal(site->requests, CONNECTIONS);
    assert_int_equal(site->gone, 0);
    for (int i = 0; i < CONNECTIONS; i++)
        close(fds[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(half_a_request_is_not_waited_for, open_site, close_site),
        cmocka_unit_test_setup_teardown(a_silent_connection_has_ten_seconds, open_default_site,
                                        close_site),
        cmocka_unit_test_setup_teardown(an_answer_that_is_not_read_is_not_kept, open_site,
                                        close_site),
        cmocka_unit_test_setup_teardown(a_stream_that_is_not_read_ends, open_site, close_site),
        cmocka_unit_test_setup_teardown(a_stream_is_not_cut_for_its_age, open_site, close_site),
        cmocka_unit_test_setup_teardown(a_new_connection_gets_in, open_site, close_site),
        cmocka_unit_test_setup_teardown(connections_are_bounded, open_site, close_site),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
