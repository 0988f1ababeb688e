#include "demo/parts/listener.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

struct listener {
    struct loop *loop;
    struct listener_events events;
    struct MHD_Daemon *daemon;
    int epoll, port;
};

static void request_free(struct listener_request *request)
{
    buf_done(&request->body);
    free(request);
}

static enum MHD_Result begin(void **own, struct MHD_Connection *connection, const char *path,
                             const char *method)
{
    struct listener_request *request = calloc(1, sizeof *request);
    if (request == NULL)
        return MHD_NO;
    request->connection = connection;
    request->method = method;
    request->path = path;
    buf_init(&request->body, LISTENER_BODY_MAX);
    *own = request;
    return MHD_YES;
}

static enum MHD_Result serve(void *context, struct MHD_Connection *connection, const char *path,
                             const char *method, const char *version, const char *data, size_t *len,
                             void **own)
{
    struct listener *l = context;
    (void)version;
    if (*own == NULL)
        return begin(own, connection, path, method);
    struct listener_request *request = *own;
    if (*len > 0) {
        buf_add(&request->body, data, *len);
        *len = 0;
        return MHD_YES;
    }
    if (!buf_ok(&request->body))
        return listener_reply(request, MHD_HTTP_CONTENT_TOO_LARGE, "", NULL, NULL);
    return l->events.answer(l->events.context, request);
}

static void completed(void *context, struct MHD_Connection *connection, void **own,
                      enum MHD_RequestTerminationCode why)
{
    struct listener *l = context;
    (void)connection, (void)why;
    if (*own == NULL)
        return;
    if (l->events.closed != NULL)
        l->events.closed(l->events.context, *own);
    request_free(*own);
    *own = NULL;
}

static void ready(void *context, int fd, unsigned events)
{
    struct listener *l = context;
    (void)fd, (void)events;
    MHD_run(l->daemon);
}

static bool start(struct listener *l, struct error *err)
{
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    l->daemon = MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, serve, l,
                                 MHD_OPTION_SOCK_ADDR, &address, MHD_OPTION_NOTIFY_COMPLETED,
                                 completed, l, MHD_OPTION_END);
    if (l->daemon == NULL)
        return error_set(err, ERROR_FAILED, "no HTTP server could be started on 127.0.0.1");
    l->port = MHD_get_daemon_info(l->daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
    l->epoll = MHD_get_daemon_info(l->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
    return loop_watch(l->loop, l->epoll, LOOP_READ, ready, l);
}

struct listener *listener_new(struct loop *loop, const struct listener_events *events,
                              struct error *err)
{
    struct listener *l = calloc(1, sizeof *l);
    if (l == NULL) {
        error_set(err, ERROR_NO_MEMORY, "no memory for the demo");
        return NULL;
    }
    l->loop = loop;
    l->events = *events;
    if (start(l, err))
        return l;
    listener_free(l);
    return NULL;
}

void listener_free(struct listener *l)
{
    if (l == NULL)
        return;
    if (l->daemon != NULL) {
        loop_forget(l->loop, l->epoll);
        MHD_stop_daemon(l->daemon);
    }
    free(l);
}

int listener_port(const struct listener *l)
{
    return l->port;
}

int64_t listener_turn(struct listener *l)
{
    MHD_UNSIGNED_LONG_LONG wait_ms;
    MHD_run(l->daemon);
    return MHD_get_timeout(l->daemon, &wait_ms) == MHD_YES ? (int64_t)wait_ms : -1;
}

enum MHD_Result listener_reply(struct listener_request *request, unsigned status, const char *text,
                               const char *header, const char *value)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(
        strlen(text), (char *)(uintptr_t)text, MHD_RESPMEM_MUST_COPY);
    if (response == NULL)
        return MHD_NO;
    if (header != NULL)
        MHD_add_response_header(response, header, value);
    enum MHD_Result result = MHD_queue_response(request->connection, status, response);
    MHD_destroy_response(response);
    return result;
}

enum MHD_Result listener_hold(struct listener_request *request)
{
    MHD_suspend_connection(request->connection);
    return MHD_YES;
}

void listener_go(struct listener *l, struct listener_request *request)
{
    (void)l;
    MHD_resume_connection(request->connection);
}
