#include "dashboard/routes/status.h"

#include "dashboard/api/api.h"
#include "topics/settings/topic_retention.h"

#include <string.h>

enum { ALIVE_MS = 20000, MINUTE_MS = 60000, LAG_EVERY_MS = 10000 };

static const double RATE_MAX = 1e15;

/* The group's sums. */
struct merged {
    int64_t lag, in_flight, waiting, oldest_ms, hold_until_ms;
    double delivered_per_s;
    size_t alive;
    bool held, stopped;
    int worst; /* rank of the breaker below */
    const json_t *breaker;
    const char *endpoint;
};

static int64_t whole(const json_t *object, const char *name, int64_t otherwise)
{
    const json_t *value = json_object_get(object, name);
    return json_is_integer(value) ? json_integer_value(value) : otherwise;
}

static const char *text(const json_t *object, const char *name)
{
    const char *value = json_string_value(json_object_get(object, name));
    return value != NULL ? value : "";
}

/* A member's record may hold any number: negative ones are ignored, and sums do not overflow. */
static void add_count(int64_t *sum, const json_t *object, const char *name)
{
    int64_t more = whole(object, name, 0);
    if (more > 0 && __builtin_add_overflow(*sum, more, sum))
        *sum = INT64_MAX;
}

static void merge_partitions(struct merged *m, const json_t *partitions)
{
    const json_t *partition;
    size_t i;
    json_array_foreach (partitions, i, partition) {
        const char *state = text(partition, "state");
        add_count(&m->lag, partition, "lag");
        m->held |= strcmp(state, "held") == 0;
        m->stopped |= strcmp(state, "stopped") == 0;
    }
}

static int rank(const json_t *breaker)
{
    const char *state = text(breaker, "state");
    if (strcmp(state, "open") == 0)
        return 3;
    return strcmp(state, "closed") == 0 ? 1 : 2;
}

static void merge(struct merged *m, const json_t *member)
{
    const json_t *breaker = json_object_get(member, "breaker");
    int64_t oldest_ms = whole(member, "oldest_unsettled_ms", -1);
    m->alive++;
    merge_partitions(m, json_object_get(member, "partitions"));
    merge_partitions(m, json_object_get(member, "retry_partitions"));
    add_count(&m->in_flight, member, "in_flight");
    add_count(&m->waiting, member, "waiting");
    add_count(&m->waiting, member, "retrying");
    m->delivered_per_s +=
        json_number_value(json_object_get(json_object_get(member, "rates"), "delivered_per_s"));
    if (m->delivered_per_s > RATE_MAX) /* JSON has no infinity */
        m->delivered_per_s = RATE_MAX;
    if (oldest_ms >= 0 && (m->oldest_ms < 0 || oldest_ms < m->oldest_ms))
        m->oldest_ms = oldest_ms;
    if (json_is_object(breaker) && rank(breaker) > m->worst) {
        m->worst = rank(breaker);
        m->breaker = breaker;
    }
    int64_t hold_ms = whole(json_object_get(member, "pace"), "hold_until_ms", 0);
    m->hold_until_ms = hold_ms > m->hold_until_ms ? hold_ms : m->hold_until_ms;
    if (json_is_string(json_object_get(member, "endpoint")))
        m->endpoint = text(member, "endpoint");
}

/* Members of our group; marks each as alive or not. */
static json_t *members_of(struct api *api, struct merged *m)
{
    json_t *all = view_members(api->view), *ours = json_array(), *member;
    size_t i;
    *m = (struct merged){.oldest_ms = -1};
    json_array_foreach (all, i, member) {
        bool alive = whole(member, "at_ms", 0) > api->wall_ms - ALIVE_MS;
        if (strcmp(text(member, "group"), api->config->kafka_group) != 0 ||
            !json_is_string(json_object_get(member, "member")))
            continue;
        json_object_set_new(member, "alive", json_boolean(alive));
        if (!json_is_integer(json_object_get(member, "at_ms")))
            json_object_set_new(member, "at_ms", json_null());
        if (!json_is_array(json_object_get(member, "partitions")))
            json_object_set_new(member, "partitions", json_array());
        json_array_append(ours, member);
        if (alive)
            merge(m, member);
    }
    json_decref(all);
    return ours;
}

static json_t *known(bool is, json_int_t value)
{
    return is ? json_integer(value) : json_null();
}

static json_t *breaker_json(const struct merged *m)
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

static const char *verdict(struct api *api, const struct merged *m)
{
    if (m->alive == 0 || m->worst > 1 || m->stopped || !feed_kafka_answers(api->feed))
        return "trouble";
    if (view_count(api->view, ORDER_PARKED) > 0 || view_count(api->view, ORDER_RETRYING) > 0 ||
        m->held || m->hold_until_ms > api->wall_ms || !feed_caught_up(api->feed))
        return "attention";
    return "ok";
}

int64_t status_expiring(const struct api *api)
{
    int64_t oldest_ms, newest_ms;
    const struct order_filter filter = {.state = ORDER_PARKED,
                                        .since_ms = -1,
                                        .until_ms = api->wall_ms - api->config->parked_retention +
                                                    TOPIC_EXPIRES_SOON_MS};
    return filter.until_ms > 0 ? view_parked_count(api->view, &filter, &oldest_ms, &newest_ms) : 0;
}

