/* refusals: calls that came to nothing, and the lines they leave. */
#include "dashboard/api/api_internal.h"

#include "sys/log.h"

#include <stdio.h>

enum { WHILE_MS = 10000, LINES_MAX = 20 };

/* What is not written out: only how many. */
static void say_unsaid(struct dashboard *d)
{
    if (d->refusals.unsaid > 0)
        log_event(LOG_AUDIT, "more calls refused",
                  (const struct log_field[]){LOG_I("calls", d->refusals.unsaid), {0}});
    d->refusals = (struct refusals){.since_ms = d->now_ms};
}

/* Neither the token, nor the order, nor the path as it was sent: whoever calls may put anything in
 * them. */
static void say(const struct call *call, const char *what, const char *why)
{
    struct dashboard *d = call->d;
    const struct caller *caller = &call->caller;
    char address[64];
    if (d->now_ms - d->refusals.since_ms >= WHILE_MS)
        say_unsaid(d);
    if (d->refusals.said >= LINES_MAX) {
        d->refusals.unsaid++;
        return;
    }
    d->refusals.said++;
    const char *who = caller->subject[0] != '\0' ? caller->subject : caller->role;
    log_event(LOG_AUDIT, "call refused",
              (const struct log_field[]){LOG_S("who", who[0] != '\0' ? who : "unknown"),
                                         LOG_S("address", web_request_address(call->x, address)),
                                         LOG_S("what", what),
                                         LOG_S("reason", why),
                                         {0}});
}

void refuse(const struct call *call, enum problem problem, const char *detail)
{
    char what[96];
    snprintf(what, sizeof what, "%s %s", web_request_method(call->x),
             call->route != NULL ? call->route : "/");
    say(call, what, problem_name(problem));
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

int64_t refusals_turn(struct dashboard *d)
{
    int64_t left_ms = d->refusals.since_ms + WHILE_MS - d->now_ms;
    if (d->refusals.unsaid == 0)
        return -1;
    if (left_ms > 0)
        return left_ms;
    say_unsaid(d);
    return -1;
}
