/* api: which handler a request goes to. */
#include "dashboard/dashboard_internal.h"

void api_request(void *context, struct exchange *x)
{
    (void)context;
    reply_common_headers(x);
    if (exchange_is_ambiguous(x))
        reply_problem(x, PROBLEM_BAD_REQUEST, NULL, NULL);
    else if (exchange_body_cut(x))
        reply_problem(x, PROBLEM_TOO_LARGE, NULL, NULL);
    else if (!assets_serve(x))
        reply_problem(x, PROBLEM_NOT_FOUND, NULL, NULL);
}

void api_gone(void *context, struct exchange *x)
{
    (void)context, (void)x;
}
