#include "pipeline/tracking/partitions.h"

#include "kafka/consumer/consumer.h"
#include "offsets/commit_metadata.h"
#include "sys/log.h"

#include <stdlib.h>

enum { HOUR_MS = 3600 * 1000 };

void partitions_done(struct partitions *partitions)
{
    for (size_t i = 0; i < partitions->count; i++) {
        if (partitions->list[i] != NULL)
            tried_done(&partitions->list[i]->tried);
        free(partitions->list[i]);
    }
    free(partitions->list);
}

struct partition *partition_at(const struct partitions *partitions, int32_t slot)
{
    return (size_t)slot < partitions->count ? partitions->list[slot] : NULL;
}

struct partition *partition_make(struct partitions *partitions, int32_t slot)
{
    size_t need = (size_t)slot + 1;
    if (need > partitions->count) {
        struct partition **more = realloc(partitions->list, need * sizeof(struct partition *));
        if (more == NULL)
            return NULL;
        while (partitions->count < need)
            more[partitions->count++] = NULL;
        partitions->list = more;
    }
    if (partitions->list[slot] == NULL) {
        struct partition *partition = calloc(1, sizeof *partition);
        if (partition == NULL)
            return NULL;
        partition->slot = slot;
        partition->number = slot_partition(slot);
        partition->is_retry = slot_is_retry(slot);
        partitions->list[slot] = partition;
    }
    return partitions->list[slot];
}

void partition_begin(struct partitions *partitions, struct partition *partition, int64_t position,
                     const char *metadata, int64_t now_ms)
{
    partition->state = PARTITION_READING;
    partition->assignment_epoch++;
    partition_renew_status_epoch(partitions, partition);
    partition->restart_at = -1;
    offset_window_init(&partition->window, position);
    bool known = commit_metadata_read(&partition->window, metadata, &partition->tried,
                                      &partition->replay_until);
    if (!known && metadata[0] != '\0')
        log_info("foreign commit metadata", LOG_I("partition", partition->number),
                 LOG_S("reason", "another program wrote it, or the group was reset"));
    if (partition->tried.unread)
        log_warn("attempts unreadable", LOG_I("partition", partition->number),
                 LOG_S("reason", "the commit's metadata is damaged, or a later release wrote it"),
                 LOG_S("hint", "nothing is lost; the attempts of some orders are counted anew"));
    partition->read.maybe_more = true;
    partition->read.at_end = partition->read.full = false;
    partition->read.full_logged_ms = now_ms - HOUR_MS;
    partition->doubt = (struct doubt){0};
    partition->stretches.count = 0;
    partition->work = (struct partition_work){0};
    partition->commit =
        (struct partition_commit){.committed = position, .committed_ms = now_ms, .asked = -1};
    partitions->changes++;
}

void partition_revoke(struct partitions *partitions, struct partition *partition,
                      int64_t give_back_by_ms)
{
    partition->state = PARTITION_REVOKING;
    partition->work.give_back_by_ms = give_back_by_ms;
    partitions->changes++;
}

void partition_end(struct partitions *partitions, struct partition *partition)
{
    partitions->uncovered -= partition->work.dispatched - partition->commit.covered;
    offset_window_done(&partition->window);
    tried_done(&partition->tried);
    partition->state = PARTITION_NONE;
    partition->assignment_epoch++;
    partition->commit.asked = -1;
    partitions->changes++;
}

bool partition_is_stopped(const struct partition *partition)
{
    return partition->state == PARTITION_STOPPED ||
           (partition->doubt.stopped && partition->state != PARTITION_NONE);
}

void partition_block(struct partition *partition, int64_t now_ms)
{
    partition->state = PARTITION_BLOCKED;
    partition->read.blocked_ms = now_ms;
}

void partition_renew_status_epoch(struct partitions *partitions, struct partition *partition)
{
    partition->status_epoch = ++partitions->status_epochs;
}

bool partitions_status_epoch_is_live(const void *context, uint32_t status_epoch)
{
    const struct partitions *partitions = context;
    for (size_t i = 0; i < partitions->count; i++)
        if (partition_is_ours(partitions->list[i]) &&
            partitions->list[i]->status_epoch == status_epoch)
            return true;
    return false;
}

struct partition *partition_of(const struct delivery *d)
{
    struct partition *partition = d->owner;
    return partition->assignment_epoch == d->assignment_epoch && partition->state != PARTITION_NONE
               ? partition
               : NULL;
}

void partition_dispatch(struct partitions *partitions, struct partition *partition)
{
    partition->work.dispatched++;
    partitions->uncovered++;
}

void partition_cover(struct partitions *partitions, struct partition *partition, uint64_t covered)
{
    partitions->uncovered -= covered - partition->commit.covered;
    partition->commit.covered = covered;
}

void partition_note_tried(struct partition *partition, const struct delivery *d, int64_t counted_ms)
{
    const struct retry_history *h = &d->history;
    tried_note(&partition->tried,
               &(struct tried){.offset = offset_window_offset(&partition->window, d->sequence),
                               .attempts = h->attempts,
                               .counted = h->counted,
                               .endpoint_faults = h->endpoint_faults,
                               .unknown = h->unknown,
                               .timeouts = h->timeouts,
                               .first_ms = d->first_attempt_ms,
                               .age_ms = counted_ms,
                               .others_since = h->others_since,
                               .others_until = h->others_before});
    partition->work.tries++;
}

void partition_recall_tried(struct partition *partition, struct delivery *d,
                            const struct tried_clock *clock)
{
    struct retry_history *h = &d->history;
    const struct tried *known =
        tried_find(&partition->tried, offset_window_offset(&partition->window, d->sequence));
    if (known == NULL)
        return;
    struct tried order = *known;
    order.others_until = clock->delivered; /* of this process, from now on */
    tried_note(&partition->tried, &order);
    *h = (struct retry_history){.attempts = order.attempts,
                                .counted = order.counted,
                                .endpoint_faults = order.endpoint_faults,
                                .unknown = order.unknown,
                                .timeouts = order.timeouts,
                                .others_before = clock->delivered,
                                .others_since = order.others_since,
                                .first_ms = clock->now_ms - order.age_ms,
                                .first_still_ms = clock->still_ms};
    d->first_attempt_ms = order.first_ms;
}

void partition_settle(struct partition *partition, uint64_t sequence)
{
    tried_forget(&partition->tried, offset_window_offset(&partition->window, sequence));
    offset_window_settle(&partition->window, sequence);
    partition->work.settles++;
}

void partition_begin_work(struct partition *partition)
{
    partition->work.busy++;
}

void partition_end_work(struct partition *partition)
{
    partition->work.busy--;
}

void partition_conclude(struct partition *partition)
{
    partition->work.settling++;
}

void partition_settle_delivery(struct partition *partition, const struct delivery *d,
                               int64_t now_ms)
{
    partition->work.busy--;
    partition->work.settling--;
    partition->work.last_settled_ms = now_ms;
    partition->work.settled += d->dispatched;
    partition_settle(partition, d->sequence);
}
