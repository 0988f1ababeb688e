/* source_start: where each partition begins: what is committed, or what kafka.start says.
 *
 * A group that begins at the topic's end writes into every commit how many partitions the topic had
 * then. A partition without a commit is as old as that, and begins at its end as well (its member
 * started a moment later), or was added since, and begins at its beginning. */
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

/* The offset a partition without a commit begins at. */
static bool resolve_start(struct source *s, rd_kafka_topic_partition_t *p, bool group_known,
                          struct error *err)
{
    int64_t low, high;
    rd_kafka_resp_err_t code =
        rd_kafka_query_watermark_offsets(s->rk, p->topic, p->partition, &low, &high, LOOK_UP_MS);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return error_set(err, ERROR_UNREACHABLE, "partition %d: %s", (int)p->partition,
                         rd_kafka_err2str(code));
    bool is_source = strcmp(p->topic, s->config->kafka_topic) == 0;
    /* As old as the group's beginning: another member that starts now has resolved its own. */
    bool as_old = !group_known || p->partition < s->born;
    bool latest = is_source && s->config->kafka_start == KAFKA_START_LATEST && as_old;
    p->offset = latest ? high : low; /* a retry that nobody has read yet is still to be done */
    if (is_source)
        log_info("nothing is committed for this partition",
                 LOG_S("starts_at", latest ? "its end" : "its beginning"),
                 LOG_I("partition", p->partition), LOG_I("offset", p->offset));
    return true;
}

/* "latest" is a number from here on: it is committed before anything is read, so that a restart
 * does not take a later "latest" and lose what came in between. */
static bool commit_starts(struct source *s, rd_kafka_topic_partition_list_t *starts,
                          struct error *err)
{
    if (starts->cnt == 0)
        return true;
    for (int i = 0; i < starts->cnt; i++) {
        rd_kafka_topic_partition_t *p = &starts->elems[i];
        p->metadata = source_metadata(s, source_slot_of(s, p), p->offset, "");
        p->metadata_size = p->metadata != NULL ? strlen(p->metadata) : 0;
    }
    rd_kafka_resp_err_t code = rd_kafka_commit(s->rk, starts, 0);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR ||
           error_set(err, ERROR_UNREACHABLE, "committing where to start: %s",
                     rd_kafka_err2str(code));
}

static bool resolve_starts(struct source *s, rd_kafka_topic_partition_list_t *list,
                           struct error *err)
{
    bool known = false, asked = false, ok = true;
    rd_kafka_topic_partition_list_t *starts = rd_kafka_topic_partition_list_new(list->cnt);
    for (int i = 0; ok && i < list->cnt; i++) {
        rd_kafka_topic_partition_t *p = &list->elems[i];
        if (p->offset >= 0)
            continue;
        if (!asked)
            ok = group_is_known(s, &known, err);
        asked = true;
        ok = ok && resolve_start(s, p, known, err);
        if (ok && s->config->kafka_start == KAFKA_START_LATEST)
            rd_kafka_topic_partition_list_add(starts, p->topic, p->partition)->offset = p->offset;
    }
    ok = ok && commit_starts(s, starts, err);
    rd_kafka_topic_partition_list_destroy(starts);
    return ok;
}

bool source_find_starts(struct source *s, rd_kafka_topic_partition_list_t *list, struct error *err)
{
    if (!look_up(s, list, err))
        return false;
    note_born(s, list);
    return resolve_starts(s, list, err);
}
