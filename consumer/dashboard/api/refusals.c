#include "dashboard/api/refusals.h"

#include "dashboard/api/api.h"
#include "sys/log.h"

#include <stdio.h>

enum { WHILE_MS = 10000, LINES_MAX = 20 };

/* The number of refusals without a line of their own. */
static void log_unlogged(struct api *api)
{
    if (api->refusals.unlogged > 0)
        log_event(LOG_AUDIT, "more calls refused",
                  (const struct log_field[]){LOG_I("calls", api->refusals.unlogged), {0}});
    api->refusals = (struct refusals){.since_ms = api->now_ms};
}

/* Without the token, the order and the path as it was sent: the caller chooses their contents. */
static void log_refusal(const struct call *call, const char *what, enum problem problem)
{
    struct api *api = call->api;
    const struct caller *caller = &call->caller;
    char address[64];
    if (api->now_ms - api->refusals.since_ms >= WHILE_MS)
        log_unlogged(api);
    if (api->refusals.logged >= LINES_MAX) {
        api->refusals.unlogged++;
        return;
    }
    api->refusals.logged++;
    struct log_field cause = {0};
    bool is_right = problem == PROBLEM_UNAUTHORIZED || problem == PROBLEM_EXPIRED ||
                    problem == PROBLEM_FORBIDDEN || problem == PROBLEM_SECOND_FACTOR;
    if (is_right && caller->cause != NULL)
        cause = LOG_S("error", caller->cause);
    const char *who = caller->subject[0] != '\0' ? caller->subject : caller->role;
    log_event(LOG_AUDIT, "call refused",
              (const struct log_field[]){LOG_S("who", who[0] != '\0' ? who : "unknown"),
                                         LOG_S("address", web_request_address(call->x, address)),
                                         LOG_S("what", what),
                                         LOG_S("reason", problem_name(problem)),
                                         cause,
                                         {0}});
}

void refuse(const struct call *call, enum problem problem, const char *detail)
{
    char what[96];
    snprintf(what, sizeof what, "%s %s", web_request_method(call->x),
             call->route != NULL ? call->route : "/");
    log_refusal(call, what, problem);
    reply_problem(call->x, problem, detail, NULL);
}

void add_retry_after(struct web_request *x, int64_t ms)
{
    char seconds[24];
    snprintf(seconds, sizeof seconds, "%lld", (long long)((ms + 999) / 1000));
    web_request_add_header(x, "Retry-After", seconds);
}

void refuse_for(const struct call *call, enum problem problem, const char *detail, int64_t ms)
{
    add_retry_after(call->x, ms);
    refuse(call, problem, detail);
}

int64_t refusals_turn(struct api *api)
{
    int64_t left_ms = api->refusals.since_ms + WHILE_MS - api->now_ms;
    if (api->refusals.unlogged == 0)
        return -1;
    if (left_ms > 0)
        return left_ms;
    log_unlogged(api);
    return -1;
}
