/* order_queue: one delivery at a time per order, in source order; different orders in parallel.
 *
 * Deliveries of one order queue up in its lane. The first is READY, then IN_FLIGHT, perhaps RESTING
 * until a retry; only when it is finished does the next become READY. Orders that are ready are
 * taken in the order in which they became so. A resting order holds nobody else up. Owns no
 * delivery: the caller frees what lane_finish or lane_drop gives back. Not thread-safe. */
#ifndef DELIVERY_ORDER_QUEUE_H
#define DELIVERY_ORDER_QUEUE_H

#include "base/hash.h"
#include "delivery/delivery.h"

#include <stdbool.h>

struct lanes;

/* The key is copied. NULL without memory. */
struct lanes *lanes_new(const struct hash_key *key);
void lanes_free(struct lanes *lanes); /* frees no delivery; accepts NULL */

/* Queues a new delivery behind the others of its order. False without memory (d is not taken). */
bool lane_add(struct lanes *lanes, struct delivery *d);

/* The READY delivery that has waited longest: IN_FLIGHT from here on; NULL: none. fresh: those that
 * were never sent may go too, else only what has been (its repetition adds nothing to what a crash
 * would send again). */
struct delivery *lane_take(struct lanes *lanes, bool fresh);

/* The same among those that were never sent. */
struct delivery *lane_take_fresh(struct lanes *lanes);

/* Whether lane_take_fresh gives one. */
bool lane_has_fresh(const struct lanes *lanes);

/* Whether anything is ready that was never sent, what is to be parked included. */
bool lane_has_first(const struct lanes *lanes);

/* As lane_take, for one that is to be parked only. */
struct delivery *lane_take_rejected(struct lanes *lanes);

/* Whether lane_take gives one, now or after lane_wake_first. */
bool lane_has_any(const struct lanes *lanes, bool fresh);

/* The attempt failed: d (IN_FLIGHT) rests until due_ms, then it is READY again. Needs no memory:
 * lane_add has seen to it. */
void lane_rest(struct lanes *lanes, struct delivery *d, int64_t due_ms);

/* d (IN_FLIGHT) is settled: it leaves, and the next of its order becomes READY. */
void lane_finish(struct lanes *lanes, struct delivery *d);

/* Wakes what is due; returns when the next one is (ms, monotonic), or -1. */
int64_t lane_wake(struct lanes *lanes, int64_t now_ms);

/* Wakes the one that is due first, whenever that is, of those whose rest may be cut short; false
 * when there is none. */
bool lane_wake_first(struct lanes *lanes);

/* Takes out the deliveries of `owner` that are not IN_FLIGHT, and hands each to `dropped`. */
void lane_drop(struct lanes *lanes, const void *owner,
               void (*dropped)(void *context, struct delivery *d), void *context);

struct lane_counts {
    size_t waiting, ready, in_flight, resting;
};
struct lane_counts lane_counts(const struct lanes *lanes);

#endif
