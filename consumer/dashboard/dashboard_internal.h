/* dashboard_internal: what the API's files share. */
#ifndef DASHBOARD_DASHBOARD_INTERNAL_H
#define DASHBOARD_DASHBOARD_INTERNAL_H

#include "dashboard/dashboard.h"
#include "dashboard/reply.h"
#include "dashboard/web.h"

struct dashboard {
    const struct config *config;
    struct loop *loop;
    struct web *web;
    char address[128];
    int64_t now_ms;
    bool stopping;
};

/* api.c: routes a request; assets.c: a file of the page, false when there is none. */
void api_request(void *context, struct exchange *x);
void api_gone(void *context, struct exchange *x);
bool assets_serve(struct exchange *x);

#endif
