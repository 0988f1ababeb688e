/* members: the reports of the group's members, merged: sums for the status, and facts for the
 * verdict.
 *
 * A member that was killed leaves its last report behind. It counts as alive for a while, is listed
 * as not alive for a while more, and is named by the verdict until another member has its
 * partitions. */
#ifndef DASHBOARD_HEALTH_MEMBERS_H
#define DASHBOARD_HEALTH_MEMBERS_H

#include "dashboard/verdict/verdict.h"

#include <jansson.h>

struct api;

struct members_now {
    json_t *list; /* reports of the group's members, each with "alive"; owned */
    size_t alive;
    /* Sums over those alive. */
    int64_t lag, in_flight, waiting, oldest_ms, hold_until_ms;
    double delivered_per_s;
    int worst;             /* rank of the breaker below */
    const json_t *breaker; /* the worst; NULL: none. Borrowed from the list, as the next */
    const char *endpoint;
};

/* *ret_facts may be NULL: only the members' part of it is set. */
void members_look(struct api *api, struct members_now *ret, struct verdict_facts *ret_facts);
void members_done(struct members_now *members);

#endif
