/* response_socket: each line of the response classes, answered on a real socket. */
#include "http/response_class.h"
#include "unit/http/http_fixture.h"

/* The result of one POST to a server that does so. */
static struct answer post_to(void **state, enum server_action action, const char *text,
                             int64_t timeout_ms)
{
    const struct server_rule rules[] = {{NULL, action, text, 0}, {0}};
    struct fixture *f = serve(state, rules);
    struct http_endpoint endpoint = plain;
    endpoint.timeout_ms = timeout_ms;
    struct answer seen = post(f, &endpoint);
    assert_int_equal(server_request_count(f->server), 1); /* neither repeated nor redirected */
    return seen;
}

static enum response_class class_of(const struct answer *seen)
{
    struct response_rules rules;
    response_rules_default(&rules);
    return response_classify(&rules, seen->status, seen->kind);
}

#define HEAD "HTTP/1.1 200 OK\r\n"

static const struct {
    int status;
    enum response_class class;
} statuses[] = {
    {200, RESPONSE_DELIVERED}, {201, RESPONSE_DELIVERED}, {202, RESPONSE_DELIVERED},
    {204, RESPONSE_DELIVERED}, {299, RESPONSE_DELIVERED}, {408, RESPONSE_TRANSIENT},
    {425, RESPONSE_TRANSIENT}, {429, RESPONSE_TRANSIENT}, {500, RESPONSE_TRANSIENT},
    {502, RESPONSE_TRANSIENT}, {503, RESPONSE_TRANSIENT}, {504, RESPONSE_TRANSIENT},
    {507, RESPONSE_TRANSIENT}, {599, RESPONSE_TRANSIENT}, {400, RESPONSE_REFUSED},
    {413, RESPONSE_REFUSED},   {415, RESPONSE_REFUSED},   {422, RESPONSE_REFUSED},
    {402, RESPONSE_REFUSED},   {405, RESPONSE_REFUSED},   {409, RESPONSE_REFUSED},
    {418, RESPONSE_REFUSED},   {451, RESPONSE_REFUSED},   {499, RESPONSE_REFUSED},
    {401, RESPONSE_ENDPOINT},  {403, RESPONSE_ENDPOINT},  {404, RESPONSE_ENDPOINT},
    {410, RESPONSE_ENDPOINT},  {501, RESPONSE_ENDPOINT},  {505, RESPONSE_ENDPOINT},
    {300, RESPONSE_ENDPOINT},  {301, RESPONSE_ENDPOINT},  {302, RESPONSE_ENDPOINT},
    {303, RESPONSE_ENDPOINT},  {304, RESPONSE_ENDPOINT},  {307, RESPONSE_ENDPOINT},
    {308, RESPONSE_ENDPOINT},  {600, RESPONSE_ENDPOINT},  {999, RESPONSE_ENDPOINT},
};

static void each_status(void **state)
{
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
        char text[160];
        snprintf(text, sizeof text,
                 "HTTP/1.1 %d Word\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n",
                 statuses[i].status);
        struct answer seen = post_to(state, SERVER_ANSWER, text, TIMEOUT_MS);
        if (seen.status != statuses[i].status || class_of(&seen) != statuses[i].class)
            fail_msg("%d: seen as %d, %s", statuses[i].status, seen.status,
                     response_class_names[class_of(&seen)]);
    }
}

/* Without a status nothing is known of the record; a status is an answer, even if the rest fails.
 */
