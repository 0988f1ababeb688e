/* retry_after: a value is one number, one duration, one date, or a list of these. */
#include "http/headers/retry_after.h"

#include "base/slice.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { VALUE_MAX = 128 };

static const int64_t NEVER_S = INT64_C(1) << 60; /* longer than any cap */

/* ---- dates ---- */

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
    return d->year >= 1900 && d->year <= 9999 && d->month >= 1 && d->month <= 12 && d->day >= 1 &&
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

/* "+0200", "+02:00" as minutes. */
static bool parse_offset(const char *text, int *ret_minutes)
{
    size_t len = strlen(text);
    bool colon = len == 6 && text[3] == ':';
    const char *minutes = text + (colon ? 4 : 3);
    if ((len != 5 && !colon) || (text[0] != '+' && text[0] != '-') ||
        strspn(text + 1, "0123456789") != (colon ? 2 : 4) || strspn(minutes, "0123456789") != 2)
        return false;
    int total =
        ((text[1] - '0') * 10 + text[2] - '0') * 60 + (minutes[0] - '0') * 10 + minutes[1] - '0';
    *ret_minutes = text[0] == '-' ? -total : total;
    return total <= 14 * 60;
}

/* The zone behind a time. Other names of zones are unknown, and a time without one may be local
 * time anywhere: false. */
static bool parse_zone(const char *text, int *ret_minutes)
{
    static const char *const names[] = {"GMT", "UTC", "UT", "Z"};
    text += *text == ' ';
    *ret_minutes = 0;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcasecmp(text, names[i]) == 0)
            return true;
    return parse_offset(text, ret_minutes);
}

/* "Sat, 28 Nov 2026 13:30:00 GMT" and "Saturday, 28-Nov-26 13:30:00 GMT"; what they end with. */
static const char *parse_http_date(const char *text, int64_t now_s, struct date *ret)
{
    char month[4] = "";
    struct date d = {0};
    int end = 0;
    sscanf(text, "%*3[A-Za-z], %2d %3s %4d %2d:%2d:%2d%n", &d.day, month, &d.year, &d.hour,
           &d.minute, &d.second, &end);
    if (end == 0) {
        sscanf(text, "%*9[A-Za-z], %2d-%3[A-Za-z]-%2d %2d:%2d:%2d%n", &d.day, month, &d.year,
               &d.hour, &d.minute, &d.second, &end);
        d.year = end > 0 ? full_year(d.year, now_s) : 0;
    }
    d.month = month_of(month);
    *ret = d;
    return end > 0 ? text + end : NULL;
}

/* "Sat Nov 28 13:30:00 2026": always UTC. */
static const char *parse_asctime(const char *text, struct date *ret)
{
    char month[4] = "";
    struct date d = {0};
    int end = 0;
    sscanf(text, "%*3[A-Za-z] %3[A-Za-z] %2d %2d:%2d:%2d %4d%n", month, &d.day, &d.hour, &d.minute,
           &d.second, &d.year, &end);
    d.month = month_of(month);
    *ret = d;
    return end > 0 && text[end] == '\0' ? "Z" : NULL;
}

/* "2026-11-28T13:30:00.25" (RFC 3339; a space will do for the T). */
static const char *parse_iso(const char *text, struct date *ret)
{
    struct date d = {0};
    int end = 0;
    if (strspn(text, "0123456789") != 4)
        return NULL;
    sscanf(text, "%4d-%2d-%2d%*1[Tt ]%2d:%2d:%2d%n", &d.year, &d.month, &d.day, &d.hour, &d.minute,
           &d.second, &end);
    *ret = d;
    if (end == 0)
        return NULL;
    const char *rest = text + end;
    return *rest == '.' ? rest + 1 + strspn(rest + 1, "0123456789") : rest;
}

/* Seconds from now on; may be negative. */
static bool parse_date(const char *text, int64_t now_s, int64_t *ret_s)
{
    struct date d;
    int minutes;
    const char *zone = parse_http_date(text, now_s, &d);
    if (zone == NULL)
        zone = parse_asctime(text, &d);
    if (zone == NULL)
        zone = parse_iso(text, &d);
    if (zone == NULL || !is_valid(&d) || !parse_zone(zone, &minutes))
        return false;
    *ret_s = days_of(d.year, d.month, d.day) * 86400 + d.hour * 3600 + (d.minute - minutes) * 60 +
             d.second - now_s;
    return true;
}

/* ---- numbers ---- */

/* "120", "2.493": a fraction counts as one more. More digits than a number of microseconds since
 * 1970 has mean "very long". */
static const char *parse_number(const char *text, int64_t *ret)
{
    enum { DIGITS_MAX = 17 };
    size_t digits = strspn(text, "0123456789"), zeros = strspn(text, "0");
    int64_t number = 0;
    for (size_t i = zeros; i < digits && i < zeros + DIGITS_MAX; i++)
        number = number * 10 + (text[i] - '0');
    const char *rest = text + digits;
    if (digits > 0 && *rest == '.') {
        size_t more = strspn(rest + 1, "0123456789");
        number += strspn(rest + 1, "0") < more;
        rest += 1 + more;
    }
    *ret = digits > zeros + DIGITS_MAX ? NEVER_S : number;
    return digits > 0 ? rest : NULL;
}

