/* pace: how many requests at a time, and how many a second, the endpoint takes; pure.
 *
 *   at a time   2, twice as many each round trip until the first sign of too much (503, 504, a
 *               time-out, a 429, latency that does not hold); half of it then, once a round trip at
 *               most; from there one more each round trip, up to one below what was too much. That
 *               one is tried again after 8 clean round trips, and after a failed try twice as many.
 *   a second    unbounded until 429s (or other signs where one at a time is too much already).
 *               Then what passed in the last second, twice as much each second while nothing is
 *               refused. After refusals less by the part that was refused, then half the way back
 *               each second, up to 10 % below what was too fast. That is held for 8 clean seconds,
 *               then exceeded by 10, 20, 40 %; after a failed try it is held for twice as long.
 *   not before  a time that the endpoint named itself (Retry-After): a hold.
 *
 * A sign among many good answers may be chance: one in eight is let pass, and two of the first.
 * Nothing grows that is not used up: a quiet shop says nothing about the endpoint. The known
 * relatives are TCP's slow start and congestion avoidance (RFC 5681); new is that what was too much
 * is remembered, because a request too many costs a whole order's attempt here, not a packet. */
#ifndef DELIVERY_POLICY_PACE_H
#define DELIVERY_POLICY_PACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An answer's meaning for the pace. */
enum pace_sense {
    PACE_PASSED,    /* the endpoint dealt with the request */
    PACE_TOO_MUCH,  /* 503: more at a time than it takes */
    PACE_TOO_FAST,  /* 429: more a second than it takes */
    PACE_TIMED_OUT, /* the first of the two; but an order that hangs by itself must not hold up all
                     * others: two at a time remain */
    PACE_SILENT     /* nothing: another failure */
};

struct pace_answer {
    enum pace_sense sense;
    uint64_t number;  /* pace_sent's, of this request */
    size_t in_flight; /* requests under way, this one included */
    int64_t took_ms;
    int64_t now_ms;
};

/* How long a limit is held before more is tried, in round trips or seconds. */
struct pace_patience {
    int length, left;
};

struct pace_at_a_time {
    int limit, max;        /* requests under way */
    int too_much;          /* so many were; 0: no such number is known */
    bool testing;          /* in this round trip the limit is what was too much */
    bool reached;          /* in this round trip as many as the limit were under way */
    int credit;            /* eighths of a sign that is let pass */
    uint64_t round_from;   /* number of the first request of this round trip */
    uint64_t lowered_from; /* … since the limit was lowered: no earlier one is a sign */
    int64_t took_ms;       /* of its good answers, all in all */
    int answers;
    double usual_ms; /* latency, of the last dozen round trips; 0: not known */
    struct pace_patience patience;
};

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
        uint64_t from;                  /* number of its first request */
        unsigned sent, passed, refused; /* of its own requests */
        unsigned passed_all;            /* answers, whenever the requests began */
    } second;
    double passed_before; /* a second, in the one before */
};

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

/* A request begins; in_flight with it. Returns its number. */
uint64_t pace_sent(struct pace *p, size_t in_flight, int64_t now_ms);

/* It ended. True when a limit was lowered for it. */
bool pace_learn(struct pace *p, const struct pace_answer *answer);

/* The bound on requests a second that counts, found or configured; 0: none. */
double pace_per_second(const struct pace *p);

#endif
