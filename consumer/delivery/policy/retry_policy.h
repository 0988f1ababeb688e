/* retry_policy: the decision on a delivery after one attempt; pure.
 *
 * A failure that could be the endpoint's counts against the record only if another order was
 * delivered since its previous attempt: an endpoint that is down must not cost a single order.
 *
 * An attempt that was sent and has no result may have been taken, and each further one may be, too.
 * Such attempts have a small limit of their own, and a slow backoff of its own after a time-out. */
#ifndef DELIVERY_POLICY_RETRY_POLICY_H
#define DELIVERY_POLICY_RETRY_POLICY_H

#include "http/response_class.h"

#include <stdbool.h>
#include <stdint.h>

struct retry_options {
    int64_t base_ms, cap_ms; /* of the delay */
    int attempts;            /* counted transient failures that park */
    int endpoint_attempts;   /* counted endpoint faults that park */
    int unknown_attempts;    /* counted attempts without a result that park */
    int64_t give_up_ms;      /* since the first attempt, whatever is counted; while the breaker is
                              * open, or deliveries are paused, this time stands still */
};

enum { RETRY_UNKNOWN_BASE_MS = 60 * 1000, RETRY_UNKNOWN_CAP_MS = 60 * 60 * 1000 };

/* A delivery's attempts so far: kept with it, changed by the functions here; the sender counts an
 * attempt when it begins. */
struct retry_history {
    int attempts;           /* made, the last one included */
    int counted;            /* transient failures that count against the record */
    int endpoint_faults;    /* answers that blame the endpoint while others were delivered */
    int unknown;            /* attempts without a result that count against the record */
    int timeouts;           /* attempts that timed out or were answered so that is_slow, counted
                             * or not: the slow backoff's step */
    uint64_t others_before; /* deliveries of other orders, as of the previous attempt's end */
    bool others_since;      /* there was one since then, in another process or at another member */
    int64_t first_ms;       /* monotonic time of the first attempt's start */
    int64_t first_still_ms; /* retry_outcome.still_ms at that time */
};

struct retry_outcome {
    enum response_class class;
    bool breaker_open; /* nothing is counted while the endpoint is known to be in trouble */
    uint64_t others;   /* deliveries of other orders so far */
    int64_t now_ms;
    uint32_t random;  /* uniform in [0, 2^32) */
    bool is_pace;     /* 429, or 503 with Retry-After: never counts against the record */
    bool is_unknown;  /* sent, and without a result */
    bool is_timeout;  /* of these: not answered in time */
    bool is_slow;     /* answered without a word on whether it was taken (http/answer) */
    int64_t still_ms; /* how long an open breaker or a pause has kept everything back, all in all */
};

enum retry_verdict {
    RETRY_DONE,      /* delivered */
    RETRY_AGAIN,     /* after *ret_delay_ms */
    RETRY_REFUSED,   /* park: the record's fault */
    RETRY_EXHAUSTED, /* park: it failed often while others were delivered, or for too long */
    RETRY_SINGULAR,  /* park: the endpoint turns away this record alone */
    RETRY_UNKNOWN    /* park: it may have been taken several times already */
};

/* The rest after so many attempts that may each have been taken: a minute, twice as long each time,
 * an hour at most. */
int64_t retry_slow_delay_ms(int timeouts);

/* An attempt ended without a verdict: the others' deliveries up to now (as retry_outcome.others) do
 * not count against the next one. */
void retry_pass_over(struct retry_history *history, uint64_t others);

/* The delay is full jitter: uniform in [0, min(cap, base * 2^(attempts-1))]; after a time-out, and
 * after an answer that is_slow, it is retry_slow_delay_ms. */
enum retry_verdict retry_decide(const struct retry_options *options, struct retry_history *history,
                                const struct retry_outcome *outcome, int64_t *ret_delay_ms);

#endif
