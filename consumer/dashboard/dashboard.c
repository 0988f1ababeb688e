#include "dashboard/dashboard_internal.h"

#include "edge/clock.h"
#include "edge/listen.h"
#include "edge/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What it is really bound to: port 0 is a free one's. */
static void name_address(struct dashboard *d, int fd)
{
    const char *asked = d->config->dashboard_listen, *colon = strrchr(asked, ':');
    snprintf(d->address, sizeof d->address, "%.*s:%d", (int)(colon - asked), asked,
             listen_port(fd));
}

static bool listen_and_serve(struct dashboard *d, struct error *err)
{
    const struct web_callbacks callbacks = {api_request, api_gone, d};
    int fd = listen_open(d->config->dashboard_listen, "dashboard.listen", err);
    if (fd < 0)
        return false;
    name_address(d, fd);
    d->web = web_new(d->loop, fd, &web_limits_default, &callbacks, err);
    return d->web != NULL;
}

struct dashboard *dashboard_new(const struct config *config, struct error *err)
{
    struct dashboard *d = calloc(1, sizeof *d);
    if (d == NULL) {
        error_set(err, ERROR_NO_MEMORY, "no memory to start");
        return NULL;
    }
    d->config = config;
    d->loop = loop_new(err);
    if (d->loop != NULL && listen_and_serve(d, err))
        return d;
    dashboard_free(d);
    return NULL;
}

void dashboard_free(struct dashboard *d)
{
    if (d == NULL)
        return;
    web_free(d->web);
    loop_free(d->loop);
    free(d);
}

static void stop(void *context, int fd, unsigned events)
{
    struct dashboard *d = context;
    (void)events;
    d->stopping = true;
    loop_forget(d->loop, fd);
}

bool dashboard_run(struct dashboard *d, int stop_fd, struct error *err)
{
    if (!loop_watch(d->loop, stop_fd, LOOP_READ, stop, d))
        return error_set(err, ERROR_NO_MEMORY, "no memory to wait for signals");
    log_info("dashboard listens", LOG_S("address", d->address));
    while (!d->stopping) {
        d->now_ms = clock_mono_ms();
        loop_wait(d->loop, web_turn(d->web, d->now_ms));
    }
    log_info("dashboard ends", LOG_S("address", d->address));
    return true;
}

const char *dashboard_address(const struct dashboard *d)
{
    return d->address;
}
