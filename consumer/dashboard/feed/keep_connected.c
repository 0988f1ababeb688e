#include "dashboard/feed/keep_connected.h"

#include "dashboard/feed/partition_lookup.h"

#include <stdbool.h>
#include <stdlib.h>

enum { KEEP_MS = 240000, MISSING_MS = 5000 };

struct keep_connected {
    const char *topics[LOOKUP_TOPICS_MAX];
    rd_kafka_topic_t *known[LOOKUP_TOPICS_MAX]; /* keeps their metadata; NULL: not yet */
    rd_kafka_t *rk;
    size_t count;
    struct lookup *lookup;
    int64_t due_ms;
};

struct keep_connected *keep_connected_new(rd_kafka_t *rk, const char *const *topics, size_t count,
                                          int wake_fd, struct error *err)
{
    struct keep_connected *w = calloc(1, sizeof *w);
    if (w == NULL) {
        error_no_memory(err);
        return NULL;
    }
    w->rk = rk;
    for (; w->count < count && w->count < LOOKUP_TOPICS_MAX; w->count++)
        w->topics[w->count] = topics[w->count];
    w->lookup = lookup_new(rk, w->topics, w->count, wake_fd, err);
    if (w->lookup != NULL)
        return w;
    keep_connected_free(w);
    return NULL;
}

void keep_connected_free(struct keep_connected *w)
{
    if (w == NULL)
        return;
    lookup_free(w->lookup);
    for (size_t i = 0; i < w->count; i++)
        if (w->known[i] != NULL)
            rd_kafka_topic_destroy(w->known[i]);
    free(w);
}

/* Opens the topics that exist: a producer that names a missing one creates it, with the broker's
 * default number of partitions. False: one is missing. */
static bool open_existing(struct keep_connected *w, const struct lookup_found *found)
{
    bool all = true;
    for (size_t i = 0; i < w->count; i++)
        if (found->partitions[i] == 0)
            all = false;
        else if (w->known[i] == NULL)
            w->known[i] = rd_kafka_topic_new(w->rk, w->topics[i], NULL);
    return all;
}

int64_t keep_connected_turn(struct keep_connected *w, int64_t now_ms)
{
    const struct lookup_found *found = lookup_take(w->lookup);
    if (found != NULL)
        w->due_ms = now_ms + (open_existing(w, found) ? KEEP_MS : MISSING_MS);
    if (now_ms >= w->due_ms) {
        lookup_start(w->lookup, true);
        w->due_ms = now_ms + MISSING_MS; /* unless it ends before */
    }
    return w->due_ms - now_ms;
}
