/* sync_request: reads the body of a call of sync-order-elementor.
 *
 * Either {"order_id": "…" or a whole number, "confirmed_at": …, "force": …}, or the body of a
 * database webhook (Supabase's: {"type": "UPDATE", "table": …, "record": {"id": …, …}, …}), whose
 * record is a row of the orders table. Pure. */
#ifndef DASHBOARD_SYNC_SYNC_REQUEST_H
#define DASHBOARD_SYNC_SYNC_REQUEST_H

#include "config/config.h"
#include "dashboard/view/view.h"

#include <jansson.h>

struct sync_request {
    char order[VIEW_KEY_MAX + 1]; /* its name, as it was sent */
    char confirmed_at[64];
    int64_t want_ms; /* the transition's time; -1: the latest one */
    bool force;
    bool can_come; /* false: by its own row it is not confirmed, so no confirmation is waited for */
};

/* False with what is wrong, a sentence for the caller. */
bool sync_request_read(const json_t *body, const struct config *config, struct sync_request *ret,
                       struct error *err) must_check;

#endif
