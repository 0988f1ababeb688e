/* server: HTTP/1.1 by libmicrohttpd on the loop; one thread, no locks.
 *
 * A request is handed on when all of it has arrived, as a struct exchange; it is answered at once
 * or later (then its connection sleeps). Bounds: connections, bytes of headers and body, the time
 * that a request may take to arrive and its answer to be read, bytes that an event stream may be
 * behind. */
#ifndef DASHBOARD_WEB_SERVER_H
#define DASHBOARD_WEB_SERVER_H

#include "base/buf.h"
#include "base/error.h"
#include "base/slice.h"
#include "sys/loop.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WEB_BODY_MAX = 64 * 1024, WEB_PATH_MAX = 4096, WEB_QUERY_MAX = 16 };

struct web;
struct exchange;

struct web_limits { /* all at least 1 */
    unsigned connections;
    int64_t request_ms, answer_ms; /* for all of a request to arrive; for its answer to be read */
};

extern const struct web_limits web_limits_default;

/* Called once a request; must lead to one exchange_reply or exchange_stream, now or later.
 * gone: the client went, or the answer was sent: nobody may use the exchange any more. */
struct web_callbacks {
    void (*request)(void *context, struct exchange *x);
    void (*gone)(void *context, struct exchange *x);
    void *context;
};

/* Takes over the listening socket. */
struct web *web_new(struct loop *loop, int listen_fd, const struct web_limits *limits,
                    const struct web_callbacks *callbacks, struct error *err);
void web_free(struct web *web); /* accepts NULL */

/* Once per turn of the loop; ms until it wants to be called again, or -1. */
int64_t web_turn(struct web *web, int64_t now_ms);

/* ---- what was asked ---- */

const char *exchange_method(const struct exchange *x); /* "GET" also for HEAD */
const char *exchange_path(const struct exchange *x);   /* raw, without the query */
/* Where the connection comes from, as text without the port. */
const char *exchange_address(const struct exchange *x, char text[64]);

struct slice exchange_body(const struct exchange *x);
bool exchange_body_cut(const struct exchange *x);     /* it was longer than WEB_BODY_MAX */
bool exchange_is_ambiguous(const struct exchange *x); /* two lengths, or two hosts */

/* A header's value; NULL when it is missing. Borrowed. */
const char *exchange_header(const struct exchange *x, const char *name);

/* A query parameter, percent-decoded; NULL when it is missing. ret_bad: given twice, or not
 * decodable to UTF-8 without NUL. */
const char *exchange_query(struct exchange *x, const char *name, bool *ret_bad);

/* Whether the query has only these parameters; the last one is NULL. */
bool exchange_query_is_known(const struct exchange *x, const char *const *names);

/* Percent-decodes in place; false when that is no UTF-8, or holds a NUL. */
bool web_decode(char *text);

/* A place for whoever answers later. */
void exchange_set_context(struct exchange *x, void *context);
void *exchange_context(const struct exchange *x);

/* ---- the answer ---- */

/* Sets a header of the answer; before the reply. name lives for ever; no CR or LF in either. */
void exchange_add_header(struct exchange *x, const char *name, const char *value);

/* The body is copied. */
void exchange_reply(struct exchange *x, unsigned status, const char *content_type,
                    struct slice body);

/* As exchange_reply, with bytes that live for ever. */
void exchange_reply_static(struct exchange *x, unsigned status, const char *content_type,
                           struct slice body);

/* Begins an endless answer; exchange_send adds to it. False: the reader is too far behind, or
 * gone, and the stream ends. */
void exchange_stream(struct exchange *x, const char *content_type);
bool exchange_send(struct exchange *x, struct slice bytes);
void exchange_end(struct exchange *x);

#endif
