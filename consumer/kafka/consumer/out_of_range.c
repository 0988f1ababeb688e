#include "kafka/consumer/out_of_range.h"

#include "kafka/offsets.h"
#include "offsets/lost_offset.h"
#include "sys/clock.h"

#include <inttypes.h>
#include <stdio.h>

enum { QUERY_MS = 5000, QUERY_AGAIN_MS = 1000, AGAIN_MS = 100, TROUBLE_EVERY_MS = 60000 };
enum { LOOKS_MAX = 3 };

static bool done(rd_kafka_error_t *error)
{
    if (error == NULL)
        return true;
    log_warn("seek failed", LOG_S("error", rd_kafka_error_string(error)));
    rd_kafka_error_destroy(error);
    return false;
}

/* librdkafka does not seek where it does not fetch: the partition is taken away and given again, as
 * only a cooperative assignor allows for one alone. */
static bool go_to(struct out_of_range *o, int32_t slot, int64_t offset)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, assignment_topic(o->assignment, slot),
                                      slot_partition(slot))
        ->offset = offset;
    assignment_open_queue(o->assignment,
                          slot); /* after a topic was unknown, its partitions have other queues */
    bool ok = done(rd_kafka_incremental_unassign(o->assignment->rk, list)) &&
              done(rd_kafka_incremental_assign(o->assignment->rk, list));
    rd_kafka_topic_partition_list_destroy(list);
    if (ok) {
        struct consumer_slot *own = &o->assignment->slots[slot];
        own->left = own->next;
        own->next = offset;
    }
    return ok;
}

static void stop(struct out_of_range *o, int32_t slot, int64_t offset, int64_t low, int64_t high)
{
    char why[ERROR_TEXT_MAX];
    snprintf(why, sizeof why,
             "offset %" PRId64 " of %s, partition %" PRId32
             ", is not in the topic (it holds %" PRId64 " to %" PRId64
             "): %s. Reset the group's offset, or choose kafka.lost_offsets",
             offset, assignment_topic(o->assignment, slot), slot_partition(slot), low, high,
             offset < low ? "retention has passed what was not sent yet"
                          : "the topic was made again, or cut short");
    o->events->stopped(o->events->context, slot, why);
}

void out_of_range_note(struct out_of_range *o, int32_t slot, int64_t offset)
{
    struct consumer_slot *own = &o->assignment->slots[slot];
    own->lost = true;
    own->lost_offset = offset;
    own->look_ms = 0;
    own->looks = 0;
}

/* One partition that was made again means that the topic was, with all others: also those that hold
 * more by now than was read of the former topic, of which a fetch gives no sign. */
void out_of_range_doubt_topic(struct out_of_range *o)
{
    for (size_t i = 0; i < o->assignment->count; i++)
        if (!slot_is_retry((int32_t)i) && o->assignment->slots[i].seen > 0 &&
            o->assignment->slots[i].state == SLOT_ASSIGNED && !o->assignment->slots[i].lost) {
            out_of_range_note(o, (int32_t)i, LOST_OFFSET_NONE);
            o->assignment->slots[i].look_ms = clock_mono_ms();
        }
}

bool out_of_range_is_doubted(const struct out_of_range *o, int32_t slot)
{
    return o->assignment->slots[slot].lost &&
           o->assignment->slots[slot].lost_offset == LOST_OFFSET_NONE;
}

/* Its records are unread, whatever kafka.lost_offsets and kafka.start choose. */
static void begin_again(struct out_of_range *o)
{
    struct consumer_slot *own = &o->assignment->slots[o->slot];
    own->lost = false;
    if (!go_to(o, o->slot, o->low)) {
        stop(o, o->slot, o->lost_offset, o->low, o->high);
        return;
    }
    log_warn("topic made again", LOG_S("topic", o->topic),
             LOG_I("partition", slot_partition(o->slot)), LOG_I("goes_on_at", o->low),
             LOG_S("reason", "the group's commit in it is gone"),
             LOG_S("hint", "it is read from its beginning"));
    own->seen = 0;
    start_offsets_made_again(o->starts);
    o->events->restarted(o->events->context, o->slot, o->low);
    out_of_range_doubt_topic(o);
}

static void go_on(struct out_of_range *o)
{
    struct consumer_slot *own = &o->assignment->slots[o->slot];
    int64_t place = o->config->kafka_lost_offsets == KAFKA_LOST_LATEST ? o->high : o->low;
    own->lost = false;
    if (o->config->kafka_lost_offsets == KAFKA_LOST_STOP || !go_to(o, o->slot, place)) {
        stop(o, o->slot, own->lost_offset, o->low, o->high);
        return;
    }
    log_error(
        "lost offset left", LOG_S("topic", o->topic), LOG_I("partition", slot_partition(o->slot)),
        LOG_I("lost", own->lost_offset), LOG_I("low", o->low), LOG_I("high", o->high),
        LOG_I("goes_on_at", place),
        LOG_S("reason", "the offset is not in the topic, and kafka.lost_offsets lets it go on"));
    o->events->restarted(o->events->context, o->slot, place);
}

