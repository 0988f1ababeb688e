#include "delivery/policy/breaker.h"

const char *const breaker_state_names[] = {"closed", "open", "probing"};
const char *const breaker_cause_texts[] = {
    [BREAKER_NONE] = "",
    [BREAKER_ENDPOINT_FAULT] = "the endpoint answered that it cannot be used as it is",
    [BREAKER_IN_ROW] = "several failures in a row",
    [BREAKER_RATE] = "half of the recent attempts failed",
    [BREAKER_REFUSALS] = "the endpoint refuses most orders",
};

void breaker_init(struct breaker *b, int64_t now_ms)
{
    *b = (struct breaker){.since_ms = now_ms, .delivered_ms = INT64_MIN};
    for (int i = 0; i < BREAKER_SECONDS; i++)
        b->seconds[i].second = INT64_MIN;
}

bool breaker_is_open(const struct breaker *b)
{
    return b->state != BREAKER_CLOSED;
}

enum breaker_leave breaker_ask(const struct breaker *b, int64_t now_ms)
{
    if (b->state == BREAKER_PROBING)
        return BREAKER_WAIT;
    if (b->state == BREAKER_CLOSED)
        return BREAKER_SEND;
    return now_ms >= b->probe_at_ms ? BREAKER_PROBE : BREAKER_WAIT;
}

void breaker_probing(struct breaker *b)
{
    b->state = BREAKER_PROBING;
}

void breaker_probe_gone(struct breaker *b, int64_t next_ms)
{
    if (b->state != BREAKER_PROBING)
        return;
    b->state = BREAKER_OPEN;
    b->probe_at_ms = next_ms;
}

void breaker_rest(struct breaker *b, int64_t until_ms)
{
    if (b->state == BREAKER_OPEN && until_ms > b->probe_at_ms)
        b->probe_at_ms = until_ms;
}

int64_t breaker_open_ms(const struct breaker *b, int64_t now_ms)
{
    return b->was_open_ms + (breaker_is_open(b) ? now_ms - b->since_ms : 0);
}

void breaker_retarget(struct breaker *b, const struct breaker_options *options, int64_t now_ms)
{
    if (b->state == BREAKER_CLOSED)
        return;
    b->state = BREAKER_OPEN;
    b->probe_gap_ms = options->probe_first_ms;
    b->probe_at_ms = now_ms;
}

int64_t breaker_wake_ms(const struct breaker *b)
{
    return b->state == BREAKER_OPEN ? b->probe_at_ms : -1;
}

/* ---- the last minute ---- */

static void note(struct breaker *b, enum response_class class, bool counts_refusal, int64_t now_ms)
{
    int64_t second = now_ms / 1000;
    struct breaker_second *s = &b->seconds[second % BREAKER_SECONDS];
    if (s->second != second)
        *s = (struct breaker_second){.second = second};
    s->answers++;
    s->failures += class == RESPONSE_TRANSIENT || class == RESPONSE_ENDPOINT;
    s->refusals += class == RESPONSE_REFUSED && counts_refusal;
}

struct sums {
    uint64_t answers, failures, refusals;
};

static struct sums sum(const struct breaker *b, int window_s, int64_t now_ms)
{
    struct sums sums = {0};
    for (int i = 0; i < BREAKER_SECONDS; i++) {
        const struct breaker_second *s = &b->seconds[i];
        if (s->second <= now_ms / 1000 - window_s)
            continue;
        sums.answers += s->answers;
        sums.failures += s->failures;
        sums.refusals += s->refusals;
    }
    return sums;
}

static enum breaker_cause find_cause(const struct breaker *b, const struct breaker_options *options,
                                     enum response_class class, int64_t now_ms)
{
    if (class == RESPONSE_ENDPOINT)
        return BREAKER_ENDPOINT_FAULT;
    if (class == RESPONSE_TRANSIENT) {
        struct sums history = sum(b, options->failures_window_s, now_ms);
        if (b->in_row >= options->failures_in_row)
            return BREAKER_IN_ROW;
        if (history.answers >= (uint64_t)options->failures_min &&
            history.failures * 2 >= history.answers)
            return BREAKER_RATE;
    }
    if (class == RESPONSE_REFUSED) {
        struct sums history = sum(b, options->refusals_window_s, now_ms);
        if (history.refusals >= (uint64_t)options->refusals_min &&
            history.refusals * 2 >= history.answers)
            return BREAKER_REFUSALS;
    }
    return BREAKER_NONE;
}

/* ---- states ---- */

static bool open_for(struct breaker *b, const struct breaker_options *options,
                     enum breaker_cause cause, int64_t now_ms)
{
    if (cause == BREAKER_NONE)
        return false;
    b->state = BREAKER_OPEN;
    b->cause = cause;
    b->since_ms = now_ms;
    b->probe_gap_ms = options->probe_first_ms;
    b->probe_at_ms = now_ms + b->probe_gap_ms;
    return true;
}

/* Old failures must not open it again at once. */
static void close_again(struct breaker *b, int64_t now_ms)
{
    int64_t was_open_ms = breaker_open_ms(b, now_ms), delivered_ms = b->delivered_ms;
    breaker_init(b, now_ms);
    b->delivered_ms = delivered_ms;
    b->was_open_ms = was_open_ms;
}

/* A refusal shows that the endpoint works, unless refusals opened the breaker. */
static bool is_healthy(const struct breaker *b, enum response_class class)
{
    return class == RESPONSE_DELIVERED ||
           (class == RESPONSE_REFUSED && b->cause != BREAKER_REFUSALS);
}

static bool learn_from_probe(struct breaker *b, const struct breaker_options *options,
                             enum response_class class, int64_t now_ms)
{
    if (is_healthy(b, class)) {
        close_again(b, now_ms);
        return true;
    }
    b->state = BREAKER_OPEN;
    b->probe_gap_ms *= 2;
    if (b->probe_gap_ms > options->probe_cap_ms)
        b->probe_gap_ms = options->probe_cap_ms;
    b->probe_at_ms = now_ms + b->probe_gap_ms;
    return false;
}

static bool is_only_pace(const struct breaker *b, const struct breaker_answer *a)
{
    return a->is_pace && !a->was_probe && b->delivered_ms != INT64_MIN &&
           a->now_ms < b->delivered_ms + a->through_ms;
}

bool breaker_learn(struct breaker *b, const struct breaker_options *options,
                   const struct breaker_answer *a)
{
    if (is_only_pace(b, a))
        return false;
    if (a->class == RESPONSE_DELIVERED)
        b->delivered_ms = a->now_ms;
    b->in_row = a->class == RESPONSE_TRANSIENT || a->class == RESPONSE_ENDPOINT ? b->in_row + 1 : 0;
    note(b, a->class, a->counts_refusal, a->now_ms);
    if (a->was_probe && b->state == BREAKER_PROBING)
        return learn_from_probe(b, options, a->class, a->now_ms);
    if (b->state != BREAKER_CLOSED)
        return false; /* sent before it opened: nothing new */
    return open_for(b, options, find_cause(b, options, a->class, a->now_ms), a->now_ms);
}
