#include "core/retry.h"

static int64_t upper_bound(const struct retry_options *options, int attempts)
{
    int64_t bound = options->base_ms;
    for (int i = 1; i < attempts && bound < options->cap_ms; i++)
        bound *= 2;
    return bound < options->cap_ms ? bound : options->cap_ms;
}

enum retry_verdict retry_decide(const struct retry_options *options,
                                const struct retry_outcome *outcome, int attempts, uint32_t random,
                                int64_t *ret_delay_ms)
{
    if (outcome->status >= 200 && outcome->status <= 299)
        return RETRY_DONE;
    uint64_t span = (uint64_t)upper_bound(options, attempts) + 1;
    *ret_delay_ms = (int64_t)(span * random >> 32);
    return RETRY_AGAIN;
}
