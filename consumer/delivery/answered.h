/* answered: which records' transitions were answered with 2xx while this process lives.
 *
 * An assignment that is lost takes the uncommitted with it: given back, its records come again,
 * with the webhook-ids that they had. What is remembered here is not sent a second time. Bounded:
 * of at least `capacity` records the newest are known, of twice as many at most. Pure, not
 * thread-safe. */
#ifndef DELIVERY_ANSWERED_H
#define DELIVERY_ANSWERED_H

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

struct answered *answered_new(size_t capacity); /* NULL without memory */
void answered_free(struct answered *answered);  /* accepts NULL */

void answered_note(struct answered *answered, const struct answered_record *record);
bool answered_has(const struct answered *answered, const struct answered_record *record);
void answered_forget(struct answered *answered); /* all of it */

#endif
