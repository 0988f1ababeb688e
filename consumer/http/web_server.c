#include "http/web_internal.h"

#include "sys/clock.h"
#include "sys/listen.h"
#include "sys/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* libmicrohttpd stops listening at its own limit: connections that were shut down count there until
 * its next turn. */
enum { IDLE_S = 60, SPARE = 224 };

const struct web_limits web_limits_default = {
    .connections = {.connections = 256, .request_ms = 10000, .answer_ms = 60000, .prefix = 8},
    .head_max = 32 * 1024,
    .body_max = WEB_BODY_MAX};

/* ---- connections ---- */

static struct connection *connection_add(struct web *web, struct MHD_Connection *connection)
{
    int fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    const struct sockaddr *address =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr;
    struct connection *added = connections_add(&web->connections, fd, address, clock_mono_ms());
    if (added == NULL)
        shutdown(fd, SHUT_RDWR);
    return added;
}

static void connection_changed(void *context, struct MHD_Connection *connection, void **own,
                               enum MHD_ConnectionNotificationCode code)
{
    struct web *web = context;
    if (code == MHD_CONNECTION_NOTIFY_STARTED)
        *own = connection_add(web, connection);
    else
        connections_remove(&web->connections, *own);
}

static void set_state(struct web_request *x, enum connection_state state)
{
    connections_set(&x->web->connections, x->of, state, x->web->now_ms);
}

/* ---- requests ---- */

/* libmicrohttpd has read the request line. */
static void *request_begins(void *context, const char *target, struct MHD_Connection *connection)
{
    struct web *web = context;
    struct web_request *x = web_request_new(web, target);
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    if (x != NULL) {
        x->connection = connection;
        x->of = info->socket_context;
        set_state(x, CONNECTION_ARRIVING);
    }
    return x;
}

static enum MHD_Result queue_answer(struct web_request *x)
{
    x->queued = true;
    set_state(x, x->is_stream ? CONNECTION_STREAMING : CONNECTION_LEAVING);
    return MHD_queue_response(x->connection, x->status, x->response);
}

static enum MHD_Result go_on(struct web_request *x)
{
    if (x->queued)
        return MHD_YES;
    if (!x->handed_on) {
        x->handed_on = true;
        if (x->body.len > 0)
            (void)buf_text(&x->body); /* its NUL */
        set_state(x, CONNECTION_WORKING);
        x->web->callbacks.request(x->web->callbacks.context, x);
    }
    if (x->closed)
        return MHD_NO;
    if (x->response != NULL)
        return queue_answer(x);
    x->suspended = true;
    MHD_suspend_connection(x->connection);
    return MHD_YES;
}

static void take_body(struct web_request *x, const char *data, size_t size)
{
    buf_add(&x->body, data, size); /* past its limit it is marked as failed */
}

static enum MHD_Result handle(void *context, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *data,
                              size_t *size, void **own)
{
    struct web_request *x = *own;
    (void)context, (void)url, (void)version, (void)connection;
    if (x == NULL)
        return MHD_NO;
    if (!x->arrived) { /* the headers */
        x->arrived = true;
        x->method = strcmp(method, MHD_HTTP_METHOD_HEAD) == 0 ? MHD_HTTP_METHOD_GET : method;
        /* a request that two readers could take for different ones, or that announces too long a
         * body, is handed on at once, and the connection ends with its answer */
        const char *length = web_request_header(x, MHD_HTTP_HEADER_CONTENT_LENGTH);
        if (length != NULL && strtoull(length, NULL, 10) > x->web->limits.body_max)
            x->body.failed = true;
        return web_request_is_ambiguous(x) || x->body.failed ? go_on(x) : MHD_YES;
    }
    if (*size > 0) {
        if (!x->handed_on)
            take_body(x, data, *size);
        *size = 0;
        return MHD_YES;
    }
    return go_on(x);
}

