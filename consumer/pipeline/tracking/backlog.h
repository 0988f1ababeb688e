/* backlog: every delivery that is not settled: its memory, its age, and its order's queue.
 *
 * Owns the deliveries: backlog_free frees what was added. Not thread-safe. */
#ifndef PIPELINE_TRACKING_BACKLOG_H
#define PIPELINE_TRACKING_BACKLOG_H

#include "delivery/order_queue.h"

#include <stddef.h>
#include <stdint.h>

struct backlog {
    struct order_queues *queues;
    size_t records, bytes;             /* rejected ones included */
    size_t concluded;                  /* of these, delivered or parked: only to be recorded yet */
    TAILQ_HEAD(, delivery) deliveries; /* oldest first */
    struct delivery *sole_probe; /* the only one to probe the endpoint with: its answers leave open
                                  * whether it was taken; NULL: any may */
};

bool backlog_init(struct backlog *backlog, const struct hash_key *key); /* false: no memory */
void backlog_done(struct backlog *backlog);                             /* frees no delivery */

void backlog_add(struct backlog *backlog, struct delivery *d, int64_t now_ms);
void backlog_add_headers(struct backlog *backlog, struct delivery *d, void *headers, size_t size);
void backlog_free(struct backlog *backlog, struct delivery *d);

/* The same for one that is IN_FLIGHT: its order goes on. */
void backlog_finish(struct backlog *backlog, struct delivery *d);

#endif
