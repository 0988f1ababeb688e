/* routes: finds a request's handler and checks the right to call it. */
#ifndef DASHBOARD_ROUTES_ROUTES_H
#define DASHBOARD_ROUTES_ROUTES_H

#include "http/web_server.h"

/* The web server's callback; context: struct api. */
void routes_request(void *context, struct web_request *x);

#endif
