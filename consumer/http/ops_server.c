#include "http/ops_server.h"

#include "http/ops_connections.h"
#include "sys/clock.h"
#include "sys/listen.h"
#include "sys/log.h"

#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    /* Those that were told to go are there until libmicrohttpd's next turn: it must not come to its
     * own limit, at which it listens no more. */
    SOCKETS_MAX = OPS_CONNECTIONS_MAX * 8,
    REQUEST_BYTES_MAX = 16 * 1024,
    METRICS_BYTES_MAX = 4 * 1024 * 1024
};

struct ops {
    struct loop *loop;
    struct ops_source source;
    struct MHD_Daemon *daemon;
    int epoll, port;
    struct ops_guests guests;
};

static enum MHD_Result answer(struct MHD_Connection *connection, unsigned status, const char *type,
                              const void *body, size_t len)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(len, (void *)(uintptr_t)body, MHD_RESPMEM_MUST_COPY);
    if (response == NULL)
        return MHD_NO;
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
        MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
    enum MHD_Result result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result answer_text(struct MHD_Connection *connection, unsigned status,
                                   const char *text)
{
    return answer(connection, status, "text/plain; charset=utf-8", text, strlen(text));
}

static enum MHD_Result answer_metrics(struct ops *ops, struct MHD_Connection *connection)
{
    struct buf b;
    buf_init(&b, METRICS_BYTES_MAX);
    ops->source.metrics(ops->source.context, &b);
    enum MHD_Result result =
        buf_ok(&b) ? answer(connection, MHD_HTTP_OK, "text/plain; version=0.0.4; charset=utf-8",
                            b.data, b.len)
                   : answer_text(connection, MHD_HTTP_INTERNAL_SERVER_ERROR, "too much to say\n");
    buf_done(&b);
    return result;
}

static enum MHD_Result answer_state(struct ops *ops, struct MHD_Connection *connection,
                                    bool (*is_fine)(void *context, const char **ret_why))
{
    const char *why = "";
    bool fine = is_fine(ops->source.context, &why);
    return answer_text(connection, fine ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE,
                       fine ? "ok\n" : why);
}

static enum MHD_Result serve(void *context, struct MHD_Connection *connection, const char *path,
                             const char *method, const char *version, const char *data,
                             size_t *data_len, void **request)
{
    static int seen; /* only its address counts: the head of this request has been seen */
    struct ops *ops = context;
    (void)version, (void)data;
    if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
        return answer_text(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "GET only\n");
    if (*request == NULL) { /* answering before the request is whole would close the connection */
        *request = &seen;
        return MHD_YES;
    }
    if (*data_len > 0) {
        *data_len = 0;
        return MHD_YES;
    }
    if (strcmp(path, "/metrics") == 0)
        return answer_metrics(ops, connection);
    if (strcmp(path, "/livez") == 0)
        return answer_state(ops, connection, ops->source.live);
    if (strcmp(path, "/readyz") == 0)
        return answer_state(ops, connection, ops->source.ready);
    return answer_text(connection, MHD_HTTP_NOT_FOUND, "/metrics, /livez, /readyz\n");
}

static int socket_of(struct MHD_Connection *connection)
{
    return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
}

static void note_connection(void *context, struct MHD_Connection *connection, void **guest,
                            enum MHD_ConnectionNotificationCode code)
{
    struct ops *ops = context;
    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
        ops_guests_leave(*guest, socket_of(connection));
        return;
    }
    const struct sockaddr *address =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr;
    *guest = ops_guests_come(&ops->guests, socket_of(connection), address, clock_mono_ms());
}

/* Its next request has its time from here on. */
static void note_answered(void *context, struct MHD_Connection *connection, void **request,
                          enum MHD_RequestTerminationCode code)
{
    struct ops_guest *guest =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
    (void)context, (void)request, (void)code;
    ops_guests_served(guest, socket_of(connection), clock_mono_ms());
}

/* Twice: at its limit it stops listening, and listens again only in the run after the one that
 * closed a connection; nothing would wake it for that. */
static void run(struct ops *ops)
{
    MHD_run(ops->daemon);
    MHD_run(ops->daemon);
}

static void on_ready(void *context, int fd, unsigned events)
{
    (void)fd, (void)events;
    run(context);
}

static struct MHD_Daemon *start_daemon(struct ops *ops, int fd)
{
    return MHD_start_daemon(MHD_USE_EPOLL, 0, NULL, NULL, serve, ops, MHD_OPTION_LISTEN_SOCKET, fd,
                            MHD_OPTION_CONNECTION_LIMIT, (unsigned)SOCKETS_MAX,
                            MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)REQUEST_BYTES_MAX,
                            MHD_OPTION_NOTIFY_CONNECTION, note_connection, ops,
                            MHD_OPTION_NOTIFY_COMPLETED, note_answered, ops, MHD_OPTION_END);
}

struct ops *ops_new(struct loop *loop, const char *address, const struct ops_source *source,
                    struct error *err)
{
    int fd = listen_open(address, "ops.listen", err);
    if (fd < 0)
        return NULL;
    struct ops *ops = calloc(1, sizeof *ops);
    if (ops != NULL) {
        *ops = (struct ops){.loop = loop, .source = *source, .port = listen_port(fd)};
        ops->daemon = start_daemon(ops, fd); /* the descriptor is its own from here on */
    }
    if (ops == NULL || ops->daemon == NULL) {
        error_set(err, ERROR_FAILED, "ops.listen: the server could not be started");
        if (ops == NULL)
            close(fd); /* else libmicrohttpd did */
        free(ops);
        return NULL;
    }
    ops->epoll = MHD_get_daemon_info(ops->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
    loop_watch(loop, ops->epoll, LOOP_READ, on_ready, ops);
    log_info("ops port", LOG_S("address", address), LOG_I("port", ops->port));
    return ops;
}

void ops_free(struct ops *ops)
{
    if (ops == NULL)
        return;
    loop_forget(ops->loop, ops->epoll);
    MHD_stop_daemon(ops->daemon);
    free(ops);
}

int ops_port(const struct ops *ops)
{
    return ops->port;
}

static int64_t wait_of(struct ops *ops)
{
    MHD_UNSIGNED_LONG_LONG timeout_ms;
    return MHD_get_timeout(ops->daemon, &timeout_ms) == MHD_YES ? (int64_t)timeout_ms : -1;
}

int64_t ops_turn(struct ops *ops)
{
    int64_t due_ms = ops_guests_turn(&ops->guests, clock_mono_ms());
    if (wait_of(ops) == 0)
        run(ops);
    int64_t wait_ms = wait_of(ops);
    return wait_ms < 0 || (due_ms >= 0 && due_ms < wait_ms) ? due_ms : wait_ms;
}
