/* offer: signing in at Supabase Auth, as the page offers it (dashboard.supabase_url and
 * dashboard.supabase_key). The page alone talks to it; the dashboard verifies its tokens like
 * any others. Pure. */
#ifndef DASHBOARD_AUTH_OFFER_H
#define DASHBOARD_AUTH_OFFER_H

#include "base/error.h"

#include <jansson.h>
#include <stdbool.h>

enum { OFFER_URL_MAX = 280 };

struct offer {
    char url[OFFER_URL_MAX]; /* an origin, as browsers write it; "": none is made */
    const char *key;         /* borrowed */
};

/* url, key: both NULL: none is made. False with what is wrong: a secret key among others, since
 * every browser gets it. */
bool offer_read(struct offer *offer, const char *url, const char *key,
                struct error *err) must_check;

/* {"supabase":{"url","key"}}, or {"supabase":null}; the caller's. */
json_t *offer_json(const struct offer *offer);

#endif
