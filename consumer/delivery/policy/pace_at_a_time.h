/* pace_at_a_time: the number of requests that may be under way at once; pure.
 *
 *   limit  2, and twice as many each round trip until the first sign of too much: a 503, or latency
 *          that does not hold. Each raise is a test: where it fails, the last limit that passed
 * stands. From there half of the way to the limit that was too much each round trip, up to one
 * below it. That one is tried again after 8 clean round trips, and after a failed try twice as
 * many; while such tries pass, they grow: by 1, 2, 4, … A sign outside a test says that the
 * receiver changed: half of it is left.
 *
 * A round trip ends with the first good answer to a request that began in it. A request tells how
 * many were under way as it began, itself included: when its answer is read, others that came with
 * it may have been read already, so a count made then says nothing of the receiver.
 *
 * Requests may hang by themselves: where the limit is all taken and nothing was answered for 2 s
 * and for twice the usual latency, one more goes, as a test; the next after 4 s, 8 s, 16 s. */
#ifndef DELIVERY_POLICY_PACE_AT_A_TIME_H
#define DELIVERY_POLICY_PACE_AT_A_TIME_H

#include "delivery/policy/pace_answer.h"

#include <stdbool.h>

struct pace_at_a_time {
    int limit, max;      /* requests under way */
    int too_much;        /* so many were; 0: no such number is known */
    int held;            /* the limit before the last raise */
    int step;            /* of the next raise to what was too much */
    bool testing;        /* in this round trip the limit is a raised one */
    bool from_the_edge;  /* … raised to what was too much */
    bool reached;        /* in this round trip as many as the limit were under way */
    int credit;          /* eighths of a sign that is let pass */
    uint64_t round_from; /* number of the first request of this round trip */
    uint64_t tested_to;  /* … behind the last one that a test that passed is about */
    uint64_t lowered_at; /* … since the limit was lowered: no earlier one is a sign */
    int64_t took_ms;     /* its good answers, all in all */
    int answers;
    int slow_rounds;  /* in a row */
    double usual_ms;  /* latency, of the last dozen round trips; 0: not known */
    int passed_by;    /* times in a row that one more went because all hung */
    int64_t heard_ms; /* when a request began or ended last */
    struct pace_patience patience;
};

/* As at first; `next` is the number of the next request. */
void pace_at_a_time_restart(struct pace_at_a_time *c, uint64_t next, int64_t now_ms);

/* When another may begin, in_flight being under way: now_ms, or later; -1: not by time. */
int64_t pace_at_a_time_room_ms(const struct pace_at_a_time *c, size_t in_flight, int64_t now_ms);

/* A request begins; in_flight with it. */
void pace_at_a_time_sent(struct pace_at_a_time *c, size_t in_flight, int64_t now_ms);

/* A good answer. True when its latency lowered the limit. */
bool pace_at_a_time_passed(struct pace_at_a_time *c, const struct pace_answer *a, uint64_t next);

/* True when the sign is news, and not one in many that may be chance: pace_at_a_time_lower. */
bool pace_at_a_time_is_sign(struct pace_at_a_time *c, const struct pace_answer *a);
void pace_at_a_time_lower(struct pace_at_a_time *c, const struct pace_answer *a, uint64_t next);

#endif
