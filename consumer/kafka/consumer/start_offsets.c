/* start_offsets: where each partition begins: what is committed, or what kafka.start says.
 *
 * A group that begins at the topic's end writes into every commit how many partitions the topic had
 * then. A partition without a commit is as old as that, and begins at its end as well (its member
 * started a moment later), or was added since, and begins at its beginning. */
#include "kafka/consumer/consumer_internal.h"
#include "kafka/offsets.h"

#include <stdlib.h>
#include <string.h>

enum { LOOK_UP_MS = 5000 };

/* All of it but the last part runs in a thread of its own: of the source only what never changes is
 * used there, its client, its topic and the config. */

static bool look_up(const struct consumer *s, rd_kafka_topic_partition_list_t *list,
                    struct error *err)
{
    rd_kafka_resp_err_t code = rd_kafka_committed(s->rk, list, LOOK_UP_MS);
    for (int i = 0; code == RD_KAFKA_RESP_ERR_NO_ERROR && i < list->cnt; i++)
        code = list->elems[i].err;
    return code == RD_KAFKA_RESP_ERR_NO_ERROR ||
           error_set(err, ERROR_UNREACHABLE, "committed offsets: %s", rd_kafka_err2str(code));
}

/* What the commit's metadata says of the topic when the group began. */
static int32_t born_of(const rd_kafka_topic_partition_t *p)
{
    const char *text = p->metadata;
    int32_t born = 0;
    for (size_t i = p->metadata_size; i > 2 && born == 0; i--)
        if (memcmp(text + i - 2, CONSUMER_BORN_MARK, 2) == 0)
            for (; i < p->metadata_size && text[i] >= '0' && text[i] <= '9' && born < 1000000; i++)
                born = born * 10 + (text[i] - '0');
    return born;
}

static void note_born(struct consumer_starts *starts, const rd_kafka_topic_partition_list_t *list)
{
    const struct consumer *s = starts->source;
    for (int i = 0; i < list->cnt; i++) {
        int32_t born = list->elems[i].offset >= 0 ? born_of(&list->elems[i]) : 0;
        if (born > starts->born && strcmp(list->elems[i].topic, s->config->kafka_topic) == 0)
            starts->born = born;
    }
}

/* A commit that this member has seen is gone, or went back: the topic was made again, and no record
 * of it is older than the group. */
static bool is_made_again(const struct consumer_starts *starts,
                          const rd_kafka_topic_partition_list_t *all)
{
    for (int i = 0; i < all->cnt; i++) {
        size_t partition = (size_t)all->elems[i].partition;
        int64_t seen = partition < starts->seen_count ? starts->seen[partition] : -1;
        if (seen >= 0 && all->elems[i].offset < seen)
            return true;
    }
    return false;
}

static void note_made_again(struct consumer_starts *starts)
{
    if (!starts->made_again)
        log_warn("topic made again", LOG_S("topic", starts->source->config->kafka_topic),
                 LOG_S("reason", "the group's commits in it are gone, or went back, while this "
                                 "member runs"),
                 LOG_S("hint", "partitions without a commit are read from their beginning"));
    starts->made_again = true;
    starts->born = 0;
}

/* Whether the group has committed anything in this topic: then a partition without a commit is one
 * that was added later, and begins at its beginning. */
static bool group_is_known(struct consumer_starts *starts, bool *ret_known, struct error *err)
{
    struct consumer *s = starts->source;
    size_t count = consumer_partition_count(s, LOOK_UP_MS, err);
    if (count == 0)
        return false;
    rd_kafka_topic_partition_list_t *all = rd_kafka_topic_partition_list_new((int)count);
    rd_kafka_topic_partition_list_add_range(all, s->config->kafka_topic, 0, (int32_t)count - 1);
    bool ok = look_up(s, all, err), known = false;
    for (int i = 0; i < all->cnt; i++)
        known |= all->elems[i].offset >= 0;
    note_born(starts, all);
    if (ok && (starts->made_again || is_made_again(starts, all))) {
        note_made_again(starts);
        known = true;
    }
    if (!known && s->config->kafka_start == KAFKA_START_LATEST)
        starts->born = (int32_t)count;
    rd_kafka_topic_partition_list_destroy(all);
    if (ok)
        *ret_known = known;
    return ok;
}

/* Where a partition without a commit begins. */
static int64_t choose_start(const struct consumer_starts *starts,
                            const rd_kafka_topic_partition_t *p, bool group_known)
{
    const struct consumer *s = starts->source;
    bool is_source = strcmp(p->topic, s->config->kafka_topic) == 0;
    /* As old as the group's beginning: another member that starts now has resolved its own. */
    bool as_old = !group_known || p->partition < starts->born;
    /* A retry that the group has not read yet is still to be done. A group that begins now, from
     * now on, has asked for none: what lies there was asked of an earlier one of its name. */
    bool latest =
        s->config->kafka_start == KAFKA_START_LATEST && (is_source ? as_old : !group_known);
    return latest ? RD_KAFKA_OFFSET_END : RD_KAFKA_OFFSET_BEGINNING;
}

