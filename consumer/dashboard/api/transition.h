/* transition: finds the transition of an order that a caller means, by its time. Pure. */
#ifndef DASHBOARD_API_TRANSITION_H
#define DASHBOARD_API_TRANSITION_H

#include "dashboard/view/view.h"

enum fit {
    FIT_LATEST,           /* the transition of the last outcome */
    FIT_LATER,            /* not seen yet */
    FIT_DELIVERED_BEFORE, /* among the transitions before the last outcome */
    FIT_PARKED_BEFORE,
    FIT_SUPERSEDED /* older than the last one that was handled */
};

/* RFC 3339 as ms since 1970; -1: not a time. PostgreSQL's blank in place of the T is taken too. */
int64_t transition_time_ms(const char *text);

/* want_ms: the transition's time; -1: the latest one. *ret_before: the earlier transition that it
 * is, borrowed from `previous` (view_previous); NULL: none. */
enum fit transition_fit(const struct order_facts *facts, const json_t *previous, int64_t want_ms,
                        const json_t **ret_before);

#endif
