/* server_internal: what server.c (connections) and request.c (one request) share. */
#ifndef DASHBOARD_WEB_SERVER_INTERNAL_H
#define DASHBOARD_WEB_SERVER_INTERNAL_H

#include "dashboard/web/server.h"

#include <microhttpd.h>

enum { STREAM_BEHIND_MAX = 512 * 1024 };

/* A connection, from accept to close. */
struct link {
    struct link *next, *previous;
    int fd;
    unsigned char from[8]; /* whose it is: an IPv4 address, or the network part of an IPv6 one */
    int64_t since_ms;      /* its request began to arrive, or its answer to leave */
    enum { LINK_ARRIVING, LINK_WORKING, LINK_LEAVING, LINK_STREAMING, LINK_CUT } state;
};

struct web {
    struct loop *loop;
    struct MHD_Daemon *daemon;
    struct web_limits limits;
    struct web_callbacks callbacks;
    int epoll;
    int64_t now_ms, swept_ms;
    struct link *links;
    unsigned open;             /* of them, not cut */
    struct web_request *first; /* all that are under way */
};

struct query_pair {
    char *name, *value;
    bool bad;
};

struct web_request {
    struct web_request *next, *previous;
    struct web *web;
    struct link *link;
    struct MHD_Connection *connection;
    char *target; /* raw: path, then the query's pairs, each ended by a NUL */
    bool target_bad;
    const char *method;
    struct query_pair query[WEB_QUERY_MAX];
    size_t query_count;
    struct buf body;
    bool arrived, handed_on, suspended, queued, ending;
    void *context;
    struct {
        const char *name;
        char *value;
    } headers[16];
    size_t header_count;
    unsigned status;
    struct MHD_Response *response; /* what is to be sent; NULL until it is known */
    struct buf stream;             /* of an endless answer: what waits to be sent */
    size_t stream_at;
    bool is_stream, stream_over;
};

struct web_request *web_request_new(struct web *web, const char *target);
void web_request_free(struct web_request *x);

/* Lets a sleeping connection go on. */
void web_request_wake(struct web_request *x);

#endif
