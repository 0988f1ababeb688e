/* http_client: the multi handle, its sockets and its timer.
 *
 *   loop_wait ─▶ on_ready ─▶ curl_multi_socket_action ─▶ on_interest, on_timer
 *   http_turn ─▶ timers due ─▶ finished requests ─▶ done(…) ─▶ http_start … ─▶ timers due …
 *             └▶ past a limit: sockets ─▶ finished requests ─▶ done(…); what is left is ended
 *
 * Idle connections stay registered with the loop: libcurl unregisters a socket after each answer
 * and registers it again for the next request, and passing that on would cost two system calls a
 * request. `sockets` has the state of those that were opened here, by fd. libcurl closes the others
 * (the resolver's) itself; they are unregistered as it requests. */
#include "http/http_client.h"

#include "http/http_client_internal.h"
#include "sys/clock.h"

#include <curl/curl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SOCKETS_MIN = 64, PASSES_PER_TURN = 4, CONNECTIONS_SPARE = 8, NO_TIMER = -1 };

/* While a request is under way a turn comes at least so often; a longer pause, with some allowance
 * for a busy machine, is a standstill. */
enum { TURN_AT_LEAST_MS = 1000, STANDSTILL_MS = 2000 };

enum socket_state { SOCKET_FOREIGN, SOCKET_IN_USE, SOCKET_IDLE };

struct http {
    struct loop *loop;
    CURLM *multi;
    int64_t due_ms; /* libcurl's one timer, on clock_mono_ms; 0: now; NO_TIMER: none */
    struct http_requests in_flight, idle;
    int64_t time_ms;        /* of the limits: stands still while the loop does */
    int64_t seen_ms;        /* clock_mono_ms when time_ms was last put forward */
    int64_t limit_ms;       /* no request in flight has an earlier one */
    unsigned char *sockets; /* enum socket_state by fd */
    size_t socket_count;
    long connections_max; /* of the largest endpoint so far */
};

/* --- sockets --------------------------------------------------------------------------- */

static enum socket_state socket_state(const struct http *http, int fd)
{
    return (size_t)fd < http->socket_count ? (enum socket_state)http->sockets[fd] : SOCKET_FOREIGN;
}

static bool make_room_for_socket(struct http *http, int fd)
{
    size_t need = (size_t)fd + 1;
    if (need <= http->socket_count)
        return true;
    size_t count = http->socket_count ? http->socket_count : SOCKETS_MIN;
    while (count < need)
        count *= 2;
    unsigned char *sockets = realloc(http->sockets, count);
    if (sockets == NULL)
        return false;
    memset(sockets + http->socket_count, SOCKET_FOREIGN, count - http->socket_count);
    http->sockets = sockets;
    http->socket_count = count;
    return true;
}

static curl_socket_t on_open(void *userdata, curlsocktype purpose, struct curl_sockaddr *address)
{
    (void)purpose;
    struct http *http = userdata;
    int fd = socket(address->family, address->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK,
                    address->protocol);
    if (fd < 0)
        return CURL_SOCKET_BAD;
    if (!make_room_for_socket(http, fd)) {
        close(fd);
        return CURL_SOCKET_BAD;
    }
    http->sockets[fd] = SOCKET_IN_USE;
    return fd;
}

static int on_close(void *userdata, curl_socket_t fd)
{
    struct http *http = userdata;
    loop_forget(http->loop, fd);
    http->sockets[fd] = SOCKET_FOREIGN;
    return close(fd);
}

static void on_ready(void *context, int fd, unsigned events)
{
    struct http *http = context;
    if (socket_state(http, fd) == SOCKET_IDLE) {
        /* The endpoint closed it; libcurl notices when it needs a connection. */
        loop_watch(http->loop, fd, 0, on_ready, http);
        return;
    }
    int ready = 0, running;
    if (events & LOOP_READ)
        ready |= CURL_CSELECT_IN;
    if (events & LOOP_WRITE)
        ready |= CURL_CSELECT_OUT;
    curl_multi_socket_action(http->multi, fd, ready, &running);
}

static int on_interest(CURL *easy, curl_socket_t fd, int what, void *userdata, void *socket_data)
{
    (void)easy, (void)socket_data;
    struct http *http = userdata;
    bool ours = socket_state(http, fd) != SOCKET_FOREIGN;
    if (what == CURL_POLL_REMOVE) {
        if (ours)
            http->sockets[fd] = SOCKET_IDLE;
        else
            loop_forget(http->loop, fd);
        return 0;
    }
    if (ours)
        http->sockets[fd] = SOCKET_IN_USE;
    unsigned events = 0;
    if (what & CURL_POLL_IN)
        events |= LOOP_READ;
    if (what & CURL_POLL_OUT)
        events |= LOOP_WRITE;
    return loop_watch(http->loop, fd, events, on_ready, http) ? 0 : -1;
}

