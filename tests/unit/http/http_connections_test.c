/* http_connections_test: connections that are kept, lost, late or many; requests that are ended. */
#include "unit/http/http_fixture.h"

#include <curl/curl.h>

/* --- connections ----------------------------------------------------------------------- */

static void keep_alive_is_used(void **state)
{
    (void)state;
    struct server *server =
        server_new((const struct server_rule[]){{NULL, SERVER_ANSWER, OK_ANSWER, 0}, {0}});
    struct net net;
    net_open(&net);
    server_listen(server);
    for (int i = 0; i < 5; i++)
        assert_int_equal(post(&net, server, &plain).status, 200);
    assert_int_equal(server_request_count(server), 5);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(server_request(server, i)->connection, 0);
        assert_string_equal(server_request(server, i)->body, "body");
        assert_null(strstr(server_request(server, i)->head, "Expect"));
        assert_null(strstr(server_request(server, i)->head, "Accept-Encoding"));
    }
    net_close(&net);
    server_free(server);
}

/* libcurl would POST again by itself, and the receiver would have the order twice. */
static void no_silent_second_post(void **state)
{
    (void)state;
    static const enum server_action ways[] = {SERVER_CLOSE, SERVER_RESET};
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        struct server *server =
            server_new((const struct server_rule[]){{NULL, SERVER_ANSWER, OK_ANSWER, 1},
                                                    {NULL, ways[i], NULL, 1},
                                                    {NULL, SERVER_ANSWER, OK_ANSWER, 0},
                                                    {0}});
        struct net net;
        net_open(&net);
        server_listen(server);
        assert_int_equal(post(&net, server, &plain).status, 200);
        struct answer dead = post(&net, server, &plain);
        assert_int_equal(dead.status, 0);
        assert_int_equal(server_request_count(server), 2);
        assert_int_equal(server_request(server, 1)->connection,
                         0); /* reused, or it proves nothing */
        if (ways[i] == SERVER_CLOSE)
            assert_string_equal(dead.failure, "connection closed by the endpoint before an answer");
        assert_int_equal(dead.begun_status, 0); /* the answer before it is none to this request */
        assert_false(dead.maybe_taken);         /* it was idle, most likely */
        assert_int_equal(post(&net, server, &plain).status, 200);
        assert_int_equal(server_request_count(server), 3);
        net_close(&net);
        server_free(server);
    }
}

/* A connection that the server closes while it is idle must neither spin the loop nor cost an
 * attempt. */
static void idle_connection_closed(void **state)
{
    (void)state;
    struct server *server = server_new((const struct server_rule[]){
        {NULL, SERVER_ANSWER_CLOSE, OK_ANSWER, 1}, {NULL, SERVER_ANSWER, OK_ANSWER, 0}, {0}});
    struct net net;
    net_open(&net);
    server_listen(server);
    assert_int_equal(post(&net, server, &plain).status, 200);
    int wake_ups = 0;
    while (loop_wait(net.loop, 50) > 0)
        assert_true(++wake_ups < 5);
    assert_int_equal(post(&net, server, &plain).status, 200);
    assert_int_equal(server_request_count(server), 2);
    net_close(&net);
    server_free(server);
}

static void refused_then_reachable(void **state)
{
    (void)state;
    struct server *server =
        server_new((const struct server_rule[]){{NULL, SERVER_ANSWER, OK_ANSWER, 0}, {0}});
    struct net net;
    net_open(&net);
    struct answer refused = post(&net, server, &plain);
    assert_int_equal(refused.status, 0);
    assert_string_equal(refused.failure, curl_easy_strerror(CURLE_COULDNT_CONNECT));
    server_listen(server);
    assert_int_equal(post(&net, server, &plain).status, 200);
    net_close(&net);
    server_free(server);
}

static void time_limit(void **state)
{
    (void)state;
    static const enum server_action ways[] = {SERVER_HANG, SERVER_DRIP};
    struct http_endpoint impatient = plain;
    impatient.timeout_ms = 150;
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        struct server *server =
            server_new((const struct server_rule[]){{NULL, ways[i], OK_ANSWER, 0}, {0}});
        struct net net;
        net_open(&net);
        server_listen(server);
        struct answer late = post(&net, server, &impatient);
        assert_int_equal(late.status, 0);
        assert_string_equal(late.failure, "sent, and not answered within the time limit");
        net_close(&net);
        server_free(server);
    }
}

