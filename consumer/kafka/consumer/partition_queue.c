/* partition_queue: each slot's own queue, and what came by the consumer's instead.
 *
 * A queue belongs to librdkafka's object of its partition. After one metadata answer that does not
 * know the topic, the partition has another object and another queue, and what is fetched for it
 * goes to the consumer's own queue. So the queue is fetched at each assignment, and what comes by
 * the wrong one all the same is kept for its slot, in order, and its queue fetched again. */
#include "kafka/consumer/consumer_internal.h"

#include "kafka/message.h"
#include "sys/clock.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_ROOM = 64, TROUBLE_EVERY_MS = 60000 };

static void drop_strays(struct consumer_slot *own)
{
    for (size_t i = own->stray_at; i < own->stray_count; i++)
        rd_kafka_message_destroy(own->strays[i]);
    own->stray_at = own->stray_count = 0;
}

/* An unforwarding made by the application sticks, through what librdkafka itself does to it. */
static void fetch_queue(struct consumer *s, int32_t slot)
{
    static const uint64_t one = 1;
    struct consumer_slot *own = &s->slots[slot];
    if (own->queue != NULL)
        rd_kafka_queue_destroy(own->queue);
    own->queue = rd_kafka_queue_get_partition(s->rk, consumer_topic(s, slot), slot_partition(slot));
    rd_kafka_queue_forward(own->queue, NULL);
    rd_kafka_queue_io_event_enable(own->queue, s->wake_fd, &one, sizeof one);
}

void consumer_queue_open(struct consumer *s, int32_t slot)
{
    drop_strays(&s->slots[slot]);
    fetch_queue(s, slot);
}

void consumer_queue_drop_foreign(struct consumer *s, int32_t slot)
{
    drop_strays(&s->slots[slot]);
}

void consumer_queue_done(struct consumer_slot *own)
{
    drop_strays(own);
    free(own->strays);
    if (own->queue != NULL)
        rd_kafka_queue_destroy(own->queue);
}

static int32_t slot_of_message(const struct consumer *s, const rd_kafka_message_t *m)
{
    const char *topic = rd_kafka_topic_name(m->rkt);
    bool is_source = strcmp(topic, s->config->kafka_topic) == 0;
    if (m->partition < 0 || (!is_source && strcmp(topic, s->config->retry_topic) != 0))
        return -1;
    return slot_of(m->partition, !is_source);
}

static void keep(struct consumer_slot *own, rd_kafka_message_t *m)
{
    if (own->stray_count == own->stray_room) {
        size_t room = own->stray_room > 0 ? own->stray_room * 2 : FIRST_ROOM;
        rd_kafka_message_t **more = realloc(own->strays, room * sizeof *more);
        if (more == NULL)
            abort(); /* librdkafka itself aborts when it has no memory */
        own->strays = more;
        own->stray_room = room;
    }
    own->strays[own->stray_count++] = m;
}

static void say_stray(struct consumer *s, int32_t slot, const rd_kafka_message_t *m)
{
    const struct log_field fields[] = {LOG_S("topic", consumer_topic(s, slot)),
                                       LOG_I("partition", m->partition),
                                       LOG_I("offset", m->offset),
                                       {0}};
    log_limited(&s->stray_trouble, clock_mono_ms(), TROUBLE_EVERY_MS, "queue fetched again",
                fields);
}

/* Of a partition that is not read, the next owner reads it: no commit has passed it. */
void consumer_queue_keep_foreign(struct consumer *s, rd_kafka_message_t *m)
{
    int32_t slot = slot_of_message(s, m);
    if (slot < 0 || (size_t)slot >= s->count || s->slots[slot].state != CONSUMER_ASSIGNED) {
        rd_kafka_message_destroy(m);
        return;
    }
    say_stray(s, slot, m);
    fetch_queue(s, slot); /* nothing more comes by the other one from here on */
    keep(&s->slots[slot], m);
}

size_t consumer_queue_take(struct consumer *s, int32_t slot, rd_kafka_message_t **messages,
                           size_t max)
{
    struct consumer_slot *own = &s->slots[slot];
    size_t count = own->stray_count - own->stray_at;
    if (count == 0)
        return kafka_batch(own->queue, messages, max);
    if (count > max)
        count = max;
    memcpy(messages, own->strays + own->stray_at, count * sizeof *messages);
    own->stray_at += count;
    if (own->stray_at == own->stray_count)
        own->stray_at = own->stray_count = 0;
    return count;
}
