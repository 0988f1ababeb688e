/* row_place: the key that the connector would give an order's record, and so its partition. Learned
 * from records of the topic. Pure.
 *
 *   key, as converters write a primary key of one column:   [0, id (4 or 8)] length, text
 *                                                           [0, id (4 or 8)] zigzag number
 *   partition: murmur2(key) modulo their number, as Kafka's Java producer chooses it */
#ifndef RECONCILE_ROW_PLACE_H
#define RECONCILE_ROW_PLACE_H

#include "base/buf.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

enum { ROW_KEY_LEAD_MAX = 9 };

struct row_place {
    int32_t partitions; /* set by the caller */
    enum { ROW_KEY_UNKNOWN, ROW_KEY_TEXT, ROW_KEY_NUMBER, ROW_KEY_OTHER } form;
    unsigned char lead[ROW_KEY_LEAD_MAX];
    size_t lead_len;
};

/* A record's key and its partition. One that does not agree with the others ends it: OTHER. */
void row_place_learn(struct row_place *place, struct slice key, int32_t partition);

/* The partition of this order, and its key appended; without a known form the key stays empty, and
 * the partition is one that the order always has. */
int32_t row_place_of(const struct row_place *place, struct slice order, struct buf *ret_key);

#endif
