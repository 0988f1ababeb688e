/* pace_a_second: the number of requests that may begin in a second; pure.
 *
 *   limit  unbounded until a 429 (RFC 6585, section 4), or a 503 to one at a time. Then the number
 * that passed in the last second, twice as much each second while nothing is refused. After
 * refusals less by the part that was refused, then half the way back each second, up to 10 % below
 *          the rate that was too fast. That is held for 8 clean seconds, then exceeded by 10, 20,
 * 40 %; After a failed try it is held for twice as long.
 *
 * A second is judged when half of its own requests were answered: refusals are quicker than work,
 * so the first answers alone would speak of refusals only. It raises the limit only if half of its
 * requests had to wait for their token: a quiet shop says nothing about the endpoint. */
#ifndef DELIVERY_POLICY_PACE_A_SECOND_H
#define DELIVERY_POLICY_PACE_A_SECOND_H

#include "delivery/policy/pace_answer.h"

#include <stdbool.h>

enum pace_phase { PACE_SEARCHING, PACE_HOLDING, PACE_TESTING };

struct pace_a_second {
    double limit;    /* requests a second that were found to pass; 0: unbounded */
    double share;    /* … that were configured; 0: none */
    double too_fast; /* so many were; 0: no such number is known */
    double held;     /* the limit before the test */
    int pause_s;     /* the last one, while nothing passes; 0: none */
    enum pace_phase phase;
    int tests;       /* of this phase */
    unsigned credit; /* eighths of a refusal that are let pass */
    struct pace_patience patience;
    double tokens; /* requests that may begin now, as of filled_ms */
    int64_t filled_ms;
    struct pace_second { /* limits change at its end */
        int64_t from_ms;
        uint64_t from;                          /* number of its first request */
        unsigned sent, waited, passed, refused; /* of its own requests; waited for a token */
        unsigned passed_all;                    /* answers, whenever the requests began */
    } second;
    double passed_before; /* a second, in the one before */
};

/* As of now: what both need to know of the whole. */
struct pace_now {
    uint64_t next;         /* number of the next request */
    int64_t hold_until_ms; /* Retry-After; in the past: no hold */
    int64_t ms;
};

/* As at first, but for the share. */
void pace_a_second_restart(struct pace_a_second *r, struct pace_now now);

/* The bound that counts, found or configured; 0: none. */
double pace_a_second_bound(const struct pace_a_second *r);

/* When another may begin: now_ms, or later. */
int64_t pace_a_second_token_ms(const struct pace_a_second *r, int64_t now_ms);

void pace_a_second_sent(struct pace_a_second *r, int64_t now_ms);

/* The first refusal; those that follow, and good answers. */
void pace_a_second_find(struct pace_a_second *r, struct pace_now now);
void pace_a_second_refused(struct pace_a_second *r, const struct pace_answer *a);
void pace_a_second_passed(struct pace_a_second *r, const struct pace_answer *a);

/* After each answer. True when the second is over and had refusals that lower the limit. */
bool pace_a_second_end(struct pace_a_second *r, struct pace_now now);

#endif
