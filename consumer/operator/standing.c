#include "operator/standing.h"

#include "base/printable.h"
#include "kafka/reader.h"
#include "sys/clock.h"
#include "sys/signals.h"

#include <stdlib.h>
#include <string.h>

/* A few records a partition, since the very first may be one of a transaction's own. */
enum { POLL_MS = 100, READ_MS = 5000, RECORDS = 50 };

int64_t standing_lag(const struct group_partition *p)
{
    if (p->committed < 0)
        return p->low == p->high ? 0 : -1;
    return p->committed < p->high ? p->high - p->committed : 0;
}

/* ---- owners ---- */

static void take_owner(void *context, struct slice topic, int32_t partition, const char *member)
{
    struct standing *s = context;
    if (slice_is(topic, s->topic.name) && partition >= 0 && (size_t)partition < s->topic.count)
        printable(member, s->partitions[partition].owner, STANDING_OWNER_MAX);
}

/* ---- the oldest record that waits ---- */

struct waiting {
    int64_t *starts, *ends;
    size_t left;
};

/* Between starts[p] and ends[p]; nothing of a partition that is read, or whose commit is missing.
 */
static void choose(const struct group_topic *topic, struct waiting *w)
{
    for (size_t i = 0; i < topic->count; i++) {
        const struct group_partition *p = &topic->partitions[i];
        if (standing_lag(p) <= 0 || p->low >= p->high)
            continue;
        w->starts[i] = p->committed > p->low ? p->committed : p->low;
        w->ends[i] = w->starts[i] + RECORDS;
        w->left++;
    }
}

static bool read_oldest(const struct config *config, struct standing *s, struct waiting *w,
                        int stop_fd, struct error *err)
{
    struct error ignored = {0}; /* then the age is not known */
    int64_t deadline_ms = clock_mono_ms() + READ_MS;
    struct reader *reader =
        reader_between_of(config, s->topic.name, w->starts, w->ends, s->topic.count, &ignored);
    bool ok = true;
    while (ok && reader != NULL && w->left > 0 && !reader_at_end(reader) &&
           clock_mono_ms() < deadline_ms) {
        rd_kafka_message_t *m = reader_next(reader, POLL_MS);
        struct standing_partition *p = m != NULL ? &s->partitions[m->partition] : NULL;
        if (p != NULL && p->waits_since_ms < 0) {
            p->waits_since_ms = rd_kafka_message_timestamp(m, NULL);
            w->left--;
        }
        if (m != NULL)
            rd_kafka_message_destroy(m);
        ok = signals_go_on(stop_fd, err);
    }
    reader_free(reader);
    return ok;
}

static bool find_waiting(const struct config *config, struct standing *s, int stop_fd,
                         struct error *err)
{
    struct waiting w = {calloc(s->topic.count, sizeof *w.starts),
                        calloc(s->topic.count, sizeof *w.ends), 0};
    bool ok = w.starts != NULL && w.ends != NULL;
    if (ok) {
        choose(&s->topic, &w);
        ok = w.left == 0 || read_oldest(config, s, &w, stop_fd, err);
    } else {
        error_no_memory(err);
    }
    free(w.starts);
    free(w.ends);
    return ok;
}

bool standing_of(const struct config *config, struct group *group, const char *topic, int stop_fd,
                 struct standing *ret, struct error *err)
{
    *ret = (struct standing){.owners_known = false};
    if (!group_look(group, topic, &ret->topic, err))
        return false;
    if (ret->topic.count == 0)
        return true;
    ret->partitions = calloc(ret->topic.count, sizeof *ret->partitions);
    if (ret->partitions == NULL)
        return error_no_memory(err);
    for (size_t i = 0; i < ret->topic.count; i++)
        ret->partitions[i].waits_since_ms = -1;
    ret->owners_known = group_owners(group, take_owner, ret);
    return find_waiting(config, ret, stop_fd, err);
}

void standing_done(struct standing *s)
{
    group_topic_done(&s->topic);
    free(s->partitions);
    *s = (struct standing){.owners_known = false};
}