/* --- timer ----------------------------------------------------------------------------- */

static int on_timer(CURLM *multi, long timeout_ms, void *userdata)
{
    (void)multi;
    struct http *http = userdata;
    if (timeout_ms < 0)
        http->due_ms = NO_TIMER;
    else if (timeout_ms == 0)
        http->due_ms = 0;
    else
        http->due_ms = clock_mono_ms() + timeout_ms + 1; /* + 1: the clock rounds down */
    return 0;
}

static int64_t ms_until_due(const struct http *http)
{
    if (http->due_ms <= 0)
        return http->due_ms;
    int64_t left = http->due_ms - clock_mono_ms();
    return left > 0 ? left : 0;
}

static void run_timer(struct http *http)
{
    if (ms_until_due(http) != 0)
        return;
    int running;
    http->due_ms = NO_TIMER; /* one-shot: libcurl sets the next one from within this call */
    curl_multi_socket_action(http->multi, CURL_SOCKET_TIMEOUT, 0, &running);
}

/* --- time limits ----------------------------------------------------------------------- */

static void pass_time(struct http *http)
{
    int64_t now_ms = clock_mono_ms(), passed_ms = now_ms - http->seen_ms;
    http->time_ms += passed_ms < STANDSTILL_MS ? passed_ms : STANDSTILL_MS;
    http->seen_ms = now_ms;
}

static void set_limit(struct http *http, struct http_request *request, int64_t timeout_ms)
{
    pass_time(http);
    request->limit_ms = http->time_ms + timeout_ms;
    if (LIST_EMPTY(&http->in_flight) || request->limit_ms < http->limit_ms)
        http->limit_ms = request->limit_ms;
}

/* Lets libcurl read the bytes that have arrived; false when there are none. */
static bool serve_sockets(struct http *http)
{
    bool any = false;
    for (size_t fd = 0; fd < http->socket_count; fd++) {
        struct pollfd socket = {.fd = (int)fd, .events = POLLIN};
        if (http->sockets[fd] != SOCKET_IN_USE || poll(&socket, 1, 0) <= 0)
            continue;
        int running;
        any = true;
        curl_multi_socket_action(http->multi, (int)fd, CURL_CSELECT_IN, &running);
    }
    return any;
}

static int64_t ms_until_limit(const struct http *http)
{
    if (LIST_EMPTY(&http->in_flight))
        return NO_TIMER;
    int64_t left = http->limit_ms - http->time_ms;
    return left < 0 ? 0 : left < TURN_AT_LEAST_MS ? left : TURN_AT_LEAST_MS;
}

/* --- life ------------------------------------------------------------------------------ */

static bool check_library(struct error *err)
{
    const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);
    if (info->features & CURL_VERSION_ASYNCHDNS)
        return true;
    return error_set(err, ERROR_FAILED,
                     "libcurl %s resolves names synchronously: every look-up would "
                     "stop the whole process",
                     info->version);
}

static bool set_multi_options(struct http *http)
{
    CURLM *multi = http->multi;
    return curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_interest) == CURLM_OK &&
           curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, http) == CURLM_OK &&
           curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer) == CURLM_OK &&
           curl_multi_setopt(multi, CURLMOPT_TIMERDATA, http) == CURLM_OK &&
           curl_multi_setopt(multi, CURLMOPT_PIPELINING, CURLPIPE_NOTHING) == CURLM_OK;
}

struct http *http_new(struct loop *loop, struct error *err)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        error_set(err, ERROR_FAILED, "libcurl cannot be initialised");
        return NULL;
    }
    signal(SIGPIPE, SIG_IGN); /* as NOSIGNAL requires: OpenSSL writes to closed sockets */
    struct http *http = calloc(1, sizeof *http);
    if (http == NULL) {
        curl_global_cleanup();
        error_no_memory(err);
        return NULL;
    }
    http->loop = loop;
    http->due_ms = NO_TIMER;
    http->seen_ms = clock_mono_ms();
    http->multi = curl_multi_init();
    if (http->multi == NULL || !set_multi_options(http))
        error_no_memory(err);
    else if (check_library(err))
        return http;
    http_free(http);
    return NULL;
}

void http_free(struct http *http)
{
    if (http == NULL)
        return;
    while (!LIST_EMPTY(&http->in_flight))
        http_cancel(LIST_FIRST(&http->in_flight));
    while (!LIST_EMPTY(&http->idle)) {
        struct http_request *request = LIST_FIRST(&http->idle);
        LIST_REMOVE(request, link);
        http_request_free(request);
    }
    curl_multi_cleanup(http->multi); /* closes the connections, through on_close */
    free(http->sockets);
    free(http);
    curl_global_cleanup();
}

