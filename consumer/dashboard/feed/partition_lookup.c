#include "dashboard/feed/partition_lookup.h"

#include "kafka/offsets.h"
#include "sys/background.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { LOOK_MS = 2000 };

struct lookup {
    rd_kafka_t *rk;
    const char *const *topics;
    size_t count;
    int wake_fd;
    bool with_ends;
    struct background background;
    atomic_bool unwanted;
    struct lookup_found found; /* the thread's, until it has ended */
};

struct lookup *lookup_new(rd_kafka_t *rk, const char *const *topics, size_t count, int wake_fd,
                          struct error *err)
{
    struct lookup *l = calloc(1, sizeof *l);
    if (l == NULL) {
        error_no_memory(err);
        return NULL;
    }
    l->rk = rk;
    l->topics = topics;
    l->count = count;
    l->wake_fd = wake_fd;
    return l;
}

static void forget(struct lookup_found *found)
{
    for (int i = 0; i < LOOKUP_TOPICS_MAX; i++)
        free(found->ends[i]);
    *found = (struct lookup_found){.code = RD_KAFKA_RESP_ERR_NO_ERROR};
}

/* ---- in the thread ---- */

static int32_t count_partitions(const rd_kafka_metadata_t *m, const char *topic)
{
    for (int i = 0; i < m->topic_cnt; i++)
        if (strcmp(m->topics[i].topic, topic) == 0 &&
            m->topics[i].partition_cnt <= LOOKUP_PARTITIONS_MAX)
            return m->topics[i].partition_cnt;
    return 0;
}

static void find_ends(struct lookup *l, size_t topic)
{
    int32_t count = l->found.partitions[topic];
    int64_t *ends = calloc((size_t)count + 1, sizeof *ends);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(count);
    for (int32_t n = 0; n < count; n++)
        rd_kafka_topic_partition_list_add(list, l->topics[topic], n)->offset = RD_KAFKA_OFFSET_END;
    bool asked = !atomic_load(&l->unwanted);
    if (asked)
        (void)kafka_offsets(l->rk, list, LOOK_MS); /* each partition has an error of its own */
    for (int32_t n = 0; ends != NULL && n < count; n++) {
        const rd_kafka_topic_partition_t *p = &list->elems[n];
        ends[n] = asked && p->err == RD_KAFKA_RESP_ERR_NO_ERROR ? p->offset : -1;
    }
    rd_kafka_topic_partition_list_destroy(list);
    l->found.ends[topic] = ends;
}

static void look(void *context)
{
    struct lookup *l = context;
    const rd_kafka_metadata_t *m;
    l->found.code = rd_kafka_metadata(l->rk, 1, NULL, &m, LOOK_MS);
    if (l->found.code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        for (size_t i = 0; i < l->count; i++)
            l->found.partitions[i] = count_partitions(m, l->topics[i]);
        rd_kafka_metadata_destroy(m);
        for (size_t i = 0; l->with_ends && i < l->count; i++)
            find_ends(l, i);
    }
}

/* ---- in the caller's ---- */

void lookup_start(struct lookup *l, bool with_ends)
{
    if (background_is_running(&l->background))
        return;
    forget(&l->found);
    l->with_ends = with_ends;
    (void)background_start(&l->background, look, l,
                           l->wake_fd); /* on failure the next look-up tries again */
}

const struct lookup_found *lookup_take(struct lookup *l)
{
    return background_take(&l->background) ? &l->found : NULL;
}

void lookup_free(struct lookup *l)
{
    if (l == NULL)
        return;
    atomic_store(&l->unwanted, true);
    background_join(&l->background);
    forget(&l->found);
    free(l);
}
