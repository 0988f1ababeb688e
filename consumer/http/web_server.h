/* web_server: HTTP/1.1 by libmicrohttpd on the loop; one thread, no locks. The ops port, the
 * dashboard and the demo's endpoints are such servers.
 *
 * A request is handed on when all of it has arrived, as a struct web_request; it is answered at
 * once or later (then its connection sleeps). Bounds: connections and their time (connections.h),
 * bytes of headers and body, bytes that an event stream may be behind. */
#ifndef HTTP_WEB_SERVER_H
#define HTTP_WEB_SERVER_H

#include "base/buf.h"
#include "base/error.h"
#include "base/slice.h"
#include "http/connections.h"
#include "sys/loop.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WEB_BODY_MAX = 64 * 1024, WEB_PATH_MAX = 4096, WEB_QUERY_MAX = 16 };

struct web;
struct web_request;

/* No request has a body where body_max is 0. */
struct web_limits {
    struct connection_limits connections;
    size_t head_max, body_max; /* bytes; body_max ≤ WEB_BODY_MAX */
};

extern const struct web_limits web_limits_default;

/* request: called once a request; must lead to one web_request_reply, _stream or _close, now or
 * later. gone: the client has gone, or has its answer: the request ends with this call; may be
 * NULL. */
struct web_callbacks {
    void (*request)(void *context, struct web_request *x);
    void (*gone)(void *context, struct web_request *x);
    void *context;
};

/* address and option: as in listen.h. NULL with err. */
struct web *web_new(struct loop *loop, const char *address, const char *option,
                    const struct web_limits *limits, const struct web_callbacks *callbacks,
                    struct error *err);
void web_free(struct web *web); /* accepts NULL */

int web_port(const struct web *web);

/* Once per turn of the loop; ms until the next call is due, or -1. */
int64_t web_turn(struct web *web, int64_t now_ms);

/* ---- the request ---- */

const char *web_request_method(const struct web_request *x); /* "GET" also for HEAD */
const char *web_request_path(const struct web_request *x);   /* raw, without the query */
/* Takes this many bytes off the path's beginning. */
void web_request_skip(struct web_request *x, size_t len);

/* The client's address without the port. */
const char *web_request_address(const struct web_request *x, char text[64]);

/* With a NUL behind it; data NULL: none. */
struct slice web_request_body(const struct web_request *x);
bool web_request_body_cut(const struct web_request *x);     /* it was longer than body_max */
bool web_request_is_ambiguous(const struct web_request *x); /* two lengths, or two hosts */

/* A header's value; NULL when it is missing. Borrowed. */
const char *web_request_header(const struct web_request *x, const char *name);

/* A query parameter, percent-decoded; NULL when it is missing. ret_bad: given twice, or not
 * decodable to UTF-8 without NUL. */
const char *web_request_query(struct web_request *x, const char *name, bool *ret_bad);

/* True when the query has only these parameters; the last one is NULL. */
bool web_request_query_is_known(const struct web_request *x, const char *const *names);

/* Percent-decodes in place; false when the result is not UTF-8, or has a NUL. */
bool web_decode(char *text);

/* A pointer of the callbacks' owner. */
void web_request_set_context(struct web_request *x, void *context);
void *web_request_context(const struct web_request *x);

/* ---- the answer ---- */

/* Sets a header of the answer; before the reply. name is static; no CR or LF in either. */
void web_request_add_header(struct web_request *x, const char *name, const char *value);

/* The body is copied. */
void web_request_reply(struct web_request *x, unsigned status, const char *content_type,
                       struct slice body);

/* As web_request_reply, with static bytes. */
void web_request_reply_static(struct web_request *x, unsigned status, const char *content_type,
                              struct slice body);

/* Closes the connection without an answer. */
void web_request_close(struct web_request *x);

/* Begins an endless answer; web_request_send adds to it. False: the reader is too far behind, or
 * gone, and the stream ends. */
void web_request_stream(struct web_request *x, const char *content_type);
bool web_request_send(struct web_request *x, struct slice bytes);
void web_request_end(struct web_request *x);

/* Ends it as a fault: the reader sees that something is missing. */
void web_request_break(struct web_request *x);

/* Bytes of the stream that wait to be sent. */
size_t web_request_unsent(const struct web_request *x);

#endif
