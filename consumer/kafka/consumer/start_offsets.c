#include "kafka/consumer/start_offsets.h"

#include "kafka/offsets.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BORN_MARK ".n" /* offsets/commit_metadata.h */

enum { LOOK_UP_MS = 5000 };

/* Behind the text stands what every commit of a group that began at the topic's end carries. */
char *start_offsets_metadata(int32_t born, bool is_retry, int64_t offset, const char *text)
{
    char *full = NULL;
    if (born == 0 || is_retry)
        return strdup(text);
    int len = *text != '\0' ? asprintf(&full, "%s" BORN_MARK "%" PRId32, text, born)
                            : asprintf(&full, "1.%" PRId64 "." BORN_MARK "%" PRId32, offset, born);
    return len >= 0 ? full : NULL;
}

/* ---- in a thread of its own ---- */

static bool look_up(const struct start_offsets *s, rd_kafka_topic_partition_list_t *list,
                    struct error *err)
{
    rd_kafka_resp_err_t code = kafka_committed(s->rk, list, LOOK_UP_MS);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR ||
           error_set(err, ERROR_UNREACHABLE, "committed offsets: %s", rd_kafka_err2str(code));
}

/* The topic's partitions when the group began, from the commit's metadata; 0: not in it. */
static int32_t born_of(const rd_kafka_topic_partition_t *p)
{
    const char *text = p->metadata;
    int32_t born = 0;
    for (size_t i = p->metadata_size; i > 2 && born == 0; i--)
        if (memcmp(text + i - 2, BORN_MARK, 2) == 0)
            for (; i < p->metadata_size && text[i] >= '0' && text[i] <= '9' && born < 1000000; i++)
                born = born * 10 + (text[i] - '0');
    return born;
}

static void note_born(struct start_offsets *s, const rd_kafka_topic_partition_list_t *list)
{
    for (int i = 0; i < list->cnt; i++) {
        int32_t born = list->elems[i].offset >= 0 ? born_of(&list->elems[i]) : 0;
        if (born > s->born && strcmp(list->elems[i].topic, s->config->kafka_topic) == 0)
            s->born = born;
    }
}

/* A commit that this member has seen is gone, or went back: the topic was made again, and no record
 * of it is older than the group. */
static bool is_made_again(const struct start_offsets *s, const rd_kafka_topic_partition_list_t *all)
{
    for (int i = 0; i < all->cnt; i++) {
        size_t partition = (size_t)all->elems[i].partition;
        int64_t seen = partition < s->seen_count ? s->seen[partition] : -1;
        if (seen >= 0 && all->elems[i].offset < seen)
            return true;
    }
    return false;
}

static void note_made_again(struct start_offsets *s)
{
    if (!s->made_again)
        log_warn("topic made again", LOG_S("topic", s->config->kafka_topic),
                 LOG_S("reason", "the group's commits in it are gone, or went back, while this "
                                 "member runs"),
                 LOG_S("hint", "partitions without a commit are read from their beginning"));
    s->made_again = true;
    s->born = 0;
}

static size_t count_partitions(struct start_offsets *s, struct error *err)
{
    rd_kafka_resp_err_t code;
    size_t count = kafka_partition_count(s->rk, s->config->kafka_topic, LOOK_UP_MS, &code, NULL);
    if (count == 0)
        error_set(err, ERROR_UNREACHABLE, "topic \"%s\": %s", s->config->kafka_topic,
                  rd_kafka_err2str(code));
    return count;
}

/* *ret_known: the group has committed something in this topic. Then a partition without a commit
 * was added later, and begins at its beginning. */
static bool group_is_known(struct start_offsets *s, bool *ret_known, struct error *err)
{
    size_t count = count_partitions(s, err);
    if (count == 0)
        return false;
    rd_kafka_topic_partition_list_t *all = rd_kafka_topic_partition_list_new((int)count);
    rd_kafka_topic_partition_list_add_range(all, s->config->kafka_topic, 0, (int32_t)count - 1);
    bool ok = look_up(s, all, err), known = false;
    for (int i = 0; i < all->cnt; i++)
        known |= all->elems[i].offset >= 0;
    note_born(s, all);
    if (ok && (s->made_again || is_made_again(s, all))) {
        note_made_again(s);
        known = true;
    }
    if (!known && s->config->kafka_start == KAFKA_START_LATEST)
        s->born = (int32_t)count;
    rd_kafka_topic_partition_list_destroy(all);
    if (ok)
        *ret_known = known;
    return ok;
}

/* The first offset of a partition without a commit. */
static int64_t choose_start(const struct start_offsets *s, const rd_kafka_topic_partition_t *p,
                            bool group_known)
{
    bool is_source = strcmp(p->topic, s->config->kafka_topic) == 0;
    /* As old as the group's beginning: another member that starts now has resolved its own. */
    bool as_old = !group_known || p->partition < s->born;
    /* A retry that the group has not read yet is still to be done. A group that begins now, from
     * now on, has asked for none: what lies there was asked of an earlier one of its name. */
    bool latest =
        s->config->kafka_start == KAFKA_START_LATEST && (is_source ? as_old : !group_known);
    return latest ? RD_KAFKA_OFFSET_END : RD_KAFKA_OFFSET_BEGINNING;
}

