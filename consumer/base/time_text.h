/* time_text: times as RFC 3339 text in UTC, and durations for people. */
#ifndef BASE_TIME_TEXT_H
#define BASE_TIME_TEXT_H

#include "base/buf.h"
#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

/* 10^digits; digits: 0 to 9. */
int64_t timestamp_unit(unsigned digits);

/* Appends 2026-11-22T09:15:30.123456Z for a count of 10^-digits seconds since the epoch, with
 * `digits` (1 to 9) digits behind the second. False outside the years 1 to 9999. */
bool timestamp_add(struct buf *b, int64_t value, unsigned digits);

enum { TIMESTAMP_TEXT = 32 };

/* "2026-11-22T09:15:30.123Z" of ms since the epoch; "" outside the years 1 to 9999. Returns
 * ret_text. */
const char *timestamp_text(int64_t ms, char ret_text[TIMESTAMP_TEXT]);

enum { DURATION_TEXT = 32 };

/* "45 s", "4 min 30 s", "1 h 5 min" or "2 d 3 h": the two largest units, cut off; is_rough leaves
 * out the seconds beside minutes. 0 or less is "0 s". Returns ret_text. */
const char *duration_text(int64_t ms, bool is_rough, char ret_text[DURATION_TEXT]);

struct timestamp {
    int64_t seconds; /* since the epoch, the offset taken off; leap seconds count as the next */
    const char *fraction; /* the digits behind the second; borrowed */
    size_t fraction_len;
};

/* Reads a time in RFC 3339, YYYY-MM-DDTHH:MM:SS[.f…](Z|±HH:MM). False: it is not one, or its day
 * does not exist in the years 1 to 9999. Second 60 is a leap second, and is valid. */
bool timestamp_read(const char *text, size_t len, struct timestamp *ret) must_check;

/* The same in ms since the epoch; further digits are cut off. */
bool timestamp_read_ms(const char *text, size_t len, int64_t *ret_ms) must_check;

/* Appends the instant with the fraction's digits as they are: 2026-11-22T09:15:30.123456Z. False
 * outside the years 1 to 9999. */
bool timestamp_add_text(struct buf *b, int64_t seconds, const char *fraction, size_t len);

#endif
