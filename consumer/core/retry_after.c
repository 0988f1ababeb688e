#include "core/retry_after.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct date {
    int year, month, day, hour, minute, second; /* month from 1 */
};

/* Days since 1970-01-01 of the proleptic Gregorian calendar; years count from March, so that a leap
 * day is the last of its year. */
static int64_t days_of(int year, int month, int day)
{
    int64_t y = month <= 2 ? (int64_t)year - 1 : year;
    int64_t from_march = (month + 9) % 12;
    int64_t before = 365 * y + y / 4 - y / 100 + y / 400;
    return before + (153 * from_march + 2) / 5 + day - 1 - 719468;
}

static int month_of(const char *name)
{
    static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    for (int i = 0; i < 12; i++)
        if (strncmp(names + 3 * i, name, 3) == 0 && strlen(name) == 3)
            return i + 1;
    return 0;
}

static bool is_valid(const struct date *d)
{
    static const int days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return d->year >= 1900 && d->year <= 9999 && d->month >= 1 && d->day >= 1 &&
           d->day <= days[d->month - 1] && d->hour >= 0 && d->hour <= 23 && d->minute >= 0 &&
           d->minute <= 59 && d->second >= 0 && d->second <= 60;
}

/* A two-digit year more than 50 years ahead lies in the past century (RFC 9110 §5.6.7). */
static int full_year(int two_digits, int64_t now_s)
{
    int64_t this_year = 1970 + now_s / 31556952;
    int year = (int)(this_year / 100 * 100) + two_digits;
    return year > this_year + 50 ? year - 100 : year;
}

static bool parse_date(const char *text, int64_t now_s, struct date *ret)
{
    char month[4] = "";
    struct date d = {0};
    int end = 0;
    bool short_year = false;
    bool found = sscanf(text, "%*3[A-Za-z], %2d %3s %4d %2d:%2d:%2d GMT%n", &d.day, month, &d.year,
                        &d.hour, &d.minute, &d.second, &end) == 6 &&
                 end > 0;
    if (!found) {
        short_year = found =
            sscanf(text, "%*9[A-Za-z], %2d-%3[A-Za-z]-%2d %2d:%2d:%2d GMT%n", &d.day, month,
                   &d.year, &d.hour, &d.minute, &d.second, &end) == 6 &&
            end > 0;
    }
    if (!found)
        found = sscanf(text, "%*3[A-Za-z] %3[A-Za-z] %2d %2d:%2d:%2d %4d%n", month, &d.day, &d.hour,
                       &d.minute, &d.second, &d.year, &end) == 6 &&
                end > 0;
    if (!found || text[end] != '\0')
        return false;
    if (short_year)
        d.year = full_year(d.year, now_s);
    d.month = month_of(month);
    *ret = d;
    return is_valid(&d);
}

/* Digits only; more than fit mean "very long". */
static int64_t parse_seconds(const char *text)
{
    int64_t seconds = 0;
    for (const char *c = text; *c != '\0'; c++) {
        if (!isdigit((unsigned char)*c))
            return -1;
        if (seconds < INT64_C(1000000000000))
            seconds = seconds * 10 + (*c - '0');
    }
    return *text != '\0' ? seconds : -1;
}

int64_t retry_after_ms(const char *value, int64_t now_s, int64_t cap_ms)
{
    char text[64];
    value += strspn(value, " \t");
    size_t len = strlen(value);
    while (len > 0 && (value[len - 1] == ' ' || value[len - 1] == '\t'))
        len--;
    if (len >= sizeof text)
        return -1;
    memcpy(text, value, len);
    text[len] = '\0';
    struct date d;
    int64_t seconds = parse_seconds(text);
    if (seconds < 0) {
        if (!parse_date(text, now_s, &d))
            return -1;
        seconds = days_of(d.year, d.month, d.day) * 86400 + d.hour * 3600 + d.minute * 60 +
                  d.second - now_s;
    }
    if (seconds < 0)
        return 0;
    return seconds > cap_ms / 1000 ? cap_ms : seconds * 1000;
}