static const struct {
    const char *name;
    enum server_action action;
    const char *text;
    int64_t timeout_ms;
    int begun_status; /* the answer's, where it broke off behind it */
    enum response_failure kind;
    bool maybe_taken;
} failures[] = {
    {"reset", SERVER_RESET, NULL, TIMEOUT_MS, 0, FAILURE_CLOSED, true},
    {"closed", SERVER_CLOSE, NULL, TIMEOUT_MS, 0, FAILURE_CLOSED, true},
    {"never answered", SERVER_HANG, NULL, 150, 0, FAILURE_TIMEOUT, true},
    {"half a status line", SERVER_ANSWER_CLOSE, "HTTP/1.1 2", TIMEOUT_MS, 0, FAILURE_CLOSED, true},
    {"a status line now and then", SERVER_DRIP, HEAD, 150, 0, FAILURE_TIMEOUT, true},
    {"a 1xx and no more", SERVER_ANSWER_CLOSE, "HTTP/1.1 103 Early Hints\r\n\r\n", TIMEOUT_MS, 0,
     FAILURE_CLOSED, true},
    {"a slow body", SERVER_DRIP, HEAD "Content-Length: 9\r\n\r\nok", 1500, 200, FAILURE_TIMEOUT,
     false},
    {"a slow body of a refusal", SERVER_DRIP, "HTTP/1.1 422 No\r\nContent-Length: 9\r\n\r\nno",
     1500, 422, FAILURE_TIMEOUT, false},
    {"truncated", SERVER_ANSWER_CLOSE, HEAD "Content-Length: 9\r\n\r\nshort", TIMEOUT_MS, 200,
     FAILURE_CLOSED, false},
    {"truncated 503", SERVER_ANSWER_CLOSE, "HTTP/1.1 503 Busy\r\nContent-Length: 9\r\n\r\nshort",
     TIMEOUT_MS, 503, FAILURE_CLOSED, false},
    {"an unended chunk", SERVER_ANSWER_CLOSE,
     HEAD "Transfer-Encoding: chunked\r\n\r\n10\r\n{\"success\":true}\r\n", TIMEOUT_MS, 200,
     FAILURE_CLOSED, false},
    {"headers cut off", SERVER_ANSWER_CLOSE, HEAD "Content-Len", TIMEOUT_MS, -1, FAILURE_NONE,
     false},
    {"bad chunk", SERVER_ANSWER, HEAD "Transfer-Encoding: chunked\r\n\r\nzz\r\nab\r\n", TIMEOUT_MS,
     200, FAILURE_CLOSED, false},
    {"chunk of an absurd length", SERVER_ANSWER,
     HEAD "Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\nab\r\n", TIMEOUT_MS, 200,
     FAILURE_CLOSED, false},
    {"1xx for ever", SERVER_REPEAT, "HTTP/1.1 100 Continue\r\n\r\n", TIMEOUT_MS, 0,
     FAILURE_BAD_ANSWER, false},
    {"headers for ever", SERVER_REPEAT, HEAD "X-Filler: 0123456789\r\n", TIMEOUT_MS, 200,
     FAILURE_BAD_ANSWER, false},
    {"no status line", SERVER_ANSWER_CLOSE, "hello\r\n\r\n", TIMEOUT_MS, 0, FAILURE_BAD_ANSWER,
     false},
    {"a length that is none", SERVER_ANSWER_CLOSE, HEAD "Content-Length: -5\r\n\r\n", TIMEOUT_MS,
     200, FAILURE_BAD_ANSWER, false},
};

static void each_way_to_fail(void **state)
{
    for (size_t i = 0; i < sizeof failures / sizeof *failures; i++) {
        struct answer seen =
            post_to(state, failures[i].action, failures[i].text, failures[i].timeout_ms);
        bool whole = failures[i].begun_status < 0; /* closing is how it ends */
        int begun_status = whole ? 0 : failures[i].begun_status;
        if (seen.status != (whole ? 200 : 0) || seen.begun_status != begun_status ||
            seen.kind != failures[i].kind || seen.maybe_taken != failures[i].maybe_taken)
            fail_msg("%s: status %d, begun %d, kind %d, %s", failures[i].name, seen.status,
                     seen.begun_status, (int)seen.kind,
                     seen.maybe_taken ? "maybe taken" : "not taken");
    }
}

/* A body that claims to be compressed is not unpacked: a bomb is its few bytes. */
static void a_compressed_body_is_not_unpacked(void **state)
{
    struct answer seen =
        post_to(state, SERVER_ANSWER,
                HEAD "Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8bxx", TIMEOUT_MS);
    assert_int_equal(seen.status, 200);
    assert_int_equal(seen.kind, FAILURE_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HTTP_TEST(each_status),
        HTTP_TEST(each_way_to_fail),
        HTTP_TEST(a_compressed_body_is_not_unpacked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
