#include "dashboard/routes/view_metrics.h"

#include "base/buf.h"
#include "dashboard/api/api.h"
#include "dashboard/routes/status.h"
#include "sys/metrics_text.h"

#include <inttypes.h>

enum { TEXT_MAX = 16 * 1024 };

void call_metrics(struct call *call)
{
    const struct api *api = call->api;
    struct buf b;
    buf_init(&b, TEXT_MAX);
    metric_head(&b, "dashboard_orders", "gauge", "Orders by state.");
    for (int i = 0; i < ORDER_STATE_COUNT; i++)
        buf_addf(&b, METRIC_PREFIX "dashboard_orders{state=\"%s\"} %" PRId64 "\n",
                 order_state_names[i], (int64_t)view_count(api->view, (enum order_state)i));
    metric_gauge(&b, "dashboard_parked_expiring", status_expiring(api),
                 "Parked orders that parked.retention deletes within a week.");
    metric_gauge(&b, "dashboard_retries_pending", view_retries(api->view),
                 "Retries that no outcome names yet.");
    metric_gauge(&b, "dashboard_behind_records", feed_behind(api->feed),
                 "Records of the own topics still to be read.");
    metric_gauge(&b, "dashboard_kafka_up", feed_kafka_answers(api->feed),
                 "1 while the brokers answer.");
    web_request_add_header(call->x, "Cache-Control", "no-store");
    if (b.failed)
        web_request_reply_static(call->x, 503, "text/plain", slice_of("out of memory\n"));
    else
        web_request_reply(call->x, 200, "text/plain; version=0.0.4; charset=utf-8",
                          (struct slice){b.data, b.len});
    buf_done(&b);
}
