/* http_test: libcurl's traps, each against a scripted server on loopback. */
#include "edge/http.h"
#include "fakes/net.h"
#include "fakes/server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define OK_ANSWER "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

enum { RESPONSE_MAX = 64, TIMEOUT_MS = 10000 };

static const struct http_endpoint plain = {
    .timeout_ms = TIMEOUT_MS,
    .response_max = RESPONSE_MAX,
    .http_allowed = true,
    .connections_max = 64,
};

/* What a callback saw; texts copied. */
struct answer {
    int *count; /* answers that came in, over all requests */
    int calls;
    int status;
    bool body_cut;
    size_t body_len;
    char body[RESPONSE_MAX + 1];
    char failure[128];
    int64_t retry_after_ms;
};

static void note(void *context, const struct http_result *result)
{
    struct answer *answer = context;
    answer->calls++;
    answer->status = result->status;
    answer->body_cut = result->body_cut;
    answer->body_len = result->body_len;
    answer->retry_after_ms = result->retry_after_ms;
    assert_int_equal(strlen(result->body), result->body_len);
    snprintf(answer->body, sizeof answer->body, "%s", result->body);
    snprintf(answer->failure, sizeof answer->failure, "%s", result->failure);
    if (answer->count != NULL)
        ++*answer->count;
}

static void url_of(const struct server *server, const char *path, char *ret_url, size_t size)
{
    snprintf(ret_url, size, "http://127.0.0.1:%d%s", server_port(server), path);
}

static struct http_request *start(struct net *net, const struct server *server,
                                  const struct http_endpoint *endpoint, const char *path,
                                  struct answer *answer)
{
    char url[128];
    url_of(server, path, url, sizeof url);
    struct http_request *request =
        http_start(net->http, endpoint, "POST", url, NULL, "body", 4, note, answer, NULL);
    assert_non_null(request);
    assert_int_equal(answer->calls, 0); /* never from within http_start */
    return request;
}

/* One POST, awaited. */
static struct answer post(struct net *net, const struct server *server,
                          const struct http_endpoint *endpoint)
{
    struct answer answer = {0};
    start(net, server, endpoint, "/secret-path", &answer);
    assert_true(net_run(net, &answer.calls, 1));
    return answer;
}

/* Turns until the server has received `count` requests. */
static void await_requests(struct net *net, struct server *server, size_t count)
{
    for (int turns = 0; server_request_count(server) < count; turns++) {
        assert_true(turns < 2000);
        http_turn(net->http);
        loop_wait(net->loop, 10);
    }
}

/* --- one answer each ------------------------------------------------------------------- */

struct answer_case {
    const char *name;
    enum server_action action;
    const char *text;
    int status;
    const char *body;
    bool cut;
    int64_t retry_after_ms;
    const char *failure; /* "" for an answer */
};

