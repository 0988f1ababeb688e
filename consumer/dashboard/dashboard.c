#include "dashboard/dashboard.h"

#include "dashboard/api/api.h"
#include "dashboard/control/bulk.h"
#include "dashboard/control/dismissing.h"
#include "dashboard/export/export.h"
#include "dashboard/feed/keep_connected.h"
#include "dashboard/health/health.h"
#include "dashboard/health/trends.h"
#include "dashboard/notify/notifier.h"
#include "dashboard/routes/events.h"
#include "dashboard/routes/order_payload.h"
#include "dashboard/routes/routes.h"
#include "dashboard/web/order_link.h"
#include "sys/clock.h"
#include "sys/log.h"
#include "sys/service_manager.h"
#include "sys/wakeup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FLUSH_MS = 5000, TELL_EVERY_MS = 500, START_MS = 60000 };

struct dashboard {
    struct loop *loop;
    struct web *web;
    struct keep_connected *keep_connected; /* the publisher */
    int publisher_fd; /* what librdkafka does for it, and threads that have ended, wake the loop */
    char address[128];
    bool stopping;
    struct bulks bulks;
    struct dismissals dismissals;
    struct event_stream stream;
    struct trends trends;
    struct health health;
    struct payloads payloads;
    struct exports exports;
    int64_t began_ms, told_ms;
    bool has_seen;             /* the view was whole once */
    struct notifier *notifier; /* NULL: no address is configured */
    struct api api;
};

/* ---- opening ---- */

static bool listen_and_serve(struct dashboard *d, struct error *err)
{
    const struct web_callbacks callbacks = {routes_request, pending_gone, &d->api};
    const char *address = d->api.config->dashboard_listen;
    d->web = web_new(d->loop, address, "dashboard.listen", &web_limits_default, &callbacks, err);
    if (d->web == NULL)
        return false;
    /* with the port that is bound: port 0 asks for a free one */
    int host_len = (int)(strrchr(address, ':') - address);
    snprintf(d->address, sizeof d->address, "%.*s:%d", host_len, address, web_port(d->web));
    return true;
}

static void changed(void *context, const char *key, size_t key_len)
{
    struct dashboard *d = context;
    if (key == NULL)
        return;
    pending_changed(&d->api, key, key_len);
    dismissals_changed(&d->api, key, key_len);
    events_changed(&d->api, key, key_len);
}

static bool open_kafka(struct dashboard *d, struct error *err)
{
    char identity[FEED_IDENTITY_MAX];
    d->api.view =
        view_open(d->api.config->dashboard_database, feed_identity(d->api.config, identity), err);
    if (d->api.view == NULL)
        return false;
    d->api.feed = feed_new(d->api.config, d->api.view, d->loop, changed, d, err);
    d->api.fetch = d->api.feed != NULL ? fetch_new(d->api.config, d->loop, err) : NULL;
    d->publisher_fd = wakeup_new();
    d->api.watch =
        d->api.fetch != NULL ? orders_watch_new(d->api.config, d->publisher_fd, err) : NULL;
    d->api.publisher =
        d->api.watch != NULL ? publisher_new(d->api.config, d->publisher_fd, err) : NULL;
    const char *const topics[] = {d->api.config->retry_topic};
    d->keep_connected = d->api.publisher != NULL
                            ? keep_connected_new(publisher_client(d->api.publisher), topics, 1,
                                                 d->publisher_fd, err)
                            : NULL;
    return d->keep_connected != NULL &&
           (wakeup_watch(d->publisher_fd, d->loop) || error_no_memory(err));
}

static bool open_notifier(struct dashboard *d, struct error *err)
{
    d->notifier = notifier_new(d->api.config, err);
    return d->notifier != NULL || err->code == ERROR_NONE;
}

static bool open_all(struct dashboard *d, struct error *err)
{
    d->began_ms = d->api.now_ms = clock_mono_ms();
    d->api.wall_ms = clock_wall_ms();
    d->api.bulks = &d->bulks;
    d->api.dismissals = &d->dismissals;
    d->api.stream = &d->stream;
    d->api.trends = &d->trends;
    d->api.health = &d->health;
    d->api.payloads = &d->payloads;
    d->api.exports = &d->exports;
    d->api.quota.key = d->api.asked.key = d->api.config->hash_key;
    bulk_open(&d->bulks, events_send);
    LIST_INIT(&d->dismissals);
    events_open(&d->stream);
    d->loop = loop_new(err);
    d->api.http = d->loop != NULL ? http_new(d->loop, err) : NULL;
    if (!trends_open(&d->trends, d->api.wall_ms))
        return error_no_memory(err);
    return d->api.http != NULL && site_read(&d->api.site, d->api.config->dashboard_url, err) &&
           order_link_check(d->api.config->dashboard_order_link, err) &&
           offer_read(&d->api.offer, d->api.config->dashboard_supabase_url,
                      d->api.config->dashboard_supabase_key, err) &&
           sign_in_open(&d->api, err) && open_kafka(d, err) && open_notifier(d, err) &&
           listen_and_serve(d, err);
}

