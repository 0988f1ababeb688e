/* ops: the port for machines: /metrics (Prometheus text), /livez, /readyz.
 *
 * libmicrohttpd without a thread of its own: its epoll descriptor is nested into the loop's. What
 * is open at a time, and for how long, is bounded. It shows numbers and states only, no order's and
 * nothing secret; who may reach it is the network's business. Not thread-safe. */
#ifndef EDGE_OPS_H
#define EDGE_OPS_H

#include "core/buf.h"
#include "core/error.h"
#include "edge/loop.h"

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
