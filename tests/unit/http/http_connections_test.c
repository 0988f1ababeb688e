/* http_connections_test: connections that are kept, lost, late or many; requests that are ended. */
#include "unit/http/http_fixture.h"

#include <curl/curl.h>

/* --- connections ----------------------------------------------------------------------- */

static void keep_alive_is_used(void **state)
{
    struct fixture *f = serve(state, accepting);
    for (int i = 0; i < 5; i++)
        assert_int_equal(post(f, &plain).status, 200);
    assert_int_equal(server_request_count(f->server), 5);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(server_request(f->server, i)->connection, 0);
        assert_string_equal(server_request(f->server, i)->body, "body");
        assert_null(strstr(server_request(f->server, i)->head, "Expect"));
        assert_null(strstr(server_request(f->server, i)->head, "Accept-Encoding"));
    }
}

/* libcurl would POST again by itself, and the receiver would have the order twice. */
static void no_silent_second_post(void **state)
{
    static const enum server_action ways[] = {SERVER_CLOSE, SERVER_RESET};
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        const struct server_rule rules[] = {{NULL, SERVER_ANSWER, OK_ANSWER, 1},
                                            {NULL, ways[i], NULL, 1},
                                            {NULL, SERVER_ANSWER, OK_ANSWER, 0},
                                            {0}};
        struct fixture *f = serve(state, rules);
        assert_int_equal(post(f, &plain).status, 200);
        struct answer dead = post(f, &plain);
        assert_int_equal(dead.status, 0);
        assert_int_equal(server_request_count(f->server), 2);
        assert_int_equal(server_request(f->server, 1)->connection,
                         0); /* reused, or it proves nothing */
        if (ways[i] == SERVER_CLOSE)
            assert_string_equal(dead.failure, "connection closed by the endpoint before an answer");
        assert_int_equal(dead.begun_status, 0); /* the answer before it is none to this request */
        assert_false(dead.maybe_taken);         /* it was idle, most likely */
        assert_int_equal(post(f, &plain).status, 200);
        assert_int_equal(server_request_count(f->server), 3);
    }
}

/* A connection that the server closes while it is idle must neither spin the loop nor cost an
 * attempt. */
static void idle_connection_closed(void **state)
{
    const struct server_rule rules[] = {
        {NULL, SERVER_ANSWER_CLOSE, OK_ANSWER, 1}, {NULL, SERVER_ANSWER, OK_ANSWER, 0}, {0}};
    struct fixture *f = serve(state, rules);
    assert_int_equal(post(f, &plain).status, 200);
    int wake_ups = 0;
    while (loop_wait(f->net.loop, 50) > 0)
        assert_true(++wake_ups < 5);
    assert_int_equal(post(f, &plain).status, 200);
    assert_int_equal(server_request_count(f->server), 2);
}

static void refused_then_reachable(void **state)
{
    struct fixture *f = *state;
    f->server = server_new(accepting); /* its port is known, and nothing listens yet */
    struct answer refused = post(f, &plain);
    assert_int_equal(refused.status, 0);
    assert_string_equal(refused.failure,
                        "connection refused: nothing listens on that port of the host");
    server_listen(f->server);
    assert_int_equal(post(f, &plain).status, 200);
}

static void time_limit(void **state)
{
    static const enum server_action ways[] = {SERVER_HANG, SERVER_DRIP};
    struct http_endpoint impatient = plain;
    impatient.timeout_ms = 150;
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        const struct server_rule rules[] = {{NULL, ways[i], OK_ANSWER, 0}, {0}};
        struct answer late = post(serve(state, rules), &impatient);
        assert_int_equal(late.status, 0);
        assert_string_equal(late.failure, "sent, and not answered within the time limit");
    }
}

/* Behind a byte of an answer the request was seen, on whichever connection. */
static void a_used_connection_that_closes_within_an_answer(void **state)
{
    const struct server_rule rules[] = {
        {NULL, SERVER_ANSWER, OK_ANSWER, 1},
        {NULL, SERVER_ANSWER_CLOSE, "HTTP/1.1 103 Early Hints\r\n\r\n", 1},
        {0}};
    struct fixture *f = serve(state, rules);
    assert_int_equal(post(f, &plain).status, 200);
    struct answer dead = post(f, &plain);
    assert_int_equal(server_request(f->server, 1)->connection, 0);
    assert_int_equal(dead.status + dead.begun_status, 0);
    assert_true(dead.maybe_taken);
}

/* Nothing is sent before there is a connection: that is no unknown result. */
static void a_limit_that_ends_connecting(void **state)
{
    const struct server_rule rules[] = {{0}}; /* no TLS is spoken there */
    struct fixture *f = serve(state, rules);
    char url[128];
    struct http_endpoint impatient = plain;
    struct answer late = {0};
    impatient.timeout_ms = 150;
    snprintf(url, sizeof url, "https://127.0.0.1:%d/", server_port(f->server));
    assert_non_null(
        http_start(f->net.http, &impatient, "POST", url, NULL, "body", 4, note, &late, NULL));
    assert_true(net_run(&f->net, &late.calls, 1));
    assert_int_equal(late.status, 0);
    assert_int_equal(late.kind, FAILURE_TIMEOUT);
    assert_false(late.maybe_taken);
}

