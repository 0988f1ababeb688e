/* park_stretch: stretches of a partition of which an operator has what cannot be read parked.
 *
 * The order lies in the retry partition with the same number. Its offset stays open until the
 * source partition has settled the whole stretch: whoever has the partition then reads the order
 * again. */
#include "pipeline/pipeline_internal.h"

#include "topics/park_order.h"

#include <stdio.h>

static struct partition *sibling(const struct pipeline *p, const struct partition *partition,
                                 bool is_retry)
{
    size_t slot = (size_t)slot_of(partition->number, is_retry);
    return slot < p->partition_count ? p->partitions[slot] : NULL;
}

static bool holds(const struct stretch *stretch, int64_t offset)
{
    return offset >= stretch->from && offset < stretch->until;
}

const struct stretch *stretch_of(const struct pipeline *p, const struct partition *partition,
                                 int64_t offset)
{
    const struct partition *retry = sibling(p, partition, true);
    for (size_t i = 0; retry != NULL && retry->state != PARTITION_NONE && i < retry->stretch_count;
         i++)
        if (holds(&retry->stretches[i], offset))
            return &retry->stretches[i];
    return NULL;
}

bool stretch_add(struct pipeline *p, struct partition *retry, const rd_kafka_message_t *m)
{
    struct park_order order;
    struct partition *source = sibling(p, retry, false);
    bool fits = park_order_read(m, &order) && order.partition == retry->number;
    if (!fits) {
        log_warn("park order passed over", LOG_S("reason", "it is damaged"),
                 LOG_S("topic", p->config->retry_topic), LOG_I("partition", m->partition),
                 LOG_I("offset", m->offset));
        offset_window_pass(&retry->window, m->offset);
        return true;
    }
    if (source == NULL || source->state == PARTITION_NONE ||
        retry->stretch_count == STRETCHES_MAX || !offset_window_reserve(&retry->window))
        return false;
    struct stretch *stretch = &retry->stretches[retry->stretch_count++];
    *stretch = (struct stretch){.from = order.from,
                                .until = order.until,
                                .sequence = offset_window_open(&retry->window, m->offset)};
    snprintf(stretch->reason, sizeof stretch->reason, "parked by an operator: %.*s",
             PARK_REASON_MAX, order.reason);
    log_event(LOG_AUDIT, "audit",
              (const struct log_field[]){LOG_S("what", "park"),
                                         LOG_S("topic", p->config->kafka_topic),
                                         LOG_I("partition", retry->number),
                                         LOG_I("from", order.from),
                                         LOG_I("to", order.until),
                                         LOG_S("reason", order.reason),
                                         LOG_S("request", order.request),
                                         {0}});
    doubt_look(p, source);
    return true;
}

void stretches_turn(struct pipeline *p, struct partition *retry)
{
    const struct partition *source = retry->stretch_count > 0 ? sibling(p, retry, false) : NULL;
    if (source == NULL || source->state == PARTITION_NONE)
        return;
    for (size_t i = 0; i < retry->stretch_count;) {
        if (offset_window_watermark(&source->window) < retry->stretches[i].until) {
            i++;
            continue;
        }
        offset_window_settle(&retry->window, retry->stretches[i].sequence);
        retry->settles++;
        retry->stretches[i] = retry->stretches[--retry->stretch_count];
    }
}
