/* timestamp: times as RFC 3339 text in UTC. */
#ifndef CORE_TIMESTAMP_H
#define CORE_TIMESTAMP_H

#include "core/buf.h"

#include <stdbool.h>
#include <stdint.h>

/* Appends 2026-11-22T09:15:30.123456Z for a count of 10^-digits seconds since the epoch, with
 * `digits` (1 to 9) digits behind the second. False outside the years 1 to 9999. */
bool timestamp_add(struct buf *b, int64_t value, unsigned digits);

/* Whether text has the form of RFC 3339: YYYY-MM-DDTHH:MM:SS[.f…](Z|±HH:MM). */
bool timestamp_is_rfc3339(const char *text, size_t len);

#endif
