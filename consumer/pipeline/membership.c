/* membership: what the consumer group gives and wants back. */
#include "pipeline/pipeline_internal.h"

#include "offsets/commit_metadata.h"
#include "topics/settings/own_topics.h"

#include <inttypes.h>
#include <stdlib.h>

/* The partition's entry; made when it is first assigned. NULL without memory. */
static struct partition *partition_entry(struct pipeline *p, int32_t slot)
{
    size_t need = (size_t)slot + 1;
    if (need > p->partition_count) {
        struct partition **more = realloc(p->partitions, need * sizeof(struct partition *));
        if (more == NULL)
            return NULL;
        while (p->partition_count < need)
            more[p->partition_count++] = NULL;
        p->partitions = more;
    }
    if (p->partitions[slot] == NULL) {
        struct partition *partition = calloc(1, sizeof *partition);
        if (partition == NULL)
            return NULL;
        partition->p = p;
        partition->slot = slot;
        partition->number = slot_partition(slot);
        partition->is_retry = slot_is_retry(slot);
        p->partitions[slot] = partition;
    }
    return p->partitions[slot];
}

void end_partition(struct pipeline *p, struct partition *partition)
{
    p->uncovered -= partition->dispatched - partition->covered;
    offset_window_done(&partition->window);
    partition->state = PARTITION_NONE;
    partition->assignment_epoch++;
    partition->asked = -1;
    p->state_changed = true;
}

static void begin_partition(struct pipeline *p, struct partition *partition, int64_t position,
                            const char *metadata)
{
    partition->state = PARTITION_READING;
    partition->assignment_epoch++;
    partition->status_epoch =
        ++p->status_epochs; /* records may come again, or have gone by elsewhere */
    offset_window_init(&partition->window, position);
    bool known = commit_metadata_read(&partition->window, metadata, &partition->replay_until);
    if (!known && metadata[0] != '\0')
        log_info("the commit's metadata is not this program's, or the group was reset",
                 LOG_I("partition", partition->number));
    partition->doubt = (struct doubt){0};
    partition->stretch_count = 0;
    partition->restart_at = -1;
    partition->busy = partition->settling = 0;
    partition->last_settled_ms = 0;
    partition->maybe_more = true;
    partition->at_end = partition->text_full = partition->full = false;
    partition->full_said_ms = p->now_ms - 3600 * 1000;
    partition->committed = position;
    partition->committed_ms = p->now_ms;
    partition->asked = -1;
    partition->dispatched = partition->settled = partition->asked_settled = partition->covered = 0;
    partition->settles = partition->asked_settles = partition->told_settles = 0;
}

static void assigned(void *context, int32_t slot, int64_t position, const char *metadata)
{
    struct pipeline *p = context;
    struct partition *partition = partition_entry(p, slot);
    if (partition == NULL) {
        error_set(p->fatal, ERROR_NO_MEMORY, "no memory for partition %" PRId32,
                  slot_partition(slot));
        return;
    }
    begin_partition(p, partition, position, metadata);
    p->state_changed = true;
    if (!partition->is_retry)
        log_info("partition assigned", LOG_I("partition", partition->number),
                 LOG_I("position", position),
                 LOG_I("settled_above", (int64_t)partition->window.known_count));
}

/* Stops reading and dispatching; what is in flight may still finish. */
static void revoking(void *context, int32_t slot)
{
    struct pipeline *p = context;
    struct partition *partition = partition_entry(p, slot);
    if (partition == NULL || partition->state == PARTITION_NONE) {
        consumer_release(p->consumer, slot);
        return;
    }
    partition->state = PARTITION_REVOKING;
    p->state_changed = true;
    partition->give_back_by_ms = p->now_ms + config_drain_timeout(p->config);
    drop_batch(partition);
    drop_deliveries(p, partition);
}

static void lost(void *context, int32_t slot)
{
    struct pipeline *p = context;
    struct partition *partition = partition_entry(p, slot);
    if (partition == NULL || partition->state == PARTITION_NONE)
        return;
    drop_batch(partition);
    drop_deliveries(p, partition);
    end_partition(p, partition);
    if (!partition->is_retry)
        log_warn("partition lost: another member has it by now, or will",
                 LOG_I("partition", partition->number));
}

static void committed(void *context, int32_t slot, int64_t offset, bool ok, const char *error)
{
    commit_answered(context, slot, offset, ok, error);
}

static void commit_done(void *context)
{
    commit_finished(context);
}

static void at_end(void *context, int32_t slot)
{
    struct pipeline *p = context;
    struct partition *partition = partition_entry(p, slot);
    if (partition != NULL)
        partition->at_end = true;
}

static void stopped(void *context, int32_t slot, const char *why)
{
    struct pipeline *p = context;
    struct partition *partition = partition_entry(p, slot);
    if (partition == NULL || partition->state == PARTITION_NONE)
        return;
    log_error("partition stopped: its place in the topic is lost", LOG_S("why", why));
    partition->doubt.stopped = false; /* it is for the operator from now on */
    if (partition->state != PARTITION_REVOKING)
        partition->state = PARTITION_STOPPED;
    p->state_changed = true;
}

/* What went by unread is not there any more: it counts as settled. What was read is sent all the
 * same: nobody else could read it again. So where offsets begin anew, in another topic of this
 * name, the window does so when it is empty. */
static void restarted(void *context, int32_t slot, int64_t position)
{
    struct pipeline *p = context;
    struct partition *partition = partition_entry(p, slot);
    if (partition == NULL || partition->state == PARTITION_NONE ||
        partition->state == PARTITION_REVOKING)
        return;
    partition->at_end = false;
    partition->maybe_more = true;
    partition->status_epoch = ++p->status_epochs;
    if (position < partition->window.next)
        partition->restart_at = position;
    else if (position > partition->window.next)
        offset_window_pass(&partition->window, position - 1);
}

void restart_emptied(struct pipeline *p)
{
    for (size_t i = 0; i < p->partition_count; i++) {
        struct partition *partition = p->partitions[i];
        if (partition == NULL || partition->state != PARTITION_READING ||
            partition->restart_at < 0 || offset_window_open_count(&partition->window) > 0)
            continue;
        int64_t position = partition->restart_at;
        end_partition(p, partition);
        answered_forget(p->answered); /* of another topic */
        begin_partition(p, partition, position, "");
        partition->committed = -1; /* so that the new place is committed at once */
    }
}

static int32_t grown(void *context, int32_t partitions)
{
    struct pipeline *p = context;
    return topics_follow(p->config, p->consumer, partitions);
}

static void trouble(void *context, const struct error *err, bool fatal)
{
    struct pipeline *p = context;
    if (fatal)
        error_set(p->fatal, err->code, "%s", err->text);
    else
        log_error("kafka", LOG_S("why", err->text));
}

struct consumer_events group_events(struct pipeline *p)
{
    return (struct consumer_events){.context = p,
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
