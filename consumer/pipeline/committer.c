/* committer: commits what is settled, and gives partitions back once that is done. */
#include "pipeline/pipeline_internal.h"

#include "offsets/commit_metadata.h"
#include "offsets/commit_pace.h"

#include <stdlib.h>

enum { RETRY_MS = 500, TROUBLE_EVERY_MS = 60000, COMMIT_GRACE_MS = 2000 };

/* Brokers forget offsets of topics that a group is not subscribed to, a week after their last
 * commit; a forgotten retry partition would be done all over again. */
enum { REFRESH_MS = 6 * 3600 * 1000 };

static bool may_commit(const struct partition *partition)
{
    return partition != NULL && partition->state != PARTITION_NONE;
}

/* Nothing is committed while a topic that was made again waits for the orders of the former one:
 * their offsets would pass by records of the new one. */
static bool has_news(const struct pipeline *p, const struct partition *partition)
{
    if (!may_commit(partition) || partition->restart_at >= 0)
        return false;
    return offset_window_watermark(&partition->window) > partition->committed ||
           partition->settles != partition->told_settles ||
           (partition->is_retry && p->now_ms - partition->committed_ms > REFRESH_MS);
}

/* Only passed by, and more to read at once: a crash reads these records again and sends nothing. */
static bool can_wait(const struct partition *partition)
{
    return partition->state == PARTITION_READING && partition->maybe_more &&
           partition->settles == partition->told_settles;
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* When the next commit is to be sent; -1: there is nothing to commit. What is given back is
 * committed at once: the next owner starts from there, and the group waits for it. */
static int64_t commit_time(const struct pipeline *p)
{
    bool any = false, only_passed = true, given_back = false;
    for (size_t i = 0; i < p->partition_count; i++)
        if (has_news(p, p->partitions[i])) {
            any = true;
            only_passed &= can_wait(p->partitions[i]);
            given_back |= p->partitions[i]->state == PARTITION_REVOKING;
        }
    if (!any || given_back)
        return any ? p->commit_retry_ms : -1;
    const struct commit_pace pace = {p->config->commit_interval,
                                     (size_t)p->config->webhook_uncommitted_max};
    return later(p->commit_sent_ms + commit_pace_ms(&pace, p->uncovered, only_passed),
                 p->commit_retry_ms);
}

int64_t commit_wait_until(const struct pipeline *p)
{
    int64_t due_ms = p->commit_outstanding ? -1 : commit_time(p);
    int64_t wanted_ms = p->commit_wanted_ms >= 0 ? p->commit_wanted_ms : p->now_ms;
    return commit_pace_at_ms(due_ms, wanted_ms, consumer_commit_wait_ms(p->consumer, p->now_ms),
                             p->now_ms);
}

typedef char commit_metadata[COMMIT_METADATA_MAX + 1];

/* A window that is too ragged for the metadata is not read further until it fits again: what a
 * crash would send twice stays bounded. */
static void describe(struct pipeline *p, struct partition *partition, char *text)
{
    int64_t replay_until = partition->replay_until > offset_window_watermark(&partition->window)
                               ? partition->replay_until
                               : -1;
    partition->text_full = !commit_metadata_write(&partition->window, replay_until, text);
    if (partition->text_full)
        log_limited(&p->window_trouble, p->now_ms, TROUBLE_EVERY_MS,
                    "too many settled gaps above the commit: the partition waits",
                    (const struct log_field[]){LOG_I("partition", partition->number), {0}});
}

/* How many of its deliveries the commit covers. What a cut text does not tell is not covered, a
 * crash would send it again; but all that it tells is, and what lies below the watermark, or
 * nothing would ever make room for the deliveries that could move it. */
static uint64_t covered_by(const struct partition *partition)
{
    uint64_t untold = partition->text_full ? commit_metadata_untold(&partition->window) : 0;
    uint64_t told = partition->settled > untold ? partition->settled - untold : 0;
    return told > partition->covered ? told : partition->covered;
}

/* The watermarks of all partitions that have news, and what is settled above them. */
static size_t collect(struct pipeline *p, struct consumer_offset *offsets, commit_metadata *texts)
{
    size_t count = 0;
    for (size_t i = 0; i < p->partition_count; i++) {
        struct partition *partition = p->partitions[i];
        if (!has_news(p, partition))
            continue;
        describe(p, partition, texts[count]);
        partition->asked = offset_window_watermark(&partition->window);
        partition->asked_settled = covered_by(partition);
        partition->asked_settles = partition->settles;
        offsets[count] = (struct consumer_offset){partition->slot, partition->asked, texts[count]};
        count++;
    }
    return count;
}

static void say_trouble(struct pipeline *p, const char *why)
{
    const struct log_field fields[] = {LOG_S("why", why), {0}};
    log_limited(&p->commit_trouble, p->now_ms, TROUBLE_EVERY_MS,
                "commit failed; it will be tried again", fields);
}

static void note_wanted(struct pipeline *p)
{
    if (p->commit_outstanding || commit_time(p) < 0)
        p->commit_wanted_ms = -1;
    else if (p->commit_wanted_ms < 0)
        p->commit_wanted_ms = p->now_ms;
}

void commit_due(struct pipeline *p)
{
    note_wanted(p);
    int64_t at_ms = commit_wait_until(p);
    if (at_ms < 0 || p->now_ms < at_ms)
        return;
    struct consumer_offset *offsets = calloc(p->partition_count, sizeof *offsets);
    commit_metadata *texts = malloc(p->partition_count * sizeof *texts);
    if (offsets == NULL || texts == NULL) {
        free(offsets);
        free(texts);
        return;
    }
    struct error err = {0};
    size_t count = collect(p, offsets, texts);
    p->commit_sent_ms = p->now_ms;
    p->commit_wanted_ms = -1;
    if (consumer_commit(p->consumer, offsets, count, &err)) {
        p->commit_outstanding = true;
        log_debug("commit sent", LOG_I("partitions", (int64_t)count));
    } else {
        say_trouble(p, err.text);
        p->commit_retry_ms = p->now_ms + RETRY_MS;
    }
    free(offsets);
    free(texts);
}

static void acknowledged(struct pipeline *p, struct partition *partition, int64_t offset)
{
    if (offset > partition->committed)
        partition->committed = offset;
    partition->committed_ms = p->now_ms;
    partition->told_settles = partition->asked_settles;
    p->uncovered -= partition->asked_settled - partition->covered;
    partition->covered = partition->asked_settled;
    log_recovered(&p->commit_trouble, "commits succeed again", (const struct log_field[]){{0}});
}

void commit_answered(struct pipeline *p, int32_t slot, int64_t offset, bool ok, const char *error)
{
    struct partition *partition = (size_t)slot < p->partition_count ? p->partitions[slot] : NULL;
    if (partition == NULL || partition->asked != offset)
        return; /* of an assignment that is over */
    partition->asked = -1;
    log_debug("commit answered", LOG_I("partition", partition->number),
              LOG_I("retry", partition->is_retry), LOG_I("offset", offset));
    p->totals.commits += ok;
    p->totals.commit_failures += !ok;
    if (ok) {
        acknowledged(p, partition, offset);
        return;
    }
    say_trouble(p, error);
    p->commit_retry_ms = p->now_ms + RETRY_MS;
}

/* What was asked for and not answered by itself is asked for again. */
void commit_finished(struct pipeline *p)
{
    p->commit_outstanding = false;
    for (size_t i = 0; i < p->partition_count; i++)
        if (p->partitions[i] != NULL)
            p->partitions[i]->asked = -1;
}

/* When its time is up, what is still under way is left to its next owner, but what has been
 * delivered is recorded and committed first: both are bounded, and spare a duplicate. */
static bool is_drained(const struct pipeline *p, const struct partition *partition)
{
    bool committed = partition->asked < 0 && !has_news(p, partition);
    if (partition->busy == 0 && committed)
        return true;
    if (p->now_ms < partition->give_back_by_ms || partition->settling > 0)
        return false;
    int64_t over_ms = later(partition->give_back_by_ms, partition->last_settled_ms);
    return committed || p->now_ms >= over_ms + COMMIT_GRACE_MS;
}

void give_back_drained(struct pipeline *p)
{
    for (size_t i = 0; i < p->partition_count; i++) {
        struct partition *partition = p->partitions[i];
        if (partition == NULL || partition->state != PARTITION_REVOKING ||
            !is_drained(p, partition))
            continue;
        int64_t committed_to = partition->committed;
        end_partition(p, partition);
        if (!partition->is_retry)
            log_info("partition given back", LOG_I("partition", partition->number),
                     LOG_I("committed", committed_to));
        consumer_release(p->consumer, partition->slot);
    }
}

/* Read up to that end. An offset that lies behind it proves nothing before a fetch has shown that
 * it is in the topic at all. */
static bool is_read(struct pipeline *p, const struct partition *partition, int64_t end)
{
    if (partition->restart_at >= 0)
        return false;
    if (partition->at_end && partition->batch_at == partition->batch_len)
        return true;
    int64_t next = partition->window.next;
    return next >= end && consumer_end_known(p->consumer, partition->slot) >= next;
}

/* Everything below the end offsets of the start is settled and committed, here or by another
 * member. */
bool everything_settled(struct pipeline *p)
{
    bool others = false;
    for (size_t i = 0; i < p->end_count; i++) {
        if (p->end_offsets[i] == 0)
            continue;
        const struct partition *partition = i < p->partition_count ? p->partitions[i] : NULL;
        if (!may_commit(partition)) {
            others = true;
            continue;
        }
        if (has_news(p, partition) || partition->asked >= 0)
            return false;
        if (!is_read(p, partition, p->end_offsets[i]) ||
            offset_window_open_count(&partition->window) > 0)
            return false;
    }
    return !others || consumer_others_reached(p->consumer, p->end_offsets, p->end_count);
}
