#include "dashboard/routes/view_metrics.h"

#include "base/buf.h"
#include "dashboard/api/api.h"
#include "dashboard/routes/status.h"

#include <inttypes.h>

#define PREFIX "elementor_sync_dashboard_"

enum { TEXT_MAX = 16 * 1024 };

static void gauge(struct buf *b, const char *name, int64_t value, const char *help)
{
    buf_addf(b, "# HELP " PREFIX "%s %s\n# TYPE " PREFIX "%s gauge\n" PREFIX "%s %" PRId64 "\n",
             name, help, name, name, value);
}

void call_metrics(struct call *call)
{
    const struct api *api = call->api;
    struct buf b;
    buf_init(&b, TEXT_MAX);
    buf_add_text(&b, "# HELP " PREFIX "orders Orders by state.\n# TYPE " PREFIX "orders gauge\n");
    for (int i = 0; i < ORDER_STATE_COUNT; i++)
        buf_addf(&b, PREFIX "orders{state=\"%s\"} %" PRId64 "\n", order_state_names[i],
                 (int64_t)view_count(api->view, (enum order_state)i));
    gauge(&b, "parked_expiring", status_expiring(api),
          "Parked orders that parked.retention deletes within a week.");
    gauge(&b, "retries_pending", view_retries(api->view), "Retries that no outcome names yet.");
    gauge(&b, "behind_records", feed_behind(api->feed),
          "Records of the own topics still to be read.");
    gauge(&b, "kafka_up", feed_kafka_answers(api->feed), "1 while the brokers answer.");
    web_request_add_header(call->x, "Cache-Control", "no-store");
    if (b.failed)
        web_request_reply_static(call->x, 503, "text/plain", slice_of("out of memory\n"));
    else
        web_request_reply(call->x, 200, "text/plain; version=0.0.4; charset=utf-8",
                          (struct slice){b.data, b.len});
    buf_done(&b);
}
