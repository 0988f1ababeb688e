/* http_test: what may be started, what is sent, and what is made of every kind of answer. */
#include "unit/http/http_fixture.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

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
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nab\r\n", 0, "", true, -1,
     "Failure when receiving data from the peer"},
    {"truncated body", SERVER_ANSWER_CLOSE, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort", 0,
     "short", true, -1, "Transferred a partial file"},
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
     "the answer is not HTTP; a port for https:// would do so"},
    {"bad status line", SERVER_ANSWER_CLOSE, "HTTP/1.1 abc\r\n\r\n", 0, "", false, -1,
     "the answer is not HTTP; a port for https:// would do so"},
    {"reset", SERVER_RESET, NULL, 0, "", false, -1,
     "connection closed by the endpoint before an answer; a port for https:// would do so"},
    {"closed", SERVER_CLOSE, NULL, 0, "", false, -1,
     "connection closed by the endpoint before an answer; a port for https:// would do so"},
    {"Retry-After in seconds", SERVER_ANSWER,
     "HTTP/1.1 429 Slow\r\nRetry-After: 120\r\nContent-Length: 0\r\n\r\n", 429, "", false, 120000,
     ""},
    {"Retry-After now", SERVER_ANSWER,
     "HTTP/1.1 503 Busy\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n", 503, "", false, 0, ""},
    {"Retry-After in the past", SERVER_ANSWER,
     "HTTP/1.1 503 Busy\r\nRetry-After: Fri, 31 Dec 1999 23:59:59 GMT\r\nContent-Length: 0\r\n\r\n",
     503, "", false, 0, ""},
    {"Retry-After twice", SERVER_ANSWER,
     "HTTP/1.1 503 Busy\r\nRetry-After: 3\r\nRetry-After: 120\r\nRetry-After: soon\r\n"
     "Content-Length: 0\r\n\r\n",
     503, "", false, 120000, ""},
    {"Retry-After as a float", SERVER_ANSWER,
     "HTTP/1.1 429 Slow\r\nRetry-After: 2.493\r\nContent-Length: 0\r\n\r\n", 429, "", false, 3000,
     ""},
    {"Retry-After in milliseconds", SERVER_ANSWER,
     "HTTP/1.1 429 Slow\r\nRetry-After: 2\r\nretry-after-ms: 1250\r\nContent-Length: 0\r\n\r\n",
     429, "", false, 1250, ""},
    {"Retry-After in milliseconds, nonsense", SERVER_ANSWER,
     "HTTP/1.1 429 Slow\r\nretry-after-ms: 1s\r\nRetry-After: 2\r\nContent-Length: 0\r\n\r\n", 429,
     "", false, 2000, ""},
    {"the reset of a limit", SERVER_ANSWER,
     "HTTP/1.1 429 Slow\r\nX-RateLimit-Remaining: 0\r\nX-RateLimit-Reset: 1m30s\r\n"
     "Content-Length: 0\r\n\r\n",
     429, "", false, 90000, ""},
    {"the reset of a limit, Discord's", SERVER_ANSWER,
     "HTTP/1.1 429 Slow\r\nX-RateLimit-Reset: 1\r\nX-RateLimit-Reset-After: 0.75\r\n"
     "Content-Length: 0\r\n\r\n",
     429, "", false, 1000, ""},
    {"the reset of a limit behind Retry-After", SERVER_ANSWER,
     "HTTP/1.1 429 Slow\r\nRetry-After: 3\r\nX-RateLimit-Reset: 90\r\nContent-Length: 0\r\n\r\n",
     429, "", false, 3000, ""},
    {"the reset of a limit with some left", SERVER_ANSWER,
     "HTTP/1.1 429 Slow\r\nRateLimit-Remaining: 7\r\nRateLimit-Reset: 90\r\n"
     "Content-Length: 0\r\n\r\n",
     429, "", false, -1, ""},
    {"the reset of a limit of another failure", SERVER_ANSWER,
     "HTTP/1.1 500 Broken\r\nRateLimit-Reset: 90\r\nContent-Length: 0\r\n\r\n", 500, "", false, -1,
     ""},
    {"Retry-After nonsense", SERVER_ANSWER,
     "HTTP/1.1 503 Busy\r\nRetry-After: soon\r\nContent-Length: 0\r\n\r\n", 503, "", false, -1, ""},
    {"Retry-After huge", SERVER_ANSWER,
     "HTTP/1.1 503 Busy\r\nRetry-After: 9223372036854775807\r\nContent-Length: 0\r\n\r\n", 503, "",
     false, INT64_C(21600000), ""},
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
    for (size_t i = 0; i < sizeof answer_cases / sizeof *answer_cases; i++) {
        const struct answer_case *c = &answer_cases[i];
        const struct server_rule rules[] = {{NULL, c->action, c->text, 0}, {0}};
        struct fixture *f = serve(state, rules);
        struct answer got = post(f, &plain);
        check_answer(c, &got);
        assert_int_equal(server_request_count(f->server), 1); /* neither repeated nor redirected */
    }
}

