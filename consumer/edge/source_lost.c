/* source_lost: an offset that is not in the topic: retention has passed it, or the topic was made
 * anew or cut short. */
#include "edge/clock.h"
#include "edge/kafka_offsets.h"
#include "edge/source_internal.h"

#include <inttypes.h>
#include <stdio.h>

enum { QUERY_MS = 5000, QUERY_AGAIN_MS = 1000, AGAIN_MS = 100, TROUBLE_EVERY_MS = 60000 };

static bool done(rd_kafka_error_t *error)
{
    if (error == NULL)
        return true;
    log_warn("reading cannot go on elsewhere", LOG_S("why", rd_kafka_error_string(error)));
    rd_kafka_error_destroy(error);
    return false;
}

/* librdkafka does not seek where it does not fetch: the partition is taken away and given again, as
 * only a cooperative assignor allows for one alone. */
static bool go_to(struct source *s, int32_t slot, int64_t offset)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, source_topic(s, slot), slot_partition(slot))->offset =
        offset;
    source_queue_drop_strays(s, slot);
    bool ok = done(rd_kafka_incremental_unassign(s->rk, list)) &&
              done(rd_kafka_incremental_assign(s->rk, list));
    rd_kafka_topic_partition_list_destroy(list);
    return ok;
}

static void stop(struct source *s, int32_t slot, int64_t offset, int64_t low, int64_t high)
{
    char why[ERROR_TEXT_MAX];
    snprintf(why, sizeof why,
             "offset %" PRId64 " of %s, partition %" PRId32
             ", is not in the topic (it holds %" PRId64 " to %" PRId64
             "): %s. Reset the group's offset, or choose kafka.lost_offsets",
             offset, source_topic(s, slot), slot_partition(slot), low, high,
             offset < low ? "retention has passed what was not sent yet"
                          : "the topic was made anew, or cut short");
    s->events.stopped(s->events.context, slot, why);
}

void source_offset_lost(struct source *s, int32_t slot, int64_t offset)
{
    struct source_slot *own = &s->slots[slot];
    own->lost = true;
    own->lost_offset = offset;
    own->look_ms = 0;
}

static void go_on(struct source *s, int32_t slot, int64_t low, int64_t high)
{
    int64_t lost = s->slots[slot].lost_offset;
    int64_t place = s->config->kafka_lost_offsets == KAFKA_LOST_LATEST ? high : low;
    s->slots[slot].lost = false;
    if (s->config->kafka_lost_offsets == KAFKA_LOST_STOP || !go_to(s, slot, place)) {
        stop(s, slot, lost, low, high);
        return;
    }
    log_error("an offset is not in the topic any more: going on as kafka.lost_offsets says",
              LOG_S("topic", source_topic(s, slot)), LOG_I("partition", slot_partition(slot)),
              LOG_I("lost", lost), LOG_I("low", low), LOG_I("high", high),
              LOG_I("goes_on_at", place));
    s->events.restarted(s->events.context, slot, place);
}

/* In a thread of its own. */
static void look(void *context)
{
    struct source_bounds *b = context;
    b->err = (struct error){0};
    b->low = b->high = -1;
    b->ok = kafka_watermarks(b->rk, b->topic, slot_partition(b->slot), 1, &b->low, &b->high,
                             QUERY_MS, &b->err);
}

void source_leave_lost(struct source *s, int32_t slot)
{
    struct source_slot *own = &s->slots[slot];
    struct source_bounds *b = &s->bounds;
    if (!own->lost || clock_mono_ms() < own->look_ms)
        return;
    own->look_ms = clock_mono_ms() + AGAIN_MS; /* whoever asks has the thread until then */
    if (background_is_running(&b->background))
        return;
    b->rk = s->rk;
    b->topic = source_topic(s, slot);
    b->slot = slot;
    b->lost_offset = own->lost_offset;
    (void)background_start(&b->background, look, b, s->wake_fd);
}

/* Where the topic's bounds stay unknown, a partition that stops has no need of them; one that is to
 * go on asks again. While the group waits for a revoke, librdkafka would take any unassignment for
 * the answer to it. */
void source_take_bounds(struct source *s)
{
    const struct source_bounds *b = &s->bounds;
    if (!background_take(&s->bounds.background))
        return;
    struct source_slot *own = &s->slots[b->slot];
    if (own->state != SOURCE_ASSIGNED || !own->lost || own->lost_offset != b->lost_offset)
        return;
    bool stops = s->config->kafka_lost_offsets == KAFKA_LOST_STOP;
    own->look_ms = clock_mono_ms() + QUERY_AGAIN_MS;
    if (stops || (b->ok && s->pending == CHANGE_NONE)) {
        go_on(s, b->slot, b->low, b->high);
        return;
    }
    if (!b->ok)
        log_trouble(&s->offsets_trouble, clock_mono_ms(), TROUBLE_EVERY_MS,
                    "an offset is not in the topic any more, and what it holds is not known yet",
                    (const struct log_field[]){LOG_S("topic", source_topic(s, b->slot)),
                                               LOG_I("partition", slot_partition(b->slot)),
                                               LOG_S("why", b->err.text),
                                               {0}});
}