/* Behind a byte of an answer the request was seen, on whichever connection. */
static void a_used_connection_that_closes_within_an_answer(void **state)
{
    (void)state;
    struct server *server = server_new((const struct server_rule[]){
        {NULL, SERVER_ANSWER, OK_ANSWER, 1},
        {NULL, SERVER_ANSWER_CLOSE, "HTTP/1.1 103 Early Hints\r\n\r\n", 1},
        {0}});
    struct net net;
    net_open(&net);
    server_listen(server);
    assert_int_equal(post(&net, server, &plain).status, 200);
    struct answer dead = post(&net, server, &plain);
    assert_int_equal(server_request(server, 1)->connection, 0);
    assert_int_equal(dead.status + dead.begun_status, 0);
    assert_true(dead.maybe_taken);
    net_close(&net);
    server_free(server);
}

/* Nothing is sent before there is a connection: that is no unknown result. */
static void a_limit_that_ends_connecting(void **state)
{
    (void)state;
    struct server *deaf =
        server_new((const struct server_rule[]){{0}}); /* no TLS is spoken there */
    struct net net;
    char url[128];
    struct http_endpoint impatient = plain;
    struct answer late = {0};
    impatient.timeout_ms = 150;
    net_open(&net);
    server_listen(deaf);
    snprintf(url, sizeof url, "https://127.0.0.1:%d/", server_port(deaf));
    assert_non_null(
        http_start(net.http, &impatient, "POST", url, NULL, "body", 4, note, &late, NULL));
    assert_true(net_run(&net, &late.calls, 1));
    assert_int_equal(late.status, 0);
    assert_int_equal(late.kind, FAILURE_TIMEOUT);
    assert_false(late.maybe_taken);
    net_close(&net);
    server_free(deaf);
}