/* Both in a thread of their own. Brokers forget a retry topic's commits, so they prove nothing
 * there. */
static bool look_up_commit(struct out_of_range *b)
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
    struct out_of_range *b = context;
    b->err = (struct error){0};
    b->low = b->high = -1;
    b->ok = kafka_watermarks(b->rk, b->topic, slot_partition(b->slot), 1, &b->low, &b->high,
                             QUERY_MS, &b->err) &&
            look_up_commit(b);
}

void out_of_range_look(struct out_of_range *o, int32_t slot)
{
    struct consumer_slot *own = &o->assignment->slots[slot];
    if (!own->lost || clock_mono_ms() < own->look_ms)
        return;
    own->look_ms = clock_mono_ms() + AGAIN_MS; /* another slot has the thread until then */
    if (background_is_running(&o->background))
        return;
    o->rk = o->assignment->rk;
    o->topic = assignment_topic(o->assignment, slot);
    o->slot = slot;
    o->lost_offset = own->lost_offset;
    o->next = own->next;
    (void)background_start(&o->background, look, o, o->assignment->wake_fd);
}

static void log_unknown(struct out_of_range *o)
{
    log_limited(&o->trouble, clock_mono_ms(), TROUBLE_EVERY_MS, "lost offset unresolved",
                (const struct log_field[]){LOG_S("topic", o->topic),
                                           LOG_I("partition", slot_partition(o->slot)),
                                           LOG_S("error", o->err.text),
                                           {0}});
}

/* A late report of the former topic's offset: librdkafka's object of that partition outlives the
 * change by a moment. The partition reads in the right place by now. */
static bool is_told_late(const struct out_of_range *o)
{
    int64_t left = o->assignment->slots[o->slot].left;
    return left >= 0 && o->lost_offset >= left && o->next < o->lost_offset && o->next >= o->low &&
           o->next <= o->high;
}

/* Should it be this object after all that reads no more, it is made to. */
static void stay(struct out_of_range *o)
{
    struct consumer_slot *own = &o->assignment->slots[o->slot];
    int64_t left = own->left;
    own->lost = false;
    if (!go_to(o, o->slot, own->next)) {
        stop(o, o->slot, o->lost_offset, o->low, o->high);
        return;
    }
    own->left = left;
    log_warn("topic made again", LOG_S("topic", o->topic),
             LOG_I("partition", slot_partition(o->slot)), LOG_I("goes_on_at", own->next),
             LOG_I("lost", o->lost_offset),
             LOG_S("reason", "an offset of the former topic was reported late"));
}

/* False: to be looked at again. Brokers forget the commits of a deleted topic a moment after it is
 * made again, so that a commit which is there is looked at some times. A partition that stops has
 * no need of bounds that stay unknown. */
static bool settle(struct out_of_range *o, bool changing)
{
    struct consumer_slot *own = &o->assignment->slots[o->slot];
    bool last = ++own->looks >= LOOKS_MAX, stops = o->config->kafka_lost_offsets == KAFKA_LOST_STOP;
    if (!o->ok && o->lost_offset == LOST_OFFSET_NONE)
        return false; /* the topic is not there again */
    if (!o->ok) {
        bool give_up = stops && last;
        if (give_up)
            go_on(o);
        else
            log_unknown(o);
        return give_up;
    }
    enum lost_offset_cause cause = lost_offset_cause(o->lost_offset, o->low, o->committed);
    bool late = cause == LOST_OFFSET_BEHIND && is_told_late(o);
    bool moves = cause == LOST_OFFSET_MADE_AGAIN || late || !stops;
    if (cause == LOST_OFFSET_IN_PLACE)
        own->lost = false;
    else if ((cause == LOST_OFFSET_BEHIND && !late && !last) || (moves && changing))
        return false;
    else if (late)
        stay(o);
    else if (cause == LOST_OFFSET_MADE_AGAIN)
        begin_again(o);
    else
        go_on(o);
    return true;
}

/* While the group waits for a revoke, librdkafka would take any unassignment for the answer to
 * it. */
static void take_answer(struct out_of_range *o, bool changing)
{
    if (!background_take(&o->background))
        return;
    struct consumer_slot *own = &o->assignment->slots[o->slot];
    if (own->state != SLOT_ASSIGNED || !own->lost || own->lost_offset != o->lost_offset)
        return;
    if (!settle(o, changing))
        own->look_ms = clock_mono_ms() + QUERY_AGAIN_MS;
}

void out_of_range_turn(struct out_of_range *o, bool changing)
{
    take_answer(o, changing);
    for (int32_t slot = 0; slot < (int32_t)o->assignment->count; slot++)
        if (o->assignment->slots[slot].look_ms > 0 &&
            o->assignment->slots[slot].state == SLOT_ASSIGNED)
            out_of_range_look(o, slot);
}

void out_of_range_done(struct out_of_range *o)
{
    background_join(&o->background);
}
