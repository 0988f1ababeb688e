#include "delivery/policy/pace.h"

enum { FIRST_AT_A_TIME = 2 };
enum { PATIENCE_MIN = 8, PATIENCE_MAX = 64 };
enum { SIGN = 8 /* good answers that outweigh one sign */ };
enum { LATENCY_FREE_MS = 100 /* more latency than usual that is no sign by itself */ };
enum { PAUSE_MAX_S = 64 };
enum {
    SECOND_MS = 1000,
    SECOND_ANSWERS = 4,
    SECOND_MAX = 10 /* times as long without any answer */
};

static const double RATE_FIRST = 4, RATE_MIN = 1; /* requests a second */
static const double DOUBT = 3;       /* answers that speak for the rate before any does */
static const double BURST_S = 0.003; /* of the rate that may be made up for */

/* Once nothing is held any more. */
static void begin_second(struct pace *p, int64_t now_ms)
{
    int64_t from_ms = p->hold_until_ms > now_ms ? p->hold_until_ms : now_ms;
    p->a_second.second = (struct pace_second){.from_ms = from_ms, .from = p->sent};
}

void pace_restart(struct pace *p, int64_t now_ms)
{
    struct pace_at_a_time *c = &p->at_a_time;
    struct pace_a_second *r = &p->a_second;
    int first = c->max < FIRST_AT_A_TIME ? c->max : FIRST_AT_A_TIME;
    *c = (struct pace_at_a_time){.limit = first,
                                 .max = c->max,
                                 .credit = 2 * SIGN,
                                 .round_from = p->sent,
                                 .lowered_from = p->sent,
                                 .patience = {PATIENCE_MIN, 0}};
    *r = (struct pace_a_second){.share = r->share,
                                .tokens = 1,
                                .filled_ms = now_ms,
                                .patience = {PATIENCE_MIN, PATIENCE_MIN}};
    begin_second(p, now_ms);
}

void pace_init(struct pace *p, int at_a_time_max, int64_t now_ms)
{
    *p = (struct pace){.at_a_time.max = at_a_time_max};
    pace_restart(p, now_ms);
}

void pace_set_share(struct pace *p, double a_second)
{
    p->a_second.share = a_second;
}

void pace_hold(struct pace *p, int64_t until_ms)
{
    if (until_ms > p->hold_until_ms)
        p->hold_until_ms = until_ms;
}

void pace_release(struct pace *p)
{
    p->hold_until_ms = 0;
}

bool pace_is_held(const struct pace *p, int64_t now_ms)
{
    return now_ms < p->hold_until_ms;
}

/* ---- may another begin? ---- */

double pace_per_second(const struct pace *p)
{
    const struct pace_a_second *r = &p->a_second;
    if (r->limit == 0 || (r->share > 0 && r->share < r->limit))
        return r->share;
    return r->limit;
}

static double tokens_at(const struct pace *p, int64_t now_ms)
{
    const struct pace_a_second *r = &p->a_second;
    double rate = pace_per_second(p), most = 1 + rate * BURST_S;
    double tokens = r->tokens + rate * (double)(now_ms - r->filled_ms) / 1000;
    return tokens < most ? tokens : most;
}

bool pace_may_send(const struct pace *p, size_t in_flight, int64_t now_ms)
{
    return !pace_is_held(p, now_ms) && in_flight < (size_t)p->at_a_time.limit &&
           (pace_per_second(p) == 0 || tokens_at(p, now_ms) >= 1);
}

int64_t pace_wake_ms(const struct pace *p, size_t in_flight, int64_t now_ms)
{
    bool has_slot = in_flight < (size_t)p->at_a_time.limit;
    double rate = pace_per_second(p), lacking = rate == 0 ? 0 : 1 - tokens_at(p, now_ms);
    int64_t at = has_slot && lacking > 0 ? now_ms + (int64_t)(lacking * 1000 / rate) + 1 : -1;
    return pace_is_held(p, now_ms) && p->hold_until_ms > at ? p->hold_until_ms : at;
}

uint64_t pace_sent(struct pace *p, size_t in_flight, int64_t now_ms)
{
    struct pace_a_second *r = &p->a_second;
    r->tokens = pace_per_second(p) > 0 ? tokens_at(p, now_ms) - 1 : 0;
    r->filled_ms = now_ms;
    r->second.sent++;
    p->at_a_time.reached |= in_flight >= (size_t)p->at_a_time.limit;
    return p->sent++;
}

