#include "kafka/consumer/assignment.h"

#include "kafka/message.h"
#include "sys/clock.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_ROOM = 64, TROUBLE_EVERY_MS = 60000 };

static void drop_foreign(struct consumer_slot *own)
{
    for (size_t i = own->foreign_at; i < own->foreign_count; i++)
        rd_kafka_message_destroy(own->foreign[i]);
    own->foreign_at = own->foreign_count = 0;
}

void assignment_done(struct assignment *a)
{
    for (size_t i = 0; i < a->count; i++) {
        drop_foreign(&a->slots[i]);
        free(a->slots[i].foreign);
        if (a->slots[i].queue != NULL)
            rd_kafka_queue_destroy(a->slots[i].queue);
    }
    free(a->slots);
}

const char *assignment_topic(const struct assignment *a, int32_t slot)
{
    return slot_is_retry(slot) ? a->config->retry_topic : a->config->kafka_topic;
}

int32_t assignment_slot_of(const struct assignment *a, const rd_kafka_topic_partition_t *p)
{
    return slot_of(p->partition, strcmp(p->topic, a->config->kafka_topic) != 0);
}

struct consumer_slot *assignment_slot(struct assignment *a, int32_t slot)
{
    if ((size_t)slot >= a->count) {
        size_t count = (size_t)slot + 1;
        struct consumer_slot *more = realloc(a->slots, count * sizeof *more);
        if (more == NULL)
            abort(); /* librdkafka itself aborts when it has no memory */
        memset(more + a->count, 0, (count - a->count) * sizeof *more);
        a->slots = more;
        a->count = count;
    }
    return &a->slots[slot];
}

enum slot_state assignment_state(const struct assignment *a, int32_t slot)
{
    return (size_t)slot < a->count ? a->slots[slot].state : SLOT_FREE;
}

size_t assignment_count(const struct assignment *a, enum slot_state state)
{
    size_t count = 0;
    for (size_t i = 0; i < a->count; i++)
        count += a->slots[i].state == state;
    return count;
}

bool assignment_is_empty(const struct assignment *a)
{
    return assignment_count(a, SLOT_ASSIGNED) == 0 && assignment_count(a, SLOT_REVOKING) == 0;
}

static void add_slots(const struct assignment *a, enum slot_state state, bool is_retry,
                      rd_kafka_topic_partition_list_t *list)
{
    for (int32_t slot = 0; slot < (int32_t)a->count; slot++)
        if (a->slots[slot].state == state && slot_is_retry(slot) == is_retry)
            rd_kafka_topic_partition_list_add(list, assignment_topic(a, slot),
                                              slot_partition(slot));
}

/* librdkafka starts to fetch from the end of the list on, at once: a request for nothing but idle
 * retry partitions would keep the orders waiting for fetch.wait.max.ms. */
rd_kafka_topic_partition_list_t *assignment_list(const struct assignment *a, enum slot_state state)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)a->count);
    add_slots(a, state, true, list);
    add_slots(a, state, false, list);
    return list;
}

void assignment_free_all(struct assignment *a, enum slot_state state)
{
    for (size_t i = 0; i < a->count; i++)
        if (a->slots[i].state == state) {
            a->slots[i].state = SLOT_FREE;
            drop_foreign(&a->slots[i]);
        }
}

void assignment_note_seen(struct assignment *a, int32_t slot, int64_t offset)
{
    assignment_slot(a, slot)->seen = offset + 1;
}

/* ---- queues ---- */

/* An unforwarding made by the application sticks, through what librdkafka itself does to it. */
static void fetch_queue(struct assignment *a, int32_t slot)
{
    static const uint64_t one = 1;
    struct consumer_slot *own = &a->slots[slot];
    if (own->queue != NULL)
        rd_kafka_queue_destroy(own->queue);
    own->queue =
        rd_kafka_queue_get_partition(a->rk, assignment_topic(a, slot), slot_partition(slot));
    rd_kafka_queue_forward(own->queue, NULL);
    rd_kafka_queue_io_event_enable(own->queue, a->wake_fd, &one, sizeof one);
}

void assignment_open_queue(struct assignment *a, int32_t slot)
{
    drop_foreign(&a->slots[slot]);
    fetch_queue(a, slot);
}

static int32_t slot_of_message(const struct assignment *a, const rd_kafka_message_t *m)
{
    const char *topic = rd_kafka_topic_name(m->rkt);
    bool is_source = strcmp(topic, a->config->kafka_topic) == 0;
    if (m->partition < 0 || (!is_source && strcmp(topic, a->config->retry_topic) != 0))
        return -1;
    return slot_of(m->partition, !is_source);
}

static void keep(struct consumer_slot *own, rd_kafka_message_t *m)
{
    if (own->foreign_count == own->foreign_room) {
        size_t room = own->foreign_room > 0 ? own->foreign_room * 2 : FIRST_ROOM;
        rd_kafka_message_t **more = realloc(own->foreign, room * sizeof *more);
        if (more == NULL)
            abort(); /* librdkafka itself aborts when it has no memory */
        own->foreign = more;
        own->foreign_room = room;
    }
    own->foreign[own->foreign_count++] = m;
}

static void log_foreign(struct assignment *a, int32_t slot, const rd_kafka_message_t *m)
{
    const struct log_field fields[] = {LOG_S("topic", assignment_topic(a, slot)),
                                       LOG_I("partition", m->partition),
                                       LOG_I("offset", m->offset),
                                       {0}};
    log_limited(&a->foreign_trouble, clock_mono_ms(), TROUBLE_EVERY_MS, "queue fetched again",
                fields);
}

/* A record of a partition that is not assigned is dropped: no commit has passed it, so the next
 * owner reads it. */
void assignment_keep_foreign(struct assignment *a, rd_kafka_message_t *m)
{
    int32_t slot = slot_of_message(a, m);
    if (slot < 0 || assignment_state(a, slot) != SLOT_ASSIGNED) {
        rd_kafka_message_destroy(m);
        return;
    }
    log_foreign(a, slot, m);
    fetch_queue(a, slot); /* from here on all records come by the own queue */
    keep(&a->slots[slot], m);
}

size_t assignment_take(struct assignment *a, int32_t slot, rd_kafka_message_t **messages,
                       size_t max)
{
    struct consumer_slot *own = &a->slots[slot];
    size_t count = own->foreign_count - own->foreign_at;
    if (count == 0)
        return kafka_batch(own->queue, messages, max);
    if (count > max)
        count = max;
    memcpy(messages, own->foreign + own->foreign_at, count * sizeof *messages);
    own->foreign_at += count;
    if (own->foreign_at == own->foreign_count)
        own->foreign_at = own->foreign_count = 0;
    return count;
}
