#include "base/time_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define YEAR_1 (-62135596800) /* 0001-01-01T00:00:00Z in seconds since the epoch */
#define YEAR_10000 (253402300800)

/* Civil date of a day since the epoch (proleptic Gregorian): counted in years that begin in March,
 * so that the leap day is the last, and in eras of 400 years. */
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

/* Everything up to the second; false outside the years 1 to 9999. */
static bool add_seconds(struct buf *b, int64_t seconds)
{
    if (seconds < YEAR_1 || seconds >= YEAR_10000)
        return false;
    int64_t of_day = seconds % 86400, day = seconds / 86400;
    if (of_day < 0) {
        of_day += 86400;
        day--;
    }
    int year, month, month_day;
    civil(day, &year, &month, &month_day);
    buf_addf(b, "%04d-%02d-%02dT%02d:%02d:%02d", year, month, month_day, (int)(of_day / 3600),
             (int)(of_day / 60 % 60), (int)(of_day % 60));
    return true;
}

int64_t timestamp_unit(unsigned digits)
{
    int64_t unit = 1;
    for (; digits > 0; digits--)
        unit *= 10;
    return unit;
}

bool timestamp_add(struct buf *b, int64_t value, unsigned digits)
{
    int64_t unit = timestamp_unit(digits);
    int64_t fraction = value % unit, seconds = value / unit;
    if (fraction < 0) {
        fraction += unit;
        seconds--;
    }
    if (!add_seconds(b, seconds))
        return false;
    buf_addf(b, ".%0*" PRId64 "Z", (int)digits, fraction);
    return true;
}

const char *timestamp_text(int64_t ms, char ret_text[TIMESTAMP_TEXT])
{
    struct buf b;
    buf_init(&b, TIMESTAMP_TEXT);
    (void)timestamp_add(&b, ms, 3);
    snprintf(ret_text, TIMESTAMP_TEXT, "%s", buf_text(&b));
    buf_done(&b);
    return ret_text;
}

const char *duration_text(int64_t ms, bool is_rough, char ret_text[DURATION_TEXT])
{
    enum { MINUTE_S = 60, HOUR_S = 3600, DAY_S = 86400 };
    int64_t s = ms > 0 ? ms / 1000 : 0;
    if (s < MINUTE_S)
        snprintf(ret_text, DURATION_TEXT, "%" PRId64 " s", s);
    else if (s < HOUR_S && is_rough)
        snprintf(ret_text, DURATION_TEXT, "%" PRId64 " min", s / MINUTE_S);
    else if (s < HOUR_S)
        snprintf(ret_text, DURATION_TEXT, "%" PRId64 " min %" PRId64 " s", s / MINUTE_S,
                 s % MINUTE_S);
    else if (s < DAY_S)
        snprintf(ret_text, DURATION_TEXT, "%" PRId64 " h %" PRId64 " min", s / HOUR_S,
                 s % HOUR_S / MINUTE_S);
    else
        snprintf(ret_text, DURATION_TEXT, "%" PRId64 " d %" PRId64 " h", s / DAY_S,
                 s % DAY_S / HOUR_S);
    return ret_text;
}

bool timestamp_add_text(struct buf *b, int64_t seconds, const char *fraction, size_t len)
{
    if (!add_seconds(b, seconds))
        return false;
    if (len > 0) {
        buf_add_char(b, '.');
        buf_add(b, fraction, len);
    }
    buf_add_char(b, 'Z');
    return true;
}

/* Matches `pattern` (0 matches any digit) at the text's beginning. */
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

static int two_digits(const char *text)
{
    return (text[0] - '0') * 10 + text[1] - '0';
}

/* Days since the epoch; the inverse of civil(). */
static int64_t day_of(int year, int month, int day)
{
    int64_t y = year - (month <= 2), era = y / 400, of_era = y % 400;
    int64_t of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static int days_in(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return days[month - 1] + (month == 2 && leap);
}

/* YYYY-MM-DDTHH:MM:SS, whose form has been checked. */
static bool read_date_time(const char *text, int64_t *ret_seconds)
{
    int year = two_digits(text) * 100 + two_digits(text + 2), month = two_digits(text + 5),
        day = two_digits(text + 8), hour = two_digits(text + 11), minute = two_digits(text + 14),
        second = two_digits(text + 17);
    if (year < 1 || month < 1 || month > 12 || day < 1 || day > days_in(year, month) || hour > 23 ||
        minute > 59 || second > 60)
        return false;
    *ret_seconds = day_of(year, month, day) * 86400 + hour * 3600 + minute * 60 + second;
    return true;
}

/* Z or ±HH:MM, to the text's end; *ret_offset: seconds that local clocks are ahead of UTC. */
static bool read_offset(const char *zone, size_t len, int *ret_offset)
{
    *ret_offset = 0;
    if (len == 1 && *zone == 'Z')
        return true;
    if (len != 6 || !(matches(zone, len, "+00:00") || matches(zone, len, "-00:00")))
        return false;
    int hours = two_digits(zone + 1), minutes = two_digits(zone + 4);
    *ret_offset = (*zone == '-' ? -1 : 1) * (hours * 3600 + minutes * 60);
    return hours <= 23 && minutes <= 59;
}

bool timestamp_read(const char *text, size_t len, struct timestamp *ret)
{
    static const char date[] = "0000-00-00T00:00:00";
    struct timestamp t = {0};
    int offset;
    if (!matches(text, len, date) || !read_date_time(text, &t.seconds))
        return false;
    size_t at = sizeof date - 1;
    if (matches(text + at, len - at, ".0")) {
        t.fraction = text + ++at;
        while (at < len && text[at] >= '0' && text[at] <= '9')
            at++;
        t.fraction_len = (size_t)(text + at - t.fraction);
    }
    if (!read_offset(text + at, len - at, &offset))
        return false;
    t.seconds -= offset;
    *ret = t;
    return true;
}

bool timestamp_read_ms(const char *text, size_t len, int64_t *ret_ms)
{
    struct timestamp t;
    if (!timestamp_read(text, len, &t))
        return false;
    int64_t ms = t.seconds * 1000, unit = 100;
    for (size_t i = 0; i < t.fraction_len; i++, unit /= 10)
        ms += (t.fraction[i] - '0') * unit;
    *ret_ms = ms;
    return true;
}
