#include "dashboard/routes/view_metrics.h"

#include "base/buf.h"
#include "dashboard/api/api.h"
#include "dashboard/routes/health.h"
#include "sys/metrics_text.h"
#include "topics/control_record.h"

#include <inttypes.h>

enum { TEXT_MAX = 16 * 1024 };

/* An alert subtracts it from time(). A time that is not known is left out: 0 would be 1970. */
static void add_time(struct buf *b, const char *name, int64_t at_ms, const char *help)
{
    if (at_ms >= 0)
        metric_gauge(b, name, at_ms / 1000, help);
}

static void add_verdict(struct buf *b, const struct health *health)
{
    metric_head(b, "dashboard_verdict", "gauge", "1 for the state that the verdict is, else 0.");
    for (int i = 0; i < VERDICT_STATE_COUNT; i++)
        buf_addf(b, METRIC_PREFIX "dashboard_verdict{state=\"%s\"} %d\n", verdict_state_names[i],
                 (int)health->verdict.state == i);
    add_time(b, "dashboard_newest_change_timestamp_seconds", health->facts.newest_change_ms,
             "When the newest change came into kafka.topic.");
    add_time(b, "dashboard_heartbeat_timestamp_seconds", health->facts.heartbeat_ms,
             "When the newest heartbeat of the source came.");
    add_time(b, "dashboard_oldest_unsettled_timestamp_seconds", health->facts.oldest_unread_ms,
             "When the oldest change above the group's commits came; missing: there is none.");
    if (health->facts.unread >= 0)
        metric_gauge(b, "dashboard_unsettled_changes", health->facts.unread,
                     "Changes above the group's commits.");
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
    add_time(&b, "dashboard_newest_delivery_timestamp_seconds",
             view_newest(api->view, ORDER_DELIVERED), "When the newest delivery was answered.");
    metric_head(&b, "dashboard_orders", "gauge", "Orders by state.");
    for (int i = 0; i < ORDER_STATE_COUNT; i++)
        buf_addf(&b, METRIC_PREFIX "dashboard_orders{state=\"%s\"} %" PRId64 "\n",
                 order_state_names[i], (int64_t)view_count(api->view, (enum order_state)i));
    metric_gauge(&b, "dashboard_parked_expiring", health_expiring(api),
                 "Parked orders that parked.retention deletes within a week.");
    metric_gauge(&b, "dashboard_retries_pending", view_retries(api->view),
                 "Retries that no outcome names yet.");
    metric_gauge(&b, "dashboard_paused", word.paused,
                 "1 while an operator has paused the group's deliveries.");
    metric_gauge(&b, "dashboard_behind_records", feed_behind(api->feed),
                 "Records of the own topics still to be read.");
    metric_gauge(&b, "dashboard_kafka_up", api->health->facts.kafka_answers,
                 "1 while the brokers answer.");
    metrics_process(&b);
    web_request_add_header(call->x, "Cache-Control", "no-store");
    if (b.failed)
        web_request_reply_static(call->x, 503, "text/plain", slice_of("out of memory\n"));
    else
        web_request_reply(call->x, 200, "text/plain; version=0.0.4; charset=utf-8",
                          (struct slice){b.data, b.len});
    buf_done(&b);
}
