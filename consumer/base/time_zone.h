/* time_zone: local times of one zone as instants.
 *
 *   ──── +01:00 ────┤ spring: clocks go forward ├──── +02:00 ────┤ autumn: they go back ├──
 *   02:30 is skipped (a gap): taken as if clocks had not moved yet, 01:30Z
 *   02:30 comes twice (an overlap): its first one is meant, 00:30Z
 *
 * So both are read with the offset before the clocks moved. Pure; immutable once it is filled. */
#ifndef BASE_TIME_ZONE_H
#define BASE_TIME_ZONE_H

#include <stddef.h>
#include <stdint.h>

enum { TIME_ZONE_SPANS_MAX = 512 };

struct time_zone {
    size_t count; /* at least 1 */
    struct time_zone_span {
        int64_t from_s;   /* since the epoch; the first one holds for all before, too */
        int32_t offset_s; /* what local clocks are ahead of UTC */
    } spans[TIME_ZONE_SPANS_MAX];
};

/* Seconds since the epoch of a local time that is written in seconds since 1970-01-01T00:00:00. */
int64_t time_zone_instant(const struct time_zone *zone, int64_t local_s);

#endif
