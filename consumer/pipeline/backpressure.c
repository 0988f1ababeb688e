/* backpressure: how far reading may run ahead of what is settled. Nothing is paused: what is not
 * read stays in librdkafka's queues. */
#include "pipeline/pipeline_internal.h"

enum { FULL_SAID_EVERY_MS = 60000 };
enum { READY_PER_SLOT = 4 }; /* orders that are ready for each request that may be under way */

/* A bound that was reached holds until a quarter is free: what is taken then is worth the turn. */
static bool is_full(bool was_full, size_t held, int64_t limit)
{
    return was_full ? held > (size_t)limit / 4 * 3 : held >= (size_t)limit;
}

/* What is ready keeps every slot busy for some answers; more of it would only wait, and push out of
 * the caches what is under way. librdkafka's queues hold the rest. */
static bool is_ahead(struct pipeline *p)
{
    p->ahead = is_full(p->ahead, order_queue_counts(p->order_queues).ready,
                       READY_PER_SLOT * p->config->webhook_concurrency);
    return p->ahead;
}

/* Behind an open breaker a few orders are enough to probe with, if one of them was never sent:
 * those that were may fail by themselves, and then all of them together tell nothing. */
static bool has_enough(struct pipeline *p)
{
    enum { WHILE_OPEN = 100 };
    bool is_open = breaker_is_open(&p->breaker);
    if (!is_ahead(p) && !(is_open && p->held_records >= WHILE_OPEN))
        return false;
    return !is_open || order_queue_has_first_attempt(p->order_queues);
}

/* Everything that is held was sent before, or waits behind what was: orders that fail by themselves
 * have used up a bound, or everything fails. Only an order that was never sent can tell which: so
 * one more is read, and the next when that one is settled or fails as well. Without it such orders
 * would wait for retry.give_up, and all others behind them. */
static bool tells_nothing_new(const struct pipeline *p)
{
    struct order_queue_counts order_queues = order_queue_counts(p->order_queues);
    bool recording = order_queues.in_flight > p->in_flight;
    return p->first_attempts == 0 && !recording && !order_queue_has_first(p->order_queues);
}

/* One more each time still needs a bound. It is far off: with inflight.bytes as it is by default,
 * 64 MiB, of orders that failed one after another and none of which got through. */
static bool is_too_much(size_t held, int64_t limit)
{
    enum { TIMES = 16 };
    return held / TIMES >= (size_t)limit;
}

bool has_room(struct pipeline *p)
{
    if (has_enough(p))
        return false;
    p->full = is_full(p->full, p->held_records, p->config->inflight_records) ||
              is_full(p->full, p->held_bytes, p->config->inflight_bytes);
    return !p->full ||
           (tells_nothing_new(p) && !is_too_much(p->held_records, p->config->inflight_records) &&
            !is_too_much(p->held_bytes, p->config->inflight_bytes));
}

static void say_full(struct pipeline *p, const struct partition *partition)
{
    log_warn("partition share full", LOG_I("partition", partition->number),
             LOG_I("unsettled", (int64_t)offset_window_open_count(&partition->window)),
             LOG_I("oldest", offset_window_watermark(&partition->window)),
             LOG_S("hint", "its next orders wait until some are settled, or are read one by one if "
                           "all of these failed before; inflight.partition_records is the share"));
    p->state_changed = true;
}

bool partition_has_room(struct pipeline *p, struct partition *partition)
{
    bool was_full = partition->full;
    /* suspects are few, and it takes reading on to be rid of them */
    size_t open = offset_window_open_count(&partition->window) - partition->doubt.count;
    partition->full = is_full(was_full, open, p->config->inflight_partition_records);
    if (partition->full && !was_full && p->now_ms >= partition->full_said_ms + FULL_SAID_EVERY_MS) {
        partition->full_said_ms = p->now_ms;
        say_full(p, partition);
    }
    bool full = partition->full || partition->text_full;
    return partition->restart_at < 0 &&
           (!full ||
            (tells_nothing_new(p) && !is_too_much(offset_window_open_count(&partition->window),
                                                  p->config->inflight_partition_records)));
}
