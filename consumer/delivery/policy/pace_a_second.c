#include "delivery/policy/pace_a_second.h"

enum {
    SECOND_MS = 1000,
    SECOND_ANSWERS = 4,
    SECOND_MAX = 10 /* times as long without enough answers */
};
enum { PAUSE_MAX_S = 64 };

static const double RATE_FIRST = 4, RATE_MIN = 1; /* requests a second */
static const double DOUBT = 3; /* answers that speak for the rate before any does */

/* Of the rate that may be made up for, after a pause of this machine: more of it is a burst to a
 * receiver that counts one by one. */
static const double BURST_S = 0.02;

static bool is_held(struct pace_now now)
{
    return now.ms < now.hold_until_ms;
}

/* Once nothing is held any more. */
static void begin_second(struct pace_a_second *r, struct pace_now now)
{
    int64_t from_ms = is_held(now) ? now.hold_until_ms : now.ms;
    r->second = (struct pace_second){.from_ms = from_ms, .from = now.next};
}

void pace_a_second_restart(struct pace_a_second *r, struct pace_now now)
{
    *r = (struct pace_a_second){.share = r->share,
                                .tokens = 1,
                                .filled_ms = now.ms,
                                .patience = {PACE_PATIENCE_MIN, PACE_PATIENCE_MIN}};
    begin_second(r, now);
}

/* ---- may another begin? ---- */

double pace_a_second_bound(const struct pace_a_second *r)
{
    if (r->limit == 0 || (r->share > 0 && r->share < r->limit))
        return r->share;
    return r->limit;
}

static double tokens_most(const struct pace_a_second *r)
{
    return 1 + pace_a_second_bound(r) * BURST_S;
}

static double tokens_at(const struct pace_a_second *r, int64_t now_ms)
{
    double tokens = r->tokens + pace_a_second_bound(r) * (double)(now_ms - r->filled_ms) / 1000;
    double most = tokens_most(r);
    return tokens < most ? tokens : most;
}

int64_t pace_a_second_token_ms(const struct pace_a_second *r, int64_t now_ms)
{
    double rate = pace_a_second_bound(r);
    double lacking = rate > 0 ? 1 - tokens_at(r, now_ms) : 0;
    return lacking > 0 ? now_ms + (int64_t)(lacking * 1000 / rate) + 1 : now_ms;
}

void pace_a_second_sent(struct pace_a_second *r, int64_t now_ms)
{
    double tokens = tokens_at(r, now_ms);
    r->second.sent++;
    r->second.waited += tokens < tokens_most(r);
    r->tokens = pace_a_second_bound(r) > 0 ? tokens - 1 : 0;
    r->filled_ms = now_ms;
}

/* ---- the end of a second ---- */

static double at_least(double value, double least)
{
    return value > least ? value : least;
}

static void hold_rate(struct pace_a_second *r)
{
    r->phase = PACE_HOLDING;
    r->patience.left = r->patience.length;
}

/* Between what passes and what is too fast, until they are close to each other. */
static void approach(struct pace_a_second *r)
{
    if (r->too_fast == 0)
        r->limit *= 2;
    else if (r->limit < 0.9 * r->too_fast)
        r->limit = (r->limit + r->too_fast) / 2;
    if (r->too_fast > 0 && r->limit >= 0.9 * r->too_fast)
        hold_rate(r);
}

/* Nothing passes at present, as at the end of a counted minute: no matter how slow. */
static void pause(struct pace_a_second *r)
{
    r->pause_s = r->pause_s == 0 ? 1 : r->pause_s < PAUSE_MAX_S ? r->pause_s * 2 : r->pause_s;
    r->tokens = 1 - r->limit * r->pause_s;
}

/* The part that passed shows how much less is slow enough; few answers show little. */
static void lower_rate(struct pace_a_second *r, struct pace_now now)
{
    const struct pace_second *s = &r->second;
    bool was_test = r->phase == PACE_TESTING, none = s->passed == 0 && !is_held(now);
    double passed = (s->passed + DOUBT) / (s->passed + s->refused + DOUBT);
    double limit = at_least(r->limit * passed * 0.97, was_test ? r->held : RATE_MIN);
    if (was_test)
        pace_wait_longer(&r->patience);
    if (none)
        pause(r);
    else
        r->too_fast = r->limit;
    if (!none || was_test)
        r->limit = none ? r->held : limit;
    r->phase = PACE_SEARCHING;
    if (r->too_fast > 0 && r->limit >= 0.9 * r->too_fast)
        hold_rate(r);
}

