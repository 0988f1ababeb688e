/* connections: a server's open connections, their time limits, and the choice of the one that
 * leaves a full server.
 *
 *   ARRIVING ─▶ WORKING ─▶ LEAVING ─▶ ARRIVING …      (a connection without a request is ARRIVING)
 *                   └────▶ STREAMING
 *
 * A request has limits.request_ms to arrive and its answer limits.answer_ms to be read, however
 * their bytes drip: libmicrohttpd's own limit begins again with every byte. When limits.connections
 * are open and one more comes, one leaves: of those that arrive or leave, the address with the most
 * loses the one that is at it for longest, so a lone prober's is the last. A connection leaves by
 * shutdown: libmicrohttpd sees its end and closes it. Not thread-safe. */
#ifndef HTTP_CONNECTIONS_H
#define HTTP_CONNECTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/socket.h>

struct connection_limits {
    unsigned connections; /* at least 1 */
    int64_t request_ms;
    int64_t answer_ms; /* 0: request_ms is for both, from the end of the answer before */
    int prefix;        /* bytes of an IPv6 address that tell one caller from another: 8 or 16 */
};

struct connection {
    LIST_ENTRY(connection) link;
    int fd;
    unsigned char address[16]; /* IPv4 ones are mapped to IPv6 */
    int64_t since_ms;          /* when the time limit of its state began */
    enum connection_state {
        CONNECTION_ARRIVING,
        CONNECTION_WORKING,
        CONNECTION_LEAVING,
        CONNECTION_STREAMING,
        CONNECTION_CUT
    } state;
};

struct connections {
    struct connection_limits limits;
    LIST_HEAD(, connection) list; /* newest first */
    unsigned open;                /* those that are not CUT */
};

/* Makes room if there is none. fd is borrowed until connections_remove. NULL without memory. */
struct connection *connections_add(struct connections *all, int fd, const struct sockaddr *address,
                                   int64_t now_ms);

/* Its descriptor is about to be closed. Accepts NULL. */
void connections_remove(struct connections *all, struct connection *connection);

/* The request's next state. Accepts NULL; a CUT one stays CUT. */
void connections_set(struct connections *all, struct connection *connection,
                     enum connection_state state, int64_t now_ms);

/* The answer has been sent: the time of the next request begins. */
void connections_answered(struct connection *connection, int64_t now_ms);

/* Shuts down those whose time is up; ms until the next one's is, or -1. */
int64_t connections_turn(struct connections *all, int64_t now_ms);

#endif
