#include "pipeline/intake/backpressure.h"

#include "sys/log.h"

enum { FULL_LOG_EVERY_MS = 60000 };
enum { READY_PER_REQUEST = 4 }; /* ready orders for each request that may be under way */

/* A bound that was reached holds until a quarter is free, so that the next turn takes many. */
static bool is_full(bool was_full, size_t held, int64_t limit)
{
    return was_full ? held > (size_t)limit / 4 * 3 : held >= (size_t)limit;
}

/* Ready orders keep every request busy for some answers. More of them would only wait, and push out
 * of the caches what is under way; librdkafka's queues hold the rest. */
static bool is_ahead(struct backpressure *b)
{
    b->ahead = is_full(b->ahead, order_queue_counts(b->backlog->queues).ready,
                       READY_PER_REQUEST * b->config->webhook_concurrency);
    return b->ahead;
}

/* Behind an open breaker a few orders are enough to probe with, if one of them was never sent:
 * those that were may fail by themselves, and then all of them together prove nothing. */
static bool has_enough(struct backpressure *b)
{
    enum { WHILE_OPEN = 100 };
    bool is_open = breaker_is_open(&b->endpoint->breaker);
    if (!is_ahead(b) && !(is_open && b->backlog->records >= WHILE_OPEN))
        return false;
    return !is_open || order_queue_has_first_attempt(b->backlog->queues);
}

/* All held orders were sent before, or wait behind one that was: either orders that fail by
 * themselves have used up a bound, or everything fails. Only an order that was never sent shows
 * which: so one more is read, and the next when that one is settled or fails as well. Without it
 * such orders would wait for retry.give_up, and all others behind them. */
static bool tells_nothing_new(const struct backpressure *b)
{
    struct order_queue_counts order_queues = order_queue_counts(b->backlog->queues);
    bool recording = order_queues.in_flight > b->sending->in_flight;
    return b->sending->first_attempts == 0 && !recording &&
           !order_queue_has_first(b->backlog->queues);
}

/* One more each time still needs a bound. It is far off: with inflight.bytes as it is by default,
 * 64 MiB, of orders that failed one after another and none of which got through. */
static bool is_too_much(size_t held, int64_t limit)
{
    enum { TIMES = 16 };
    return held / TIMES >= (size_t)limit;
}

bool has_room(struct backpressure *b)
{
    if (has_enough(b))
        return false;
    b->full = is_full(b->full, b->backlog->records, b->config->inflight_records) ||
              is_full(b->full, b->backlog->bytes, b->config->inflight_bytes);
    return !b->full || (tells_nothing_new(b) &&
                        !is_too_much(b->backlog->records, b->config->inflight_records) &&
                        !is_too_much(b->backlog->bytes, b->config->inflight_bytes));
}

static void log_full(struct backpressure *b, const struct partition *partition)
{
    log_warn("partition share full", LOG_I("partition", partition->number),
             LOG_I("unsettled", (int64_t)offset_window_open_count(&partition->window)),
             LOG_I("oldest", offset_window_watermark(&partition->window)),
             LOG_S("hint", "its next orders wait until some are settled, or are read one by one if "
                           "all of these failed before; inflight.partition_records is the share"));
    b->partitions->changes++;
}

bool partition_has_room(struct backpressure *b, struct partition *partition)
{
    bool was_full = partition->read.full;
    /* suspects are few, and only further records resolve them */
    size_t open = offset_window_open_count(&partition->window) - partition->doubt.count;
    partition->read.full = is_full(was_full, open, b->config->inflight_partition_records);
    if (partition->read.full && !was_full &&
        b->now->mono_ms >= partition->read.full_logged_ms + FULL_LOG_EVERY_MS) {
        partition->read.full_logged_ms = b->now->mono_ms;
        log_full(b, partition);
    }
    bool full = partition->read.full || partition->commit.metadata_full;
    return partition->restart_at < 0 &&
           (!full ||
            (tells_nothing_new(b) && !is_too_much(offset_window_open_count(&partition->window),
                                                  b->config->inflight_partition_records)));
}