struct dashboard *dashboard_new(const struct config *config, struct error *err)
{
    struct dashboard *d = calloc(1, sizeof *d);
    if (d == NULL) {
        error_no_memory(err);
        return NULL;
    }
    d->api.config = config;
    d->publisher_fd = -1;
    if (open_all(d, err))
        return d;
    dashboard_free(d);
    return NULL;
}

void dashboard_free(struct dashboard *d)
{
    if (d == NULL)
        return;
    notifier_free(d->notifier);
    fetch_free(d->api.fetch); /* ends what waits for a record */
    payload_done(&d->payloads);
    export_done(&d->exports);
    keep_connected_free(d->keep_connected);
    publisher_free(d->api.publisher); /* ends those that wait for an acknowledgement */
    dismissals_end(&d->api);
    web_free(d->web);
    while (!LIST_EMPTY(&d->api.pending.list))
        pending_free(LIST_FIRST(&d->api.pending.list));
    bulk_done(&d->bulks);
    events_done(&d->stream);
    orders_watch_free(d->api.watch);
    feed_free(d->api.feed);
    view_close(d->api.view);
    trends_done(&d->trends);
    http_free(d->api.http);
    wakeup_free(d->publisher_fd);
    loop_free(d->loop);
    sign_in_done(&d->api.sign_in);
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

/* A start is no trouble: it sees nothing at first. Parked orders count once the view is whole. */
static void tell_notifier(struct dashboard *d)
{
    struct api *api = &d->api;
    const struct health *h = &d->health;
    int64_t oldest_ms, newest_ms = -1, fresh = 0;
    if (d->notifier == NULL || (d->told_ms != 0 && api->now_ms - d->told_ms < TELL_EVERY_MS))
        return;
    d->told_ms = api->now_ms;
    d->has_seen = d->has_seen || h->facts.caught_up || api->now_ms - d->began_ms >= START_MS;
    if (!d->has_seen)
        return;
    const struct order_filter filter = {
        .state = ORDER_PARKED, .since_ms = notifier_parked_until(d->notifier) + 1, .until_ms = -1};
    if (h->facts.caught_up && h->facts.parked > 0)
        fresh = view_parked_count(api->view, &filter, &oldest_ms, &newest_ms);
    notifier_see(d->notifier,
                 &(struct notifier_facts){.now_ms = h->facts.now_ms,
                                          .seen_ms = api->now_ms,
                                          .state = h->verdict.state,
                                          .code = h->verdict.count > 0 ? h->verdict.causes[0].code
                                                                       : VERDICT_CODE_COUNT,
                                          .waiting = h->facts.unread,
                                          .parked = h->facts.parked,
                                          .parked_new = fresh,
                                          .parked_newest_ms = newest_ms});
}

static bool turn(struct dashboard *d, struct error *err)
{
    struct api *api = &d->api;
    int64_t wait_ms = -1;
    api->now_ms = clock_mono_ms();
    api->wall_ms = clock_wall_ms();
    if (!feed_turn(api->feed, api->now_ms, &wait_ms, err))
        return false;
    sooner(&wait_ms, publisher_turn(api->publisher, api->now_ms));
    sooner(&wait_ms, keep_connected_turn(d->keep_connected, api->now_ms));
    sooner(&wait_ms, orders_watch_turn(api->watch, api->now_ms));
    sign_in_turn(api);
    sooner(&wait_ms, trends_turn(api));
    sooner(&wait_ms, health_turn(api));
    tell_notifier(d);
    sooner(&wait_ms, pending_turn(api));
    sooner(&wait_ms, dismissals_turn(api));
    sooner(&wait_ms, bulk_turn(api));
    sooner(&wait_ms, events_turn(api));
    sooner(&wait_ms, export_turn(api));
    sooner(&wait_ms, refusals_turn(api));
    sooner(&wait_ms, fetch_turn(api->fetch, api->now_ms));
    sooner(&wait_ms, http_turn(api->http));
    sooner(&wait_ms, payload_turn(api));
    api->called = false;
    sooner(&wait_ms, web_turn(d->web, api->now_ms));
    loop_wait(d->loop, api->called ? 0 : wait_ms);
    return true;
}

bool dashboard_run(struct dashboard *d, int stop_fd, struct error *err)
{
    bool ok = true;
    if (!loop_watch(d->loop, stop_fd, LOOP_READ, stop, d))
        return error_no_memory(err);
    struct service_manager *manager = service_manager_open(d->loop);
    log_info("dashboard listens", LOG_S("address", d->address));
    service_manager_tell_ready(manager);
    while (ok && !d->stopping)
        ok = turn(d, err);
    service_manager_tell_stopping(manager);
    if (ok)
        publisher_flush(d->api.publisher, FLUSH_MS);
    log_info("dashboard ends", LOG_S("address", d->address));
    service_manager_close(manager);
    return ok;
}

const char *dashboard_address(const struct dashboard *d)
{
    return d->address;
}
