#include "pipeline/intake/park_stretch.h"

#include "kafka/consumer/consumer.h"
#include "sys/log.h"
#include "topics/park_order.h"

#include <stdio.h>

static struct partition *sibling(const struct partitions *partitions,
                                 const struct partition *partition, bool is_retry)
{
    return partition_at(partitions, slot_of(partition->number, is_retry));
}

static bool holds(const struct stretch *stretch, int64_t offset)
{
    return offset >= stretch->from && offset < stretch->until;
}

const struct stretch *stretch_of(const struct partitions *partitions,
                                 const struct partition *partition, int64_t offset)
{
    const struct partition *retry = sibling(partitions, partition, true);
    for (size_t i = 0; partition_is_ours(retry) && i < retry->stretches.count; i++)
        if (holds(&retry->stretches.list[i], offset))
            return &retry->stretches.list[i];
    return NULL;
}

bool stretch_add(const struct config *config, const struct partitions *partitions,
                 struct partition *retry, const rd_kafka_message_t *m,
                 struct partition **ret_source)
{
    struct park_order order;
    *ret_source = NULL;
    struct partition *source = sibling(partitions, retry, false);
    bool fits = park_order_read(m, &order) && order.partition == retry->number;
    if (!fits) {
        log_warn("park order passed over", LOG_S("reason", "it is damaged"),
                 LOG_S("topic", config->retry_topic), LOG_I("partition", m->partition),
                 LOG_I("offset", m->offset));
        offset_window_pass(&retry->window, m->offset);
        return true;
    }
    if (!partition_is_ours(source) || retry->stretches.count == STRETCHES_MAX ||
        !offset_window_reserve(&retry->window))
        return false;
    struct stretch *stretch = &retry->stretches.list[retry->stretches.count++];
    *stretch = (struct stretch){.from = order.from,
                                .until = order.until,
                                .sequence = offset_window_open(&retry->window, m->offset)};
    snprintf(stretch->reason, sizeof stretch->reason, "parked by an operator: %.*s",
             PARK_REASON_MAX, order.reason);
    log_event(LOG_AUDIT, "audit",
              (const struct log_field[]){LOG_S("what", "park"),
                                         LOG_S("topic", config->kafka_topic),
                                         LOG_I("partition", retry->number),
                                         LOG_I("from", order.from),
                                         LOG_I("to", order.until),
                                         LOG_S("reason", order.reason),
                                         LOG_S("request", order.request),
                                         {0}});
    *ret_source = source;
    return true;
}

void stretches_turn(const struct partitions *partitions, struct partition *retry)
{
    const struct partition *source =
        retry->stretches.count > 0 ? sibling(partitions, retry, false) : NULL;
    if (!partition_is_ours(source))
        return;
    for (size_t i = 0; i < retry->stretches.count;) {
        if (offset_window_watermark(&source->window) < retry->stretches.list[i].until) {
            i++;
            continue;
        }
        partition_settle(retry, retry->stretches.list[i].sequence);
        retry->stretches.list[i] = retry->stretches.list[--retry->stretches.count];
    }
}