static json_t *counts_json(struct api *api)
{
    json_t *counts = json_object();
    for (int i = 0; i < ORDER_STATE_COUNT; i++)
        json_object_set_new(counts, order_state_names[i],
                            json_integer(view_count(api->view, (enum order_state)i)));
    json_object_set_new(counts, "expiring", json_integer(status_expiring(api)));
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

json_t *status_json(struct api *api)
{
    struct merged m;
    const struct order_filter parked = {.state = ORDER_PARKED, .since_ms = -1, .until_ms = -1};
    json_t *status = json_object(), *members = members_of(api, &m);
    bool alive = m.alive > 0;
    json_object_set_new(status, "verdict", json_string(verdict(api, &m)));
    json_object_set_new(status, "now_ms", json_integer(api->wall_ms));
    json_object_set_new(status, "group", json_string(api->config->kafka_group));
    json_object_set_new(status, "topic", json_string(api->config->kafka_topic));
    json_object_set_new(status, "endpoint",
                        m.endpoint != NULL ? json_string(m.endpoint) : json_null());
    json_object_set_new(status, "counts", counts_json(api));
    json_object_set_new(status, "reasons", view_reasons(api->view, &parked));
    json_object_set_new(status, "lag", known(alive, m.lag));
    json_object_set_new(status, "oldest_unsettled_ms", known(m.oldest_ms >= 0, m.oldest_ms));
    json_object_set_new(status, "delivered_per_s",
                        alive ? json_real(m.delivered_per_s) : json_null());
    json_object_set_new(status, "in_flight", known(alive, m.in_flight));
    json_object_set_new(status, "waiting", known(alive, m.waiting));
    json_object_set_new(status, "breaker", breaker_json(&m));
    json_object_set_new(status, "hold_until_ms",
                        known(m.hold_until_ms > api->wall_ms, m.hold_until_ms));
    json_object_set_new(status, "members", members);
    json_object_set_new(status, "view", view_json(api));
    return status;
}

/* ---- the last hour ---- */

void status_open(struct lag_history *lag)
{
    for (int i = 0; i < LAG_POINTS; i++)
        lag->points[i] = -1;
}

static void note_lag(struct api *api)
{
    struct merged m;
    int64_t minute = api->wall_ms / MINUTE_MS;
    if (api->lag->minute == 0 || minute - api->lag->minute > LAG_POINTS)
        api->lag->minute = minute - LAG_POINTS;
    while (api->lag->minute < minute)
        api->lag->points[++api->lag->minute % LAG_POINTS] = -1;
    json_decref(members_of(api, &m));
    if (m.alive > 0)
        api->lag->points[minute % LAG_POINTS] = m.lag;
}

int64_t status_turn(struct api *api)
{
    if (api->now_ms >= api->lag->due_ms) {
        api->lag->due_ms = api->now_ms + LAG_EVERY_MS;
        note_lag(api);
    }
    return LAG_EVERY_MS;
}

struct minutes {
    int64_t first, delivered[LAG_POINTS], parked[LAG_POINTS], *at;
};

static void note_minute(void *context, int64_t minute, int64_t count)
{
    struct minutes *m = context;
    if (minute >= m->first && minute < m->first + LAG_POINTS)
        m->at[minute - m->first] = count;
}

void call_activity(struct call *call)
{
    struct api *api = call->api;
    struct minutes m = {.first = api->wall_ms / MINUTE_MS - LAG_POINTS + 1};
    json_t *points = json_array(), *answer = json_object();
    note_lag(api);
    m.at = m.delivered;
    view_minutes(api->view, ORDER_DELIVERED, m.first * MINUTE_MS, note_minute, &m);
    m.at = m.parked;
    view_minutes(api->view, ORDER_PARKED, m.first * MINUTE_MS, note_minute, &m);
    for (int i = 0; i < LAG_POINTS; i++) {
        int64_t lag = api->lag->points[(m.first + i) % LAG_POINTS];
        json_t *point = json_object();
        json_object_set_new(point, "at_ms", json_integer((m.first + i) * MINUTE_MS));
        json_object_set_new(point, "delivered", json_integer(m.delivered[i]));
        json_object_set_new(point, "parked", json_integer(m.parked[i]));
        json_object_set_new(point, "lag", known(lag >= 0, lag));
        json_array_append_new(points, point);
    }
    json_object_set_new(answer, "points", points);
    reply_json(call->x, 200, answer);
}

/* ---- small calls ---- */

void call_status(struct call *call)
{
    reply_json(call->x, 200, status_json(call->api));
}

void call_session(struct call *call)
{
    const struct caller *c = &call->caller;
    json_t *session = json_object();
    json_object_set_new(session, "subject", *c->subject ? json_string(c->subject) : json_null());
    json_object_set_new(session, "role", *c->role ? json_string(c->role) : json_null());
    json_object_set_new(session, "operator", json_boolean(c->right == AUTH_OPERATOR));
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
