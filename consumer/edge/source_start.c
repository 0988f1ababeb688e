/* source_start: where each partition begins: what is committed, or what kafka.start says.
 *
 * A group that begins at the topic's end writes into every commit how many partitions the topic had
 * then. A partition without a commit is as old as that, and begins at its end as well (its member
 * started a moment later), or was added since, and begins at its beginning. */
#include "edge/kafka_offsets.h"
#include "edge/source_internal.h"

#include <stdlib.h>
#include <string.h>

enum { LOOK_UP_MS = 5000 };

static bool look_up(struct source *s, rd_kafka_topic_partition_list_t *list, struct error *err)
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
        if (memcmp(text + i - 2, SOURCE_BORN_MARK, 2) == 0)
            for (; i < p->metadata_size && text[i] >= '0' && text[i] <= '9' && born < 1000000; i++)
                born = born * 10 + (text[i] - '0');
    return born;
}

static void note_born(struct source *s, const rd_kafka_topic_partition_list_t *list)
{
    for (int i = 0; i < list->cnt; i++) {
        int32_t born = list->elems[i].offset >= 0 ? born_of(&list->elems[i]) : 0;
        if (born > s->born && strcmp(list->elems[i].topic, s->config->kafka_topic) == 0)
            s->born = born;
    }
}

/* Whether the group has committed anything in this topic: then a partition without a commit is one
 * that was added later, and begins at its beginning. */
static bool group_is_known(struct source *s, bool *ret_known, struct error *err)
{
    size_t count = source_partition_count(s, LOOK_UP_MS, err);
    if (count == 0)
        return false;
    rd_kafka_topic_partition_list_t *all = rd_kafka_topic_partition_list_new((int)count);
    rd_kafka_topic_partition_list_add_range(all, s->config->kafka_topic, 0, (int32_t)count - 1);
    bool ok = look_up(s, all, err), known = false;
    for (int i = 0; i < all->cnt; i++)
        known |= all->elems[i].offset >= 0;
    note_born(s, all);
    if (!known && s->config->kafka_start == KAFKA_START_LATEST)
        s->born = (int32_t)count;
    rd_kafka_topic_partition_list_destroy(all);
    if (ok)
        *ret_known = known;
    return ok;
}

/* Where a partition without a commit begins. */
static int64_t choose_start(const struct source *s, const rd_kafka_topic_partition_t *p,
                            bool group_known)
{
    bool is_source = strcmp(p->topic, s->config->kafka_topic) == 0;
    /* As old as the group's beginning: another member that starts now has resolved its own. */
    bool as_old = !group_known || p->partition < s->born;
    bool latest = is_source && s->config->kafka_start == KAFKA_START_LATEST && as_old;
    /* a retry that nobody has read yet is still to be done */
    return latest ? RD_KAFKA_OFFSET_END : RD_KAFKA_OFFSET_BEGINNING;
}

static void say_start(const struct source *s, const rd_kafka_topic_partition_t *p, int64_t chosen)
{
    if (strcmp(p->topic, s->config->kafka_topic) == 0)
        log_info("nothing is committed for this partition",
                 LOG_S("starts_at", chosen == RD_KAFKA_OFFSET_END ? "its end" : "its beginning"),
                 LOG_I("partition", p->partition), LOG_I("offset", p->offset));
}

/* "latest" is a number from here on: it is committed before anything is read, so that a restart
 * does not take a later "latest" and lose what came in between. */
static bool commit_starts(struct source *s, rd_kafka_topic_partition_list_t *starts,
                          struct error *err)
{
    for (int i = 0; i < starts->cnt; i++) {
        rd_kafka_topic_partition_t *p = &starts->elems[i];
        p->metadata = source_metadata(s, source_slot_of(s, p), p->offset, "");
        p->metadata_size = p->metadata != NULL ? strlen(p->metadata) : 0;
    }
    rd_kafka_resp_err_t code = kafka_commit(s->rk, starts, LOOK_UP_MS);
    s->unanswered |= code == RD_KAFKA_RESP_ERR__TIMED_OUT;
    return code == RD_KAFKA_RESP_ERR_NO_ERROR ||
           error_set(err, ERROR_UNREACHABLE, "committing where to start: %s",
                     rd_kafka_err2str(code));
}

/* Fills in the offsets of `starts`, which have none, and those of `list`. */
static bool resolve_starts(struct source *s, rd_kafka_topic_partition_list_t *starts,
                           rd_kafka_topic_partition_list_t *list, struct error *err)
{
    bool known = false;
    if (!group_is_known(s, &known, err))
        return false;
    for (int i = 0; i < starts->cnt; i++)
        starts->elems[i].offset = choose_start(s, &starts->elems[i], known);
    rd_kafka_resp_err_t code = kafka_offsets(s->rk, starts, LOOK_UP_MS);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return kafka_offsets_refused(starts, code, err);
    for (int i = 0; i < starts->cnt; i++) {
        rd_kafka_topic_partition_t *p = &starts->elems[i];
        rd_kafka_topic_partition_list_find(list, p->topic, p->partition)->offset = p->offset;
        say_start(s, p, choose_start(s, p, known));
    }
    return s->config->kafka_start != KAFKA_START_LATEST || commit_starts(s, starts, err);
}

bool source_find_starts(struct source *s, rd_kafka_topic_partition_list_t *list, struct error *err)
{
    if (!look_up(s, list, err))
        return false;
    note_born(s, list);
    rd_kafka_topic_partition_list_t *starts = rd_kafka_topic_partition_list_new(list->cnt);
    for (int i = 0; i < list->cnt; i++)
        if (list->elems[i].offset < 0)
            rd_kafka_topic_partition_list_add(starts, list->elems[i].topic,
                                              list->elems[i].partition);
    bool ok = starts->cnt == 0 || resolve_starts(s, starts, list, err);
    rd_kafka_topic_partition_list_destroy(starts);
    return ok;
}

/* Those of interest that are not here; false: who has them is about to change. */
static bool list_others(const struct source *s, const int64_t *ends, size_t count,
                        rd_kafka_topic_partition_list_t *list)
{
    for (int32_t slot = 0; slot < (int32_t)count; slot++) {
        enum source_state state = (size_t)slot < s->count ? s->slots[slot].state : SOURCE_FREE;
        if (ends[slot] > 0 && state == SOURCE_FREE)
            rd_kafka_topic_partition_list_add(list, source_topic(s, slot), slot_partition(slot));
        else if (ends[slot] > 0 && state != SOURCE_ASSIGNED)
            return false;
    }
    return s->joined && s->pending == CHANGE_NONE;
}

bool source_others_reached(struct source *s, const int64_t *ends, size_t count)
{
    struct error err = {0};
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)count);
    bool reached = list_others(s, ends, count, list) && look_up(s, list, &err);
    for (int i = 0; reached && i < list->cnt; i++)
        reached = list->elems[i].offset >= ends[source_slot_of(s, &list->elems[i])];
    rd_kafka_topic_partition_list_destroy(list);
    return reached;
}
