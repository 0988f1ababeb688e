#include "core/retry.h"

static int64_t jittered_delay(const struct retry_options *options, int attempts, uint32_t random)
{
    int64_t bound = options->base_ms;
    for (int i = 1; i < attempts && bound < options->cap_ms; i++)
        bound *= 2;
    if (bound > options->cap_ms)
        bound = options->cap_ms;
    return (int64_t)(((uint64_t)bound + 1) * random >> 32);
}

/* The first failure cannot count: nothing yet says that others fare better. */
static bool is_the_records_own(const struct retry_history *h, const struct retry_outcome *o)
{
    return h->attempts > 1 && o->others > h->others_before;
}

static enum retry_verdict judge_failure(const struct retry_options *options,
                                        struct retry_history *h, const struct retry_outcome *o)
{
    if (is_the_records_own(h, o)) {
        /* Answers that blame the endpoint open the breaker by themselves, so they are weighed even
         * while it is open: an order that alone is turned away would open it for ever. */
        if (o->class == OUTCOME_ENDPOINT)
            h->endpoint_faults++;
        else if (!o->breaker_open)
            h->counted++;
    }
    if (h->endpoint_faults >= options->endpoint_attempts)
        return RETRY_SINGULAR;
    if (h->counted >= options->attempts || o->now_ms - h->first_ms >= options->give_up_ms)
        return RETRY_EXHAUSTED;
    return RETRY_AGAIN;
}

void retry_pass_over(struct retry_history *history, uint64_t others)
{
    history->others_before = others;
}

enum retry_verdict retry_decide(const struct retry_options *options, struct retry_history *history,
                                const struct retry_outcome *outcome, int64_t *ret_delay_ms)
{
    if (outcome->class == OUTCOME_DELIVERED)
        return RETRY_DONE;
    if (outcome->class == OUTCOME_REFUSED && !outcome->breaker_open)
        return RETRY_REFUSED;
    enum retry_verdict verdict = judge_failure(options, history, outcome);
    history->others_before = outcome->others;
    *ret_delay_ms = jittered_delay(options, history->attempts, outcome->random);
    return verdict;
}
