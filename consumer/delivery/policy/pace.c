#include "delivery/policy/pace.h"

static struct pace_now now_of(const struct pace *p, int64_t now_ms)
{
    return (struct pace_now){.next = p->sent, .hold_until_ms = p->hold_until_ms, .ms = now_ms};
}

void pace_restart(struct pace *p, int64_t now_ms)
{
    pace_at_a_time_restart(&p->at_a_time, p->sent, now_ms);
    pace_a_second_restart(&p->a_second, now_of(p, now_ms));
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

double pace_per_second(const struct pace *p)
{
    return pace_a_second_bound(&p->a_second);
}

/* ---- may another begin? ---- */

/* now_ms: at once; -1: not by time. */
static int64_t may_send_at_ms(const struct pace *p, size_t in_flight, int64_t now_ms)
{
    int64_t at = pace_at_a_time_room_ms(&p->at_a_time, in_flight, now_ms);
    if (at >= 0) {
        int64_t token_ms = pace_a_second_token_ms(&p->a_second, now_ms);
        at = token_ms > at ? token_ms : at;
    }
    return pace_is_held(p, now_ms) && p->hold_until_ms > at ? p->hold_until_ms : at;
}

bool pace_may_send(const struct pace *p, size_t in_flight, int64_t now_ms)
{
    return may_send_at_ms(p, in_flight, now_ms) == now_ms;
}

int64_t pace_wake_ms(const struct pace *p, size_t in_flight, int64_t now_ms)
{
    int64_t at = may_send_at_ms(p, in_flight, now_ms);
    return at == now_ms ? -1 : at;
}

struct pace_request pace_sent(struct pace *p, size_t in_flight, int64_t now_ms)
{
    pace_at_a_time_sent(&p->at_a_time, in_flight, now_ms);
    pace_a_second_sent(&p->a_second, now_ms);
    return (struct pace_request){.number = p->sent++, .in_flight = in_flight};
}

/* ---- an answer ---- */

/* A 503 to one at a time is about the rate as well. */
static bool blames_the_rate(const struct pace_answer *a)
{
    return a->sense == PACE_TOO_FAST || (a->sense == PACE_TOO_MUCH && a->request.in_flight == 1);
}

static bool learn_refused(struct pace *p, const struct pace_answer *a)
{
    struct pace_at_a_time *c = &p->at_a_time;
    bool is_rate = blames_the_rate(a);
    if (is_rate && p->a_second.limit > 0) {
        pace_a_second_refused(&p->a_second, a);
        return false;
    }
    if (!pace_at_a_time_is_sign(c, a))
        return false;
    if (is_rate)
        pace_a_second_find(&p->a_second, now_of(p, a->now_ms));
    pace_at_a_time_lower(c, a, p->sent);
    if (is_rate)
        c->too_much = c->max + 1; /* not the number at a time */
    return true;
}

bool pace_learn(struct pace *p, const struct pace_answer *a)
{
    bool lowered = false;
    p->at_a_time.heard_ms = a->now_ms;
    switch (a->sense) {
    case PACE_PASSED:
        pace_a_second_passed(&p->a_second, a);
        lowered = pace_at_a_time_passed(&p->at_a_time, a, p->sent);
        break;
    case PACE_TOO_MUCH:
    case PACE_TIMED_OUT:
    case PACE_TOO_FAST: lowered = learn_refused(p, a); break;
    case PACE_SILENT: break;
    }
    lowered |= pace_a_second_end(&p->a_second, now_of(p, a->now_ms));
    p->slowed += lowered;
    return lowered;
}
