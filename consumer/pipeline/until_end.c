#include "pipeline/until_end.h"

#include "sys/log.h"

#include <inttypes.h>
#include <stdlib.h>

enum { LOOK_UP_MS = 10000 };

bool until_end_find(struct until_end *u, struct error *err)
{
    return consumer_end_offsets(u->consumer, LOOK_UP_MS, &u->offsets, &u->count, err);
}

void until_end_done(struct until_end *u)
{
    free(u->offsets);
}

/* Read up to that end. An offset that lies behind it proves nothing before a fetch has shown that
 * it is in the topic at all. */
static bool is_read(const struct until_end *u, const struct partition *partition, int64_t end)
{
    if (partition->restart_at >= 0)
        return false;
    if (partition->read.at_end && partition->read.batch_at == partition->read.batch_len)
        return true;
    int64_t next = partition->window.next;
    return next >= end && consumer_end_known(u->consumer, partition->slot) >= next;
}

/* Partitions of other members are looked up only once everything here is settled. */
bool until_end_reached(struct until_end *u)
{
    bool others = false;
    for (size_t i = 0; i < u->count; i++) {
        if (u->offsets[i] == 0)
            continue;
        const struct partition *partition = partition_at(u->partitions, (int32_t)i);
        if (!partition_is_ours(partition)) {
            others = true;
            continue;
        }
        if (committer_has_news(u->committer, partition) || partition->commit.asked >= 0)
            return false;
        if (!is_read(u, partition, u->offsets[i]) ||
            offset_window_open_count(&partition->window) > 0)
            return false;
    }
    return !others || consumer_others_reached(u->consumer, u->offsets, u->count);
}

void until_end_log_unsettled(const struct until_end *u)
{
    for (size_t i = 0; i < u->count; i++) {
        const struct partition *partition = partition_at(u->partitions, (int32_t)i);
        int64_t watermark =
            partition_is_ours(partition) ? offset_window_watermark(&partition->window) : -1;
        if (watermark < u->offsets[i])
            log_error("not settled", LOG_S("of", i % 2 == 0 ? "orders" : "retries"),
                      LOG_I("partition", (int64_t)i / 2), LOG_I("from", watermark),
                      LOG_I("end", u->offsets[i]));
    }
}

bool until_end_is_out_of_reach(const struct until_end *u, struct error *err)
{
    for (size_t i = 0; i < u->partitions->count; i++) {
        const struct partition *partition = u->partitions->list[i];
        if (partition != NULL && partition_is_stopped(partition)) {
            error_set(err, ERROR_FAILED,
                      "partition %" PRId32 " is stopped, so the end cannot be reached; see the "
                      "log",
                      partition->number);
            return true;
        }
    }
    return false;
}
