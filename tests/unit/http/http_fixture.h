/* http_fixture: requests to the scripted server, and their results; for http's tests. */
#ifndef UNIT_HTTP_FIXTURE_H
#define UNIT_HTTP_FIXTURE_H

#include "fakes/net.h"
#include "fakes/server.h"
#include "http/http_client.h"

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

/* A callback's result; texts copied. */
struct answer {
    int *count; /* answers that came in, over all requests */
    int calls;
    int status;
    int begun_status;
    enum response_failure kind;
    bool maybe_taken;
    bool body_cut;
    size_t body_len;
    char body[RESPONSE_MAX + 1];
    char failure[128];
    int64_t retry_after_ms;
};

static inline void note(void *context, const struct http_result *result)
{
    struct answer *answer = context;
    answer->calls++;
    answer->status = result->status;
    answer->begun_status = result->begun_status;
    answer->kind = result->kind;
    answer->maybe_taken = result->maybe_taken;
    answer->body_cut = result->body_cut;
    answer->body_len = result->body_len;
    answer->retry_after_ms = result->retry_after_ms;
    assert_int_equal(strlen(result->body), result->body_len);
    snprintf(answer->body, sizeof answer->body, "%s", result->body);
    snprintf(answer->failure, sizeof answer->failure, "%s", result->failure);
    if (answer->count != NULL)
        ++*answer->count;
}

static inline void url_of(const struct server *server, const char *path, char *ret_url, size_t size)
{
    snprintf(ret_url, size, "http://127.0.0.1:%d%s", server_port(server), path);
}

/* A loop with HTTP on it, and a server; a test's state. */
struct fixture {
    struct net net;
    struct server *server; /* NULL: none yet */
};

static const struct server_rule accepting[] = {{NULL, SERVER_ANSWER, OK_ANSWER, 0}, {0}};

static inline int fixture_open(void **state)
{
    static struct fixture f;
    f = (struct fixture){.server = NULL};
    net_open(&f.net);
    *state = &f;
    return 0;
}

/* Ends what is in flight; once. */
static inline void fixture_close_net(struct fixture *f)
{
    if (f->net.loop != NULL)
        net_close(&f->net);
    f->net.loop = NULL;
}

static inline int fixture_close(void **state)
{
    struct fixture *f = *state;
    fixture_close_net(f);
    if (f->server != NULL)
        server_free(f->server);
    return 0;
}

#define HTTP_TEST(test) cmocka_unit_test_setup_teardown(test, fixture_open, fixture_close)

/* A server that listens, in place of an earlier one. */
static inline struct fixture *serve(void **state, const struct server_rule *rules)
{
    struct fixture *f = *state;
    if (f->server != NULL)
        server_free(f->server);
    f->server = server_new(rules);
    server_listen(f->server);
    return f;
}

static inline struct http_request *start(struct fixture *f, const struct http_endpoint *endpoint,
                                         const char *path, struct answer *answer)
{
    char url[128];
    url_of(f->server, path, url, sizeof url);
    struct http_request *request =
        http_start(f->net.http, endpoint, "POST", url, NULL, "body", 4, note, answer, NULL);
    assert_non_null(request);
    assert_int_equal(answer->calls, 0); /* never from within http_start */
    return request;
}

/* One POST, awaited. */
static inline struct answer post(struct fixture *f, const struct http_endpoint *endpoint)
{
    struct answer answer = {0};
    start(f, endpoint, "/secret-path", &answer);
    assert_true(net_run(&f->net, &answer.calls, 1));
    return answer;
}

#endif
