/* http_client: libcurl's multi interface on the loop, shared by registry and webhook.
 *
 * multi_socket with lazy interest. Every trap of libcurl that concerns both users is handled here:
 * no redirects, http/https only, NOSIGNAL, no netrc, no Expect, response bytes capped, the silent
 * second POST on a reused connection turned into an error (PREREQFUNCTION returns ABORT on its
 * second call within one attempt).
 *
 * Time limits are kept here, not by libcurl, which checks the clock before its sockets: after a
 * standstill (a paused machine, a stopped process, a blocked loop) it would report every answer
 * that has arrived meanwhile as a time-out. Here only time counts in which the loop turns, and the
 * sockets are read before a request is ended. Time in a queue does not count: callers limit the
 * number of requests in flight. */
#ifndef HTTP_HTTP_CLIENT_H
#define HTTP_HTTP_CLIENT_H

#include "base/error.h"
#include "http/response_class.h"
#include "http/tls/client_identity.h"
#include "sys/loop.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct http; /* the multi handle */

struct http *http_new(struct loop *loop, struct error *err);
void http_free(struct http *http); /* ends requests without calling back; accepts NULL */

/* In the order of the options' words. */
enum http_tls_min { HTTP_TLS_1_2, HTTP_TLS_1_3 };
enum http_ip { HTTP_IP_ANY, HTTP_IP_4, HTTP_IP_6 };

/* An endpoint's address and options; texts and identity borrowed for the endpoint's life. */
struct http_endpoint {
    const char *ca_file;                 /* NULL: the system's */
    const char *user, *password, *token; /* NULL: none; token = bearer */
    /* "http://host:port", by CONNECT; NULL: none. The environment's *_proxy never count. */
    const char *proxy;
    const char *proxy_user, *proxy_password; /* NULL: none */
    const struct client_identity *identity;  /* NULL: none */
    enum http_tls_min tls_min;
    enum http_ip ip;      /* of the endpoint, or of the proxy before it */
    int64_t timeout_ms;   /* one attempt, connecting included */
    size_t response_max;  /* bytes kept and read of a response's body */
    bool http_allowed;    /* else https only */
    long connections_max; /* kept open to this host */
};

struct http_result {
    int status; /* HTTP status of a whole answer, or 0: none */
    /* The status of an answer that was cut off (a short body, an endless chunk, a reset, the time
     * limit); 0: none. It proves that the request was received; its body is not complete. */
    int begun_status;
    const char *body; /* borrowed during the callback; NUL-terminated; of a begun answer, too */
    size_t body_len;
    bool body_cut;              /* not all of the body is here */
    const char *failure;        /* "" or the cause in words; never holds the URL. Borrowed, too */
    enum response_failure kind; /* of the failure, when there was no whole answer */
    /* Sent, and no status came back: the endpoint may have processed it. False where a connection
     * that had been used before closed without a byte: nearly always it was closed for being idle.
     */
    bool maybe_taken;
    bool has_retry_after;
    int64_t retry_after_ms; /* Retry-After as a delay; -1: none, or invalid */
    const char *redirect;   /* target of a 3xx as libcurl reads it; NULL: none */
    bool has_captcha;       /* of a 2xx: a bot check answered it (SG-Captcha, cf-mitigated) */
    const struct http_request *request; /* for http_result_header; NULL: no request made it */
};

/* A header of the answer, the first of this name; NULL: none. Borrowed as the body is. */
const char *http_result_header(const struct http_result *result, const char *name);

typedef void http_done(void *context, const struct http_result *result);

struct http_request;

/* True: libcurl accepts the URL, and its scheme is https (or http, if allowed). The error never
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

/* Runs libcurl's timers, calls back for complete requests, and ends those past their time limit.
 * Call it once per turn of the loop, after the code that starts requests and just before loop_wait.
 * Returns ms until the next call is due (at most a second while a request is under way), or
 * -1. */
int64_t http_turn(struct http *http);

#endif
