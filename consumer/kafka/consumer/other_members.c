#include "kafka/consumer/other_members.h"

#include "sys/clock.h"

#include <stdlib.h>

enum { LOOK_UP_MS = 5000, EVERY_MS = 1000 };

/* Those of interest that are not here; false: their owner is about to change. */
static bool list_others(const struct other_members *others, bool settled, const int64_t *ends,
                        size_t count)
{
    const struct assignment *a = others->assignment;
    for (int32_t slot = 0; slot < (int32_t)count; slot++) {
        enum slot_state state = assignment_state(a, slot);
        if (ends[slot] > 0 && state == SLOT_FREE)
            rd_kafka_topic_partition_list_add(others->list, assignment_topic(a, slot),
                                              slot_partition(slot));
        else if (ends[slot] > 0 && state != SLOT_ASSIGNED)
            return false;
    }
    return settled;
}

/* In a thread of its own. */
static void look_up(void *context)
{
    struct other_members *others = context;
    others->code = rd_kafka_committed(others->rk, others->list, LOOK_UP_MS);
}

static bool have_reached(const struct other_members *others, const int64_t *ends, size_t count)
{
    bool reached = others->code == RD_KAFKA_RESP_ERR_NO_ERROR;
    for (int i = 0; reached && i < others->list->cnt; i++) {
        const rd_kafka_topic_partition_t *p = &others->list->elems[i];
        int32_t slot = assignment_slot_of(others->assignment, p);
        reached =
            p->err == RD_KAFKA_RESP_ERR_NO_ERROR && (size_t)slot < count && p->offset >= ends[slot];
    }
    return reached;
}

static void drop_list(struct other_members *others)
{
    if (others->list != NULL)
        rd_kafka_topic_partition_list_destroy(others->list);
    others->list = NULL;
}

bool other_members_reached(struct other_members *others, uint64_t rebalances, bool settled,
                           const int64_t *ends, size_t count)
{
    if (background_take(&others->background)) {
        bool reached =
            others->rebalances == rebalances && settled && have_reached(others, ends, count);
        drop_list(others);
        return reached;
    }
    if (background_is_running(&others->background) || clock_mono_ms() < others->asked_ms + EVERY_MS)
        return false;
    others->asked_ms = clock_mono_ms();
    others->rebalances = rebalances;
    others->rk = others->assignment->rk;
    others->list = rd_kafka_topic_partition_list_new((int)count);
    if (!list_others(others, settled, ends, count) ||
        !background_start(&others->background, look_up, others, others->assignment->wake_fd))
        drop_list(others);
    return false;
}

void other_members_done(struct other_members *others)
{
    background_join(&others->background);
    drop_list(others);
}
