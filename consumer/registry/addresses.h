/* addresses: the address of the registry in use; another one when it is in trouble.
 *
 *   registry.url = https://a:8081,https://b:8081     at: a ──(trouble)──▶ b, and stays there
 *
 * Its addresses share ids and login. Says each change, at most once a minute. */
#ifndef REGISTRY_ADDRESSES_H
#define REGISTRY_ADDRESSES_H

#include "base/error.h"
#include "sys/log.h"
#include "sys/url_list.h"

#include <stdint.h>

struct addresses {
    struct slice list[URL_LIST_MAX]; /* borrowed from the config */
    size_t count;                    /* > 0 */
    size_t at;                       /* the one in use */
    struct log_limited changes;
};

static inline struct slice addresses_now(const struct addresses *a)
{
    return a->list[a->at];
}

/* The place of the one in use, or of the next that is not in `tried` (a bit each). */
size_t addresses_next(const struct addresses *a, unsigned tried);

/* Takes those of registry.url, which are borrowed; false where one is none, or there is none. */
bool addresses_set(struct addresses *a, const char *urls) must_check;

/* A request to address `used` failed: the next one is in use, unless another request had failed
 * there before. */
void addresses_fail(struct addresses *a, size_t used, const char *why, int64_t now_ms);

#endif