static void slow_but_complete(void **state)
{
    (void)state;
    struct server *server = server_new((const struct server_rule[]){
        {NULL, SERVER_DRIP, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", 0}, {0}});
    struct net net;
    net_open(&net);
    server_listen(server);
    struct answer slow = post(&net, server, &plain);
    assert_int_equal(slow.status, 200);
    assert_string_equal(slow.body, "x");
    net_close(&net);
    server_free(server);
}

/* --- many at once ---------------------------------------------------------------------- */

static void many_at_once(void **state)
{
    (void)state;
    enum { MANY = 64 };
    struct server *server =
        server_new((const struct server_rule[]){{NULL, SERVER_HOLD, OK_ANSWER, 0}, {0}});
    struct net net;
    net_open(&net);
    server_listen(server);
    int count = 0;
    static struct answer answers_of[MANY];
    memset(answers_of, 0, sizeof answers_of);
    for (int i = 0; i < MANY; i++) {
        answers_of[i].count = &count;
        start(&net, server, &plain, "/", &answers_of[i]);
    }
    assert_true(net_await_requests(&net, server, MANY));
    assert_int_equal(count, 0);
    server_release(server);
    assert_true(net_run(&net, &count, MANY));
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(answers_of[i].calls, 1);
        assert_int_equal(answers_of[i].status, 200);
    }
    for (int i = 0; i < MANY; i++) { /* and again, on the connections that are there */
        answers_of[i] = (struct answer){.count = &count};
        start(&net, server, &plain, "/", &answers_of[i]);
    }
    assert_true(net_run(&net, &count, 2 * MANY));
    for (size_t i = 0; i < 2 * MANY; i++)
        assert_true(server_request(server, i)->connection < MANY);
    net_close(&net);
    server_free(server);
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
    (void)state;
    struct server *server =
        server_new((const struct server_rule[]){{NULL, SERVER_ANSWER, OK_ANSWER, 0}, {0}});
    struct net net;
    net_open(&net);
    server_listen(server);
    char url[128];
    url_of(server, "/", url, sizeof url);
    struct chain chain = {.net = &net, .url = url, .left = 20};
    assert_non_null(
        http_start(net.http, &plain, "POST", url, NULL, "body", 4, next_of_chain, &chain, NULL));
    assert_true(net_run(&net, &chain.count, 21));
    assert_int_equal(server_request_count(server), 21);
    net_close(&net);
    server_free(server);
}

/* --- ending ---------------------------------------------------------------------------- */

static void cancelled_is_not_called_back(void **state)
{
    (void)state;
    struct server *server = server_new((const struct server_rule[]){
        {"/held", SERVER_HOLD, OK_ANSWER, 0}, {NULL, SERVER_ANSWER, OK_ANSWER, 0}, {0}});
    struct net net;
    net_open(&net);
    server_listen(server);
    struct answer cancelled = {0}, unsent = {0};
    struct http_request *request = start(&net, server, &plain, "/held", &cancelled);
    assert_true(net_await_requests(&net, server, 1));
    http_cancel(request);
    http_cancel(start(&net, server, &plain, "/unsent", &unsent));
    server_release(server);
    assert_int_equal(post(&net, server, &plain).status, 200);
    assert_int_equal(cancelled.calls, 0);
    assert_int_equal(unsent.calls, 0);
    assert_int_equal(server_request_count(server), 2);
    net_close(&net);
    server_free(server);
}

static void freed_in_flight(void **state)
{
    (void)state;
    struct server *server =
        server_new((const struct server_rule[]){{NULL, SERVER_HANG, NULL, 0}, {0}});
    struct net net;
    net_open(&net);
    server_listen(server);
    struct answer flying[3] = {0};
    for (size_t i = 0; i < 3; i++)
        start(&net, server, &plain, "/", &flying[i]);
    assert_true(net_await_requests(&net, server, 3));
    struct answer unsent = {0};
    start(&net, server, &plain, "/", &unsent);
    net_close(&net);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(flying[i].calls, 0);
    assert_int_equal(unsent.calls, 0);
    server_free(server);
}

/* The resolver's sockets are libcurl's own, closed without a word. With a request in flight on the
 * number below, the next connection gets such a socket's number. */
static void names_are_resolved(void **state)
{
    (void)state;
    struct server *server = server_new((const struct server_rule[]){
        {"/held", SERVER_HOLD, OK_ANSWER, 1},
        {NULL, SERVER_ANSWER_CLOSE, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", 0},
        {0}});
    struct net net;
    net_open(&net);
    server_listen(server);
    struct answer held = {0};
    start(&net, server, &plain, "/held", &held);
    assert_true(net_await_requests(&net, server, 1));
    for (int i = 0; i < 3; i++) {
        struct answer unknown = {0};
        char url[128];
        snprintf(url, sizeof url, "http://no-such-host-%d.invalid:%d/", i, server_port(server));
        assert_non_null(
            http_start(net.http, &plain, "GET", url, NULL, NULL, 0, note, &unknown, NULL));
        assert_true(net_run(&net, &unknown.calls, 1));
        assert_int_equal(unknown.status, 0);
        assert_null(strstr(unknown.failure, "no-such-host"));
        assert_int_equal(post(&net, server, &plain).status, 200);
    }
    server_release(server);
    assert_true(net_run(&net, &held.calls, 1));
    assert_int_equal(held.status, 200);
    net_close(&net);
    server_free(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keep_alive_is_used),
        cmocka_unit_test(no_silent_second_post),
        cmocka_unit_test(idle_connection_closed),
        cmocka_unit_test(refused_then_reachable),
        cmocka_unit_test(time_limit),
        cmocka_unit_test(a_used_connection_that_closes_within_an_answer),
        cmocka_unit_test(a_limit_that_ends_connecting),
        cmocka_unit_test(slow_but_complete),
        cmocka_unit_test(many_at_once),
        cmocka_unit_test(callback_starts_another),
        cmocka_unit_test(cancelled_is_not_called_back),
        cmocka_unit_test(freed_in_flight),
        cmocka_unit_test(names_are_resolved),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
