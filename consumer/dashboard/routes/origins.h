/* origins: pages of other origins (CORS; Fetch standard): which may call, and what their browser
 * is told. */
#ifndef DASHBOARD_ROUTES_ORIGINS_H
#define DASHBOARD_ROUTES_ORIGINS_H

#include "dashboard/api/call.h"

/* True: there is no Origin, or it is the dashboard's own or one of dashboard.origins. False: it is
 * refused, and answered. */
bool origins_check(const struct call *call);

/* Answers OPTIONS, of an origin that may call: the methods, and every header that the browser asks
 * for. */
void origins_answer_options(const struct call *call, const char *methods);

#endif
