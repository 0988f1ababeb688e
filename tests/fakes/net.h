/* net: a loop with HTTP on it, turned until a test has what it waits for. */
#ifndef FAKES_NET_H
#define FAKES_NET_H

#include "fakes/server.h"
#include "http/http_client.h"
#include "registry/registry.h"

struct net {
    struct loop *loop;
    struct http *http;
    struct registry *registry; /* turned too, if set */
};

void net_open(struct net *net); /* aborts when it cannot */
void net_close(struct net *net);

/* Turns until *count has reached `until`; false after 20 s. */
bool net_run(struct net *net, const int *count, int until);

/* Turns until the server has received `count` requests; false after 20 s. */
bool net_await_requests(struct net *net, struct server *server, size_t count);

#endif
