#include "reconcile/row_time.h"

#include "base/time_text.h"

#include <string.h>

enum { TIME_MAX = 48, SECOND_END = 19, MICROS = 6 };
static const int64_t second_us = 1000000;

/* PostgreSQL writes a blank for the T and leaves minutes of zero out. Returns the zone's place in
 * ret; *ret_has_zone false: none is written, and ret has a Z there. */
static size_t as_rfc3339(struct slice text, char ret[TIME_MAX], bool *ret_has_zone)
{
    size_t len = text.len;
    memcpy(ret, text.data, len);
    ret[len] = '\0';
    if (len > 10 && ret[10] == ' ')
        ret[10] = 'T';
    size_t zone = len > SECOND_END ? SECOND_END + strcspn(ret + SECOND_END, "+-Z") : len;
    *ret_has_zone = zone < len;
    if (zone == len)
        strcpy(ret + len, "Z");
    else if (len - zone == 3)
        strcpy(ret + len, ":00");
    return zone;
}

static int64_t micros_of(const struct timestamp *t)
{
    int64_t us = 0;
    for (size_t i = 0; i < MICROS; i++)
        us = us * 10 + (i < t->fraction_len ? t->fraction[i] - '0' : 0);
    return us;
}

bool row_time_read(struct slice text, const struct time_zone *zone, struct row_time *ret)
{
    char written[TIME_MAX];
    struct timestamp t, local;
    bool has_zone;
    if (text.len == 0 || text.len >= TIME_MAX - 8)
        return false;
    size_t zone_at = as_rfc3339(text, written, &has_zone);
    if (!timestamp_read(written, strlen(written), &t))
        return false;
    int64_t us = micros_of(&t); /* now: t borrows what is written next */
    strcpy(written + zone_at, "Z");
    if (!timestamp_read(written, strlen(written), &local))
        return false;
    if (!has_zone && zone != NULL)
        t.seconds = time_zone_instant(zone, local.seconds);
    *ret = (struct row_time){t.seconds * second_us + us, local.seconds * second_us + us};
    return true;
}

int64_t row_time_ms(const struct row_time *time)
{
    int64_t us = time->us;
    return us >= 0 ? us / 1000 : -((-us + 999) / 1000);
}
