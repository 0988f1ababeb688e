#include "delivery/policy/pace_at_a_time.h"

enum { FIRST = 2 };
enum { LATENCY_FREE_MS = 100 /* more than usual that is no sign by itself */ };
enum { SLOW_ROUNDS = 3 /* in a row: a pause of this machine's own makes two */ };
enum { SILENCE_MS = 2000, SILENCE_DOUBLINGS = 3 };

void pace_at_a_time_restart(struct pace_at_a_time *c, uint64_t next, int64_t now_ms)
{
    *c = (struct pace_at_a_time){.limit = c->max < FIRST ? c->max : FIRST,
                                 .max = c->max,
                                 .step = 1,
                                 .credit = 2 * PACE_SIGN,
                                 .round_from = next,
                                 .tested_to = next,
                                 .lowered_at = next,
                                 .heard_ms = now_ms,
                                 .patience = {PACE_PATIENCE_MIN, 0}};
}

static int at_most(int value, int most)
{
    return value < most ? value : most;
}

static int at_least(int value, int least)
{
    return value > least ? value : least;
}

/* ---- may another begin? ---- */

int64_t pace_at_a_time_room_ms(const struct pace_at_a_time *c, size_t in_flight, int64_t now_ms)
{
    if (in_flight < (size_t)c->limit)
        return now_ms;
    if (in_flight >= (size_t)c->max)
        return -1;
    int64_t wait_ms = (int64_t)SILENCE_MS << c->passed_by, usual_ms = 2 * (int64_t)c->usual_ms;
    int64_t at = c->heard_ms + (usual_ms > wait_ms ? usual_ms : wait_ms);
    return at > now_ms ? at : now_ms;
}

static void raise_to(struct pace_at_a_time *c, int limit)
{
    c->held = c->limit;
    c->limit = at_most(limit, c->max);
    c->testing = true;
    if (c->from_the_edge)
        c->too_much = c->limit + 1;
}

void pace_at_a_time_sent(struct pace_at_a_time *c, size_t in_flight, int64_t now_ms)
{
    if (in_flight > (size_t)c->limit && in_flight <= (size_t)c->max) {
        c->from_the_edge = c->too_much > 0 && (int)in_flight >= c->too_much;
        raise_to(c, (int)in_flight);
        c->passed_by += c->passed_by < SILENCE_DOUBLINGS;
    }
    c->reached |= in_flight >= (size_t)c->limit;
    c->heard_ms = now_ms;
}

/* ---- signs ---- */

static void begin_round(struct pace_at_a_time *c, uint64_t next)
{
    c->round_from = next;
    c->reached = c->testing = false;
    c->took_ms = c->answers = 0;
}

static void lower_to(struct pace_at_a_time *c, int limit, uint64_t next)
{
    c->limit = limit;
    c->patience.left = c->patience.length;
    c->step = 1;
    c->slow_rounds = 0;
    c->credit = 0;
    c->lowered_at = c->tested_to = next;
    begin_round(c, next);
}

bool pace_at_a_time_is_sign(struct pace_at_a_time *c, const struct pace_answer *a)
{
    if (a->request.number < c->lowered_at || (a->sense == PACE_TIMED_OUT && c->limit <= FIRST))
        return false;
    if (c->credit < PACE_SIGN)
        return true;
    c->credit -= PACE_SIGN;
    return false;
}

/* A time-out tells nothing of how many were under way: it began long ago. */
void pace_at_a_time_lower(struct pace_at_a_time *c, const struct pace_answer *a, uint64_t next)
{
    bool timed_out = a->sense == PACE_TIMED_OUT;
    bool was_test = !timed_out && (c->testing || a->request.number < c->tested_to);
    bool was_edge = was_test && c->from_the_edge;
    int seen = timed_out ? c->limit : at_most((int)a->request.in_flight, c->limit);
    c->too_much = at_least(seen, 2);
    int limit = was_test ? at_most(c->held, c->too_much - 1) : c->too_much / 2;
    lower_to(c, at_least(limit, timed_out ? FIRST : 1), next);
    if (was_edge)
        pace_wait_longer(&c->patience);
}

/* ---- good answers ---- */

static void raise_limit(struct pace_at_a_time *c)
{
    c->from_the_edge = c->too_much > 0 && c->limit + 1 >= c->too_much;
    if (c->limit >= c->max || (c->from_the_edge && --c->patience.left > 0))
        return;
    if (c->from_the_edge)
        raise_to(c, c->limit + c->step);
    else
        raise_to(c, c->too_much == 0 ? 2 * c->limit : (c->limit + c->too_much) / 2);
}

/* The number that was too much passes now: the next may be tried at once. */
static void pass_test(struct pace_at_a_time *c, uint64_t next)
{
    c->tested_to = next;
    if (!c->from_the_edge)
        return;
    c->patience = (struct pace_patience){PACE_PATIENCE_MIN, 1};
    c->step *= 2;
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

static bool end_round(struct pace_at_a_time *c, uint64_t next)
{
    bool reached = c->reached, tested = c->testing, holds = latency_holds(c);
    c->slow_rounds = holds ? 0 : c->slow_rounds + 1;
    if (c->slow_rounds >= SLOW_ROUNDS && c->limit > FIRST) {
        c->too_much = c->limit;
        lower_to(c, tested ? c->held : c->limit - 1, next);
        return true;
    }
    begin_round(c, next);
    c->testing = tested && !holds;
    if (tested && holds)
        pass_test(c, next);
    if (reached && holds)
        raise_limit(c);
    return false;
}

bool pace_at_a_time_passed(struct pace_at_a_time *c, const struct pace_answer *a, uint64_t next)
{
    c->credit += c->credit < PACE_SIGN + c->limit;
    c->passed_by = 0;
    c->took_ms += a->took_ms;
    c->answers++;
    return a->request.number >= c->round_from && end_round(c, next);
}
