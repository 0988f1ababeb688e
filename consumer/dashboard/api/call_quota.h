/* call_quota: how many calls a minute each subject may make.
 *
 * A bucket a subject (GCRA: one time says how full it is), found by a keyed hash, in a table of
 * fixed size. Where it is full, the subject that was silent for longest is forgotten, which only
 * lets it begin with a full bucket. Pure: the clock is the caller's, monotonic. */
#ifndef DASHBOARD_API_CALL_QUOTA_H
#define DASHBOARD_API_CALL_QUOTA_H

#include "base/hash.h"

#include <stdbool.h>
#include <stdint.h>

enum { CALL_QUOTA_SUBJECTS = 4096, CALL_QUOTA_WAYS = 4 };

struct call_quota {
    struct hash_key key;
    struct call_bucket {
        uint64_t subject; /* its hash */
        int64_t empty_ms; /* when all calls of the past are paid off; 0: no subject */
    } buckets[CALL_QUOTA_SUBJECTS];
};

/* Takes a call of the subject, of `rate` a minute, of which all may come at once. False: too many,
 * and *ret_wait_ms (≥ 1) until the next may come. */
bool call_quota_take(struct call_quota *quota, const char *subject, int64_t rate, int64_t now_ms,
                     int64_t *ret_wait_ms);

#endif
