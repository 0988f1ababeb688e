/* retry: what to do with a delivery after one attempt; pure.
 *
 * A failure that could be the endpoint's counts against the record only if another order was
 * delivered since its previous attempt: an endpoint that is down must not cost a single order. */
#ifndef CORE_RETRY_H
#define CORE_RETRY_H

#include "core/outcome.h"

#include <stdbool.h>
#include <stdint.h>

struct retry_options {
    int64_t base_ms, cap_ms; /* of the delay */
    int attempts;            /* counted transient failures that park */
    int endpoint_attempts;   /* counted endpoint faults that park */
    int64_t give_up_ms;      /* since the first attempt, whatever is counted */
};

/* What is known of a delivery: kept with it, changed by the functions here; who begins an attempt
 * counts it. */
struct retry_history {
    int attempts;           /* made, the last one included */
    int counted;            /* transient failures that count against the record */
    int endpoint_faults;    /* answers that blame the endpoint while others were delivered */
    uint64_t others_before; /* deliveries of other orders, as of the previous attempt's end */
    int64_t first_ms;       /* monotonic time of the first attempt's start */
};

struct retry_outcome {
    enum outcome_class class;
    bool breaker_open; /* nothing is counted while the endpoint is known to be in trouble */
    uint64_t others;   /* deliveries of other orders so far */
    int64_t now_ms;
    uint32_t random; /* uniform in [0, 2^32) */
};

enum retry_verdict {
    RETRY_DONE,      /* delivered */
    RETRY_AGAIN,     /* after *ret_delay_ms */
    RETRY_REFUSED,   /* park: the record's fault */
    RETRY_EXHAUSTED, /* park: it failed often while others were delivered, or for too long */
    RETRY_SINGULAR   /* park: the endpoint turns away this record alone */
};

/* An attempt ended of which nothing is to be made: what others achieved up to now (as
 * retry_outcome.others) does not count against the next one. */
void retry_pass_over(struct retry_history *history, uint64_t others);

/* The delay is full jitter: uniform in [0, min(cap, base * 2^(attempts-1))]. */
enum retry_verdict retry_decide(const struct retry_options *options, struct retry_history *history,
                                const struct retry_outcome *outcome, int64_t *ret_delay_ms);

#endif
