/* retry_after: parses a Retry-After header (RFC 9110 §10.2.3, §5.6.7), in every form that receivers
 * are known to send:
 *
 *   120 · 2.493 (rounded up)                                     seconds
 *   30s · 120 seconds · 1m30s · 250ms                            with units
 *   1795564804 · 1795564804000                                   a time: (milli)seconds since 1970
 *   Sat, 28 Nov 2026 13:30:00 GMT · … UTC · … +0100 · asctime    a time
 *   2026-11-28T13:30:00Z · 2026-11-28 14:30:00.5+01:00           a time (RFC 3339)
 *   3, 3                                                         a list: the longest of them */
#ifndef HTTP_HEADERS_RETRY_AFTER_H
#define HTTP_HEADERS_RETRY_AFTER_H

#include <stdint.h>

/* The value as a delay in ms, at least 0 (a time in the past) and at most cap_ms; -1: invalid. A
 * date without a zone is invalid (except asctime's). now_s: wall clock, seconds since the epoch. */
int64_t retry_after_ms(const char *value, int64_t now_s, int64_t cap_ms);

/* The same of a header that is in milliseconds (Retry-After-Ms): a number, perhaps with a fraction,
 * which counts as one more. */
int64_t retry_after_ms_in_ms(const char *value, int64_t now_s, int64_t cap_ms);

#endif
