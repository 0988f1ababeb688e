#include "dashboard/health/trends.h"

#include "dashboard/api/api.h"
#include "dashboard/health/members.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Reports come every five seconds. */
enum { EVERY_MS = 2500, UNHEARD_MS = 60000, HOUR_MINUTES = 60 };

bool trends_open(struct trends *trends, int64_t wall_ms)
{
    *trends =
        (struct trends){.heard = calloc(TREND_MINUTES, sizeof *trends->heard), .began_ms = wall_ms};
    return trends->heard != NULL;
}

void trends_done(struct trends *trends)
{
    free(trends->heard);
    trends->heard = NULL;
}

static json_t *known(bool is, json_int_t value)
{
    return is ? json_integer(value) : json_null();
}

/* ---- what the members report ---- */

static int64_t whole(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    return json_is_integer(value) ? json_integer_value(value) : -1;
}

/* The member's place, or that of the member which was silent for longest. */
static struct failures *place_of(struct trends *trends, const char *member)
{
    struct failures *oldest = &trends->failures[0];
    for (size_t i = 0; i < TRENDS_MEMBERS; i++) {
        struct failures *f = &trends->failures[i];
        if (strncmp(f->member, member, TRENDS_NAME_MAX - 1) == 0)
            return f;
        if (f->at_ms < oldest->at_ms)
            oldest = f;
    }
    *oldest = (struct failures){.started_ms = -1};
    snprintf(oldest->member, sizeof oldest->member, "%s", member);
    return oldest;
}

/* Attempts that failed since the member's report before; 0 where that was long ago, since they
 * would stand in the wrong minute. Of a member that is met for the first time: since its start, if
 * this dashboard was there. */
static uint64_t newly_failed(struct trends *trends, const json_t *member)
{
    const char *name = json_string_value(json_object_get(member, "member"));
    int64_t count = whole(json_object_get(member, "totals"), "failures");
    int64_t started_ms = whole(member, "started_ms"), at_ms = whole(member, "at_ms"), before = 0;
    if (name == NULL || count < 0)
        return 0;
    struct failures *f = place_of(trends, name);
    bool is_new = f->started_ms != started_ms;
    if (is_new ? started_ms < trends->began_ms : at_ms - f->at_ms > UNHEARD_MS)
        before = count;
    else if (!is_new)
        before = f->count;
    f->started_ms = started_ms;
    f->count = count;
    f->at_ms = at_ms;
    return count > before ? (uint64_t)(count - before) : 0;
}

static void note_heard(struct api *api)
{
    struct members_now m;
    const json_t *member;
    size_t i;
    int64_t minute = api->wall_ms / TREND_MINUTE_MS;
    struct heard *heard = &api->trends->heard[minute % TREND_MINUTES];
    members_look(api, &m, NULL);
    if (m.alive > 0 && heard->minute != minute)
        *heard = (struct heard){.minute = minute};
    if (m.alive > 0 && m.lag > heard->lag)
        heard->lag = m.lag;
    json_array_foreach (m.list, i, member)
        if (json_is_true(json_object_get(member, "alive")))
            heard->failed += newly_failed(api->trends, member);
    members_done(&m);
}

int64_t trends_turn(struct api *api)
{
    if (feed_caught_up(api->feed) && feed_kafka_answers(api->feed))
        api->trends->seen_ms = api->wall_ms;
    if (api->now_ms >= api->trends->due_ms) {
        api->trends->due_ms = api->now_ms + EVERY_MS;
        note_heard(api);
    }
    return api->trends->due_ms - api->now_ms;
}

/* ---- what is told ---- */

/* Minutes of a point that are known: of outcomes, and of the members. */
struct point {
    int64_t first, count; /* minutes */
    int64_t settled, heard;
    struct trend_sum sum;
    uint64_t failed;
    int64_t lag;
};

/* The first minute of which all outcomes are known. The dashboard was there, or an order is older.
 */
static int64_t first_known(const struct api *api)
{
    int64_t oldest_ms = view_oldest(api->view), began_ms = api->trends->began_ms;
    return (oldest_ms >= 0 && oldest_ms < began_ms ? oldest_ms : began_ms) / TREND_MINUTE_MS;
}