static const struct answer_case answer_cases[] = {
    {"200", SERVER_ANSWER, OK_ANSWER, 200, "ok", false, -1, ""},
    {"204", SERVER_ANSWER, "HTTP/1.1 204 No Content\r\n\r\n", 204, "", false, -1, ""},
    {"1xx, then 200", SERVER_ANSWER,
     "HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n" OK_ANSWER, 200,
     "ok", false, -1, ""},
    {"body until close", SERVER_ANSWER_CLOSE, "HTTP/1.1 200 OK\r\n\r\nall of it", 200, "all of it",
     false, -1, ""},
    {"chunked", SERVER_ANSWER,
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n", 200,
     "abc", false, -1, ""},
    {"bad chunk", SERVER_ANSWER,
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nab\r\n", 0, "", false, -1,
     "Failure when receiving data from the peer"},
    {"truncated body", SERVER_ANSWER_CLOSE, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort", 0,
     "", false, -1, "Transferred a partial file"},
    {"endless body", SERVER_REPEAT, "HTTP/1.1 200 OK\r\n\r\n0123456789", 200, NULL, true, -1, ""},
    {"body of the largest size", SERVER_ANSWER,
     "HTTP/1.1 200 OK\r\nContent-Length: 64\r\n\r\n"
     "0123456789012345678901234567890123456789012345678901234567890123",
     200, "0123456789012345678901234567890123456789012345678901234567890123", false, -1, ""},
    {"one byte more", SERVER_ANSWER,
     "HTTP/1.1 500 Oops\r\nContent-Length: 65\r\n\r\n"
     "01234567890123456789012345678901234567890123456789012345678901234",
     500, "0123456789012345678901234567890123456789012345678901234567890123", true, -1, ""},
    {"endless headers", SERVER_REPEAT, "HTTP/1.1 100 Continue\r\nX-Filler: filler\r\n\r\n", 0, "",
     false, -1, "the answer's headers are too large"},
    {"redirect", SERVER_ANSWER,
     "HTTP/1.1 307 Moved\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n", 307, "", false, -1,
     ""},
    {"not HTTP", SERVER_ANSWER_CLOSE, "220 mail.example.com ESMTP\r\n", 0, "", false, -1,
     "the answer is not HTTP"},
    {"bad status line", SERVER_ANSWER_CLOSE, "HTTP/1.1 abc\r\n\r\n", 0, "", false, -1,
     "the answer is not HTTP"},
    {"reset", SERVER_RESET, NULL, 0, "", false, -1, "Failure when receiving data from the peer"},
    {"closed", SERVER_CLOSE, NULL, 0, "", false, -1,
     "Server returned nothing (no headers, no data)"},
    {"Retry-After in seconds", SERVER_ANSWER,
     "HTTP/1.1 429 Slow\r\nRetry-After: 120\r\nContent-Length: 0\r\n\r\n", 429, "", false, 120000,
     ""},
    {"Retry-After now", SERVER_ANSWER,
     "HTTP/1.1 503 Busy\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n", 503, "", false, 0, ""},
    {"Retry-After in the past", SERVER_ANSWER,
     "HTTP/1.1 503 Busy\r\nRetry-After: Fri, 31 Dec 1999 23:59:59 GMT\r\nContent-Length: 0\r\n\r\n",
     503, "", false, 0, ""},
    {"Retry-After nonsense", SERVER_ANSWER,
     "HTTP/1.1 503 Busy\r\nRetry-After: soon\r\nContent-Length: 0\r\n\r\n", 503, "", false, -1, ""},
    {"Retry-After huge", SERVER_ANSWER,
     "HTTP/1.1 503 Busy\r\nRetry-After: 9223372036854775807\r\nContent-Length: 0\r\n\r\n", 503, "",
     false, INT64_C(2147483647000), ""},
};

static void check_answer(const struct answer_case *c, const struct answer *got)
{
    bool ok = got->calls == 1 && got->status == c->status && got->body_cut == c->cut &&
              got->retry_after_ms == c->retry_after_ms && strcmp(got->failure, c->failure) == 0 &&
              (c->body != NULL ? strcmp(got->body, c->body) == 0 : got->body_len == RESPONSE_MAX);
    if (!ok)
        fail_msg("%s: status %d, body \"%s\"%s, retry after %lld, failure \"%s\"", c->name,
                 got->status, got->body, got->body_cut ? " (cut)" : "",
                 (long long)got->retry_after_ms, got->failure);
}

static void answers(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof answer_cases / sizeof *answer_cases; i++) {
        const struct answer_case *c = &answer_cases[i];
        struct server *server =
            server_new((const struct server_rule[]){{NULL, c->action, c->text, 0}, {0}});
        struct net net;
        net_open(&net);
        server_listen(server);
        struct answer got = post(&net, server, &plain);
        check_answer(c, &got);
        assert_int_equal(server_request_count(server), 1); /* neither repeated nor redirected */
        net_close(&net);
        server_free(server);
    }
}

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
    assert_string_equal(refused.failure, "Couldn't connect to server");
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
        assert_string_equal(late.failure, "Timeout was reached");
        net_close(&net);
        server_free(server);
    }
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
    await_requests(&net, server, MANY);
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
    await_requests(&net, server, 1);
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
    await_requests(&net, server, 3);
    struct answer unsent = {0};
    start(&net, server, &plain, "/", &unsent);
    net_close(&net);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(flying[i].calls, 0);
    assert_int_equal(unsent.calls, 0);
    server_free(server);
}

/* --- what may be started --------------------------------------------------------------- */

