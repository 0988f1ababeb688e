#include "dashboard/api/api_internal.h"

#include "dashboard/dashboard.h"
#include "sys/clock.h"
#include "sys/listen.h"
#include "sys/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { LAG_EVERY_MS = 10000, FLUSH_MS = 5000 };

/* ---- opening ---- */

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

static void changed(void *context, const char *key, size_t key_len)
{
    struct dashboard *d = context;
    if (key == NULL)
        return;
    wait_changed(d, key, key_len);
    stream_changed(d, key, key_len);
}

static void woken(void *context, int fd, unsigned events)
{
    uint64_t count;
    (void)context, (void)events;
    (void)!read(fd, &count, sizeof count);
}

static bool open_kafka(struct dashboard *d, struct error *err)
{
    char identity[1100];
    d->view = view_open(d->config->dashboard_database,
                        feed_identity(d->config, identity, sizeof identity), err);
    if (d->view == NULL)
        return false;
    d->feed = feed_new(d->config, d->view, d->loop, changed, d, err);
    d->fetch = d->feed != NULL ? fetch_new(d->config, d->loop, err) : NULL;
    d->publisher_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    d->publisher = d->fetch != NULL ? publisher_new(d->config, d->publisher_fd, err) : NULL;
    const char *const topics[] = {d->config->retry_topic};
    d->keep_connected = d->publisher != NULL ? keep_connected_new(publisher_client(d->publisher),
                                                                  topics, 1, d->publisher_fd, err)
                                             : NULL;
    return d->keep_connected != NULL &&
           (loop_watch(d->loop, d->publisher_fd, LOOP_READ, woken, d) ||
            error_set(err, ERROR_NO_MEMORY, "no memory to publish retries"));
}

static bool open_all(struct dashboard *d, struct error *err)
{
    d->now_ms = clock_mono_ms();
    d->wall_ms = clock_wall_ms();
    d->quota.key = d->config->hash_key;
    d->changed = json_object();
    d->redrives = json_array();
    d->loop = loop_new(err);
    d->http = d->loop != NULL ? http_new(d->loop, err) : NULL;
    return d->http != NULL && signin_open(d, err) && open_kafka(d, err) && listen_and_serve(d, err);
}

struct dashboard *dashboard_new(const struct config *config, struct error *err)
{
    struct dashboard *d = calloc(1, sizeof *d);
    if (d == NULL) {
        error_set(err, ERROR_NO_MEMORY, "no memory to start");
        return NULL;
    }
    d->config = config;
    d->publisher_fd = -1;
    for (int i = 0; i < LAG_POINTS; i++)
        d->lag[i] = -1;
    if (open_all(d, err))
        return d;
    dashboard_free(d);
    return NULL;
}

void dashboard_free(struct dashboard *d)
{
    if (d == NULL)
        return;
    fetch_free(d->fetch); /* tells those who wait for a record */
    keep_connected_free(d->keep_connected);
    publisher_free(d->publisher); /* and those who wait for an acknowledgement */
    web_free(d->web);
    while (d->waits != NULL)
        wait_free(d->waits);
    redrive_free(d);
    feed_free(d->feed);
    view_close(d->view);
    http_free(d->http);
    if (d->publisher_fd >= 0)
        close(d->publisher_fd);
    loop_free(d->loop);
    keys_done(&d->keys);
    json_decref(d->changed);
    free(d->status_told);
    free(d);
}

/* ---- the loop ---- */

static void stop(void *context, int fd, unsigned events)
{
    struct dashboard *d = context;
    (void)events;
    d->stopping = true;
    loop_forget(d->loop, fd);
}

static void sooner(int64_t *wait_ms, int64_t other_ms)
{
    if (other_ms >= 0 && (*wait_ms < 0 || other_ms < *wait_ms))
        *wait_ms = other_ms;
}

static bool turn(struct dashboard *d, struct error *err)
{
    int64_t wait_ms = LAG_EVERY_MS;
    d->now_ms = clock_mono_ms();
    d->wall_ms = clock_wall_ms();
    if (!feed_turn(d->feed, d->now_ms, &wait_ms, err))
        return false;
    sooner(&wait_ms, LAG_EVERY_MS);
    if (d->now_ms >= d->lag_ms) {
        d->lag_ms = d->now_ms + LAG_EVERY_MS;
        status_note_lag(d);
    }
    signin_turn(d);
    sooner(&wait_ms, publisher_turn(d->publisher, d->now_ms));
    sooner(&wait_ms, keep_connected_turn(d->keep_connected, d->now_ms));
    sooner(&wait_ms, waits_turn(d));
    sooner(&wait_ms, redrive_turn(d));
    sooner(&wait_ms, stream_turn(d));
    sooner(&wait_ms, refusals_turn(d));
    sooner(&wait_ms, fetch_turn(d->fetch, d->now_ms));
    sooner(&wait_ms, http_turn(d->http));
    d->asked = false;
    sooner(&wait_ms, web_turn(d->web, d->now_ms));
    loop_wait(d->loop, d->asked ? 0 : wait_ms); /* what was asked for begins in the next turn */
    return true;
}

bool dashboard_run(struct dashboard *d, int stop_fd, struct error *err)
{
    bool ok = true;
    if (!loop_watch(d->loop, stop_fd, LOOP_READ, stop, d))
        return error_set(err, ERROR_NO_MEMORY, "no memory to wait for signals");
    log_info("dashboard listens", LOG_S("address", d->address));
    while (ok && !d->stopping)
        ok = turn(d, err);
    if (ok)
        publisher_flush(d->publisher, FLUSH_MS);
    log_info("dashboard ends", LOG_S("address", d->address));
    return ok;
}

const char *dashboard_address(const struct dashboard *d)
{
    return d->address;
}
