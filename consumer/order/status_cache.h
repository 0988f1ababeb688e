/* status_cache: remembers of each order whether its last seen status was the rule's value, and its
 * confirmed_at; bounded, exact LRU.
 *
 * Replaces the before image that events do not carry (REPLICA IDENTITY DEFAULT, unwrapped records).
 * An order is known by 128 bits of keyed hash, never by its id, so an entry is 32 bytes whatever
 * ids look like. Grows to its capacity as orders come; not thread-safe.
 *
 * A note holds as long as every record is seen in turn. A status epoch is one such stretch of one
 * partition; notes of another status epoch are void. */
#ifndef ORDER_STATUS_CACHE_H
#define ORDER_STATUS_CACHE_H

#include "base/hash.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct status_cache;

/* capacity in orders; 0 remembers nothing. The key is copied. NULL without memory. */
struct status_cache *status_cache_new(size_t capacity, const struct hash_key *key);
void status_cache_free(struct status_cache *status_cache); /* accepts NULL */

enum status_cache_answer { STATUS_CACHE_UNKNOWN, STATUS_CACHE_OTHER, STATUS_CACHE_TRIGGERED };

/* Returns the order's note of this status epoch and replaces it by the present status, making it
 * the most recent. */
enum status_cache_answer status_cache_swap(struct status_cache *status_cache, const void *id,
                                           size_t len, uint32_t status_epoch, bool triggered);

/* An order's note: the status epoch it was seen in, 31 bits of a hash of its confirmed_at (0: null;
 * two times are taken for one once in two thousand million), its status. */
struct memory_note {
    uint32_t status_epoch, time;
    bool triggered;
};

/* The same, with the whole note: false when nothing was noted of this order, in whatever status
 * epoch. Only a note of the same status epoch counts as a hit. */
bool memory_exchange(struct status_cache *status_cache, const void *id, size_t len,
                     const struct memory_note *now, struct memory_note *ret_before);

/* A hash as a note holds it; never 0. */
uint32_t memory_time(const void *text, size_t len);

struct status_cache_stats {
    uint64_t hits, misses, evictions;
    size_t held;
};
struct status_cache_stats status_cache_stats(const struct status_cache *status_cache);

#endif
