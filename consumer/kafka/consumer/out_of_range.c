/* out_of_range: an offset that is not in the topic: retention has passed it, or the topic was made
 * again or cut short. See kafka/consumer/lost_offset.h for how a topic that was made again is told.
 */
#include "kafka/consumer/consumer_internal.h"
#include "kafka/consumer/lost_offset.h"
#include "kafka/offsets.h"
#include "sys/clock.h"

#include <inttypes.h>
#include <stdio.h>

enum { QUERY_MS = 5000, QUERY_AGAIN_MS = 1000, AGAIN_MS = 100, TROUBLE_EVERY_MS = 60000 };
enum { LOOKS_MAX = 3 };

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
static bool go_to(struct consumer *s, int32_t slot, int64_t offset)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, consumer_topic(s, slot), slot_partition(slot))->offset =
        offset;
    consumer_queue_open(s, slot); /* after a topic was unknown, its partitions have other queues */
    bool ok = done(rd_kafka_incremental_unassign(s->rk, list)) &&
              done(rd_kafka_incremental_assign(s->rk, list));
    rd_kafka_topic_partition_list_destroy(list);
    return ok;
}

static void stop(struct consumer *s, int32_t slot, int64_t offset, int64_t low, int64_t high)
{
    char why[ERROR_TEXT_MAX];
    snprintf(why, sizeof why,
             "offset %" PRId64 " of %s, partition %" PRId32
             ", is not in the topic (it holds %" PRId64 " to %" PRId64
             "): %s. Reset the group's offset, or choose kafka.lost_offsets",
             offset, consumer_topic(s, slot), slot_partition(slot), low, high,
             offset < low ? "retention has passed what was not sent yet"
                          : "the topic was made again, or cut short");
    s->events.stopped(s->events.context, slot, why);
}

void consumer_offset_lost(struct consumer *s, int32_t slot, int64_t offset)
{
    struct consumer_slot *own = &s->slots[slot];
    own->lost = true;
    own->lost_offset = offset;
    own->look_ms = 0;
    own->looks = 0;
}

/* Where one partition was made again, the others were, too: also those that hold more by now than
 * what was read of the former topic, of which a fetch gives no sign. */
void consumer_doubt_topic(struct consumer *s)
{
    for (size_t i = 0; i < s->count; i++)
        if (!slot_is_retry((int32_t)i) && s->slots[i].seen > 0 &&
            s->slots[i].state == CONSUMER_ASSIGNED && !s->slots[i].lost) {
            consumer_offset_lost(s, (int32_t)i, LOST_OFFSET_NONE);
            s->slots[i].look_ms = clock_mono_ms();
        }
}

bool consumer_is_doubted(const struct consumer *s, int32_t slot)
{
    return s->slots[slot].lost && s->slots[slot].lost_offset == LOST_OFFSET_NONE;
}

/* Its records are unread, whatever kafka.lost_offsets and kafka.start choose. */
static void begin_again(struct consumer *s, int32_t slot, const struct consumer_bounds *b)
{
    s->slots[slot].lost = false;
    if (!go_to(s, slot, b->low)) {
        stop(s, slot, b->lost_offset, b->low, b->high);
        return;
    }
    log_warn("topic made again", LOG_S("topic", consumer_topic(s, slot)),
             LOG_I("partition", slot_partition(slot)), LOG_I("goes_on_at", b->low),
             LOG_S("reason", "the group's commit in it is gone"),
             LOG_S("hint", "it is read from its beginning"));
    s->slots[slot].seen = 0;
    s->born = 0;
    s->starts.made_again = true;
    s->events.restarted(s->events.context, slot, b->low);
    consumer_doubt_topic(s);
}

static void go_on(struct consumer *s, int32_t slot, int64_t low, int64_t high)
{
    int64_t lost = s->slots[slot].lost_offset;
    int64_t place = s->config->kafka_lost_offsets == KAFKA_LOST_LATEST ? high : low;
    s->slots[slot].lost = false;
    if (s->config->kafka_lost_offsets == KAFKA_LOST_STOP || !go_to(s, slot, place)) {
        stop(s, slot, lost, low, high);
        return;
    }
    log_error("an offset is not in the topic any more: going on as kafka.lost_offsets says",
              LOG_S("topic", consumer_topic(s, slot)), LOG_I("partition", slot_partition(slot)),
              LOG_I("lost", lost), LOG_I("low", low), LOG_I("high", high),
              LOG_I("goes_on_at", place));
    s->events.restarted(s->events.context, slot, place);
}

