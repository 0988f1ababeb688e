/* ops_server: the port for machines: /metrics (Prometheus text), /livez, /readyz.
 *
 * libmicrohttpd without a thread of its own: its epoll descriptor is nested into the loop's. It
 * shows numbers and states only, no order's and nothing secret; who may reach it is the network's
 * business.
 *
 * A probe that gets no answer ends the process, so the port answers whatever others do: a
 * connection has OPS_REQUEST_MS for each request, however its bytes drip, and when
 * OPS_CONNECTIONS_MAX are open and one more comes, one makes room: the oldest of the address that
 * has the most. Not thread-safe. */
#ifndef HTTP_OPS_SERVER_H
#define HTTP_OPS_SERVER_H

#include "base/buf.h"
#include "base/error.h"
#include "sys/loop.h"

enum { OPS_CONNECTIONS_MAX = 32, OPS_REQUEST_MS = 15 * 1000 };

struct ops;

/* Whom it asks, from within loop_wait or ops_turn. */
struct ops_source {
    void *context;
    void (*metrics)(void *context, struct buf *b); /* writes the text exposition format */
    /* true: fine; else *ret_why is one line for people (static) */
    bool (*live)(void *context, const char **ret_why);
    bool (*ready)(void *context, const char **ret_why);
};

/* address: as in listen.h. NULL with err. */
struct ops *ops_new(struct loop *loop, const char *address, const struct ops_source *source,
                    struct error *err);
void ops_free(struct ops *ops); /* accepts NULL */

int ops_port(const struct ops *ops);

/* Serves what time alone makes due; ms until it wants to be called again, or -1. */
int64_t ops_turn(struct ops *ops);

#endif
