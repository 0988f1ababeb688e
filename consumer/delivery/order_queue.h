/* order_queue: one delivery at a time per order, in source order; different orders in parallel.
 *
 * The deliveries of one order wait in its order queue. The first is READY, then IN_FLIGHT, perhaps
 * BACKOFF until a retry; only when it is finished does the next become READY. Orders that are ready
 * are taken in the order in which they became so. An order in backoff delays no other order. Owns
 * no delivery: the caller frees those that order_queue_finish or order_queue_drop returns. Not
 * thread-safe. */
#ifndef DELIVERY_ORDER_QUEUE_H
#define DELIVERY_ORDER_QUEUE_H

#include "base/hash.h"
#include "delivery/delivery.h"

#include <stdbool.h>

struct order_queues;

/* The key is copied. NULL without memory. */
struct order_queues *order_queues_new(const struct hash_key *key);
void order_queues_free(struct order_queues *order_queues); /* frees no delivery; accepts NULL */

/* Queues a new delivery behind the others of its order. False without memory (d is not taken). */
bool order_queue_add(struct order_queues *order_queues, struct delivery *d);

/* The READY delivery that has waited longest: IN_FLIGHT from here on; NULL: none. fresh: those that
 * were never sent may go too, else only those that were (a repetition adds nothing to the
 * deliveries that a crash would send again). */
struct delivery *order_queue_take(struct order_queues *order_queues, bool fresh);

/* The same among those that were never sent. */
struct delivery *order_queue_take_first_attempt(struct order_queues *order_queues);

/* The same, of this one only, which was sent before; false: it is not ready, or not to be sent. */
bool order_queue_take_this(struct order_queues *order_queues, struct delivery *d);

/* True when order_queue_take_first_attempt gives one. */
bool order_queue_has_first_attempt(const struct order_queues *order_queues);

/* True when any delivery is ready that was never sent, those to be parked included. */
bool order_queue_has_first(const struct order_queues *order_queues);

/* As order_queue_take, for one that is to be parked only. */
struct delivery *order_queue_take_rejected(struct order_queues *order_queues);

/* True when order_queue_take gives one, now or after order_queue_wake_first. */
bool order_queue_has_any(const struct order_queues *order_queues, bool fresh);

/* The attempt failed: d (IN_FLIGHT) rests until due_ms, then it is READY again. Needs no memory:
 * order_queue_add has reserved it. */
void order_queue_back_off(struct order_queues *order_queues, struct delivery *d, int64_t due_ms);

/* A change at this place of the orders' topic overtakes the order's deliveries of the stream, but
 * those of records behind it: those that wait, be it for another attempt, become rejected, and one
 * that is IN_FLIGHT does so if its attempt fails. */
void order_queue_overtake(struct order_queues *order_queues, struct slice order, int32_t partition,
                          int64_t offset);

/* d (IN_FLIGHT) is settled: it leaves, and the next of its order becomes READY. */
void order_queue_finish(struct order_queues *order_queues, struct delivery *d);

/* Wakes all that are due; returns when the next one is (ms, monotonic), or -1. */
int64_t order_queue_wake(struct order_queues *order_queues, int64_t now_ms);

/* Wakes the one that is due first, however late, of those whose rest may be cut short; false when
 * there is none. */
bool order_queue_wake_first(struct order_queues *order_queues);

/* Takes out the deliveries of `owner` that are not IN_FLIGHT, and hands each to `dropped`. */
void order_queue_drop(struct order_queues *order_queues, const void *owner,
                      void (*dropped)(void *context, struct delivery *d), void *context);

struct order_queue_counts {
    size_t waiting, ready, in_flight, backoff;
};
struct order_queue_counts order_queue_counts(const struct order_queues *order_queues);

#endif
