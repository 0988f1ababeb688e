/* breaker: separates the endpoint's trouble from a record's, and sends one probe at a time until it
 * is over; pure.
 *
 *            endpoint fault · 5 failures in a row · half of ≥ 20 in 30 s · refusals everywhere
 *   CLOSED ────────────────────────────────────────────────────────────────────────▶ OPEN
 *     ▲                                                          probe failed:     │   ▲
 *     │                                                          wait twice as long│   │
 *     └──────────────── probe answered well ───────────── PROBING ◀── wait is over ┘───┘
 *
 * While OPEN nothing is sent but the probe. An endpoint that takes some and refuses the rest for
 * want of room is no trouble: delivery/policy/pace is for that. Refusals (4xx that blame the
 * record) open it as well when they are most of a minute's answers: a receiver that refuses
 * everything must not drain the topic into the parked topic. Only a 2xx closes a breaker that
 * refusals opened. */
#ifndef DELIVERY_POLICY_BREAKER_H
#define DELIVERY_POLICY_BREAKER_H

#include "http/response_class.h"

#include <stdbool.h>
#include <stdint.h>

enum { BREAKER_SECONDS = 64 }; /* of history kept, one slot a second */

struct breaker_options {
    int failures_in_row;                  /* 5 */
    int failures_min, failures_window_s;  /* 20 within 30 s, and at least half of the answers */
    int refusals_min, refusals_window_s;  /* 20 within 60 s, and at least half */
    int64_t probe_first_ms, probe_cap_ms; /* 5 s, doubling to 60 s */
};

enum breaker_state { BREAKER_CLOSED, BREAKER_OPEN, BREAKER_PROBING };
enum breaker_cause {
    BREAKER_NONE,
    BREAKER_ENDPOINT_FAULT,
    BREAKER_IN_ROW,
    BREAKER_RATE,
    BREAKER_REFUSALS
};

struct breaker {
    enum breaker_state state;
    enum breaker_cause cause;
    int64_t since_ms;     /* when the state left CLOSED, or came back to it */
    int64_t probe_at_ms;  /* OPEN: when the next probe may go */
    int64_t probe_gap_ms; /* the wait before it */
    int64_t was_open_ms;  /* in all the times before the one that since_ms began */
    int64_t delivered_ms; /* the last time that a request got through; INT64_MIN: never */
    int in_row;
    struct breaker_second {
        int64_t second;
        uint32_t answers, failures, refusals;
    } seconds[BREAKER_SECONDS];
};

void breaker_init(struct breaker *b, int64_t now_ms);

enum breaker_leave { BREAKER_SEND, BREAKER_PROBE, BREAKER_WAIT };

/* True when an attempt may start now. BREAKER_PROBE: one, reported by breaker_probing. */
enum breaker_leave breaker_ask(const struct breaker *b, int64_t now_ms);
void breaker_probing(struct breaker *b);

/* The probe ended without a usable answer (given back, no memory); the next one may go at
 * next_ms. */
void breaker_probe_gone(struct breaker *b, int64_t next_ms);

struct breaker_answer {
    enum response_class class;
    bool was_probe;
    bool counts_refusal; /* false for redrives, which the guard does not count */
    bool is_pace;        /* 429, 503: no trouble of the endpoint while others get through */
    int64_t through_ms;  /* … which is so for as long after a delivery */
    int64_t now_ms;
};

/* An attempt ended. Returns true when the state changed between CLOSED and not CLOSED: worth a log
 * line. */
bool breaker_learn(struct breaker *b, const struct breaker_options *options,
                   const struct breaker_answer *answer);

/* No probe before then: each may be taken by a receiver that does not say so. */
void breaker_rest(struct breaker *b, int64_t until_ms);

/* The endpoint was replaced: an open breaker probes the new one at once. */
void breaker_retarget(struct breaker *b, const struct breaker_options *options, int64_t now_ms);

/* True when failures are the endpoint's for now, so that none counts against a record. */
bool breaker_is_open(const struct breaker *b);

/* The sum of the times it was open since breaker_init. */
int64_t breaker_open_ms(const struct breaker *b, int64_t now_ms);

/* When breaker_ask may answer differently by time alone (monotonic ms); -1: not by time. */
int64_t breaker_wake_ms(const struct breaker *b);

extern const char *const breaker_state_names[], *const breaker_cause_texts[];

#endif
