#include "fakes/net.h"

#include "sys/clock.h"

#include <stdlib.h>

enum { PATIENCE_MS = 20000, JOURNAL_LOOK_MS = 5 };

void net_open(struct net *net)
{
    *net = (struct net){.loop = loop_new(NULL)};
    if (net->loop != NULL)
        net->http = http_new(net->loop, NULL);
    if (net->http == NULL)
        abort();
}

void net_close(struct net *net)
{
    http_free(net->http);
    loop_free(net->loop);
}

static int64_t sooner(int64_t a, int64_t b)
{
    if (a < 0 || b < 0)
        return a < 0 ? b : a;
    return a < b ? a : b;
}

/* One turn; returns how long the loop may wait. */
static int64_t turn(struct net *net)
{
    int64_t wait_ms = http_turn(net->http);
    if (net->registry != NULL)
        wait_ms = sooner(wait_ms, registry_turn(net->registry, clock_mono_ms()));
    return wait_ms;
}

bool net_run(struct net *net, const int *count, int until)
{
    int64_t deadline_ms = clock_mono_ms() + PATIENCE_MS;
    for (;;) {
        int64_t wait_ms = turn(net);
        int64_t left_ms = deadline_ms - clock_mono_ms();
        if (*count >= until)
            return true;
        if (left_ms <= 0)
            return false;
        loop_wait(net->loop, sooner(wait_ms, left_ms));
    }
}

bool net_await_requests(struct net *net, struct server *server, size_t count)
{
    int64_t deadline_ms = clock_mono_ms() + PATIENCE_MS;
    while (server_request_count(server) < count) { /* its journal wakes no thread: look often */
        if (clock_mono_ms() >= deadline_ms)
            return false;
        loop_wait(net->loop, sooner(turn(net), JOURNAL_LOOK_MS));
    }
    return true;
}
