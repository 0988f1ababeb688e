/* row_offset: the place of an order that was sent from the shop's own table (reconcile): no record
 * of Kafka's confirms it.
 *
 *   0 ──────── offsets of records ────────┤ 2^52 ── one for each confirmation ── 2^53
 *
 * JSON's numbers are exact below 2^53. Pure. */
#ifndef DELIVERY_ROW_OFFSET_H
#define DELIVERY_ROW_OFFSET_H

#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

/* The same for the same order and time, and another one for any other. */
int64_t row_offset(struct slice order, int64_t confirmed_ms);

bool row_offset_is(int64_t offset);

#endif
