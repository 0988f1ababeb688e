/* web_internal: shared by web_server.c (connections) and web_request.c (one request). */
#ifndef HTTP_WEB_INTERNAL_H
#define HTTP_WEB_INTERNAL_H

#include "http/web_server.h"

#include <microhttpd.h>

enum { STREAM_BEHIND_MAX = 512 * 1024 };

struct web {
    struct loop *loop;
    struct MHD_Daemon *daemon;
    struct web_limits limits;
    struct web_callbacks callbacks;
    int epoll, port;
    int64_t now_ms;
    struct connections connections;
    LIST_HEAD(, web_request) requests; /* under way */
};

struct query_pair {
    char *name, *value;
    bool bad;
};

struct web_request {
    LIST_ENTRY(web_request) link;
    struct web *web;
    struct connection *of; /* NULL: no memory */
    struct MHD_Connection *connection;
    char *target;   /* raw: path, then the query's pairs, each ended by a NUL */
    size_t path_at; /* where in it the path begins: past a prefix that was taken off */
    bool target_bad;
    const char *method;
    struct query_pair query[WEB_QUERY_MAX];
    size_t query_count;
    struct buf body;
    bool arrived, handed_on, suspended, queued, closed;
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
    bool is_stream;
    enum { STREAM_OPEN, STREAM_OVER, STREAM_BROKEN } stream_end;
};

struct web_request *web_request_new(struct web *web, const char *target);
void web_request_free(struct web_request *x);

/* Lets a sleeping connection go on. */
void web_request_wake(struct web_request *x);

#endif
