#include "dashboard/routes/status.h"

#include "dashboard/api/api.h"
#include "dashboard/control/pausing.h"
#include "dashboard/health/health.h"
#include "dashboard/health/trends.h"
#include "topics/reconciled_record.h"

#include <string.h>

static json_t *known(bool is, json_int_t value)
{
    return is ? json_integer(value) : json_null();
}

static json_t *breaker_json(const struct members_now *m)
{
    static const char *const names[] = {"state", "reason", "since_ms", "next_probe_ms"};
    if (m->breaker == NULL)
        return json_null();
    json_t *breaker = json_object();
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        json_t *value = json_object_get(m->breaker, names[i]);
        if (value != NULL)
            json_object_set(breaker, names[i], value);
        else
            json_object_set_new(breaker, names[i], json_null());
    }
    return breaker;
}

static json_t *counts_json(struct api *api)
{
    json_t *counts = json_object();
    for (int i = 0; i < ORDER_STATE_COUNT; i++)
        json_object_set_new(counts, order_state_names[i],
                            json_integer(view_count(api->view, (enum order_state)i)));
    json_object_set_new(counts, "expiring", json_integer(health_expiring(api)));
    json_object_set_new(counts, "queued", json_integer(view_retries(api->view)));
    return counts;
}

static json_t *view_json(struct api *api)
{
    json_t *view = json_object();
    json_object_set_new(view, "caught_up", json_boolean(feed_caught_up(api->feed)));
    json_object_set_new(view, "behind", json_integer(feed_behind(api->feed)));
    json_object_set_new(view, "kafka", json_boolean(feed_kafka_answers(api->feed)));
    return view;
}

static json_t *json_of(const struct reconciled_record *record)
{
    json_t *json = json_object();
    json_object_set_new(json, "at_ms", json_integer(record->at_ms));
    json_object_set_new(json, "since_ms", known(record->since_ms >= 0, record->since_ms));
    json_object_set_new(json, "until_ms", known(record->until_ms >= 0, record->until_ms));
    json_object_set_new(json, "compared", json_integer(record->compared));
    json_object_set_new(json, "missing", json_integer(record->missing));
    return json;
}

/* The last comparison with the shop's own table; null: none is known. */
static json_t *reconciled_json(const struct api *api)
{
    struct reconciled_record record;
    json_t *all = view_members(api->view), *found = NULL, *member;
    size_t i;
    json_array_foreach (all, i, member)
        if (found == NULL && reconciled_record_read(api->config, member, &record))
            found = json_of(&record);
    json_decref(all);
    return found != NULL ? found : json_null();
}

json_t *status_json(struct api *api)
{
    struct members_now m;
    const struct order_filter parked = {.state = ORDER_PARKED, .since_ms = -1, .until_ms = -1};
    json_t *status = json_object();
    health_look(api, &m);
    bool alive = m.alive > 0;
    json_object_set_new(status, "verdict", verdict_json(&api->health->verdict));
    json_object_set_new(status, "now_ms", json_integer(api->wall_ms));
    json_object_set_new(status, "group", json_string(api->config->kafka_group));
    json_object_set_new(status, "topic", json_string(api->config->kafka_topic));
    json_object_set_new(status, "endpoint",
                        m.endpoint != NULL ? json_string(m.endpoint) : json_null());
    json_object_set_new(status, "counts", counts_json(api));
    json_object_set_new(status, "reasons", view_reasons(api->view, &parked));
    json_object_set_new(status, "delivered_hour", json_integer(trends_delivered_hour(api)));
    json_object_set_new(status, "lag", known(alive, m.lag));
    json_object_set_new(status, "oldest_unsettled_ms", known(m.oldest_ms >= 0, m.oldest_ms));
    json_object_set_new(status, "delivered_per_s",
                        alive ? json_real(m.delivered_per_s) : json_null());
    json_object_set_new(status, "in_flight", known(alive, m.in_flight));
    json_object_set_new(status, "waiting", known(alive, m.waiting));
    json_object_set_new(status, "paused", pause_json(api));
    json_object_set_new(status, "breaker", breaker_json(&m));
    json_object_set_new(status, "hold_until_ms",
                        known(m.hold_until_ms > api->wall_ms, m.hold_until_ms));
    json_object_set(status, "members", m.list);
    json_object_set_new(status, "view", view_json(api));
    json_object_set_new(status, "reconciled", reconciled_json(api));
    members_done(&m);
    return status;
}

/* ---- small calls ---- */

void call_status(struct call *call)
{
    reply_json(call->x, 200, status_json(call->api));
}

/* The offer is as public as the page. */
void call_sign_in(struct call *call)
{
    reply_json(call->x, 200, offer_json(&call->api->offer));
}

void call_session(struct call *call)
{
    const struct caller *c = &call->caller;
    json_t *session = json_object();
    json_object_set_new(session, "subject", *c->subject ? json_string(c->subject) : json_null());
    json_object_set_new(session, "role", *c->role ? json_string(c->role) : json_null());
    json_object_set_new(session, "operator", json_boolean(c->right == AUTH_OPERATOR));
    const char *link = c->right == AUTH_OPERATOR ? call->api->config->dashboard_order_link : NULL;
    json_object_set_new(session, "order_link", link != NULL ? json_string(link) : json_null());
    json_object_set_new(session, "expires_ms", json_integer(c->expires_s * 1000));
    json_object_set_new(session, "now_ms", json_integer(call->api->wall_ms));
    reply_json(call->x, 200, session);
}

void call_ready(struct call *call)
{
    bool asked_ready = strcmp(web_request_path(call->x), "/readyz") == 0;
    bool ready = feed_caught_up(call->api->feed) && feed_kafka_answers(call->api->feed);
    web_request_add_header(call->x, "Cache-Control", "no-store");
    if (!asked_ready || ready)
        web_request_reply_static(call->x, 200, "text/plain", slice_of("ok\n"));
    else
        web_request_reply_static(call->x, 503, "text/plain",
                                 slice_of(feed_kafka_answers(call->api->feed)
                                              ? "the view is being built\n"
                                              : "the brokers do not answer\n"));
}
