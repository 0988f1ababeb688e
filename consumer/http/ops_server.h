/* ops_server: the port for machines: /metrics (Prometheus text), /livez, /readyz.
 *
 * It shows numbers and states only, nothing of an order and nothing secret; access to it is
 * restricted by the network.
 *
 * An orchestrator ends a process whose probe gets no answer, so no client may keep the port from
 * answering: a connection has OPS_REQUEST_MS for each request and its answer, however its bytes
 * drip, and when OPS_CONNECTIONS_MAX are open and one more comes, the oldest of the address that
 * has the most leaves (connections.h). Not thread-safe. */
#ifndef HTTP_OPS_SERVER_H
#define HTTP_OPS_SERVER_H

#include "base/buf.h"
#include "base/error.h"
#include "sys/loop.h"

enum { OPS_CONNECTIONS_MAX = 32, OPS_REQUEST_MS = 15 * 1000 };

struct ops;

/* Called from within ops_turn. */
struct ops_source {
    void *context;
    void (*metrics)(void *context, struct buf *b); /* writes the text exposition format */
    /* true: fine; else *ret_why is a line of text with its newline (static) */
    bool (*live)(void *context, const char **ret_why);
    bool (*ready)(void *context, const char **ret_why);
};

/* address: as in listen.h. NULL with err. */
struct ops *ops_new(struct loop *loop, const char *address, const struct ops_source *source,
                    struct error *err);
void ops_free(struct ops *ops); /* accepts NULL */

int ops_port(const struct ops *ops);

/* Once per turn of the loop; ms until the next call is due, or -1. */
int64_t ops_turn(struct ops *ops);

#endif
