#include "pipeline/committer.h"

#include "offsets/commit_metadata.h"
#include "offsets/commit_pace.h"
#include "sys/log.h"

#include <stdlib.h>

enum { RETRY_MS = 500, LOG_EVERY_MS = 60000, COMMIT_GRACE_MS = 2000 };

/* Brokers forget offsets of topics that a group is not subscribed to, a week after their last
 * commit; a forgotten retry partition would be processed again from its beginning. */
enum { REFRESH_MS = 6 * 3600 * 1000 };

struct committer {
    struct committer_uses use;
    bool outstanding;
    int64_t sent_ms;   /* the last one */
    int64_t retry_ms;  /* not before that, after a failure */
    int64_t wanted_ms; /* since when there is something to commit; -1: there is not */
    struct committer_counts counts;
    struct log_limited failing, metadata_full;
};

struct committer *committer_new(const struct committer_uses *uses)
{
    struct committer *c = calloc(1, sizeof *c);
    if (c == NULL)
        return NULL;
    c->use = *uses;
    c->wanted_ms = -1;
    return c;
}

void committer_free(struct committer *c)
{
    free(c);
}

const struct committer_counts *committer_counts(const struct committer *c)
{
    return &c->counts;
}

/* Nothing is committed while a topic that was made again waits for the orders of the former one:
 * their offsets would pass by records of the new one. */
bool committer_has_news(const struct committer *c, const struct partition *partition)
{
    if (!partition_is_ours(partition) || partition->restart_at >= 0)
        return false;
    return offset_window_watermark(&partition->window) > partition->commit.committed ||
           partition->work.settles != partition->commit.covered_settles ||
           partition->work.tries != partition->commit.covered_tries ||
           (partition->is_retry &&
            c->use.now->mono_ms - partition->commit.committed_ms > REFRESH_MS);
}

/* Records were only skipped, and there are more to read: a crash reads them again and sends
 * nothing. */
