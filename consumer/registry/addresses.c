#include "registry/addresses.h"

#include "http/http_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SAID_EVERY_MS = 60 * 1000, SHOWN_MAX = 200 };

/* curl has the last word on what is a URL. */
bool addresses_set(struct addresses *a, const char *urls)
{
    a->count = urls != NULL ? url_list_split(urls, a->list) : 0;
    if (a->count == 0 || a->count > URL_LIST_MAX)
        return false;
    for (size_t i = 0; i < a->count; i++) {
        char *url = strndup(a->list[i].data, a->list[i].len);
        bool ok = url != NULL && http_url_check(url, true, NULL);
        free(url);
        if (!ok)
            return false;
    }
    return true;
}

size_t addresses_next(const struct addresses *a, unsigned tried)
{
    size_t at = a->at;
    for (size_t i = 0; i < a->count && (tried >> at & 1) != 0; i++)
        at = (at + 1) % a->count;
    return at;
}

void addresses_fail(struct addresses *a, size_t used, const char *why, int64_t now_ms)
{
    char from[SHOWN_MAX], to[SHOWN_MAX];
    if (a->count < 2 || used != a->at)
        return;
    a->at = (a->at + 1) % a->count;
    snprintf(from, sizeof from, "%.*s", (int)a->list[used].len, a->list[used].data);
    snprintf(to, sizeof to, "%.*s", (int)a->list[a->at].len, a->list[a->at].data);
    log_limited(
        &a->changes, now_ms, SAID_EVERY_MS, "schema registry failover",
        (struct log_field[]){LOG_S("reason", why), LOG_S("from", from), LOG_S("to", to), {0}});
}
