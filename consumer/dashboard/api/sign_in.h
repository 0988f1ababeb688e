/* sign_in: identifies callers by their tokens or service keys, and fetches the set of keys (JWKS)
 * regularly. */
#ifndef DASHBOARD_API_SIGN_IN_H
#define DASHBOARD_API_SIGN_IN_H

#include "dashboard/api/call.h"
#include "dashboard/auth/keys.h"
#include "dashboard/auth/service_keys.h"

struct http_request;

struct sign_in {
    struct keys keys;
    struct service_keys service_keys;
    struct auth_rules rules;
    struct http_request *request; /* for the set; NULL: none under way */
    int64_t due_ms, asked_ms;     /* the next request; the last one */
};

bool sign_in_open(struct api *api, struct error *err) must_check;
void sign_in_done(struct sign_in *sign_in);
void sign_in_turn(struct api *api);

/* Verifies the call's token or service key and sets its caller. False: it is answered, or waits for
 * newer keys. */
bool sign_in_check(struct call *call);

#endif