/* Both in a thread of their own. A retry topic has commits that brokers forget: of it nothing can
 * be told. */
static bool look_up_commit(struct consumer_bounds *b)
{
    if (slot_is_retry(b->slot)) {
        b->committed = 0;
        return true;
    }
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_t *p =
        rd_kafka_topic_partition_list_add(list, b->topic, slot_partition(b->slot));
    rd_kafka_resp_err_t code = rd_kafka_committed(b->rk, list, QUERY_MS);
    code = code != RD_KAFKA_RESP_ERR_NO_ERROR ? code : p->err;
    b->committed = p->offset;
    rd_kafka_topic_partition_list_destroy(list);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR ||
           error_set(&b->err, ERROR_UNREACHABLE, "committed offset: %s", rd_kafka_err2str(code));
}

static void look(void *context)
{
    struct consumer_bounds *b = context;
    b->err = (struct error){0};
    b->low = b->high = -1;
    b->ok = kafka_watermarks(b->rk, b->topic, slot_partition(b->slot), 1, &b->low, &b->high,
                             QUERY_MS, &b->err) &&
            look_up_commit(b);
}

void consumer_leave_lost(struct consumer *s, int32_t slot)
{
    struct consumer_slot *own = &s->slots[slot];
    struct consumer_bounds *b = &s->bounds;
    if (!own->lost || clock_mono_ms() < own->look_ms)
        return;
    own->look_ms = clock_mono_ms() + AGAIN_MS; /* whoever asks has the thread until then */
    if (background_is_running(&b->background))
        return;
    b->rk = s->rk;
    b->topic = consumer_topic(s, slot);
    b->slot = slot;
    b->lost_offset = own->lost_offset;
    (void)background_start(&b->background, look, b, s->wake_fd);
}

static void say_unknown(struct consumer *s, const struct consumer_bounds *b)
{
    log_limited(&s->offsets_trouble, clock_mono_ms(), TROUBLE_EVERY_MS,
                "an offset is not in the topic any more, and what it holds is not known yet",
                (const struct log_field[]){LOG_S("topic", consumer_topic(s, b->slot)),
                                           LOG_I("partition", slot_partition(b->slot)),
                                           LOG_S("why", b->err.text),
                                           {0}});
}

/* False: to be looked at again. Brokers forget the commits of a deleted topic a moment after it is
 * made again, so that a commit which is there is looked at some times. A partition that stops has
 * no need of bounds that stay unknown. */
static bool settle(struct consumer *s, const struct consumer_bounds *b)
{
    struct consumer_slot *own = &s->slots[b->slot];
    bool last = ++own->looks >= LOOKS_MAX, stops = s->config->kafka_lost_offsets == KAFKA_LOST_STOP;
    if (!b->ok && b->lost_offset == LOST_OFFSET_NONE)
        return false; /* the topic is not there again */
    if (!b->ok) {
        bool give_up = stops && last;
        if (give_up)
            go_on(s, b->slot, b->low, b->high);
        else
            say_unknown(s, b);
        return give_up;
    }
    enum lost_offset_cause cause = lost_offset_cause(b->lost_offset, b->low, b->committed);
    bool moves = cause == LOST_OFFSET_MADE_AGAIN || !stops;
    if (cause == LOST_OFFSET_IN_PLACE)
        own->lost = false;
    else if ((cause == LOST_OFFSET_BEHIND && !last) || (moves && s->pending != CHANGE_NONE))
        return false;
    else if (cause == LOST_OFFSET_MADE_AGAIN)
        begin_again(s, b->slot, b);
    else
        go_on(s, b->slot, b->low, b->high);
    return true;
}

/* While the group waits for a revoke, librdkafka would take any unassignment for the answer to
 * it. */
void consumer_take_bounds(struct consumer *s)
{
    const struct consumer_bounds *b = &s->bounds;
    if (!background_take(&s->bounds.background))
        return;
    struct consumer_slot *own = &s->slots[b->slot];
    if (own->state != CONSUMER_ASSIGNED || !own->lost || own->lost_offset != b->lost_offset)
        return;
    if (!settle(s, b))
        own->look_ms = clock_mono_ms() + QUERY_AGAIN_MS;
}
