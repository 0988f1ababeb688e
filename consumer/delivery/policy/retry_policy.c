#include "delivery/policy/retry_policy.h"

static int64_t jittered_delay(const struct retry_options *options, int attempts, uint32_t random)
{
    int64_t bound = options->base_ms;
    for (int i = 1; i < attempts && bound < options->cap_ms; i++)
        bound *= 2;
    if (bound > options->cap_ms)
        bound = options->cap_ms;
    return (int64_t)(((uint64_t)bound + 1) * random >> 32);
}

/* Without jitter: it is long, and the number of requests under way bounds the burst. */
int64_t retry_slow_delay_ms(int timeouts)
{
    int64_t delay_ms = RETRY_UNKNOWN_BASE_MS;
    for (int i = 1; i < timeouts && delay_ms < RETRY_UNKNOWN_CAP_MS; i++)
        delay_ms *= 2;
    return delay_ms < RETRY_UNKNOWN_CAP_MS ? delay_ms : RETRY_UNKNOWN_CAP_MS;
}

/* The first failure cannot count: whether others succeed meanwhile is not known yet. */
static bool is_the_records_own(const struct retry_history *h, const struct retry_outcome *o)
{
    return h->attempts > 1 && (h->others_since || o->others > h->others_before);
}

static void count(struct retry_history *h, const struct retry_outcome *o)
{
    h->timeouts += o->is_timeout || o->is_slow;
    if (!is_the_records_own(h, o))
        return;
    /* Answers that blame the endpoint open the breaker by themselves, so they are weighed even
     * while it is open: a single order that is always refused would keep it open for ever. */
    if (o->class == RESPONSE_ENDPOINT)
        h->endpoint_faults++;
    else if (!o->breaker_open && o->is_unknown)
        h->unknown++;
    else if (!o->breaker_open && !o->is_pace)
        h->counted++;
}

/* The clock of retry.give_up stands still while the breaker is open or an operator has paused
 * deliveries: both cost only time. So does a receiver that is slow on purpose: its backlog may take
 * longer than that. */
static bool is_time_over(const struct retry_options *options, const struct retry_history *h,
                         const struct retry_outcome *o)
{
    if (o->is_pace)
        return false;
    int64_t stood_still_ms = o->still_ms - h->first_still_ms;
    return o->now_ms - h->first_ms - stood_still_ms >= options->give_up_ms;
}

static enum retry_verdict judge_failure(const struct retry_options *options,
                                        struct retry_history *h, const struct retry_outcome *o)
{
    count(h, o);
    if (h->endpoint_faults >= options->endpoint_attempts)
        return RETRY_SINGULAR;
    if (h->unknown >= options->unknown_attempts)
        return RETRY_UNKNOWN;
    if (h->counted >= options->attempts || is_time_over(options, h, o))
        return RETRY_EXHAUSTED;
    return RETRY_AGAIN;
}

void retry_pass_over(struct retry_history *history, uint64_t others)
{
    history->others_before = others;
    history->others_since = false;
}

enum retry_verdict retry_decide(const struct retry_options *options, struct retry_history *history,
                                const struct retry_outcome *outcome, int64_t *ret_delay_ms)
{
    if (outcome->class == RESPONSE_DELIVERED)
        return RETRY_DONE;
    if (outcome->class == RESPONSE_REFUSED && !outcome->breaker_open)
        return RETRY_REFUSED;
    enum retry_verdict verdict = judge_failure(options, history, outcome);
    retry_pass_over(history, outcome->others);
    *ret_delay_ms = outcome->is_timeout || outcome->is_slow
                        ? retry_slow_delay_ms(history->timeouts)
                        : jittered_delay(options, history->attempts, outcome->random);
    return verdict;
}
