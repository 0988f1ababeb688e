#include "dashboard/routes/view_metrics.h"

#include "base/buf.h"
#include "dashboard/api/api.h"
#include "dashboard/health/health.h"
#include "sys/metrics_text.h"
#include "topics/control_record.h"

enum { TEXT_MAX = 16 * 1024 };

/* Every metric of a dashboard: identifier, name, help; all are gauges. */
#define METRICS(X)                                                                               \
    X(VERDICT, "dashboard_verdict", "1 for the state that the verdict is, else 0.")              \
    X(NEWEST_CHANGE_TIMESTAMP_SECONDS, "dashboard_newest_change_timestamp_seconds",              \
      "When the newest change came into kafka.topic.")                                           \
    X(HEARTBEAT_TIMESTAMP_SECONDS, "dashboard_heartbeat_timestamp_seconds",                      \
      "When the newest heartbeat of the source came.")                                           \
    X(OLDEST_UNSETTLED_TIMESTAMP_SECONDS, "dashboard_oldest_unsettled_timestamp_seconds",        \
      "When the oldest change above the group's commits came; missing: there is none.")          \
    X(UNSETTLED_CHANGES, "dashboard_unsettled_changes", "Changes above the group's commits.")    \
    X(NEWEST_DELIVERY_TIMESTAMP_SECONDS, "dashboard_newest_delivery_timestamp_seconds",          \
      "When the newest delivery was answered.")                                                  \
    X(ORDERS, "dashboard_orders", "Orders by state.")                                            \
    X(PARKED_EXPIRING, "dashboard_parked_expiring",                                              \
      "Parked orders that parked.retention deletes within a week.")                              \
    X(RETRIES_PENDING, "dashboard_retries_pending", "Retries that no outcome names yet.")        \
    X(PAUSED, "dashboard_paused", "1 while an operator has paused the group's deliveries.")      \
    X(BEHIND_RECORDS, "dashboard_behind_records", "Records of the own topics still to be read.") \
    X(KAFKA_UP, "dashboard_kafka_up", "1 while the brokers answer.")

enum {
#define X(id, name, help) METRIC_##id,
    METRICS(X)
#undef X
};

static const struct metric metrics[] = {
#define X(id, name, help) [METRIC_##id] = {name, "gauge", help},
    METRICS(X)
#undef X
};

/* An alert subtracts it from time(). A time that is not known is left out: 0 would be 1970. */
static void add_time(struct buf *b, const struct metric *metric, int64_t at_ms)
{
    if (at_ms >= 0)
        metric_number(b, metric, at_ms / 1000);
}

static void add_verdict(struct buf *b, const struct health *health)
{
    metric_head(b, &metrics[METRIC_VERDICT]);
    for (int i = 0; i < VERDICT_STATE_COUNT; i++)
        metric_of(b, &metrics[METRIC_VERDICT], "state", verdict_state_names[i],
                  (int)health->verdict.state == i);
    add_time(b, &metrics[METRIC_NEWEST_CHANGE_TIMESTAMP_SECONDS], health->facts.newest_change_ms);
    add_time(b, &metrics[METRIC_HEARTBEAT_TIMESTAMP_SECONDS], health->facts.heartbeat_ms);
    add_time(b, &metrics[METRIC_OLDEST_UNSETTLED_TIMESTAMP_SECONDS],
             health->facts.oldest_unread_ms);
    if (health->facts.unread >= 0)
        metric_number(b, &metrics[METRIC_UNSETTLED_CHANGES], health->facts.unread);
}

void call_metrics(struct call *call)
{
    struct api *api = call->api;
    struct members_now members;
    struct control_word word;
    struct buf b;
    view_word(api->view, &word);
    buf_init(&b, TEXT_MAX);
    health_look(api, &members);
    members_done(&members);
    add_verdict(&b, api->health);
    add_time(&b, &metrics[METRIC_NEWEST_DELIVERY_TIMESTAMP_SECONDS],
             view_newest(api->view, ORDER_DELIVERED));
    metric_head(&b, &metrics[METRIC_ORDERS]);
    for (int i = 0; i < ORDER_STATE_COUNT; i++)
        metric_of(&b, &metrics[METRIC_ORDERS], "state", order_state_names[i],
                  (uint64_t)view_count(api->view, (enum order_state)i));
    metric_number(&b, &metrics[METRIC_PARKED_EXPIRING], health_expiring(api));
    metric_number(&b, &metrics[METRIC_RETRIES_PENDING], view_retries(api->view));
    metric_number(&b, &metrics[METRIC_PAUSED], word.paused);
    metric_number(&b, &metrics[METRIC_BEHIND_RECORDS], feed_behind(api->feed));
    metric_number(&b, &metrics[METRIC_KAFKA_UP], api->health->facts.kafka_answers);
    metrics_process(&b);
    web_request_add_header(call->x, "Cache-Control", "no-store");
    if (b.failed)
        web_request_reply_static(call->x, 503, "text/plain", slice_of("out of memory\n"));
    else
        web_request_reply(call->x, 200, "text/plain; version=0.0.4; charset=utf-8",
                          (struct slice){b.data, b.len});
    buf_done(&b);
}