/* A line of a header, or the first line, that does not end: no shortage of ours. */
static void oversized_headers_are_the_endpoints_fault(void **state)
{
    static const struct {
        enum server_action action;
        const char *text;
        int begun_status;
    } cases[] = {{SERVER_ENDLESS, "HTTP/1.1 200 OK\r\nX-Filler: ", 200},
                 {SERVER_ENDLESS, "HTTP/1.1 503 Busy\r\nX-Filler: ", 503},
                 {SERVER_REPEAT, "HTTP/1.1 200 OK ", 0},
                 {SERVER_REPEAT, "HTTP/1.1 100 Continue\r\nX-Filler: filler\r\n\r\n", 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct server_rule rules[] = {{NULL, cases[i].action, cases[i].text, 0}, {0}};
        struct fixture *f = serve(state, rules);
        struct answer got = post(f, &plain);
        assert_int_equal(got.status, 0);
        assert_int_equal(got.begun_status, cases[i].begun_status);
        assert_string_equal(got.failure, "the answer's headers are too large");
        assert_int_equal(got.kind, FAILURE_BAD_ANSWER);
    }
}

/* --- requests that may be started ------------------------------------------------------ */

static void refused_at_start(void **state)
{
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
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct http_endpoint endpoint = plain;
        endpoint.http_allowed = cases[i].http_allowed;
        struct answer answer = {0};
        struct error err = {0};
        const char *headers[] = {cases[i].header, NULL};
        assert_null(http_start(f->net.http, &endpoint, cases[i].method, cases[i].url, headers, "b",
                               1, note, &answer, &err));
        assert_int_not_equal(err.code, ERROR_NONE);
        assert_int_not_equal(err.code, ERROR_NO_MEMORY);
        assert_null(strstr(err.text, "secret"));
        assert_int_equal(http_turn(f->net.http), -1);
        assert_int_equal(answer.calls, 0);
    }
}

/* Handles are used again: nothing of one endpoint may reach the next. */
static void credentials_do_not_stay(void **state)
{
    struct fixture *f = serve(state, accepting);
    struct http_endpoint basic = plain, bearer = plain;
    basic.user = "ann";
    basic.password = "pw";
    bearer.token = "t0k3n";
    post(f, &basic);
    post(f, &plain);
    post(f, &bearer);
    post(f, &plain);
    assert_non_null(
        strstr(server_request(f->server, 0)->head, "Authorization: Basic YW5uOnB3\r\n"));
    assert_null(strstr(server_request(f->server, 1)->head, "Authorization"));
    assert_non_null(strstr(server_request(f->server, 2)->head, "Authorization: Bearer t0k3n\r\n"));
    assert_null(strstr(server_request(f->server, 3)->head, "Authorization"));
}

/* GET after POST on one handle, with headers. */
static void get_after_post(void **state)
{
    struct fixture *f = serve(state, accepting);
    post(f, &plain);
    char url[128];
    url_of(f->server, "/get?a=b", url, sizeof url);
    struct answer answer = {0};
    const char *headers[] = {"X-One: 1", "X-Two: 2", NULL};
    assert_non_null(
        http_start(f->net.http, &plain, "GET", url, headers, NULL, 0, note, &answer, NULL));
    assert_true(net_run(&f->net, &answer.calls, 1));
    const char *head = server_request(f->server, 1)->head;
    assert_int_equal(strncmp(head, "GET /get?a=b HTTP/1.1\r\n", 23), 0);
    assert_non_null(strstr(head, "\r\nX-One: 1\r\nX-Two: 2\r\n"));
    assert_null(strstr(head, "Content-"));
    assert_string_equal(server_request(f->server, 1)->body, "");
}

/* A proxy from the environment would see the secret URL. */
static void proxies_are_not_used(void **state)
{
    struct fixture *f = serve(state, accepting);
    setenv("http_proxy", "http://127.0.0.1:1", 1);
    setenv("all_proxy", "http://127.0.0.1:1", 1);
    assert_int_equal(post(f, &plain).status, 200);
    unsetenv("http_proxy");
    unsetenv("all_proxy");
}

/* From a mebibyte on libcurl would ask first and wait for an answer that few endpoints give. */
static void a_large_body_is_sent_at_once(void **state)
{
    enum { LARGE = 1200 * 1024 };
    struct fixture *f = serve(state, accepting);
    char url[128], *body = malloc(LARGE);
    assert_non_null(body);
    memset(body, 'x', LARGE);
    url_of(f->server, "/", url, sizeof url);
    struct answer answer = {0};
    assert_non_null(
        http_start(f->net.http, &plain, "POST", url, NULL, body, LARGE, note, &answer, NULL));
    assert_true(net_run(&f->net, &answer.calls, 1));
    assert_int_equal(answer.status, 200);
    assert_null(strcasestr(server_request(f->server, 0)->head, "Expect"));
    assert_int_equal(strlen(server_request(f->server, 0)->body), LARGE);
    free(body);
}

/* A ~/.netrc never gives a password for the endpoint. */
static void netrc_is_not_read(void **state)
{
    struct fixture *f = serve(state, accepting);
    char home[] = "/tmp/netrc-XXXXXX", path[64];
    assert_non_null(mkdtemp(home));
    snprintf(path, sizeof path, "%s/.netrc", home);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs("default login somebody password c4nary\n", file);
    assert_int_equal(fclose(file), 0);
    setenv("HOME", home, 1);
    assert_int_equal(post(f, &plain).status, 200);
    assert_null(strcasestr(server_request(f->server, 0)->head, "Authorization"));
    unlink(path);
    rmdir(home);
}

/* OpenSSL writes to sockets that are closed, without MSG_NOSIGNAL. */
static void a_closed_socket_ends_no_process(void **state)
{
    struct net net;
    (void)state;
    signal(SIGPIPE, SIG_DFL);
    net_open(&net);
    raise(SIGPIPE);
    net_close(&net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HTTP_TEST(answers),
        HTTP_TEST(oversized_headers_are_the_endpoints_fault),
        HTTP_TEST(refused_at_start),
        HTTP_TEST(credentials_do_not_stay),
        HTTP_TEST(get_after_post),
        HTTP_TEST(proxies_are_not_used),
        HTTP_TEST(a_large_body_is_sent_at_once),
        HTTP_TEST(netrc_is_not_read),
        cmocka_unit_test(a_closed_socket_ends_no_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
