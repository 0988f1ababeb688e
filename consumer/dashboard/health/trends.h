/* trends: the last hour, day and week, for charts: what settled and how fast (the view's own
 * trend), and what only the members' reports tell, failed attempts and lag, which is noted here as
 * it comes: a ring of fixed size (240 KB), empty when the dashboard begins. What is not known is
 * null, never 0. */
#ifndef DASHBOARD_HEALTH_TRENDS_H
#define DASHBOARD_HEALTH_TRENDS_H

#include "dashboard/view/trend.h"

#include <jansson.h>

struct api;
struct call;

enum { TRENDS_MEMBERS = 64, TRENDS_NAME_MAX = 96 };

struct trends {
    struct heard {      /* in a minute, of all members */
        int64_t minute; /* since 1970; 0: nobody was heard */
        int64_t lag;    /* the largest */
        uint64_t failed;
    } * heard; /* TREND_MINUTES; owned */
    /* The attempts that each member had failed with, as it said last. */
    struct failures {
        char member[TRENDS_NAME_MAX];
        int64_t started_ms, count, at_ms;
    } failures[TRENDS_MEMBERS];
    int64_t began_ms, due_ms,
        seen_ms; /* seen_ms: until then the view has all outcomes. Wall clock */
};

bool trends_open(struct trends *trends, int64_t wall_ms) must_check; /* false without memory */
void trends_done(struct trends *trends);

/* Notes the members' reports when it is due; ms until it is due again. */
int64_t trends_turn(struct api *api);

/* Orders that were delivered in the last hour. */
int64_t trends_delivered_hour(const struct api *api);

/* GET /api/v1/trends and /api/v1/activity */
void call_trends(struct call *call);
void call_activity(struct call *call);

#endif
