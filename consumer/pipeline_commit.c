/* pipeline_commit: commits what is settled, and gives partitions back once that is done. */
#include "pipeline_internal.h"

#include <stdlib.h>

enum { RETRY_MS = 500, TROUBLE_EVERY_MS = 60000 };

static bool may_commit(const struct partition *partition)
{
    return partition != NULL && partition->state != PARTITION_NONE;
}

static bool has_news(const struct partition *partition)
{
    return may_commit(partition) && window_watermark(&partition->window) > partition->committed;
}

static bool any_news(const struct pipeline *p)
{
    for (size_t i = 0; i < p->partition_count; i++)
        if (has_news(p->partitions[i]))
            return true;
    return false;
}

/* The watermarks of all partitions that have news. */
static size_t collect(struct pipeline *p, struct source_offset *offsets)
{
    size_t count = 0;
    for (size_t i = 0; i < p->partition_count; i++) {
        struct partition *partition = p->partitions[i];
        if (!has_news(partition))
            continue;
        partition->asked = window_watermark(&partition->window);
        offsets[count++] = (struct source_offset){partition->number, partition->asked, NULL};
    }
    return count;
}

static void say_trouble(struct pipeline *p, const char *why)
{
    const struct log_field fields[] = {LOG_S("why", why), {0}};
    log_trouble(&p->commit_trouble, p->now_ms, TROUBLE_EVERY_MS,
                "commit failed; it will be tried again", fields);
}

void commit_due(struct pipeline *p)
{
    if (p->commit_outstanding || p->now_ms < p->next_commit_ms || !any_news(p))
        return;
    struct source_offset *offsets = calloc(p->partition_count, sizeof *offsets);
    if (offsets == NULL)
        return;
    struct error err = {0};
    size_t count = collect(p, offsets);
    p->next_commit_ms = p->now_ms + p->config->commit_interval;
    if (source_commit(p->source, offsets, count, &err)) {
        p->commit_outstanding = true;
        log_debug("commit sent", LOG_I("partitions", (int64_t)count));
    } else {
        say_trouble(p, err.text);
        p->next_commit_ms = p->now_ms + RETRY_MS;
    }
    free(offsets);
}

void commit_answered(struct pipeline *p, int32_t number, int64_t offset, bool ok, const char *error)
{
    struct partition *partition =
        (size_t)number < p->partition_count ? p->partitions[number] : NULL;
    if (partition == NULL || partition->asked != offset)
        return; /* of an assignment that is over */
    partition->asked = -1;
    log_debug("commit answered", LOG_I("partition", number), LOG_I("offset", offset));
    if (ok) {
        if (offset > partition->committed)
            partition->committed = offset;
        log_trouble_over(&p->commit_trouble, "commits succeed again",
                         (const struct log_field[]){{0}});
        return;
    }
    say_trouble(p, error);
    p->next_commit_ms = p->now_ms + RETRY_MS;
}

/* What was asked for and not answered by itself is asked for again. */
void commit_finished(struct pipeline *p)
{
    p->commit_outstanding = false;
    for (size_t i = 0; i < p->partition_count; i++)
        if (p->partitions[i] != NULL)
            p->partitions[i]->asked = -1;
}

int64_t commit_wait_until(const struct pipeline *p)
{
    return !p->commit_outstanding && any_news(p) ? p->next_commit_ms : -1;
}

static bool is_drained(const struct pipeline *p, const struct partition *partition)
{
    if (p->now_ms >= partition->give_back_by_ms)
        return true; /* what is still under way is sent again by its next owner */
    return partition->busy == 0 && partition->asked < 0 && !has_news(partition);
}

void give_back_drained(struct pipeline *p)
{
    for (size_t i = 0; i < p->partition_count; i++) {
        struct partition *partition = p->partitions[i];
        if (partition == NULL || partition->state != PARTITION_REVOKING ||
            !is_drained(p, partition))
            continue;
        partition->state = PARTITION_NONE;
        partition->epoch++;
        window_done(&partition->window);
        log_info("partition given back", LOG_I("partition", partition->number),
                 LOG_I("committed", partition->committed));
        source_release(p->source, partition->number);
    }
}

/* Everything below the end offsets of the start is settled and committed, here or by another
 * member. */
bool everything_settled(const struct pipeline *p)
{
    for (size_t i = 0; i < p->end_count; i++) {
        if (p->end_offsets[i] == 0)
            continue;
        const struct partition *partition = i < p->partition_count ? p->partitions[i] : NULL;
        if (!may_commit(partition) || has_news(partition) || partition->asked >= 0)
            return false;
        bool read = partition->window.next >= p->end_offsets[i] ||
                    (partition->at_end && partition->batch_at == partition->batch_len);
        if (!read || window_open_count(&partition->window) > 0)
            return false;
    }
    return true;
}