static void test_rate(struct pace_a_second *r)
{
    r->limit = r->held * (1 + 0.1 * (1 << r->tests++));
    if (r->limit < 2 * r->held)
        return;
    r->phase = PACE_SEARCHING; /* the endpoint is another one */
    r->too_fast = 0;
    r->patience = (struct pace_patience){PACE_PATIENCE_MIN, PACE_PATIENCE_MIN};
}

static void raise_rate(struct pace_a_second *r)
{
    switch (r->phase) {
    case PACE_SEARCHING: approach(r); break;
    case PACE_TESTING: test_rate(r); break;
    case PACE_HOLDING:
        if (--r->patience.left > 0)
            break;
        r->phase = PACE_TESTING;
        r->held = r->limit;
        r->tests = 0;
        test_rate(r);
        break;
    }
}

/* The first refusal: what passed of late is a first estimate. */
void pace_a_second_find(struct pace_a_second *r, struct pace_now now)
{
    int64_t took_ms = now.ms - r->second.from_ms;
    double passed = r->second.passed_all * 1000.0 / (took_ms > SECOND_MS ? (double)took_ms : 1000);
    r->limit = at_least(at_least(passed, r->passed_before), RATE_FIRST);
    r->phase = PACE_SEARCHING;
    r->too_fast = 0;
    r->tokens = 0;
    r->filled_ms = now.ms;
    begin_second(r, now);
}

static bool is_over(const struct pace_a_second *r, struct pace_now now)
{
    const struct pace_second *s = &r->second;
    int64_t took_ms = now.ms - s->from_ms, least_ms = SECOND_MS;
    if (r->limit > 0 && r->limit < SECOND_ANSWERS)
        least_ms = (int64_t)(SECOND_ANSWERS * 1000 / r->limit);
    bool enough = 2 * (s->passed + s->refused) >= s->sent;
    bool hopeless = enough && s->refused >= SECOND_ANSWERS && s->refused > s->passed;
    hopeless |= s->refused > 0 && is_held(now);
    bool answered = r->limit == 0 || (enough && s->passed + s->refused > 0);
    return hopeless || took_ms >= (answered ? least_ms : SECOND_MAX * least_ms);
}

/* One refusal in eight good answers, and two of the first; but an endpoint that asks for a pause
 * means it. */
static bool may_be_chance(struct pace_a_second *r, struct pace_now now)
{
    unsigned cost = r->second.refused * PACE_SIGN;
    r->credit = (r->credit < 2 * PACE_SIGN ? r->credit : 2 * PACE_SIGN) + r->second.passed;
    bool covered = cost <= r->credit && !(cost > 0 && is_held(now));
    r->credit = covered ? r->credit - cost : 0;
    return covered;
}

bool pace_a_second_end(struct pace_a_second *r, struct pace_now now)
{
    const struct pace_second *s = &r->second;
    if (!is_over(r, now))
        return false;
    double took_s = (double)(now.ms - s->from_ms + 1) / 1000;
    bool too_fast = !may_be_chance(r, now);
    bool used_up = 2 * s->waited >= s->sent && 4 * s->sent >= r->limit * took_s;
    if (too_fast)
        lower_rate(r, now);
    else if (r->limit > 0 && used_up)
        raise_rate(r);
    r->passed_before = s->passed_all / took_s;
    r->pause_s = s->passed_all > 0 ? 0 : r->pause_s;
    begin_second(r, now);
    return too_fast;
}

/* ---- an answer ---- */

void pace_a_second_refused(struct pace_a_second *r, const struct pace_answer *a)
{
    r->second.refused += a->request.number >= r->second.from;
}

void pace_a_second_passed(struct pace_a_second *r, const struct pace_answer *a)
{
    r->second.passed += a->request.number >= r->second.from;
    r->second.passed_all++;
}
