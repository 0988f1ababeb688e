/* call_quota: limits the calls a minute of each subject.
 *
 * Each subject has a bucket (GCRA: one time is its level), found by a keyed hash, in a table of
 * fixed size. When the table is full, the subject that was silent for longest is dropped: its next
 * call finds a full bucket. Pure: the clock is the caller's, monotonic. */
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
        int64_t empty_ms; /* when the bucket will be full again; 0: unused */
    } buckets[CALL_QUOTA_SUBJECTS];
};

/* Counts a call of the subject, which may make `rate` a minute, also all at once. False: too many,
 * and *ret_wait_ms (≥ 1) until the next is allowed. */
bool call_quota_take(struct call_quota *quota, const char *subject, int64_t rate, int64_t now_ms,
                     int64_t *ret_wait_ms);

#endif