/* A number that is too large for a wait is a time: in seconds since 1970, in milliseconds or
 * microseconds, each of which has its own number of digits. */
static int64_t wait_of(int64_t number, int64_t now_s)
{
    static const int64_t first = 1000000000, last = 99999999999; /* 2001, and 3,000 years on */
    if (number < first)
        return number;
    for (int64_t unit = 1; unit <= 1000000; unit *= 1000)
        if (number / unit >= first && number / unit <= last)
            return (number + unit - 1) / unit - now_s;
    return NEVER_S;
}

/* "ms" is rounded up to a second, as fractions are. */
static bool is_milliseconds(const char *name, size_t len)
{
    return len == 2 && has_prefix_any_case(name, "ms");
}

/* Of a unit's name; 0: none. */
static int64_t seconds_in(const char *name, size_t len)
{
    static const struct {
        const char *names;
        int64_t seconds;
    } units[] = {{" s sec secs second seconds ", 1},
                 {" m min mins minute minutes ", 60},
                 {" h hr hrs hour hours ", 3600},
                 {" d day days ", 86400}};
    char wanted[16];
    if (len == 0 || len > sizeof wanted - 3)
        return 0;
    snprintf(wanted, sizeof wanted, " %.*s ", (int)len, name);
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strcasestr(units[i].names, wanted) != NULL)
            return units[i].seconds;
    return 0;
}

/* "30s", "120 seconds", "1m30s". */
static bool parse_duration(const char *text, int64_t *ret_s)
{
    int64_t total = 0;
    for (const char *at = text; *at != '\0' || at == text;) {
        int64_t number;
        const char *unit = parse_number(at, &number);
        if (unit == NULL)
            return false;
        unit += *unit == ' ';
        size_t len = 0;
        while (isalpha((unsigned char)unit[len]))
            len++;
        if (is_milliseconds(unit, len))
            number = (number + 999) / 1000;
        int64_t seconds = is_milliseconds(unit, len) ? 1 : seconds_in(unit, len);
        if (seconds == 0)
            return false;
        total += number < NEVER_S / seconds ? number * seconds : NEVER_S;
        if (total > NEVER_S)
            total = NEVER_S;
        at = unit + len;
        at += *at == ' ';
    }
    *ret_s = total;
    return true;
}

/* ---- one value, and lists ---- */

static bool parse_one(const char *text, int64_t now_s, int64_t *ret_s)
{
    int64_t number;
    const char *rest = parse_number(text, &number);
    if (rest != NULL && *rest == '\0') {
        *ret_s = wait_of(number, now_s);
        return true;
    }
    return parse_duration(text, ret_s) || parse_date(text, now_s, ret_s);
}

static void trim(const char **text, size_t *len)
{
    while (*len > 0 && strchr(" \t\"", **text) != NULL)
        ++*text, --*len;
    while (*len > 0 && strchr(" \t\"", (*text)[*len - 1]) != NULL)
        --*len;
}

static bool parse_part(const char *text, size_t len, int64_t now_s, int64_t *ret_s)
{
    char part[VALUE_MAX];
    trim(&text, &len);
    if (len == 0)
        return false;
    memcpy(part, text, len);
    part[len] = '\0';
    return parse_one(part, now_s, ret_s);
}

/* Dates hold a comma of their own, so a part ends where what lies before can be read. The longest
 * wait of all counts: each proxy on the way may have asked for one. */
static bool parse_list(const char *text, int64_t now_s, int64_t *ret_s)
{
    int64_t longest = INT64_MIN;
    for (const char *from = text, *end = text;;) {
        int64_t wait;
        end += strcspn(end, ",");
        if (parse_part(from, (size_t)(end - from), now_s, &wait)) {
            longest = wait > longest ? wait : longest;
            from = end + 1;
        }
        if (*end == '\0') {
            *ret_s = longest;
            return from == end + 1;
        }
        end++;
    }
}

int64_t retry_after_ms(const char *value, int64_t now_s, int64_t cap_ms)
{
    int64_t seconds;
    if (strlen(value) >= VALUE_MAX || !parse_list(value, now_s, &seconds))
        return -1;
    if (seconds < 0)
        return 0;
    return seconds > cap_ms / 1000 ? cap_ms : seconds * 1000;
}

int64_t retry_after_ms_in_ms(const char *value, int64_t now_s, int64_t cap_ms)
{
    int64_t number;
    const char *rest = parse_number(value, &number);
    (void)now_s;
    if (rest == NULL || rest[strspn(rest, " ")] != '\0')
        return -1;
    return number < cap_ms ? number : cap_ms;
}
