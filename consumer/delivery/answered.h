/* answered: the records whose transitions were answered with 2xx while this process lives.
 *
 * A lost assignment loses its uncommitted offsets: when it is given back, its records come again,
 * with the webhook-ids that they had. Records that are remembered here are not sent a second time.
 * Bounded: at least the newest `capacity` records are known, at most twice as many. Pure, not
 * thread-safe. */
#ifndef DELIVERY_ANSWERED_H
#define DELIVERY_ANSWERED_H

#include "base/hash.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct answered;

/* A record is its webhook-id and where it lay: a topic that was made again holds other records at
 * the same offsets, with other timestamps. */
struct answered_record {
    const char *webhook_id;
    int32_t partition;
    int64_t offset, timestamp_ms;
};

/* The key is copied. NULL without memory. */
struct answered *answered_new(size_t capacity, const struct hash_key *key);
void answered_free(struct answered *answered); /* accepts NULL */

void answered_note(struct answered *answered, const struct answered_record *record);
bool answered_has(const struct answered *answered, const struct answered_record *record);
void answered_forget(struct answered *answered); /* all of it */

#endif