static bool can_wait(const struct partition *partition)
{
    return partition->state == PARTITION_READING && partition->read.maybe_more &&
           partition->work.settles == partition->commit.covered_settles &&
           partition->work.tries == partition->commit.covered_tries;
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* When the next commit is to be sent; -1: there is nothing to commit. A partition that is given
 * back is committed at once: its next owner starts from there, and the group waits for it. */
static int64_t commit_time(const struct committer *c)
{
    bool any = false, only_passed = true, given_back = false;
    for (size_t i = 0; i < c->use.partitions->count; i++)
        if (committer_has_news(c, c->use.partitions->list[i])) {
            any = true;
            only_passed &= can_wait(c->use.partitions->list[i]);
            given_back |= c->use.partitions->list[i]->state == PARTITION_REVOKING;
        }
    if (!any || given_back)
        return any ? c->retry_ms : -1;
    const struct commit_pace pace = {c->use.config->commit_interval,
                                     (size_t)c->use.config->webhook_uncommitted_max};
    return later(c->sent_ms + commit_pace_ms(&pace, c->use.partitions->uncovered, only_passed),
                 c->retry_ms);
}

int64_t committer_wait_until(const struct committer *c)
{
    int64_t due_ms = c->outstanding ? -1 : commit_time(c);
    int64_t wanted_ms = c->wanted_ms >= 0 ? c->wanted_ms : c->use.now->mono_ms;
    return commit_pace_at_ms(due_ms, wanted_ms,
                             consumer_commit_wait_ms(c->use.consumer, c->use.now->mono_ms),
                             c->use.now->mono_ms);
}

typedef char commit_metadata[COMMIT_METADATA_MAX + 1];

/* A partition whose window is too ragged for the metadata is not read further until it fits again:
 * so a crash sends a bounded number twice. */
static void describe(struct committer *c, struct partition *partition, char *text)
{
    int64_t replay_until = partition->replay_until > offset_window_watermark(&partition->window)
                               ? partition->replay_until
                               : -1;
    partition->commit.metadata_full =
        !commit_metadata_write(&partition->window, replay_until, &partition->tried, text);
    if (partition->commit.metadata_full)
        log_limited(
            &c->metadata_full, c->use.now->mono_ms, LOG_EVERY_MS, "commit metadata full",
            (const struct log_field[]){
                LOG_I("partition", partition->number),
                LOG_S("reason", "many offsets above the commit are settled, in too many gaps"),
                LOG_S("hint", "the partition is read on once the oldest of its orders is settled"),
                {0}});
}

/* The number of its deliveries that the commit covers. Deliveries that a cut text leaves out are
 * not covered: a crash would send them again. All others are, or nothing would ever make room for
 * the deliveries that could move the watermark. */
static uint64_t covered_by(const struct partition *partition)
{
    uint64_t untold =
        partition->commit.metadata_full ? commit_metadata_untold(&partition->window) : 0;
    uint64_t told = partition->work.settled > untold ? partition->work.settled - untold : 0;
    return told > partition->commit.covered ? told : partition->commit.covered;
}

/* The watermarks of all partitions that have news, and what is settled above them. */
static size_t collect(struct committer *c, struct consumer_offset *offsets, commit_metadata *texts)
{
    size_t count = 0;
    for (size_t i = 0; i < c->use.partitions->count; i++) {
        struct partition *partition = c->use.partitions->list[i];
        if (!committer_has_news(c, partition))
            continue;
        describe(c, partition, texts[count]);
        partition->commit.asked = offset_window_watermark(&partition->window);
        partition->commit.asked_settled = covered_by(partition);
        partition->commit.asked_settles = partition->work.settles;
        partition->commit.asked_tries = partition->work.tries;
        offsets[count] =
            (struct consumer_offset){partition->slot, partition->commit.asked, texts[count]};
        count++;
    }
    return count;
}

static void log_failure(struct committer *c, const char *error)
{
    const struct log_field fields[] = {LOG_S("error", error), {0}};
    log_limited(&c->failing, c->use.now->mono_ms, LOG_EVERY_MS, "commit failed", fields);
}

static void note_wanted(struct committer *c)
{
    if (c->outstanding || commit_time(c) < 0)
        c->wanted_ms = -1;
    else if (c->wanted_ms < 0)
        c->wanted_ms = c->use.now->mono_ms;
}

/* A delivery shows that the failures before it were the orders' own: their next owner is told. */
static void note_others(struct committer *c)
{
    for (size_t i = 0; i < c->use.partitions->count; i++) {
        struct partition *partition = c->use.partitions->list[i];
        if (partition_is_ours(partition) &&
            tried_mark_others(&partition->tried, c->use.endpoint->delivered))
            partition->work.tries++;
    }
}

void committer_turn(struct committer *c)
{
    note_others(c);
    note_wanted(c);
    int64_t at_ms = committer_wait_until(c);
    if (at_ms < 0 || c->use.now->mono_ms < at_ms)
        return;
    struct consumer_offset *offsets = calloc(c->use.partitions->count, sizeof *offsets);
    commit_metadata *texts = malloc(c->use.partitions->count * sizeof *texts);
    if (offsets == NULL || texts == NULL) {
        free(offsets);
        free(texts);
        return;
    }
    struct error err = {0};
    size_t count = collect(c, offsets, texts);
    c->sent_ms = c->use.now->mono_ms;
    c->wanted_ms = -1;
    if (consumer_commit(c->use.consumer, offsets, count, &err)) {
        c->outstanding = true;
        log_debug("commit sent", LOG_I("partitions", (int64_t)count));
    } else {
        log_failure(c, err.text);
        c->retry_ms = c->use.now->mono_ms + RETRY_MS;
    }
    free(offsets);
    free(texts);
}

static void acknowledged(struct committer *c, struct partition *partition, int64_t offset)
{
    if (offset > partition->commit.committed)
        partition->commit.committed = offset;
    partition->commit.committed_ms = c->use.now->mono_ms;
    partition->commit.covered_settles = partition->commit.asked_settles;
    partition->commit.covered_tries = partition->commit.asked_tries;
    partition_cover(c->use.partitions, partition, partition->commit.asked_settled);
    log_recovered(&c->failing, "commits succeed again", (const struct log_field[]){{0}});
}

void committer_answered(struct committer *c, int32_t slot, int64_t offset, bool ok,
                        const char *error)
{
    struct partition *partition = partition_at(c->use.partitions, slot);
    if (partition == NULL || partition->commit.asked != offset)
        return; /* of an assignment that is over */
    partition->commit.asked = -1;
    log_debug("commit answered", LOG_I("partition", partition->number),
              LOG_I("retry", partition->is_retry), LOG_I("offset", offset));
    c->counts.commits += ok;
    c->counts.failures += !ok;
    if (ok) {
        acknowledged(c, partition, offset);
        return;
    }
    log_failure(c, error);
    c->retry_ms = c->use.now->mono_ms + RETRY_MS;
}

/* A partition without an answer of its own is committed again. */
void committer_finished(struct committer *c)
{
    c->outstanding = false;
    for (size_t i = 0; i < c->use.partitions->count; i++)
        if (c->use.partitions->list[i] != NULL)
            c->use.partitions->list[i]->commit.asked = -1;
}

/* When its time is up, attempts under way are left to its next owner. Deliveries that succeeded are
 * recorded and committed first: both are bounded, and spare a duplicate. */
static bool is_drained(const struct committer *c, const struct partition *partition)
{
    bool committed = partition->commit.asked < 0 && !committer_has_news(c, partition);
    if (partition->work.busy == 0 && committed)
        return true;
    if (c->use.now->mono_ms < partition->work.give_back_by_ms || partition->work.settling > 0)
        return false;
    int64_t over_ms = later(partition->work.give_back_by_ms, partition->work.last_settled_ms);
    return committed || c->use.now->mono_ms >= over_ms + COMMIT_GRACE_MS;
}

void committer_give_back(struct committer *c)
{
    for (size_t i = 0; i < c->use.partitions->count; i++) {
        struct partition *partition = c->use.partitions->list[i];
        if (partition == NULL || partition->state != PARTITION_REVOKING ||
            !is_drained(c, partition))
            continue;
        int64_t committed_to = partition->commit.committed;
        partition_end(c->use.partitions, partition);
        if (!partition->is_retry)
            log_info("partition given back", LOG_I("partition", partition->number),
                     LOG_I("committed", committed_to));
        consumer_release(c->use.consumer, partition->slot);
    }
}