static void say_start(const struct consumer *s, const rd_kafka_topic_partition_t *p, int64_t chosen)
{
    if (strcmp(p->topic, s->config->kafka_topic) == 0)
        log_info("nothing is committed for this partition",
                 LOG_S("starts_at", chosen == RD_KAFKA_OFFSET_END ? "its end" : "its beginning"),
                 LOG_I("partition", p->partition), LOG_I("offset", p->offset));
}

/* "latest" is a number from here on: it is committed before anything is read, so that a restart
 * does not take a later "latest" and lose what came in between. */
static bool commit_starts(struct consumer_starts *starts, rd_kafka_topic_partition_list_t *list,
                          struct error *err)
{
    const struct consumer *s = starts->source;
    for (int i = 0; i < list->cnt; i++) {
        rd_kafka_topic_partition_t *p = &list->elems[i];
        p->metadata = consumer_metadata(starts->born, consumer_slot_of(s, p), p->offset, "");
        p->metadata_size = p->metadata != NULL ? strlen(p->metadata) : 0;
    }
    rd_kafka_resp_err_t code = kafka_commit(s->rk, list, LOOK_UP_MS);
    starts->unanswered |= code == RD_KAFKA_RESP_ERR__TIMED_OUT;
    return code == RD_KAFKA_RESP_ERR_NO_ERROR ||
           error_set(err, ERROR_UNREACHABLE, "committing where to start: %s",
                     rd_kafka_err2str(code));
}

/* Fills in the offsets of `open`, which have none, and those of the whole list. */
static bool resolve_starts(struct consumer_starts *starts, rd_kafka_topic_partition_list_t *open,
                           struct error *err)
{
    const struct consumer *s = starts->source;
    bool known = false;
    if (!group_is_known(starts, &known, err))
        return false;
    for (int i = 0; i < open->cnt; i++)
        open->elems[i].offset = choose_start(starts, &open->elems[i], known);
    rd_kafka_resp_err_t code = kafka_offsets(s->rk, open, LOOK_UP_MS);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return kafka_offsets_refused(open, code, err);
    for (int i = 0; i < open->cnt; i++) {
        rd_kafka_topic_partition_t *p = &open->elems[i];
        rd_kafka_topic_partition_t *all =
            rd_kafka_topic_partition_list_find(starts->list, p->topic, p->partition);
        all->offset = p->offset;
        all->opaque = s->config->kafka_start == KAFKA_START_LATEST ? NULL : CONSUMER_UNCOMMITTED;
        say_start(s, p, choose_start(starts, p, known));
    }
    return s->config->kafka_start != KAFKA_START_LATEST || commit_starts(starts, open, err);
}

static bool find_starts(struct consumer_starts *starts, struct error *err)
{
    rd_kafka_topic_partition_list_t *list = starts->list;
    if (!look_up(starts->source, list, err))
        return false;
    if (!starts->made_again)
        note_born(starts, list);
    rd_kafka_topic_partition_list_t *open = rd_kafka_topic_partition_list_new(list->cnt);
    for (int i = 0; i < list->cnt; i++)
        if (list->elems[i].offset < 0)
            rd_kafka_topic_partition_list_add(open, list->elems[i].topic, list->elems[i].partition);
    bool ok = open->cnt == 0 || resolve_starts(starts, open, err);
    rd_kafka_topic_partition_list_destroy(open);
    return ok;
}

/* A partition that was added while members run is read from its beginning, and its retry partition
 * with it. */
static void follow_growth(struct consumer_starts *starts)
{
    struct consumer *s = starts->source;
    starts->partitions = (int32_t)consumer_partition_count(s, LOOK_UP_MS, &starts->err);
    if (starts->partitions > 0)
        starts->retry_partitions = s->events.grown(s->events.context, starts->partitions);
}

static void search(void *context)
{
    struct consumer_starts *starts = context;
    if (starts->follows)
        follow_growth(starts);
    else
        starts->ok = starts->list->cnt == 0 || find_starts(starts, &starts->err);
}

/* ---- in the loop's thread ---- */

static void copy_seen(struct consumer_starts *starts)
{
    const struct consumer *s = starts->source;
    free(starts->seen);
    starts->seen_count = (s->count + 1) / 2;
    starts->seen = calloc(starts->seen_count + 1, sizeof *starts->seen);
    for (size_t i = 0; starts->seen != NULL && i < starts->seen_count; i++)
        starts->seen[i] = s->slots[i * 2].seen - 1; /* kept one higher: 0 is none */
    if (starts->seen == NULL)
        starts->seen_count = 0;
}

bool consumer_starts_begin(struct consumer *s, rd_kafka_topic_partition_list_t *list)
{
    struct consumer_starts *starts = &s->starts;
    starts->source = s;
    starts->list = list;
    starts->follows = list == NULL;
    starts->rebalances = s->rebalances;
    starts->ok = false;
    starts->err = (struct error){0};
    copy_seen(starts);
    if (background_start(&starts->background, search, starts, s->wake_fd))
        return true;
    consumer_starts_done(s);
    return false;
}

bool consumer_starts_take(struct consumer *s)
{
    struct consumer_starts *starts = &s->starts;
    if (!background_take(&starts->background))
        return false;
    s->born = starts->born;
    s->unanswered |= starts->unanswered;
    return true;
}

void consumer_starts_done(struct consumer *s)
{
    if (s->starts.list != NULL)
        rd_kafka_topic_partition_list_destroy(s->starts.list);
    s->starts.list = NULL;
}