/* --- requests -------------------------------------------------------------------------- */

/* An idle request, or a new one; taken out of every list. */
static struct http_request *take_request(struct http *http)
{
    struct http_request *request = LIST_FIRST(&http->idle);
    if (request != NULL) {
        LIST_REMOVE(request, link);
        return request;
    }
    request = http_request_new(http);
    if (request == NULL)
        return NULL;
    CURL *easy = request->easy;
    if (curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open) == CURLE_OK &&
        curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, http) == CURLE_OK &&
        curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, on_close) == CURLE_OK &&
        curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, http) == CURLE_OK)
        return request;
    http_request_free(request);
    return NULL;
}

/* libcurl keeps this many connections open, over all endpoints. */
static void keep_connections(struct http *http, long connections_max)
{
    if (connections_max <= http->connections_max)
        return;
    http->connections_max = connections_max;
    curl_multi_setopt(http->multi, CURLMOPT_MAXCONNECTS, connections_max + CONNECTIONS_SPARE);
}

struct http_request *http_start(struct http *http, const struct http_endpoint *endpoint,
                                const char *method, const char *url, const char *const *headers,
                                const char *body, size_t body_len, http_done *done, void *context,
                                struct error *err)
{
    struct http_request *request = take_request(http);
    if (request == NULL) {
        error_no_memory(err);
        return NULL;
    }
    keep_connections(http, endpoint->connections_max);
    request->done = done;
    request->context = context;
    /* Adding only sets the timer to "now": the transfer itself begins in http_turn. */
    if (http_request_prepare(request, endpoint, method, url, headers, body, body_len, err) &&
        curl_multi_add_handle(http->multi, request->easy) == CURLM_OK) {
        set_limit(http, request, endpoint->timeout_ms);
        LIST_INSERT_HEAD(&http->in_flight, request, link);
        return request;
    }
    error_no_memory(err);
    http_request_free(request); /* half prepared: its state is unknown */
    return NULL;
}

void http_cancel(struct http_request *request)
{
    struct http *http = request->http;
    curl_multi_remove_handle(http->multi, request->easy);
    LIST_REMOVE(request, link);
    LIST_INSERT_HEAD(&http->idle, request, link);
}

static void finish(struct http *http, struct http_request *request, CURLcode code)
{
    curl_multi_remove_handle(http->multi, request->easy);
    LIST_REMOVE(request, link);
    struct http_result result = http_request_result(request, code);
    request->done(request->context, &result);
    LIST_INSERT_HEAD(&http->idle, request, link); /* after the callback, which reads its body */
}

/* Calls back for finished requests; false when there were none. */
static bool call_back(struct http *http)
{
    bool any = false;
    int left;
    for (CURLMsg *message; (message = curl_multi_info_read(http->multi, &left)) != NULL;) {
        struct http_request *request;
        CURLcode code = message->data.result; /* gone with the next call to libcurl */
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &request);
        finish(http, request, code);
        any = true;
    }
    return any;
}

/* A request that is past its limit; NULL: none, and limit_ms is exact again. */
static struct http_request *find_late(struct http *http)
{
    int64_t earliest_ms = INT64_MAX;
    struct http_request *request;
    LIST_FOREACH (request, &http->in_flight, link) {
        if (request->limit_ms <= http->time_ms)
            return request;
        if (request->limit_ms < earliest_ms)
            earliest_ms = request->limit_ms;
    }
    http->limit_ms = earliest_ms;
    return NULL;
}

/* Ends requests that are past their limit, once there is nothing left to read. */
static void end_late(struct http *http)
{
    if (LIST_EMPTY(&http->in_flight) || http->time_ms < http->limit_ms || find_late(http) == NULL)
        return;
    for (int pass = 0; pass < PASSES_PER_TURN && serve_sockets(http); pass++)
        call_back(http);
    for (struct http_request *late; (late = find_late(http)) != NULL;)
        finish(http, late, CURLE_OPERATION_TIMEDOUT);
}

int64_t http_turn(struct http *http)
{
    /* Requests that the callbacks start are sent in the same turn. The bound leaves time for the
     * loop's other work when all requests fail at once. */
    bool again = true;
    pass_time(http);
    end_late(http);
    for (int pass = 0; again && pass < PASSES_PER_TURN; pass++) {
        run_timer(http);
        again = call_back(http);
    }
    int64_t due_ms = ms_until_due(http), limit_ms = ms_until_limit(http);
    return due_ms < 0 || (limit_ms >= 0 && limit_ms < due_ms) ? limit_ms : due_ms;
}