static void request_ended(void *context, struct MHD_Connection *connection, void **own,
                          enum MHD_RequestTerminationCode code)
{
    struct web_request *x = *own;
    (void)connection, (void)code;
    if (x == NULL)
        return;
    struct web *web = context;
    if (web->callbacks.gone != NULL)
        web->callbacks.gone(web->callbacks.context, x);
    connections_answered(x->of, clock_mono_ms());
    web_request_free(x);
    *own = NULL;
}

/* Path and query stay raw: the routes decode %2F, %00 and +. */
static size_t leave_escaped(void *context, struct MHD_Connection *connection, char *text)
{
    (void)context, (void)connection;
    return strlen(text);
}

__attribute__((format(printf, 2, 0))) static void log_message(void *context, const char *format,
                                                              va_list args)
{
    char text[200];
    (void)context;
    vsnprintf(text, sizeof text, format, args);
    text[strcspn(text, "\n")] = '\0';
    log_debug("libmicrohttpd", LOG_S("text", text));
}

/* ---- life ---- */

static void ready(void *context, int fd, unsigned events)
{
    (void)context, (void)fd, (void)events; /* web_turn does the work */
}

static bool start(struct web *web, int listen_fd)
{
    web->daemon = MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0, NULL, NULL, handle, web,
        MHD_OPTION_EXTERNAL_LOGGER, log_message, NULL, MHD_OPTION_LISTEN_SOCKET, listen_fd,
        MHD_OPTION_CONNECTION_LIMIT, web->limits.connections.connections + SPARE,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, web->limits.head_max, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned)IDLE_S, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_UNESCAPE_CALLBACK,
        leave_escaped, NULL, MHD_OPTION_URI_LOG_CALLBACK, request_begins, web,
        MHD_OPTION_NOTIFY_COMPLETED, request_ended, web, MHD_OPTION_NOTIFY_CONNECTION,
        connection_changed, web, MHD_OPTION_END);
    if (web->daemon == NULL)
        return false;
    web->epoll = MHD_get_daemon_info(web->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
    return loop_watch(web->loop, web->epoll, LOOP_READ, ready, web);
}

struct web *web_new(struct loop *loop, const char *address, const char *option,
                    const struct web_limits *limits, const struct web_callbacks *callbacks,
                    struct error *err)
{
    int listen_fd = listen_open(address, option, err);
    if (listen_fd < 0)
        return NULL;
    struct web *web = calloc(1, sizeof *web);
    if (web == NULL) {
        error_no_memory(err);
        close(listen_fd);
        return NULL;
    }
    web->loop = loop;
    web->limits = *limits;
    web->connections.limits = limits->connections;
    web->callbacks = *callbacks;
    web->port = listen_port(listen_fd);
    web->now_ms = clock_mono_ms();
    if (start(web, listen_fd))
        return web;
    error_set(err, ERROR_FAILED, "%s: libmicrohttpd does not start", option);
    web_free(web);
    return NULL;
}

void web_free(struct web *web)
{
    if (web == NULL)
        return;
    struct web_request *x;
    LIST_FOREACH (x, &web->requests, link)
        web_request_wake(x); /* libmicrohttpd does not end sleeping connections */
    if (web->daemon != NULL) {
        loop_forget(web->loop, web->epoll);
        MHD_stop_daemon(web->daemon);
    }
    free(web);
}

int web_port(const struct web *web)
{
    return web->port;
}

int64_t web_turn(struct web *web, int64_t now_ms)
{
    MHD_UNSIGNED_LONG_LONG timeout_ms;
    web->now_ms = now_ms;
    int64_t wait_ms = connections_turn(&web->connections, now_ms);
    /* Twice: at its limit it stops listening, and listens again only in the run after the one that
     * closed a connection. Nothing wakes the loop for that. */
    MHD_run(web->daemon);
    MHD_run(web->daemon);
    if (MHD_get_timeout(web->daemon, &timeout_ms) == MHD_YES &&
        (wait_ms < 0 || (int64_t)timeout_ms < wait_ms))
        wait_ms = (int64_t)timeout_ms;
    return wait_ms;
}
