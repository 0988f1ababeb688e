#include "dashboard/web/server_internal.h"

#include "sys/clock.h"
#include "sys/log.h"

#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SWEEP_EVERY_MS = 500, MEMORY_PER_CONNECTION = 32 * 1024, IDLE_S = 60, SPARE = 16 };

const struct web_limits web_limits_default = {
    .connections = 256, .request_ms = 10000, .answer_ms = 60000};

/* ---- connections and their time limits ---- */

static void link_set(struct web_request *x, int state)
{
    if (x->link == NULL || x->link->state == LINK_CUT)
        return;
    x->link->state = state;
    x->link->since_ms = x->web->now_ms;
}

static void cut(struct web *web, struct link *link)
{
    link->state = LINK_CUT;
    web->open--;
    shutdown(link->fd, SHUT_RDWR);
}

static bool is_idle(const struct link *link)
{
    return link->state == LINK_ARRIVING || link->state == LINK_LEAVING;
}

/* Of those that only arrive or leave, how many the caller at this link has. */
static unsigned count_idle(const struct web *web, const struct link *of)
{
    unsigned count = 0;
    for (const struct link *link = web->links; link != NULL; link = link->next)
        count += is_idle(link) && memcmp(link->from, of->from, sizeof link->from) == 0;
    return count;
}

/* All connections are taken: the caller that has the most which nobody works for loses its oldest
 * one, so that a new one (a probe, an operator) always gets in. The links are newest first. */
static void make_room(struct web *web)
{
    struct link *victim = NULL;
    unsigned most = 0;
    for (struct link *link = web->links; link != NULL; link = link->next) {
        unsigned count = is_idle(link) ? count_idle(web, link) : 0;
        if (count > 0 && count >= most) {
            most = count;
            victim = link;
        }
    }
    if (victim != NULL)
        cut(web, victim);
}

static void note_address(struct link *link, const struct sockaddr *address)
{
    if (address != NULL && address->sa_family == AF_INET)
        memcpy(link->from, &((const struct sockaddr_in *)(const void *)address)->sin_addr, 4);
    else if (address != NULL && address->sa_family == AF_INET6 &&
             IN6_IS_ADDR_V4MAPPED(&((const struct sockaddr_in6 *)(const void *)address)->sin6_addr))
        memcpy(link->from,
               (const char *)&((const struct sockaddr_in6 *)(const void *)address)->sin6_addr + 12,
               4);
    else if (address != NULL && address->sa_family == AF_INET6)
        memcpy(link->from, &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr, 8);
}

static struct link *link_new(struct web *web, struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct link *link = calloc(1, sizeof *link);
    if (link == NULL || info == NULL) {
        free(link);
        return NULL;
    }
    link->fd = info->connect_fd;
    link->since_ms = web->now_ms;
    link->next = web->links;
    if (link->next != NULL)
        link->next->previous = link;
    web->links = link;
    const union MHD_ConnectionInfo *from =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    note_address(link, from != NULL ? from->client_addr : NULL);
    if (++web->open > web->limits.connections)
        make_room(web);
    return link;
}

static void link_free(struct web *web, struct link *link)
{
    if (link == NULL)
        return;
    web->open -= link->state != LINK_CUT;
    *(link->previous != NULL ? &link->previous->next : &web->links) = link->next;
    if (link->next != NULL)
        link->next->previous = link->previous;
    free(link);
}

static void connection_changed(void *context, struct MHD_Connection *connection, void **own,
                               enum MHD_ConnectionNotificationCode code)
{
    if (code == MHD_CONNECTION_NOTIFY_STARTED)
        *own = link_new(context, connection);
    else
        link_free(context, *own);
}

/* libmicrohttpd's own time limit starts again with every byte; ours does not. */
static void sweep(struct web *web)
{
    web->swept_ms = web->now_ms;
    for (struct link *link = web->links; link != NULL; link = link->next) {
        int64_t age_ms = web->now_ms - link->since_ms;
        if ((link->state == LINK_ARRIVING && age_ms > web->limits.request_ms) ||
            (link->state == LINK_LEAVING && age_ms > web->limits.answer_ms)) {
            cut(web, link);
        }
    }
}

/* ---- requests ---- */

