/* http_client_internal: one request on one easy handle (request.c, request_network.c,
 * request_result.c), for http_client.c alone.
 *
 *   new ─▶ prepare ─▶ (in flight) ─▶ result ─▶ prepare ─▶ …
 *
 * A handle is used again and again: making or resetting one is costly. */
#ifndef HTTP_HTTP_CLIENT_INTERNAL_H
#define HTTP_HTTP_CLIENT_INTERNAL_H

#include "base/buf.h"
#include "http/http_client.h"
#include "http/tls/handshake.h"

#include <curl/curl.h>
#include <sys/queue.h>

enum { HTTP_HEADERS_MAX = 16, HTTP_FAILURE_MAX = 384 };

/* The options that a request's handle has, so that only those that differ are set again. */
struct held_options {
    char *url, *ca_file, *user, *password, *token; /* of each text, NULL: libcurl's default */
    char *proxy, *proxy_user, *proxy_password;
    uint64_t identity; /* client_identity.number; 0: none */
    enum http_tls_min tls_min;
    enum http_ip ip;
    bool url_http_allowed; /* the URL was checked under this rule */
    CURLU *parts;          /* of the URL: libcurl would parse it again for each request */
};

struct http_request {
    struct http *http;
    LIST_ENTRY(http_request) link; /* in flight or idle */
    CURL *easy;

    struct held_options held;
    struct curl_slist headers[HTTP_HEADERS_MAX + 1]; /* points into header_text; + "Expect:" */
    struct buf header_text;
    bool is_post;

    int64_t limit_ms;    /* its time limit, in the time of http_client.c */
    unsigned sends;      /* times libcurl began to send this attempt */
    size_t header_bytes; /* of the answer, 1xx and trailers included */
    struct buf body;     /* of the answer */
    bool body_cut, headers_cut;
    struct handshake handshake;       /* of the connection that it opened, if any */
    char curl_error[CURL_ERROR_SIZE]; /* libcurl's; may hold parts of the URL */
    char failure[HTTP_FAILURE_MAX];   /* room for the result's */

    http_done *done;
    void *context;
};

LIST_HEAD(http_requests, http_request);

/* NULL without memory. The caller sets the options of its loop (sockets) on ->easy. */
struct http_request *http_request_new(struct http *http);
void http_request_free(struct http_request *request); /* not in flight; accepts NULL */

/* Makes an idle request ready to be added to the multi handle. After a failure it can only be
 * freed. */
bool http_request_prepare(struct http_request *request, const struct http_endpoint *endpoint,
                          const char *method, const char *url, const char *const *headers,
                          const char *body, size_t body_len, struct error *err) must_check;

/* The part of it that says which way the request takes: proxy, trust, certificate, TLS, IP. */
bool http_request_set_network(struct http_request *request,
                              const struct http_endpoint *endpoint) must_check;

/* True when both are the same text, or NULL. */
bool http_request_holds(const char *held, const char *text);

/* Makes *held a copy of `text`; false without memory. */
bool http_request_hold(char **held, const char *text) must_check;

/* Sets a text option where it differs from *held, which becomes a copy of it. */
bool http_request_set_text(CURL *easy, CURLoption option, char **held, const char *text) must_check;

/* The result; borrowed from the request until it is prepared again or freed. */
struct http_result http_request_result(struct http_request *request, CURLcode code);

#endif