static void refused_at_start(void **state)
{
    (void)state;
    static const struct {
        const char *method, *url, *header;
        bool http_allowed;
    } cases[] = {
        {"POST", "http://127.0.0.1:1/secret", "A: b", false},
        {"POST", "ftp://127.0.0.1/secret", "A: b", true},
        {"POST", "file:///secret", "A: b", true},
        {"POST", "secret", "A: b", true},
        {"POST", "", "A: b", true},
        {"PUT", "http://127.0.0.1:1/secret", "A: b", true},
        {"POST", "http://127.0.0.1:1/secret", "A: b\r\nC: d", true},
        {"POST", "http://127.0.0.1:1/secret", "A", true},
    };
    struct net net;
    net_open(&net);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct http_endpoint endpoint = plain;
        endpoint.http_allowed = cases[i].http_allowed;
        struct answer answer = {0};
        struct error err = {0};
        const char *headers[] = {cases[i].header, NULL};
        assert_null(http_start(net.http, &endpoint, cases[i].method, cases[i].url, headers, "b", 1,
                               note, &answer, &err));
        assert_int_not_equal(err.code, ERROR_NONE);
        assert_int_not_equal(err.code, ERROR_NO_MEMORY);
        assert_null(strstr(err.text, "secret"));
        assert_int_equal(http_turn(net.http), -1);
        assert_int_equal(answer.calls, 0);
    }
    net_close(&net);
}

/* Handles are used again: nothing of one endpoint may reach the next. */
static void credentials_do_not_stay(void **state)
{
    (void)state;
    struct server *server =
        server_new((const struct server_rule[]){{NULL, SERVER_ANSWER, OK_ANSWER, 0}, {0}});
    struct net net;
    net_open(&net);
    server_listen(server);
    struct http_endpoint basic = plain, bearer = plain;
    basic.user = "ann";
    basic.password = "pw";
    bearer.token = "t0k3n";
    post(&net, server, &basic);
    post(&net, server, &plain);
    post(&net, server, &bearer);
    post(&net, server, &plain);
    assert_non_null(strstr(server_request(server, 0)->head, "Authorization: Basic YW5uOnB3\r\n"));
    assert_null(strstr(server_request(server, 1)->head, "Authorization"));
    assert_non_null(strstr(server_request(server, 2)->head, "Authorization: Bearer t0k3n\r\n"));
    assert_null(strstr(server_request(server, 3)->head, "Authorization"));
    net_close(&net);
    server_free(server);
}

/* GET after POST on one handle, with headers. */
static void get_after_post(void **state)
{
    (void)state;
    struct server *server =
        server_new((const struct server_rule[]){{NULL, SERVER_ANSWER, OK_ANSWER, 0}, {0}});
    struct net net;
    net_open(&net);
    server_listen(server);
    post(&net, server, &plain);
    char url[128];
    url_of(server, "/get?a=b", url, sizeof url);
    struct answer answer = {0};
    const char *headers[] = {"X-One: 1", "X-Two: 2", NULL};
    assert_non_null(
        http_start(net.http, &plain, "GET", url, headers, NULL, 0, note, &answer, NULL));
    assert_true(net_run(&net, &answer.calls, 1));
    const char *head = server_request(server, 1)->head;
    assert_int_equal(strncmp(head, "GET /get?a=b HTTP/1.1\r\n", 23), 0);
    assert_non_null(strstr(head, "\r\nX-One: 1\r\nX-Two: 2\r\n"));
    assert_null(strstr(head, "Content-"));
    assert_string_equal(server_request(server, 1)->body, "");
    net_close(&net);
    server_free(server);
}

/* A proxy from the environment would see the secret URL. */
static void proxies_are_not_used(void **state)
{
    (void)state;
    struct server *server =
        server_new((const struct server_rule[]){{NULL, SERVER_ANSWER, OK_ANSWER, 0}, {0}});
    struct net net;
    setenv("http_proxy", "http://127.0.0.1:1", 1);
    setenv("all_proxy", "http://127.0.0.1:1", 1);
    net_open(&net);
    server_listen(server);
    assert_int_equal(post(&net, server, &plain).status, 200);
    unsetenv("http_proxy");
    unsetenv("all_proxy");
    net_close(&net);
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
    await_requests(&net, server, 1);
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
        cmocka_unit_test(answers),
        cmocka_unit_test(keep_alive_is_used),
        cmocka_unit_test(no_silent_second_post),
        cmocka_unit_test(idle_connection_closed),
        cmocka_unit_test(refused_then_reachable),
        cmocka_unit_test(time_limit),
        cmocka_unit_test(slow_but_complete),
        cmocka_unit_test(many_at_once),
        cmocka_unit_test(callback_starts_another),
        cmocka_unit_test(cancelled_is_not_called_back),
        cmocka_unit_test(freed_in_flight),
        cmocka_unit_test(refused_at_start),
        cmocka_unit_test(credentials_do_not_stay),
        cmocka_unit_test(get_after_post),
        cmocka_unit_test(proxies_are_not_used),
        cmocka_unit_test(names_are_resolved),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
