/* other_members: how far the group is with what other members have. */
#include "kafka/consumer/consumer_internal.h"
#include "sys/clock.h"

#include <stdlib.h>

enum { LOOK_UP_MS = 5000, EVERY_MS = 1000 };

/* Those of interest that are not here; false: who has them is about to change. */
static bool list_others(const struct consumer *s, const int64_t *ends, size_t count,
                        rd_kafka_topic_partition_list_t *list)
{
    for (int32_t slot = 0; slot < (int32_t)count; slot++) {
        enum consumer_state state = (size_t)slot < s->count ? s->slots[slot].state : CONSUMER_FREE;
        if (ends[slot] > 0 && state == CONSUMER_FREE)
            rd_kafka_topic_partition_list_add(list, consumer_topic(s, slot), slot_partition(slot));
        else if (ends[slot] > 0 && state != CONSUMER_ASSIGNED)
            return false;
    }
    return s->joined && s->pending == CHANGE_NONE;
}

/* In a thread of its own. */
static void look_up(void *context)
{
    struct consumer_others *others = context;
    others->code = rd_kafka_committed(others->rk, others->list, LOOK_UP_MS);
}

static bool have_reached(const struct consumer *s, const int64_t *ends, size_t count)
{
    const struct consumer_others *others = &s->others;
    bool reached = others->code == RD_KAFKA_RESP_ERR_NO_ERROR;
    for (int i = 0; reached && i < others->list->cnt; i++) {
        const rd_kafka_topic_partition_t *p = &others->list->elems[i];
        int32_t slot = consumer_slot_of(s, p);
        reached =
            p->err == RD_KAFKA_RESP_ERR_NO_ERROR && (size_t)slot < count && p->offset >= ends[slot];
    }
    return reached;
}

static bool take(struct consumer *s, const int64_t *ends, size_t count)
{
    struct consumer_others *others = &s->others;
    bool reached = others->rebalances == s->rebalances && s->joined && s->pending == CHANGE_NONE &&
                   have_reached(s, ends, count);
    rd_kafka_topic_partition_list_destroy(others->list);
    others->list = NULL;
    return reached;
}

bool consumer_others_reached(struct consumer *s, const int64_t *ends, size_t count)
{
    struct consumer_others *others = &s->others;
    if (background_take(&others->background))
        return take(s, ends, count);
    if (background_is_running(&others->background) || clock_mono_ms() < others->asked_ms + EVERY_MS)
        return false;
    others->asked_ms = clock_mono_ms();
    others->rebalances = s->rebalances;
    others->rk = s->rk;
    others->list = rd_kafka_topic_partition_list_new((int)count);
    if (list_others(s, ends, count, others->list) &&
        background_start(&others->background, look_up, others, s->wake_fd))
        return false;
    rd_kafka_topic_partition_list_destroy(others->list);
    others->list = NULL;
    return false;
}

void consumer_others_done(struct consumer *s)
{
    background_join(&s->others.background);
    if (s->others.list != NULL)
        rd_kafka_topic_partition_list_destroy(s->others.list);
}
