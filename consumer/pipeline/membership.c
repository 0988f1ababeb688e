#include "pipeline/membership.h"

#include "sys/log.h"
#include "topics/settings/own_topics.h"

#include <inttypes.h>

static void assigned(void *context, int32_t slot, int64_t position, const char *metadata)
{
    struct membership *m = context;
    struct partition *partition = partition_make(m->partitions, slot);
    if (partition == NULL) {
        error_set(m->fatal, ERROR_NO_MEMORY, "no memory for partition %" PRId32,
                  slot_partition(slot));
        return;
    }
    partition_begin(m->partitions, partition, position, metadata, m->now->mono_ms);
    if (!partition->is_retry)
        log_info("partition assigned", LOG_I("partition", partition->number),
                 LOG_I("position", position),
                 LOG_I("settled_above", (int64_t)partition->window.known_count));
}

/* Stops reading and dispatching; what is in flight may still finish. */
static void revoking(void *context, int32_t slot)
{
    struct membership *m = context;
    struct partition *partition = partition_make(m->partitions, slot);
    if (!partition_is_ours(partition)) {
        consumer_release(m->consumer, slot);
        return;
    }
    partition_revoke(m->partitions, partition, m->now->mono_ms + config_drain_timeout(m->config));
    intake_drop(m->intake, partition);
    sender_drop(m->sender, partition);
}

static void lost(void *context, int32_t slot)
{
    struct membership *m = context;
    struct partition *partition = partition_make(m->partitions, slot);
    if (!partition_is_ours(partition))
        return;
    intake_drop(m->intake, partition);
    sender_drop(m->sender, partition);
    partition_end(m->partitions, partition);
    if (!partition->is_retry)
        log_warn("partition lost", LOG_I("partition", partition->number),
                 LOG_S("reason", "another member has it by now, or will"));
}

static void committed(void *context, int32_t slot, int64_t offset, bool ok, const char *error)
{
    const struct membership *m = context;
    committer_answered(m->committer, slot, offset, ok, error);
}

static void commit_done(void *context)
{
    const struct membership *m = context;
    committer_finished(m->committer);
}

static void at_end(void *context, int32_t slot)
{
    struct membership *m = context;
    struct partition *partition = partition_make(m->partitions, slot);
    if (partition != NULL)
        partition->read.at_end = true;
}

static void stopped(void *context, int32_t slot, const char *why)
{
    struct membership *m = context;
    struct partition *partition = partition_make(m->partitions, slot);
    if (!partition_is_ours(partition))
        return;
    log_error("partition stopped", LOG_S("reason", why));
    partition->doubt.stopped = false; /* only an operator can end it */
    if (partition->state != PARTITION_REVOKING)
        partition->state = PARTITION_STOPPED;
    m->partitions->changes++;
}

/* Records that were not read no longer exist: they count as settled. Those that were read are sent
 * all the same, since they could not be read again. So where offsets start over, in another topic
 * of this name, the window does so when it is empty. */
static void restarted(void *context, int32_t slot, int64_t position)
{
    struct membership *m = context;
    struct partition *partition = partition_make(m->partitions, slot);
    if (!partition_is_ours(partition) || partition->state == PARTITION_REVOKING)
        return;
    partition->read.at_end = false;
    partition->read.maybe_more = true;
    partition_renew_status_epoch(m->partitions, partition);
    if (position < partition->window.next)
        partition->restart_at = position;
    else if (position > partition->window.next)
        offset_window_pass(&partition->window, position - 1);
}

void membership_turn(struct membership *m)
{
    int32_t ours = 0;
    for (size_t i = 0; i < m->partitions->count; i++) {
        struct partition *partition = m->partitions->list[i];
        ours += partition_is_ours(partition) && !partition->is_retry;
        if (partition == NULL || partition->state != PARTITION_READING ||
            partition->restart_at < 0 || offset_window_open_count(&partition->window) > 0)
            continue;
        int64_t position = partition->restart_at;
        partition_end(m->partitions, partition);
        recorder_forget_answered(m->recorder); /* of another topic */
        partition_begin(m->partitions, partition, position, "", m->now->mono_ms);
        partition->commit.committed = -1; /* so that the new place is committed at once */
    }
    endpoint_share_rate(m->endpoint, ours, consumer_partitions(m->consumer));
}

static int32_t grown(void *context, int32_t partitions)
{
    struct membership *m = context;
    return topics_follow(m->config, m->consumer, partitions);
}

static void trouble(void *context, const struct error *err, bool fatal)
{
    struct membership *m = context;
    if (fatal)
        error_set(m->fatal, err->code, "%s", err->text);
    else
        log_error("kafka", LOG_S("error", err->text));
}

struct consumer_events membership_events(struct membership *m)
{
    return (struct consumer_events){.context = m,
                                    .assigned = assigned,
                                    .revoking = revoking,
                                    .lost = lost,
                                    .committed = committed,
                                    .commit_done = commit_done,
                                    .at_end = at_end,
                                    .stopped = stopped,
                                    .restarted = restarted,
                                    .grown = grown,
                                    .trouble = trouble};
}
