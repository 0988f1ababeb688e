/* status: the members' reports, merged, and the view's counts. */
#ifndef DASHBOARD_ROUTES_STATUS_H
#define DASHBOARD_ROUTES_STATUS_H

#include <jansson.h>
#include <stdint.h>

struct api;
struct call;

enum { LAG_POINTS = 60 };

struct lag_history {
    int64_t due_ms, minute, points[LAG_POINTS]; /* of the last hour, by minute; -1: unknown */
};

void status_open(struct lag_history *lag);

/* Notes the lag when it is due; ms until it is due again. */
int64_t status_turn(struct api *api);

json_t *status_json(struct api *api);

void call_status(struct call *call);
void call_activity(struct call *call);
void call_sign_in(struct call *call);
void call_session(struct call *call);
void call_ready(struct call *call);

#endif
