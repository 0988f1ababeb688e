/* retry_after: what a Retry-After header asks for (RFC 9110 §10.2.3, §5.6.7). */
#ifndef CORE_RETRY_AFTER_H
#define CORE_RETRY_AFTER_H

#include <stdint.h>

/* The value as a delay in ms, at least 0 (a date in the past) and at most cap_ms; -1 when it is
 * none of the forms: whole seconds, or an HTTP date (IMF-fixdate, RFC 850, asctime). now_s: wall
 * clock, seconds since the epoch. */
int64_t retry_after_ms(const char *value, int64_t now_s, int64_t cap_ms);

#endif