/* The first thing that libmicrohttpd says of a request. */
static void *request_begins(void *context, const char *target, struct MHD_Connection *connection)
{
    struct web *web = context;
    struct web_request *x = web_request_new(web, target);
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    if (x != NULL) {
        x->connection = connection;
        x->link = info != NULL ? info->socket_context : NULL;
        link_set(x, LINK_ARRIVING);
    }
    return x;
}

static enum MHD_Result queue_answer(struct web_request *x)
{
    x->queued = true;
    link_set(x, x->is_stream ? LINK_STREAMING : LINK_LEAVING);
    return MHD_queue_response(x->connection, x->status, x->response);
}

static enum MHD_Result go_on(struct web_request *x)
{
    if (x->queued)
        return MHD_YES;
    if (!x->handed_on) {
        x->handed_on = true;
        link_set(x, LINK_WORKING);
        x->web->callbacks.request(x->web->callbacks.context, x);
    }
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
        /* what can be two requests to two readers, and what is announced as too long: at once, and
         * the connection ends with it */
        const char *length = web_request_header(x, MHD_HTTP_HEADER_CONTENT_LENGTH);
        if (length != NULL && strtoull(length, NULL, 10) > WEB_BODY_MAX)
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
    web->callbacks.gone(web->callbacks.context, x);
    link_set(x, LINK_ARRIVING);
    web_request_free(x);
    *own = NULL;
}

/* The path and the query stay raw: %2F, %00 and + are ours to judge. */
static size_t leave_escaped(void *context, struct MHD_Connection *connection, char *text)
{
    (void)context, (void)connection;
    return strlen(text);
}

__attribute__((format(printf, 2, 0))) static void say(void *context, const char *format,
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
        MHD_OPTION_EXTERNAL_LOGGER, say, NULL, MHD_OPTION_LISTEN_SOCKET, listen_fd,
        MHD_OPTION_CONNECTION_LIMIT, web->limits.connections + SPARE,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)MEMORY_PER_CONNECTION,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_S, MHD_OPTION_STRICT_FOR_CLIENT, 1,
        MHD_OPTION_UNESCAPE_CALLBACK, leave_escaped, NULL, MHD_OPTION_URI_LOG_CALLBACK,
        request_begins, web, MHD_OPTION_NOTIFY_COMPLETED, request_ended, web,
        MHD_OPTION_NOTIFY_CONNECTION, connection_changed, web, MHD_OPTION_END);
    if (web->daemon == NULL)
        return false;
    web->epoll = MHD_get_daemon_info(web->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
    return loop_watch(web->loop, web->epoll, LOOP_READ, ready, web);
}

struct web *web_new(struct loop *loop, int listen_fd, const struct web_limits *limits,
                    const struct web_callbacks *callbacks, struct error *err)
{
    struct web *web = calloc(1, sizeof *web);
    if (web == NULL) {
        error_set(err, ERROR_NO_MEMORY, "no memory to serve HTTP");
        close(listen_fd);
        return NULL;
    }
    web->loop = loop;
    web->limits = *limits;
    web->callbacks = *callbacks;
    web->now_ms = clock_mono_ms();
    if (start(web, listen_fd))
        return web;
    error_set(err, ERROR_FAILED, "libmicrohttpd does not start");
    if (web->daemon == NULL)
        close(listen_fd);
    web_free(web);
    return NULL;
}

void web_free(struct web *web)
{
    if (web == NULL)
        return;
    for (struct web_request *x = web->first; x != NULL; x = x->next)
        web_request_wake(x); /* libmicrohttpd ends no connection that sleeps */
    if (web->daemon != NULL) {
        loop_forget(web->loop, web->epoll);
        MHD_stop_daemon(web->daemon);
    }
    free(web);
}

int64_t web_turn(struct web *web, int64_t now_ms)
{
    MHD_UNSIGNED_LONG_LONG timeout_ms;
    web->now_ms = now_ms;
    if (now_ms - web->swept_ms >= SWEEP_EVERY_MS)
        sweep(web);
    MHD_run(web->daemon);
    int64_t wait_ms = web->links != NULL ? SWEEP_EVERY_MS : -1;
    if (MHD_get_timeout(web->daemon, &timeout_ms) == MHD_YES &&
        (wait_ms < 0 || (int64_t)timeout_ms < wait_ms))
        wait_ms = (int64_t)timeout_ms;
    return wait_ms;
}
