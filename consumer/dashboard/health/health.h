/* health: the verdict, kept: looked at every second, and whenever it is asked for.
 *
 * A change is seen by comparing `changes`, which counts them, after health_turn. */
#ifndef DASHBOARD_HEALTH_HEALTH_H
#define DASHBOARD_HEALTH_HEALTH_H

#include "dashboard/health/members.h"
#include "dashboard/verdict/verdict.h"

struct api;

struct health {
    struct verdict_facts facts;
    struct verdict verdict; /* borrows from the facts */
    int64_t since_ms;       /* wall clock: when its state was seen first */
    uint64_t changes;       /* of its state, since the dashboard's start */
    int64_t due_ms, answered_ms;
};

/* Looks when it is due; ms until it is due again. */
int64_t health_turn(struct api *api);

/* Looks now. *ret_members is what the members say at this moment; the caller's to end. */
void health_look(struct api *api, struct members_now *ret_members);

/* Parked orders that parked.retention deletes within a week: after that they cannot be sent again.
 */
int64_t health_expiring(const struct api *api);

#endif
