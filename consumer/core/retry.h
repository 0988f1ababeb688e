/* retry: what to do after one attempt; pure. */
#ifndef CORE_RETRY_H
#define CORE_RETRY_H

#include <stdint.h>

struct retry_options {
    int64_t base_ms, cap_ms;
};

/* One attempt's end: an HTTP status, or 0 when there was no answer. */
struct retry_outcome {
    int status;
};

enum retry_verdict {
    RETRY_DONE, /* delivered: a complete answer with a status of 200 to 299 */
    RETRY_AGAIN /* try again after *ret_delay_ms */
};

/* attempts: how many were made, this one included. random: uniform in [0, 2^32). The delay is full
 * jitter: uniform in [0, min(cap, base * 2^(attempts-1))]. */
enum retry_verdict retry_decide(const struct retry_options *options,
                                const struct retry_outcome *outcome, int attempts, uint32_t random,
                                int64_t *ret_delay_ms);

#endif
