/* row_time: times as PostgreSQL writes them in CSV, or as RFC 3339 has them. Pure.
 *
 *   2026-11-22 09:15:30.123456+00    2026-11-22T10:15:30+01:00    2026-11-22 09:15:30 */
#ifndef RECONCILE_ROW_TIME_H
#define RECONCILE_ROW_TIME_H

#include "base/error.h"
#include "base/slice.h"
#include "base/time_zone.h"

#include <stdbool.h>
#include <stdint.h>

/* Microseconds since the epoch; digits beyond are cut off. */
struct row_time {
    int64_t us;       /* the instant */
    int64_t local_us; /* day and time of day as they are written, as if they were UTC's */
};

/* A time without a zone is one of `zone`; NULL: of UTC. False: it is none. */
bool row_time_read(struct slice text, const struct time_zone *zone,
                   struct row_time *ret) must_check;

/* The instant in ms since the epoch. */
int64_t row_time_ms(const struct row_time *time);

#endif