/* ---- at a time ---- */

static void begin_round(struct pace *p)
{
    struct pace_at_a_time *c = &p->at_a_time;
    c->round_from = p->sent;
    c->reached = c->testing = false;
    c->took_ms = c->answers = 0;
}

static void wait_longer(struct pace_patience *patience)
{
    if (patience->length < PATIENCE_MAX)
        patience->length *= 2;
    patience->left = patience->length;
}

/* A test of one more that failed leaves what passed before it; any other sign halves. */
static void lower(struct pace *p, enum pace_sense sense, size_t in_flight)
{
    struct pace_at_a_time *c = &p->at_a_time;
    bool was_test = c->testing;
    int seen = in_flight < (size_t)c->limit ? (int)in_flight : c->limit;
    c->too_much = seen > 2 ? seen : 2;
    c->limit = was_test ? c->too_much - 1 : c->too_much / 2;
    if (sense == PACE_TIMED_OUT && c->limit < FIRST_AT_A_TIME)
        c->limit = FIRST_AT_A_TIME;
    if (was_test)
        wait_longer(&c->patience);
    else
        c->patience.left = c->patience.length;
    c->credit = 0;
    c->lowered_from = p->sent;
    p->slowed++;
    begin_round(p);
}

static void raise(struct pace_at_a_time *c)
{
    if (c->limit >= c->max)
        return;
    if (c->too_much == 0) {
        c->limit = c->limit * 2 < c->max ? c->limit * 2 : c->max;
    } else if (c->limit + 1 < c->too_much) {
        c->limit++;
    } else if (--c->patience.left <= 0) {
        c->limit = c->too_much++;
        c->testing = true;
    }
}

/* The number that was too much passed: the next one may be tried at once. */
static void test_passed(struct pace_at_a_time *c)
{
    c->patience = (struct pace_patience){PATIENCE_MIN, 1};
}

/* Latency that grows for good becomes the usual one in time: only a change is a sign. */
static bool latency_holds(struct pace_at_a_time *c)
{
    enum { ROUNDS = 12 };
    double took_ms = (double)c->took_ms / c->answers;
    bool holds = c->usual_ms == 0 || took_ms <= 2 * c->usual_ms + LATENCY_FREE_MS;
    c->usual_ms = c->usual_ms == 0 ? took_ms : c->usual_ms + (took_ms - c->usual_ms) / ROUNDS;
    return holds;
}

static bool end_round(struct pace *p)
{
    struct pace_at_a_time *c = &p->at_a_time;
    bool reached = c->reached, tested = c->testing, holds = latency_holds(c);
    begin_round(p);
    if (!holds && c->limit > FIRST_AT_A_TIME) {
        c->too_much = c->limit--;
        c->patience.left = c->patience.length;
        p->slowed++;
        return true;
    }
    if (tested)
        test_passed(c);
    if (reached && holds)
        raise(c);
    return false;
}

static bool learn_passed(struct pace *p, const struct pace_answer *a)
{
    struct pace_at_a_time *c = &p->at_a_time;
    c->credit += c->credit < SIGN + c->limit;
    c->took_ms += a->took_ms;
    c->answers++;
    return a->number >= c->round_from && end_round(p);
}

static bool may_be_chance(struct pace_at_a_time *c)
{
    if (c->credit < SIGN)
        return false;
    c->credit -= SIGN;
    return true;
}

/* ---- a second ---- */

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
static void lower_rate(struct pace *p, int64_t now_ms)
{
    struct pace_a_second *r = &p->a_second;
    const struct pace_second *s = &r->second;
    bool was_test = r->phase == PACE_TESTING, none = s->passed == 0 && !pace_is_held(p, now_ms);
    double passed = (s->passed + DOUBT) / (s->passed + s->refused + DOUBT);
    double limit = at_least(r->limit * passed * 0.97, was_test ? r->held : RATE_MIN);
    if (was_test)
        wait_longer(&r->patience);
    if (none)
        pause(r);
    else
        r->too_fast = r->limit;
    if (!none || was_test)
        r->limit = none ? r->held : limit;
    r->phase = PACE_SEARCHING;
    if (r->too_fast > 0 && r->limit >= 0.9 * r->too_fast)
        hold_rate(r);
    p->slowed++;
}

