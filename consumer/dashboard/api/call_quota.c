#include "dashboard/api/call_quota.h"

#include <string.h>

enum { MINUTE_MS = 60000 };

static struct call_bucket *find(struct call_quota *quota, const char *subject)
{
    uint64_t hash = hash_keyed(&quota->key, subject, strlen(subject));
    struct call_bucket *set =
        &quota->buckets[hash % (CALL_QUOTA_SUBJECTS / CALL_QUOTA_WAYS) * CALL_QUOTA_WAYS];
    struct call_bucket *least = set;
    for (int way = 0; way < CALL_QUOTA_WAYS; way++) {
        if (set[way].empty_ms > 0 && set[way].subject == hash)
            return &set[way];
        if (set[way].empty_ms < least->empty_ms)
            least = &set[way];
    }
    *least = (struct call_bucket){.subject = hash};
    return least;
}

bool call_quota_take(struct call_quota *quota, const char *subject, int64_t rate, int64_t now_ms,
                     int64_t *ret_wait_ms)
{
    struct call_bucket *bucket = find(quota, subject);
    int64_t each_ms = MINUTE_MS / rate > 0 ? MINUTE_MS / rate : 1;
    int64_t from_ms = bucket->empty_ms > now_ms ? bucket->empty_ms : now_ms;
    int64_t over_ms = from_ms + each_ms - now_ms - MINUTE_MS;
    if (over_ms > 0) {
        *ret_wait_ms = over_ms;
        return false;
    }
    bucket->empty_ms = from_ms + each_ms;
    return true;
}
