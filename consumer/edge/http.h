/* http: libcurl's multi interface on the loop, shared by registry and webhook.
 *
 * multi_socket with lazy interest. Every trap of libcurl that concerns both users is handled here:
 * no redirects, http/https only, NOSIGNAL, no netrc, no Expect, response bytes capped, the silent
 * second POST on a reused connection turned into an error (PREREQFUNCTION returns ABORT on its
 * second call within one attempt), TIMEOUT that cannot include queueing (callers cap what is in
 * flight). */
#ifndef EDGE_HTTP_H
#define EDGE_HTTP_H

#include "core/error.h"
#include "core/outcome.h"
#include "edge/loop.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct http; /* the multi handle */

struct http *http_new(struct loop *loop, struct error *err);
void http_free(struct http *http); /* ends what is in flight without calling back; accepts NULL */

/* How an endpoint is reached; texts borrowed for the endpoint's life. */
struct http_endpoint {
    const char *ca_file;                 /* NULL: the system's */
    const char *user, *password, *token; /* NULL: none; token = bearer */
    int64_t timeout_ms;                  /* one attempt, connecting included */
    size_t response_max;                 /* bytes kept and read of a response's body */
    bool http_allowed;                   /* else https only */
    long connections_max;                /* kept open to this host */
};

struct http_result {
    int status;       /* HTTP status, or 0: no answer */
    const char *body; /* borrowed during the callback; NUL-terminated */
    size_t body_len;
    bool body_cut;             /* the response was longer than response_max */
    const char *failure;       /* "" or libcurl's words for what went wrong; never holds the URL */
    enum outcome_failure kind; /* of it, when there was no answer */
    int64_t retry_after_ms;    /* Retry-After as a delay, -1: none that can be read */
};
typedef void http_done(void *context, const struct http_result *result);

struct http_request;

/* Whether libcurl can read the URL and its scheme is https (or http, if allowed). The error never
 * repeats the URL. */
bool http_url_check(const char *url, bool http_allowed, struct error *err) must_check;

/* Starts a request; `done` is called exactly once, later, from http_turn (never from within here).
 * method "GET" or "POST"; headers is a NULL-terminated list of "Name: value" (copied); the body is
 * borrowed until done. NULL without memory or with an unusable URL. */
struct http_request *http_start(struct http *http, const struct http_endpoint *endpoint,
                                const char *method, const char *url, const char *const *headers,
                                const char *body, size_t body_len, http_done *done, void *context,
                                struct error *err);

/* Ends a request without calling `done`; not to be used on a request whose `done` was called. */
void http_cancel(struct http_request *request);

/* Runs libcurl's timers and calls back what is complete; call once per turn of the loop, after
 * whatever starts requests and just before loop_wait. Returns ms until it wants to be called again,
 * or -1. */
int64_t http_turn(struct http *http);

#endif
