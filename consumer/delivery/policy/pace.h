/* pace: the number of requests at a time, and a second, that the endpoint takes; pure.
 *
 *   at a time   pace_at_a_time: found by 503, time-outs and latency
 *   a second    pace_a_second: found by 429, and by 503 where one at a time is too much already
 *   not before  a time that the endpoint named itself (Retry-After, RFC 9110, section 10.2.3)
 *
 * A sign among many good answers may be chance: one in eight is let pass, and two of the first.
 * Nothing grows that is not used up: a quiet shop says nothing about the endpoint. The known
 * relatives are TCP's slow start and congestion avoidance (RFC 5681: additive increase,
 * multiplicative decrease); beyond these, a limit that was too much is remembered, because a
 * request too many costs a whole order's attempt here, not a packet. */
#ifndef DELIVERY_POLICY_PACE_H
#define DELIVERY_POLICY_PACE_H

#include "delivery/policy/pace_a_second.h"
#include "delivery/policy/pace_answer.h"
#include "delivery/policy/pace_at_a_time.h"

struct pace {
    struct pace_at_a_time at_a_time;
    struct pace_a_second a_second;
    uint64_t sent;         /* requests ever: numbers them from 0 on */
    uint64_t slowed;       /* times a limit was lowered */
    int64_t hold_until_ms; /* nothing is sent before; 0: no hold */
};

void pace_init(struct pace *p, int at_a_time_max, int64_t now_ms);

/* After an outage, or at another endpoint: as at first, but for the configured share. */
void pace_restart(struct pace *p, int64_t now_ms);

/* Requests a second that this member may send at most; 0: no bound. */
void pace_set_share(struct pace *p, double a_second);

/* The endpoint asks for a pause; an earlier end than one that was asked for already changes
 * nothing. pace_release: it is void. */
void pace_hold(struct pace *p, int64_t until_ms);
void pace_release(struct pace *p);
bool pace_is_held(const struct pace *p, int64_t now_ms);

/* True when another request may begin, in_flight being under way. */
bool pace_may_send(const struct pace *p, size_t in_flight, int64_t now_ms);

/* When pace_may_send may turn true by time alone (monotonic ms), during a hold at its end at the
 * earliest; -1: not by time. */
int64_t pace_wake_ms(const struct pace *p, size_t in_flight, int64_t now_ms);

/* A request begins; in_flight with it. */
struct pace_request pace_sent(struct pace *p, size_t in_flight, int64_t now_ms);

/* It ended. True when a limit was lowered for it. */
bool pace_learn(struct pace *p, const struct pace_answer *answer);

/* The bound on requests a second that counts, found or configured; 0: none. */
double pace_per_second(const struct pace *p);

#endif
