#include "http/connections.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

static void copy_address(unsigned char ret_address[16], const struct sockaddr *address, int prefix)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    if (address != NULL && address->sa_family == AF_INET) {
        memcpy(&v4, address, sizeof v4);
        memset(ret_address + 10, 0xff, 2);
        memcpy(ret_address + 12, &v4.sin_addr, 4);
    } else if (address != NULL && address->sa_family == AF_INET6) {
        memcpy(&v6, address, sizeof v6);
        memcpy(ret_address, &v6.sin6_addr,
               IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr) ? 16 : (size_t)prefix);
    }
}

static bool is_idle(const struct connection *c)
{
    return c->state == CONNECTION_ARRIVING || c->state == CONNECTION_LEAVING;
}

static unsigned count_idle(const struct connections *all, const struct connection *from)
{
    const struct connection *c;
    unsigned count = 0;
    LIST_FOREACH (c, &all->list, link)
        count += is_idle(c) && memcmp(c->address, from->address, sizeof c->address) == 0;
    return count;
}

static void cut(struct connections *all, struct connection *c)
{
    c->state = CONNECTION_CUT;
    all->open--;
    shutdown(c->fd, SHUT_RDWR);
}

static void make_room(struct connections *all)
{
    struct connection *c, *leaves = NULL;
    unsigned most = 0;
    LIST_FOREACH (c, &all->list, link) {
        unsigned count = is_idle(c) ? count_idle(all, c) : 0;
        if (count > most || (count > 0 && count == most && c->since_ms <= leaves->since_ms)) {
            most = count;
            leaves = c;
        }
    }
    if (leaves != NULL)
        cut(all, leaves);
}

struct connection *connections_add(struct connections *all, int fd, const struct sockaddr *address,
                                   int64_t now_ms)
{
    struct connection *c = calloc(1, sizeof *c);
    if (c == NULL)
        return NULL;
    c->fd = fd;
    c->since_ms = now_ms;
    copy_address(c->address, address, all->limits.prefix);
    LIST_INSERT_HEAD(&all->list, c, link);
    if (++all->open > all->limits.connections)
        make_room(all);
    return c;
}

void connections_remove(struct connections *all, struct connection *c)
{
    if (c == NULL)
        return;
    all->open -= c->state != CONNECTION_CUT;
    LIST_REMOVE(c, link);
    free(c);
}

void connections_set(struct connections *all, struct connection *c, enum connection_state state,
                     int64_t now_ms)
{
    if (c == NULL || c->state == CONNECTION_CUT)
        return;
    c->state = state;
    if (all->limits.answer_ms > 0)
        c->since_ms = now_ms;
}

void connections_answered(struct connection *c, int64_t now_ms)
{
    if (c == NULL || c->state == CONNECTION_CUT)
        return;
    c->state = CONNECTION_ARRIVING;
    c->since_ms = now_ms;
}

int64_t connections_turn(struct connections *all, int64_t now_ms)
{
    struct connection *c;
    int64_t next_ms = -1;
    LIST_FOREACH (c, &all->list, link) {
        bool has_own_limit = c->state == CONNECTION_LEAVING && all->limits.answer_ms > 0;
        int64_t left_ms =
            c->since_ms + (has_own_limit ? all->limits.answer_ms : all->limits.request_ms) - now_ms;
        if (!is_idle(c))
            continue;
        if (left_ms <= 0)
            cut(all, c);
        else if (next_ms < 0 || left_ms < next_ms)
            next_ms = left_ms;
    }
    return next_ms;
}