static void read_point(const struct api *api, int64_t known_from, struct point *p)
{
    int64_t last = api->trends->seen_ms / TREND_MINUTE_MS, end = p->first + p->count;
    int64_t from = p->first > known_from ? p->first : known_from;
    int64_t until = end <= last ? end : last + 1;
    p->settled = until > from ? until - from : 0;
    trend_add_up(view_trend(api->view), p->first, p->count, &p->sum);
    for (int64_t minute = p->first; minute < end; minute++) {
        const struct heard *heard = &api->trends->heard[minute % TREND_MINUTES];
        if (heard->minute != minute)
            continue;
        p->heard++;
        p->failed += heard->failed;
        p->lag = heard->lag > p->lag ? heard->lag : p->lag;
    }
}

/* A minute's number, of a whole one without decimals; null where no minute is known. */
static json_t *rate(uint64_t count, int64_t minutes)
{
    if (minutes == 0)
        return json_null();
    double each = round((double)count / (double)minutes * 100) / 100;
    return each == floor(each) ? json_integer((json_int_t)each) : json_real(each);
}

static void add_point(json_t *answer, const struct point *p)
{
    const struct {
        const char *name;
        json_t *value;
    } values[] = {
        {"delivered", rate(p->sum.delivered, p->settled)},
        {"parked", rate(p->sum.parked, p->settled)},
        {"failed", rate(p->failed, p->heard)},
        {"lag", known(p->heard > 0, p->lag)},
        {"p50_ms", known(p->settled > 0 && p->sum.timed > 0, trend_latency(&p->sum, 0.5))},
        {"p95_ms", known(p->settled > 0 && p->sum.timed > 0, trend_latency(&p->sum, 0.95))},
        {"p99_ms", known(p->settled > 0 && p->sum.timed > 0, trend_latency(&p->sum, 0.99))},
    };
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        json_t *list = json_object_get(answer, values[i].name);
        if (list == NULL) {
            list = json_array();
            json_object_set_new(answer, values[i].name, list);
        }
        json_array_append_new(list, values[i].value);
    }
}

void call_trends(struct call *call)
{
    static const struct {
        int64_t hours, step; /* minutes */
    } spans[] = {{1, 1}, {24, 15}, {168, 60}};
    struct api *api = call->api;
    int64_t hours = 1, step = 0, now = api->wall_ms / TREND_MINUTE_MS;
    if (!call_number(call, "hours", 1, 168, &hours))
        return;
    for (size_t i = 0; i < sizeof spans / sizeof *spans; i++)
        if (spans[i].hours == hours)
            step = spans[i].step;
    if (step == 0) {
        call_bad(call, "hours is 1, 24 or 168");
        return;
    }
    int64_t end = now - now % step + step, from = end - hours * HOUR_MINUTES;
    int64_t known_from = first_known(api);
    json_t *answer = json_object();
    json_object_set_new(answer, "from_ms", json_integer(from * TREND_MINUTE_MS));
    json_object_set_new(answer, "step_ms", json_integer(step * TREND_MINUTE_MS));
    json_object_set_new(answer, "now_ms", json_integer(api->wall_ms));
    for (int64_t first = from; first < end; first += step) {
        struct point p = {.first = first, .count = step};
        read_point(api, known_from, &p);
        add_point(answer, &p);
    }
    reply_json(call->x, 200, answer);
}

void call_activity(struct call *call)
{
    struct api *api = call->api;
    int64_t first = api->wall_ms / TREND_MINUTE_MS - HOUR_MINUTES + 1;
    json_t *points = json_array();
    for (int64_t minute = first; minute < first + HOUR_MINUTES; minute++) {
        struct point p = {.first = minute, .count = 1};
        read_point(api, first, &p);
        json_array_append_new(
            points, json_pack("{s:I, s:I, s:I, s:o}", "at_ms", (json_int_t)minute * TREND_MINUTE_MS,
                              "delivered", (json_int_t)p.sum.delivered, "parked",
                              (json_int_t)p.sum.parked, "lag", known(p.heard > 0, p.lag)));
    }
    reply_json(call->x, 200, json_pack("{s:o}", "points", points));
}

int64_t trends_delivered_hour(const struct api *api)
{
    int64_t first = api->wall_ms / TREND_MINUTE_MS - HOUR_MINUTES + 1;
    return (int64_t)trend_delivered(view_trend(api->view), first, HOUR_MINUTES);
}