static void test_rate(struct pace_a_second *r)
{
    r->limit = r->held * (1 + 0.1 * (1 << r->tests++));
    if (r->limit < 2 * r->held)
        return;
    r->phase = PACE_SEARCHING; /* the endpoint is another one */
    r->too_fast = 0;
    r->patience = (struct pace_patience){PATIENCE_MIN, PATIENCE_MIN};
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
static void find_rate(struct pace *p, int64_t now_ms)
{
    struct pace_a_second *r = &p->a_second;
    int64_t took_ms = now_ms - r->second.from_ms;
    double passed = r->second.passed_all * 1000.0 / (took_ms > SECOND_MS ? (double)took_ms : 1000);
    r->limit = at_least(at_least(passed, r->passed_before), RATE_FIRST);
    r->phase = PACE_SEARCHING;
    r->too_fast = 0;
    r->tokens = 0;
    r->filled_ms = now_ms;
    begin_second(p, now_ms);
}

static bool is_over(const struct pace *p, int64_t now_ms)
{
    const struct pace_a_second *r = &p->a_second;
    const struct pace_second *s = &r->second;
    int64_t took_ms = now_ms - s->from_ms, least_ms = SECOND_MS;
    if (r->limit > 0 && r->limit < SECOND_ANSWERS)
        least_ms = (int64_t)(SECOND_ANSWERS * 1000 / r->limit);
    bool hopeless = s->refused >= SECOND_ANSWERS && s->refused > s->passed;
    hopeless |= s->refused > 0 && pace_is_held(p, now_ms);
    bool answered = r->limit == 0 || s->passed + s->refused > 0;
    return hopeless || took_ms >= (answered ? least_ms : SECOND_MAX * least_ms);
}

/* As above; but an endpoint that asks for a pause means it. */
static bool rate_may_be_chance(struct pace *p, int64_t now_ms)
{
    struct pace_a_second *r = &p->a_second;
    unsigned cost = r->second.refused * SIGN;
    r->credit = (r->credit < 2 * SIGN ? r->credit : 2 * SIGN) + r->second.passed;
    bool covered = cost <= r->credit && !(cost > 0 && pace_is_held(p, now_ms));
    r->credit = covered ? r->credit - cost : 0;
    return covered;
}

static bool end_second(struct pace *p, int64_t now_ms)
{
    struct pace_a_second *r = &p->a_second;
    const struct pace_second *s = &r->second;
    if (!is_over(p, now_ms))
        return false;
    double took_s = (double)(now_ms - s->from_ms + 1) / 1000;
    bool too_fast = !rate_may_be_chance(p, now_ms);
    bool used_up = s->sent >= 0.8 * r->limit * took_s;
    if (too_fast)
        lower_rate(p, now_ms);
    else if (r->limit > 0 && used_up)
        raise_rate(r);
    r->passed_before = s->passed_all / took_s;
    r->pause_s = s->passed_all > 0 ? 0 : r->pause_s;
    begin_second(p, now_ms);
    return too_fast;
}

/* ---- an answer ---- */

static bool learn_refused(struct pace *p, const struct pace_answer *a)
{
    struct pace_at_a_time *c = &p->at_a_time;
    struct pace_a_second *r = &p->a_second;
    bool is_news = a->number >= c->lowered_from;
    if (a->sense == PACE_TIMED_OUT && c->limit <= FIRST_AT_A_TIME)
        return false;
    if (r->limit > 0 && (a->sense == PACE_TOO_FAST || c->limit == 1)) {
        r->second.refused += a->number >= r->second.from;
        return false;
    }
    if (!is_news || may_be_chance(c))
        return false;
    if (a->sense == PACE_TOO_FAST || c->limit == 1)
        find_rate(p, a->now_ms);
    lower(p, a->sense, a->in_flight);
    if (a->sense == PACE_TOO_FAST)
        c->too_much = c->max + 1; /* not the number at a time */
    return true;
}

bool pace_learn(struct pace *p, const struct pace_answer *a)
{
    struct pace_second *s = &p->a_second.second;
    bool lowered = false;
    switch (a->sense) {
    case PACE_PASSED:
        s->passed += a->number >= s->from;
        s->passed_all++;
        lowered = learn_passed(p, a);
        break;
    case PACE_TOO_MUCH:
    case PACE_TIMED_OUT:
    case PACE_TOO_FAST: lowered = learn_refused(p, a); break;
    case PACE_SILENT: break;
    }
    return end_second(p, a->now_ms) || lowered;
}
