#include "base/time_zone.h"

int64_t time_zone_instant(const struct time_zone *zone, int64_t local_s)
{
    for (size_t i = 0; i + 1 < zone->count; i++) {
        int64_t instant = local_s - zone->spans[i].offset_s;
        if (instant >= zone->spans[i + 1].from_s)
            continue;
        if (i > 0 && instant < zone->spans[i].from_s) /* a gap */
            return local_s - zone->spans[i - 1].offset_s;
        return instant;
    }
    const struct time_zone_span *last = &zone->spans[zone->count - 1];
    int64_t instant = local_s - last->offset_s;
    if (zone->count > 1 && instant < last->from_s)
        return local_s - last[-1].offset_s;
    return instant;
}