static void log_start(const struct start_offsets *s, const rd_kafka_topic_partition_t *p,
                      int64_t chosen)
{
    if (strcmp(p->topic, s->config->kafka_topic) == 0)
        log_info("partition without commit",
                 LOG_S("starts_at", chosen == RD_KAFKA_OFFSET_END ? "its end" : "its beginning"),
                 LOG_I("partition", p->partition), LOG_I("offset", p->offset));
}

/* "latest" is a number from here on: it is committed before anything is read, so that a restart
 * does not take a later "latest" and lose what came in between. */
static bool commit_starts(struct start_offsets *s, rd_kafka_topic_partition_list_t *list,
                          struct error *err)
{
    for (int i = 0; i < list->cnt; i++) {
        rd_kafka_topic_partition_t *p = &list->elems[i];
        p->metadata = start_offsets_metadata(s->born, strcmp(p->topic, s->config->kafka_topic) != 0,
                                             p->offset, "");
        p->metadata_size = p->metadata != NULL ? strlen(p->metadata) : 0;
    }
    rd_kafka_resp_err_t code = kafka_commit(s->rk, list, LOOK_UP_MS);
    s->unanswered |= code == RD_KAFKA_RESP_ERR__TIMED_OUT;
    return code == RD_KAFKA_RESP_ERR_NO_ERROR ||
           error_set(err, ERROR_UNREACHABLE, "committing where to start: %s",
                     rd_kafka_err2str(code));
}

/* Fills in the offsets of `open`, which have none, and those of the whole list. */
static bool resolve_starts(struct start_offsets *s, rd_kafka_topic_partition_list_t *open,
                           struct error *err)
{
    bool known = false;
    if (!group_is_known(s, &known, err))
        return false;
    for (int i = 0; i < open->cnt; i++)
        open->elems[i].offset = choose_start(s, &open->elems[i], known);
    rd_kafka_resp_err_t code = kafka_offsets(s->rk, open, LOOK_UP_MS);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return kafka_offsets_refused(open, code, err);
    for (int i = 0; i < open->cnt; i++) {
        rd_kafka_topic_partition_t *p = &open->elems[i];
        rd_kafka_topic_partition_t *all =
            rd_kafka_topic_partition_list_find(s->list, p->topic, p->partition);
        all->offset = p->offset;
        all->opaque = s->config->kafka_start == KAFKA_START_LATEST ? NULL : START_UNCOMMITTED;
        log_start(s, p, choose_start(s, p, known));
    }
    return s->config->kafka_start != KAFKA_START_LATEST || commit_starts(s, open, err);
}

static bool find_starts(struct start_offsets *s, struct error *err)
{
    rd_kafka_topic_partition_list_t *list = s->list;
    if (!look_up(s, list, err))
        return false;
    if (!s->made_again)
        note_born(s, list);
    rd_kafka_topic_partition_list_t *open = rd_kafka_topic_partition_list_new(list->cnt);
    for (int i = 0; i < list->cnt; i++)
        if (list->elems[i].offset < 0)
            rd_kafka_topic_partition_list_add(open, list->elems[i].topic, list->elems[i].partition);
    bool ok = open->cnt == 0 || resolve_starts(s, open, err);
    rd_kafka_topic_partition_list_destroy(open);
    return ok;
}

/* A partition that was added while members run is read from its beginning, and its retry partition
 * with it. */
static void follow_growth(struct start_offsets *s)
{
    s->partitions = (int32_t)count_partitions(s, &s->err);
    if (s->partitions > 0)
        s->retry_partitions = s->events->grown(s->events->context, s->partitions);
}

static void search(void *context)
{
    struct start_offsets *s = context;
    if (s->follows)
        follow_growth(s);
    else
        s->ok = s->list->cnt == 0 || find_starts(s, &s->err);
}

/* ---- in the loop's thread ---- */

static void copy_seen(struct start_offsets *s, const struct assignment *a)
{
    free(s->seen);
    s->seen_count = (a->count + 1) / 2;
    s->seen = calloc(s->seen_count + 1, sizeof *s->seen);
    for (size_t i = 0; s->seen != NULL && i < s->seen_count; i++)
        s->seen[i] = a->slots[i * 2].seen - 1; /* kept one higher: 0 is none */
    if (s->seen == NULL)
        s->seen_count = 0;
}

bool start_offsets_begin(struct start_offsets *s, const struct assignment *a, uint64_t rebalances,
                         rd_kafka_topic_partition_list_t *list)
{
    s->list = list;
    s->follows = list == NULL;
    s->rebalances = rebalances;
    s->ok = false;
    s->err = (struct error){0};
    copy_seen(s, a);
    if (background_start(&s->background, search, s, s->wake_fd))
        return true;
    start_offsets_clear(s);
    return false;
}

bool start_offsets_take(struct start_offsets *s)
{
    if (!background_take(&s->background))
        return false;
    s->known_born = s->born;
    return true;
}

void start_offsets_clear(struct start_offsets *s)
{
    if (s->list != NULL)
        rd_kafka_topic_partition_list_destroy(s->list);
    s->list = NULL;
}

void start_offsets_made_again(struct start_offsets *s)
{
    s->known_born = 0;
    s->made_again = true;
}

void start_offsets_done(struct start_offsets *s)
{
    background_join(&s->background);
    start_offsets_clear(s);
    free(s->seen);
}
