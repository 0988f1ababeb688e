/* server: one thread, poll(2); the test reads the journal under a lock. */
#include "fakes/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    CLIENTS_MAX = 256,
    REQUESTS_MAX = 4096,
    RULES_MAX = 64,
    INPUT_MAX = 2 * 1024 * 1024,
    DRIP_MS = 20,
    LISTENER = 0, /* in the array for poll */
    WAKER = 1,
    FIRST_CLIENT = 2
};

struct client {
    int fd; /* -1: free */
    int number;
    char *input;
    size_t input_len;
    enum server_action action; /* SERVER_NO_RULE: reading a request */
    const char *text;
    size_t written;
};

struct server {
    int listener, waker, port, connection_count;
    struct server_rule rules[RULES_MAX + 1];
    int used[RULES_MAX];
    struct client clients[CLIENTS_MAX];
    pthread_t thread;
    pthread_mutex_t lock; /* journal and the two flags */
    bool released, stopping, running;
    struct server_request journal[REQUESTS_MAX];
    size_t journal_len;
};

static void need(bool ok, const char *what)
{
    if (ok)
        return;
    perror(what);
    abort();
}

/* --- clients --------------------------------------------------------------------------- */

static void client_close(struct client *client)
{
    close(client->fd);
    free(client->input);
    *client = (struct client){.fd = -1};
}

