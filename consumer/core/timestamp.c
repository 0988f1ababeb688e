#include "core/timestamp.h"

#include <inttypes.h>
#include <string.h>

#define YEAR_1 (-62135596800) /* 0001-01-01T00:00:00Z in seconds since the epoch */
#define YEAR_10000 (253402300800)

/* Civil date of a day since the epoch (proleptic Gregorian): counted in years that begin in March,
 * so that the leap day is the last. */
static void civil(int64_t day, int *ret_year, int *ret_month, int *ret_day)
{
    int64_t shifted = day + 719468; /* days from 0000-03-01 to the epoch */
    int64_t era = shifted / 146097, of_era = shifted % 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * of_year + 2) / 153; /* 0 = March */
    *ret_day = (int)(of_year - (153 * month + 2) / 5 + 1);
    *ret_month = (int)(month < 10 ? month + 3 : month - 9);
    *ret_year = (int)(year + era * 400 + (*ret_month <= 2));
}

bool timestamp_add(struct buf *b, int64_t value, unsigned digits)
{
    int64_t unit = 1;
    for (unsigned i = 0; i < digits; i++)
        unit *= 10;
    int64_t fraction = value % unit, seconds = value / unit;
    if (fraction < 0) {
        fraction += unit;
        seconds--;
    }
    if (seconds < YEAR_1 || seconds >= YEAR_10000)
        return false;
    int64_t of_day = seconds % 86400, day = seconds / 86400;
    if (of_day < 0) {
        of_day += 86400;
        day--;
    }
    int year, month, month_day;
    civil(day, &year, &month, &month_day);
    buf_addf(b, "%04d-%02d-%02dT%02d:%02d:%02d.%0*" PRId64 "Z", year, month, month_day,
             (int)(of_day / 3600), (int)(of_day / 60 % 60), (int)(of_day % 60), (int)digits,
             fraction);
    return true;
}

/* Matches `pattern` (0 stands for any digit) at the text's beginning. */
static bool matches(const char *text, size_t len, const char *pattern)
{
    size_t size = strlen(pattern);
    if (len < size)
        return false;
    for (size_t i = 0; i < size; i++) {
        bool digit = text[i] >= '0' && text[i] <= '9';
        if (pattern[i] == '0' ? !digit : text[i] != pattern[i])
            return false;
    }
    return true;
}

bool timestamp_is_rfc3339(const char *text, size_t len)
{
    static const char date[] = "0000-00-00T00:00:00";
    if (!matches(text, len, date))
        return false;
    size_t at = sizeof date - 1;
    if (matches(text + at, len - at, ".0"))
        for (at++; at < len && text[at] >= '0' && text[at] <= '9';)
            at++;
    const char *zone = text + at;
    size_t rest = len - at;
    return (rest == 1 && *zone == 'Z') ||
           (rest == 6 && (matches(zone, rest, "+00:00") || matches(zone, rest, "-00:00")));
}