static void slow_but_complete(void **state)
{
    const struct server_rule rules[] = {
        {NULL, SERVER_DRIP, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", 0}, {0}};
    struct fixture *f = serve(state, rules);
    struct answer slow = post(f, &plain);
    assert_int_equal(slow.status, 200);
    assert_string_equal(slow.body, "x");
}

/* --- many at once ---------------------------------------------------------------------- */

static void many_at_once(void **state)
{
    enum { MANY = 64 };
    const struct server_rule rules[] = {{NULL, SERVER_HOLD, OK_ANSWER, 0}, {0}};
    struct fixture *f = serve(state, rules);
    int count = 0;
    static struct answer answers_of[MANY];
    memset(answers_of, 0, sizeof answers_of);
    for (int i = 0; i < MANY; i++) {
        answers_of[i].count = &count;
        start(f, &plain, "/", &answers_of[i]);
    }
    assert_true(net_await_requests(&f->net, f->server, MANY));
    assert_int_equal(count, 0);
    server_release(f->server);
    assert_true(net_run(&f->net, &count, MANY));
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(answers_of[i].calls, 1);
        assert_int_equal(answers_of[i].status, 200);
    }
    for (int i = 0; i < MANY; i++) { /* and again, on the connections that are there */
        answers_of[i] = (struct answer){.count = &count};
        start(f, &plain, "/", &answers_of[i]);
    }
    assert_true(net_run(&f->net, &count, 2 * MANY));
    for (size_t i = 0; i < 2 * MANY; i++)
        assert_true(server_request(f->server, i)->connection < MANY);
}

/* A callback that starts the next request, as the pipeline does. */
struct chain {
    struct net *net;
    const char *url;
    int left, count;
};

static void next_of_chain(void *context, const struct http_result *result)
{
    struct chain *chain = context;
    assert_int_equal(result->status, 200);
    chain->count++;
    if (chain->left-- > 0)
        assert_non_null(http_start(chain->net->http, &plain, "POST", chain->url, NULL, "body", 4,
                                   next_of_chain, chain, NULL));
    assert_string_equal(result->body, "ok"); /* still ours, whatever was started */
}

static void callback_starts_another(void **state)
{
    struct fixture *f = serve(state, accepting);
    char url[128];
    url_of(f->server, "/", url, sizeof url);
    struct chain chain = {.net = &f->net, .url = url, .left = 20};
    assert_non_null(
        http_start(f->net.http, &plain, "POST", url, NULL, "body", 4, next_of_chain, &chain, NULL));
    assert_true(net_run(&f->net, &chain.count, 21));
    assert_int_equal(server_request_count(f->server), 21);
}

/* --- ending ---------------------------------------------------------------------------- */

static void cancelled_is_not_called_back(void **state)
{
    const struct server_rule rules[] = {
        {"/held", SERVER_HOLD, OK_ANSWER, 0}, {NULL, SERVER_ANSWER, OK_ANSWER, 0}, {0}};
    struct fixture *f = serve(state, rules);
    struct answer cancelled = {0}, unsent = {0};
    struct http_request *request = start(f, &plain, "/held", &cancelled);
    assert_true(net_await_requests(&f->net, f->server, 1));
    http_cancel(request);
    http_cancel(start(f, &plain, "/unsent", &unsent));
    server_release(f->server);
    assert_int_equal(post(f, &plain).status, 200);
    assert_int_equal(cancelled.calls, 0);
    assert_int_equal(unsent.calls, 0);
    assert_int_equal(server_request_count(f->server), 2);
}

static void freed_in_flight(void **state)
{
    const struct server_rule rules[] = {{NULL, SERVER_HANG, NULL, 0}, {0}};
    struct fixture *f = serve(state, rules);
    struct answer flying[3] = {0};
    for (size_t i = 0; i < 3; i++)
        start(f, &plain, "/", &flying[i]);
    assert_true(net_await_requests(&f->net, f->server, 3));
    struct answer unsent = {0};
    start(f, &plain, "/", &unsent);
    fixture_close_net(f);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(flying[i].calls, 0);
    assert_int_equal(unsent.calls, 0);
}

/* The resolver's sockets are libcurl's own, closed without a word. With a request in flight on the
 * number below, the next connection gets such a socket's number. */
static void names_are_resolved(void **state)
{
    const struct server_rule rules[] = {
        {"/held", SERVER_HOLD, OK_ANSWER, 1},
        {NULL, SERVER_ANSWER_CLOSE, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", 0},
        {0}};
    struct fixture *f = serve(state, rules);
    struct answer held = {0};
    start(f, &plain, "/held", &held);
    assert_true(net_await_requests(&f->net, f->server, 1));
    for (int i = 0; i < 3; i++) {
        struct answer unknown = {0};
        char url[128];
        snprintf(url, sizeof url, "http://no-such-host-%d.invalid:%d/", i, server_port(f->server));
        assert_non_null(
            http_start(f->net.http, &plain, "GET", url, NULL, NULL, 0, note, &unknown, NULL));
        assert_true(net_run(&f->net, &unknown.calls, 1));
        assert_int_equal(unknown.status, 0);
        assert_null(strstr(unknown.failure, "no-such-host"));
        assert_int_equal(post(f, &plain).status, 200);
    }
    server_release(f->server);
    assert_true(net_run(&f->net, &held.calls, 1));
    assert_int_equal(held.status, 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HTTP_TEST(keep_alive_is_used),
        HTTP_TEST(no_silent_second_post),
        HTTP_TEST(idle_connection_closed),
        HTTP_TEST(refused_then_reachable),
        HTTP_TEST(time_limit),
        HTTP_TEST(a_used_connection_that_closes_within_an_answer),
        HTTP_TEST(a_limit_that_ends_connecting),
        HTTP_TEST(slow_but_complete),
        HTTP_TEST(many_at_once),
        HTTP_TEST(callback_starts_another),
        HTTP_TEST(cancelled_is_not_called_back),
        HTTP_TEST(freed_in_flight),
        HTTP_TEST(names_are_resolved),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