static void client_reset(struct client *client)
{
    struct linger linger = {.l_onoff = 1, .l_linger = 0};
    setsockopt(client->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    client_close(client);
}

static void accept_client(struct server *server)
{
    int fd = accept4(server->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0)
        return;
    for (int i = 0; i < CLIENTS_MAX; i++) {
        struct client *client = &server->clients[i];
        if (client->fd >= 0)
            continue;
        *client = (struct client){.fd = fd, .number = server->connection_count++, .text = ""};
        client->input = calloc(1, INPUT_MAX + 1);
        need(client->input != NULL, "server: client");
        return;
    }
    close(fd);
}

static bool is_released(struct server *server)
{
    pthread_mutex_lock(&server->lock);
    bool released = server->released;
    pthread_mutex_unlock(&server->lock);
    return released;
}

/* Writes as the client's rule says, as far as the socket accepts. False when the client is gone. */
static bool client_write(struct client *client)
{
    static const char zeros[64 * 1024];
    size_t len = strlen(client->text);
    const char *from = client->text + client->written;
    size_t left = len - client->written;
    if (client->action == SERVER_DRIP && left > 1)
        left = 1;
    if (client->action == SERVER_ENDLESS && left == 0) {
        from = zeros;
        left = sizeof zeros;
    }
    ssize_t sent = send(client->fd, from, left, MSG_NOSIGNAL);
    if (sent < 0)
        return errno == EAGAIN;
    if (from != zeros)
        client->written += (size_t)sent;
    if (client->written < len)
        return true;
    if (client->action == SERVER_REPEAT)
        client->written = 0;
    else if (client->action == SERVER_ANSWER_CLOSE)
        return false;
    else if (client->action != SERVER_ENDLESS)
        client->action = SERVER_NO_RULE; /* the next request may come */
    return true;
}

/* --- requests -------------------------------------------------------------------------- */

static bool is_meant(const struct server_rule *rule, const char *path, const char *body,
                     size_t body_len)
{
    size_t len = rule->path != NULL ? strlen(rule->path) : 0;
    if (rule->path == NULL)
        return true;
    if (rule->path[0] != '/')
        return memmem(body, body_len, rule->path, len) != NULL;
    return strcspn(path, " ") == len && strncmp(rule->path, path, len) == 0;
}

static const struct server_rule *rule_for(struct server *server, const char *head, const char *body,
                                          size_t body_len)
{
    const char *path = strchr(head, ' ');
    need(path != NULL, "server: not a request");
    path++;
    for (int i = 0; server->rules[i].action != SERVER_NO_RULE; i++) {
        const struct server_rule *rule = &server->rules[i];
        if (!is_meant(rule, path, body, body_len) ||
            (rule->times != 0 && server->used[i] == rule->times))
            continue;
        server->used[i]++;
        return rule;
    }
    return NULL;
}

static void journal_add(struct server *server, int connection, const char *head, size_t head_len,
                        size_t body_len)
{
    char *head_copy = strndup(head, head_len);
    char *body_copy = strndup(head + head_len, body_len);
    need(head_copy != NULL && body_copy != NULL, "server: journal");
    pthread_mutex_lock(&server->lock);
    need(server->journal_len < REQUESTS_MAX, "server: journal full");
    server->journal[server->journal_len++] = (struct server_request){
        .connection = connection,
        .head = head_copy,
        .body = body_copy,
    };
    pthread_mutex_unlock(&server->lock);
}

/* Takes one whole request out of the input and starts its rule; false when there is none. */
static bool take_request(struct server *server, struct client *client)
{
    if (server->rules[0].action == SERVER_REFUSE) {
        client->action = SERVER_ANSWER_CLOSE;
        client->text = server->rules[0].text;
        return true;
    }
    client->input[client->input_len] = '\0';
    char *end = strstr(client->input, "\r\n\r\n");
    if (end == NULL)
        return false;
    size_t head_len = (size_t)(end - client->input) + 4;
    const char *length = strcasestr(client->input, "\r\nContent-Length:");
    size_t body_len = length != NULL && length < end ? strtoul(length + 17, NULL, 10) : 0;
    if (client->input_len < head_len + body_len)
        return false;
    const struct server_rule *rule =
        rule_for(server, client->input, client->input + head_len, body_len);
    journal_add(server, client->number, client->input, head_len, body_len);
    client->input_len -= head_len + body_len;
    memmove(client->input, client->input + head_len + body_len, client->input_len);
    client->action = rule != NULL ? rule->action : SERVER_CLOSE;
    client->text = rule != NULL && rule->text != NULL ? rule->text : "";
    client->written = 0;
    return true;
}

/* False when the client hung up. */
static bool client_read(struct server *server, struct client *client)
{
    ssize_t got =
        recv(client->fd, client->input + client->input_len, INPUT_MAX - client->input_len, 0);
    if (got == 0 || (got < 0 && errno != EAGAIN))
        return false;
    client->input_len += got > 0 ? (size_t)got : 0;
    if (client->action == SERVER_NO_RULE)
        take_request(server, client);
    return true;
}

/* --- the thread ------------------------------------------------------------------------ */

static bool wants_to_write(struct server *server, const struct client *client)
{
    switch (client->action) {
    case SERVER_ANSWER:
    case SERVER_ANSWER_CLOSE:
    case SERVER_DRIP:
    case SERVER_ENDLESS:
    case SERVER_REPEAT: return true;
    case SERVER_HOLD: return is_released(server);
    default: return false;
    }
}

static void serve(struct server *server, struct client *client, short ready)
{
    bool hung_up = ready & (POLLIN | POLLHUP | POLLERR) && !client_read(server, client);
    if (client->action == SERVER_RESET)
        client_reset(client);
    else if (hung_up || client->action == SERVER_CLOSE ||
             (wants_to_write(server, client) && !client_write(client)))
        client_close(client);
}

/* Fills the array for poll; returns how long to wait. */
static int watch_all(struct server *server, struct pollfd *fds)
{
    int timeout_ms = -1;
    fds[LISTENER] = (struct pollfd){.fd = server->listener, .events = POLLIN};
    fds[WAKER] = (struct pollfd){.fd = server->waker, .events = POLLIN};
    for (int i = 0; i < CLIENTS_MAX; i++) {
        struct client *client = &server->clients[i];
        fds[FIRST_CLIENT + i] = (struct pollfd){.fd = client->fd, .events = POLLIN};
        if (client->action == SERVER_DRIP)
            timeout_ms = DRIP_MS;
        else if (wants_to_write(server, client))
            fds[FIRST_CLIENT + i].events |= POLLOUT;
    }
    return timeout_ms;
}

static bool is_stopping(struct server *server)
{
    pthread_mutex_lock(&server->lock);
    bool stopping = server->stopping;
    pthread_mutex_unlock(&server->lock);
    return stopping;
}

static void *run(void *context)
{
    struct server *server = context;
    struct pollfd fds[FIRST_CLIENT + CLIENTS_MAX];
    while (!is_stopping(server)) {
        int timeout_ms = watch_all(server, fds);
        int ready = poll(fds, FIRST_CLIENT + CLIENTS_MAX, timeout_ms);
        uint64_t wakes;
        if (fds[WAKER].revents != 0)
            (void)!read(server->waker, &wakes, sizeof wakes);
        for (int i = 0; i < CLIENTS_MAX; i++) {
            struct client *client = &server->clients[i];
            bool drips = client->action == SERVER_DRIP && ready == 0;
            if (client->fd >= 0 && (fds[FIRST_CLIENT + i].revents != 0 || drips))
                serve(server, client, fds[FIRST_CLIENT + i].revents);
        }
        if (fds[LISTENER].revents != 0)
            accept_client(server);
    }
    return NULL;
}

/* --- life ------------------------------------------------------------------------------ */

struct server *server_new(const struct server_rule *rules)
{
    struct server *server = calloc(1, sizeof *server);
    need(server != NULL, "server");
    for (int i = 0; rules[i].action != SERVER_NO_RULE; i++) {
        need(i < RULES_MAX, "server: rules");
        server->rules[i] = rules[i];
    }
    for (int i = 0; i < CLIENTS_MAX; i++)
        server->clients[i].fd = -1;
    need(pthread_mutex_init(&server->lock, NULL) == 0, "server: lock");
    server->waker = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    socklen_t len = sizeof address;
    need(server->waker >= 0 && server->listener >= 0 &&
             bind(server->listener, (struct sockaddr *)&address, len) == 0 &&
             getsockname(server->listener, (struct sockaddr *)&address, &len) == 0,
         "server: bind");
    server->port = ntohs(address.sin_port);
    return server;
}

void server_listen(struct server *server)
{
    need(listen(server->listener, CLIENTS_MAX) == 0, "server: listen");
    need(pthread_create(&server->thread, NULL, run, server) == 0, "server: thread");
    server->running = true;
}

static void set_flag(struct server *server, bool *flag)
{
    pthread_mutex_lock(&server->lock);
    *flag = true;
    pthread_mutex_unlock(&server->lock);
    need(write(server->waker, &(uint64_t){1}, sizeof(uint64_t)) > 0, "server: wake");
}

void server_release(struct server *server)
{
    set_flag(server, &server->released);
}

void server_free(struct server *server)
{
    if (server == NULL)
        return;
    if (server->running) {
        set_flag(server, &server->stopping);
        pthread_join(server->thread, NULL);
    }
    for (int i = 0; i < CLIENTS_MAX; i++)
        if (server->clients[i].fd >= 0)
            client_close(&server->clients[i]);
    for (size_t i = 0; i < server->journal_len; i++) {
        free((char *)server->journal[i].head);
        free((char *)server->journal[i].body);
    }
    close(server->listener);
    close(server->waker);
    pthread_mutex_destroy(&server->lock);
    free(server);
}

int server_port(const struct server *server)
{
    return server->port;
}

size_t server_request_count(struct server *server)
{
    pthread_mutex_lock(&server->lock);
    size_t count = server->journal_len;
    pthread_mutex_unlock(&server->lock);
    return count;
}

const struct server_request *server_request(struct server *server, size_t i)
{
    return i < server_request_count(server) ? &server->journal[i] : NULL;
}
