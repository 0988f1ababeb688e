/* refusals: calls that are refused, and their lines in the log: the first ones of ten seconds, then
 * the number of the others. */
#ifndef DASHBOARD_API_REFUSALS_H
#define DASHBOARD_API_REFUSALS_H

#include "dashboard/api/call.h"

struct refusals {
    int64_t since_ms;
    int logged, unlogged;
};

/* Answers with the problem and logs who called what, from where, and the reason. */
void refuse(const struct call *call, enum problem problem, const char *detail);

/* The same with a Retry-After. */
void refuse_for(const struct call *call, enum problem problem, const char *detail, int64_t ms);
void add_retry_after(struct web_request *x, int64_t ms);

int64_t refusals_turn(struct api *api);

#endif
