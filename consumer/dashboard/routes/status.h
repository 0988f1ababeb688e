/* status: the members' reports, merged, and the view's counts. */
#ifndef DASHBOARD_ROUTES_STATUS_H
#define DASHBOARD_ROUTES_STATUS_H

#include <jansson.h>

struct api;
struct call;

json_t *status_json(struct api *api);

void call_status(struct call *call);
void call_sign_in(struct call *call);
void call_session(struct call *call);
void call_ready(struct call *call);

#endif
