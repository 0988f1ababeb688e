/* sender: deliveries on their way: when one may start, and what its end means. */
#include "pipeline/pipeline_internal.h"

#include "http/answer.h"

#include <stdio.h>
#include <string.h>

enum { TROUBLE_EVERY_MS = 60000 };

/* ---- the requests under way ---- */

static void join_under_way(struct pipeline *p, struct delivery *d)
{
    d->under_way_previous = NULL;
    d->under_way_next = p->under_way;
    if (p->under_way != NULL)
        p->under_way->under_way_previous = d;
    p->under_way = d;
    p->in_flight++;
    p->first_attempts += d->history.attempts == 1;
}

static void leave_under_way(struct pipeline *p, struct delivery *d)
{
    if (d->under_way_previous != NULL)
        d->under_way_previous->under_way_next = d->under_way_next;
    else
        p->under_way = d->under_way_next;
    if (d->under_way_next != NULL)
        d->under_way_next->under_way_previous = d->under_way_previous;
    p->in_flight--;
    p->first_attempts -= d->history.attempts == 1;
}

void drop_under_way(struct pipeline *p)
{
    for (struct delivery *d = p->under_way, *next; d != NULL; d = next) {
        next = d->under_way_next;
        free_delivery(p, d);
    }
    p->under_way = NULL;
}

/* ---- what came back ---- */

static struct answer_verdict judge(const struct pipeline *p, const struct http_result *result)
{
    return answer_judge(&p->response_rules, (enum answer_rule)p->config->outcome_success, result);
}

static bool is_timeout(const struct http_result *result)
{
    return result->maybe_taken && result->kind == FAILURE_TIMEOUT;
}

/* "timeout" is said only of what was sent; else there was no connection in time. A 2xx that is no
 * delivery has a word of its own. */
static void note_reason(struct delivery *d, const struct answer_verdict *verdict,
                        const struct http_result *result)
{
    bool unsent = result->kind == FAILURE_TIMEOUT && !result->maybe_taken;
    enum response_failure kind = unsent ? FAILURE_NETWORK : result->kind;
    d->status = verdict->status;
    if (verdict->sense != ANSWER_UNDERSTOOD)
        snprintf(d->reason, sizeof d->reason, "%s", answer_reasons[verdict->sense]);
    else
        response_reason(d->status, d->status != 0 ? FAILURE_NONE : kind, d->reason,
                        sizeof d->reason);
}

/* The order is not sent again for it, but a receiver that answers so is worth a look. */
static void note_incomplete(struct pipeline *p, const struct http_result *result)
{
    if (result->begun_status == 0)
        return;
    p->totals.answers_incomplete++;
    const struct log_field fields[] = {LOG_S("endpoint", webhook_name(p->webhook)),
                                       LOG_I("status", result->begun_status),
                                       LOG_S("error", result->failure),
                                       LOG_S("hint", "the status counts; the body is not needed"),
                                       {0}};
    log_limited(&p->incomplete_trouble, p->now_ms, TROUBLE_EVERY_MS, "answer incomplete", fields);
}

/* ---- an attempt's end ---- */

static uint32_t random_next(struct pipeline *p)
{
    p->random = p->random * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(p->random >> 32);
}

static void say_failure(struct pipeline *p, const struct delivery *d,
                        const struct http_result *result)
{
    const struct log_field fields[] = {LOG_S("endpoint", webhook_name(p->webhook)),
                                       LOG_S("reason", d->reason),
                                       LOG_S("detail", result->failure),
                                       LOG_I("attempt", d->history.attempts),
                                       LOG_I("partition", d->partition),
                                       LOG_I("offset", d->offset),
                                       {0}};
    log_limited(&p->webhook_trouble, p->now_ms, TROUBLE_EVERY_MS,
                "delivery failed; it will be tried again", fields);
}

static void say_unknown(struct pipeline *p, const struct delivery *d,
                        const struct http_result *result, int64_t delay_ms)
{
    const struct log_field fields[] = {
        LOG_S("endpoint", webhook_name(p->webhook)),
        LOG_S("reason", d->reason),
        LOG_S("error", result->failure),
        LOG_I("attempt", d->history.attempts),
        LOG_S("webhook_id", d->id),
        LOG_I("partition", d->partition),
        LOG_I("offset", d->offset),
        LOG_I("next_attempt_s", delay_ms / 1000),
        LOG_S("hint", is_timeout(result)
                          ? "the endpoint may have taken it, and each further try as well: a "
                            "receiver that keeps webhook-ids takes it once; webhook.timeout may be "
                            "too short"
                          : "the endpoint may have taken it, and each further try as well: a "
                            "receiver that keeps webhook-ids takes it once"),
        {0}};
    log_limited(&p->unknown_trouble, p->now_ms, TROUBLE_EVERY_MS, "delivery result unknown",
                fields);
}

static void say_breaker(const struct pipeline *p, const char *reason)
{
    const struct breaker *b = &p->breaker;
    if (breaker_is_open(b))
        log_error("breaker open: deliveries wait, one probe at a time",
                  LOG_S("endpoint", webhook_name(p->webhook)),
                  LOG_S("why", breaker_cause_texts[b->cause]), LOG_S("last", reason),
                  LOG_I("next_probe_s", (b->probe_at_ms - p->now_ms) / 1000));
    else
        log_info("breaker closed: deliveries go on", LOG_S("endpoint", webhook_name(p->webhook)));
}

static bool is_being_given_back(const struct delivery *d)
{
    const struct partition *partition = partition_of(d);
    return partition == NULL || partition->state == PARTITION_REVOKING;
}

static void try_again(struct pipeline *p, struct delivery *d, int64_t delay_ms)
{
    if (is_being_given_back(d)) {
        give_up_delivery(p, d);
        return;
    }
    partition_of(d)->busy--;
    /* An open breaker has its own pace: whatever waits is ready to be its probe. */
    bool may_probe = breaker_is_open(&p->breaker) && !d->rests_whole;
    int64_t due_ms = p->now_ms + (may_probe ? 0 : delay_ms);
    int64_t endpoint_ms = breaker_wake_ms(&p->breaker, p->now_ms);
    say_retrying(p, d, p->wall_ms + (endpoint_ms > due_ms ? endpoint_ms : due_ms) - p->now_ms);
    order_queue_back_off(p->order_queues, d, due_ms);
}

static void park_after(struct pipeline *p, struct delivery *d, const char *class,
                       const struct http_result *result)
{
    d->class = class;
    d->detail = result->failure;
    conclude_parked(p, d, (struct slice){result->body, result->body_len}, result->body_cut);
    d->detail = "";
}

const int64_t duration_bounds_ms[DURATION_BUCKETS] = {5,   10,   25,   50,   100,  250,
                                                      500, 1000, 2500, 5000, 10000};

static void note_duration(struct pipeline *p, int64_t took_ms)
{
    int bucket = 0;
    while (bucket < DURATION_BUCKETS && took_ms > duration_bounds_ms[bucket])
        bucket++;
    p->durations.count[bucket]++;
    p->durations.sum_ms += took_ms;
}

/* An endpoint that may take what it does not acknowledge is probed with one order, at the pace of
 * unknown results: more would reach it again and again, or for the first time, for nothing. */
static void probe_slowly(struct pipeline *p, struct delivery *d)
{
    p->sole_probe = d;
    breaker_rest(&p->breaker, p->now_ms + retry_slow_delay_ms(d->history.timeouts + 1));
}

static void hold_as_asked(struct pipeline *p, const struct http_result *result)
{
    int64_t hold_ms = result->retry_after_ms < p->config->retry_after_cap
                          ? result->retry_after_ms
                          : p->config->retry_after_cap;
    if (result->retry_after_ms > 0)
        breaker_hold(&p->breaker, p->now_ms + hold_ms);
}

/* Tells the breaker. */
static void learn(struct pipeline *p, struct delivery *d, const struct answer_verdict *verdict,
                  const struct http_result *result)
{
    bool is_probe = d->probe, counts = strcmp(d->source, "redrive") != 0;
    d->probe = false;
    if (is_probe)
        p->probe = p->sole_probe = NULL;
    if (verdict->class == RESPONSE_TRANSIENT)
        hold_as_asked(p, result);
    note_reason(d, verdict, result);
    if (verdict->class != RESPONSE_DELIVERED)
        memcpy(p->last_failure, d->reason, sizeof p->last_failure);
    bool turned = breaker_learn(&p->breaker, &p->breaker_options, verdict->class, is_probe, counts,
                                p->now_ms);
    if ((turned || is_probe) && answer_may_be_taken(verdict->sense))
        probe_slowly(p, d);
    if (!turned)
        return;
    say_breaker(p, d->reason);
    p->totals.breaker_opened += breaker_is_open(&p->breaker);
    p->state_changed = true;
}

static void succeeded(struct pipeline *p, struct delivery *d)
{
    const struct log_field over[] = {LOG_S("endpoint", webhook_name(p->webhook)), {0}};
    log_recovered(&p->webhook_trouble, "deliveries succeed again", over);
    p->deliveries++;
    conclude_delivered(p, d);
}

/* Nothing more can be found out here: the receiver knows, or its operator. */
static void park_unknown(struct pipeline *p, struct delivery *d, struct http_result *result)
{
    snprintf(d->reason, sizeof d->reason, "unknown_result");
    result->failure = "each try may have been taken: look for this webhook-id or order at the "
                      "receiver before it is sent again";
    park_after(p, d, "unknown_result", result);
}

static void exhausted(struct pipeline *p, struct delivery *d, const char *class,
                      const struct http_result *result)
{
    char last[sizeof d->reason];
    memcpy(last, d->reason, sizeof last);
    snprintf(d->reason, sizeof d->reason, "%s:%.32s", class, last);
    park_after(p, d, class, result);
}

/* An attempt of which nothing is to be learned. While it was under way, another probe may have
 * begun: at another address. */
static void pass_over(struct pipeline *p, struct delivery *d, int64_t next_probe_ms)
{
    if (p->probe == d) {
        breaker_probe_gone(&p->breaker, next_probe_ms);
        p->probe = NULL;
    }
    d->probe = false;
    retry_pass_over(&d->history, p->deliveries);
}

/* It ended at an address that is no longer the endpoint's, so it says nothing about this one:
 * delivered is delivered, anything else is sent to the new one, which may be the same receiver. */
static void end_outdated(struct pipeline *p, struct delivery *d, const struct http_result *result)
{
    const struct answer_verdict verdict = judge(p, result);
    pass_over(p, d, p->now_ms);
    note_reason(d, &verdict, result);
    if (verdict.class == RESPONSE_DELIVERED) {
        conclude_delivered(p, d);
        return;
    }
    p->totals.failures++;
    d->rests_whole = is_timeout(result) || answer_may_be_taken(verdict.sense);
    try_again(p, d, d->rests_whole ? RETRY_UNKNOWN_BASE_MS : 0);
}

static struct retry_outcome outcome_of(struct pipeline *p, const struct answer_verdict *verdict,
                                       const struct http_result *result)
{
    return (struct retry_outcome){.class = verdict->class,
                                  .breaker_open = breaker_is_open(&p->breaker),
                                  .others = p->deliveries,
                                  .now_ms = p->now_ms,
                                  .random = random_next(p),
                                  .is_pace =
                                      outcome_is_pace(verdict->status, result->has_retry_after),
                                  .is_unknown = result->maybe_taken,
                                  .is_timeout = is_timeout(result),
                                  .is_slow = answer_may_be_taken(verdict->sense),
                                  .open_ms = breaker_open_ms(&p->breaker, p->now_ms)};
}

static void end_failed(struct pipeline *p, struct delivery *d, enum retry_verdict verdict,
                       int64_t delay_ms, struct http_result *result)
{
    p->totals.failures++;
    switch (verdict) {
    case RETRY_REFUSED: park_after(p, d, "refused", result); return;
    case RETRY_EXHAUSTED: exhausted(p, d, "exhausted", result); return;
    case RETRY_SINGULAR: exhausted(p, d, "endpoint", result); return;
    case RETRY_UNKNOWN: park_unknown(p, d, result); return;
    default: break;
    }
    if (result->maybe_taken)
        say_unknown(p, d, result, delay_ms);
    else
        say_failure(p, d, result);
    try_again(p, d, delay_ms);
}

static void attempt_done(void *context, const struct http_result *from)
{
    struct delivery *d = context;
    struct pipeline *p = ((struct partition *)d->owner)->p;
    struct http_result result = *from;
    leave_under_way(p, d);
    note_duration(p, p->now_ms - d->sent_ms);
    note_incomplete(p, &result);
    note_answer(p, d, &result);
    p->totals.unknown_results += result.maybe_taken;
    if (d->endpoint_generation != webhook_endpoint_generation(p->webhook)) {
        end_outdated(p, d, &result);
        return;
    }
    const struct answer_verdict answer = judge(p, &result);
    if (answer.sense != ANSWER_UNDERSTOOD)
        result.failure = answer_hints[answer.sense];
    learn(p, d, &answer, &result);
    const struct retry_outcome outcome = outcome_of(p, &answer, &result);
    int64_t delay_ms = 0;
    enum retry_verdict verdict = retry_decide(&p->retry_options, &d->history, &outcome, &delay_ms);
    d->rests_whole = outcome.is_timeout || outcome.is_slow;
    if (verdict != RETRY_AGAIN && p->sole_probe == d)
        p->sole_probe = NULL;
    if (verdict == RETRY_DONE)
        succeeded(p, d);
    else
        end_failed(p, d, verdict, delay_ms, &result);
}

/* ---- an attempt's start ---- */

/* An attempt that could not even be started: no memory. It is tried again like any other. */
static void attempt_failed(struct pipeline *p, struct delivery *d)
{
    leave_under_way(p, d);
    pass_over(p, d, p->now_ms + p->config->retry_base);
    d->rests_whole = false;
    log_limited(&p->memory_trouble, p->now_ms, TROUBLE_EVERY_MS,
                "a request could not be started: no memory", (const struct log_field[]){{0}});
    partition_of(d)->busy--;
    order_queue_back_off(p->order_queues, d, p->now_ms + p->config->retry_base);
}

static void note_attempt(struct pipeline *p, struct delivery *d)
{
    struct partition *partition = partition_of(d);
    partition->busy++;
    p->totals.attempts++;
    d->last_attempt_ms = p->wall_ms;
    d->sent_ms = p->now_ms;
    d->endpoint_generation = webhook_endpoint_generation(p->webhook);
    if (d->history.attempts++ == 0) {
        d->history.first_ms = p->now_ms;
        d->history.first_open_ms = breaker_open_ms(&p->breaker, p->now_ms);
        d->first_attempt_ms = p->wall_ms;
    }
    if (!d->dispatched) {
        d->dispatched = true;
        partition->dispatched++;
        p->uncovered++;
    }
}

static void send_one(struct pipeline *p, struct delivery *d, bool is_probe)
{
    struct error err = {0};
    if (pass_answered(p, d))
        return;
    note_attempt(p, d);
    d->probe = is_probe;
    if (is_probe) {
        p->probe = d;
        breaker_probing(&p->breaker);
    }
    join_under_way(p, d);
    const struct webhook_message message = {.id = d->id,
                                            .attempt = d->history.attempts,
                                            .timestamp_s = p->wall_ms / 1000,
                                            .source =
                                                strcmp(d->source, "cdc") == 0 ? NULL : d->source,
                                            .body = d->text[TEXT_BODY].data,
                                            .body_len = d->text[TEXT_BODY].len};
    if (webhook_post(p->webhook, &message, attempt_done, d, &err) == NULL)
        attempt_failed(p, d);
}

/* What is rejected needs no endpoint, only its turn. */
static void park_ready(struct pipeline *p)
{
    for (struct delivery *d; (d = order_queue_take_rejected(p->order_queues)) != NULL;) {
        partition_of(d)->busy++;
        if (d->skip != SKIP_NONE)
            conclude_skipped(p, d);
        else
            conclude_parked(p, d, (struct slice){0}, false);
    }
}

/* Whether the order has no use for this retry any more: a later transition of it was delivered
 * meanwhile, or this one, without a request to repeat it; *ret_why then has the cause. */
static bool retry_is_superseded(const struct pipeline *p, const struct delivery *d,
                                const char **ret_why)
{
    if (!d->manual || d->dispatched || !d->has_order_id)
        return false;
    const struct transition this = {.partition = d->partition, .offset = d->offset, .lsn = d->lsn};
    switch (history_standing(p->history, d->text[TEXT_ORDER_ID], &this)) {
    case HISTORY_OVERTAKEN: *ret_why = "superseded"; return true;
    case HISTORY_DELIVERED: *ret_why = "already_delivered"; return !d->forced;
    default: return false;
    }
}

/* The next that may be sent. A manual retry that was overtaken since it was asked for ends here,
 * in its order's turn. */
static struct delivery *take(struct pipeline *p, struct delivery *(*from)(struct pipeline *p))
{
    struct delivery *d;
    const char *why;
    while ((d = from(p)) != NULL && retry_is_superseded(p, d, &why)) {
        d->skip = SKIP_SUPERSEDED;
        snprintf(d->reason, sizeof d->reason, "%s", why);
        partition_of(d)->busy++;
        conclude_skipped(p, d);
    }
    return d;
}

static struct delivery *from_fresh(struct pipeline *p)
{
    return order_queue_take_first_attempt(p->order_queues);
}

static struct delivery *from_again(struct pipeline *p)
{
    return order_queue_take(p->order_queues, false);
}

static struct delivery *from_any(struct pipeline *p)
{
    return order_queue_take(p->order_queues, true);
}

static bool has_slot(const struct pipeline *p)
{
    return p->in_flight < (size_t)p->config->webhook_concurrency;
}

/* Only what was never sent adds to what a crash would send again. */
static bool may_begin(const struct pipeline *p)
{
    return p->uncovered < (size_t)p->config->webhook_uncommitted_max;
}

static struct delivery *from_sole(struct pipeline *p)
{
    struct delivery *d = p->sole_probe;
    return d != NULL && order_queue_take_this(p->order_queues, d) ? d : NULL;
}

/* One at a time, and one that was never sent before those that were: if these fail by themselves,
 * only another order can tell that the endpoint works. So may_begin is not asked, or such orders
 * could use up the bound and shut all others out; what a probe adds to it is one order. Whatever is
 * due first when nothing is due. */
static void send_probe(struct pipeline *p)
{
    bool only_one = p->sole_probe != NULL;
    struct delivery *d = take(p, only_one ? from_sole : from_fresh);
    if (d == NULL && !only_one)
        d = take(p, from_again);
    if (d == NULL && !only_one && order_queue_wake_first(p->order_queues))
        d = take(p, from_again);
    if (d != NULL)
        send_one(p, d, true);
}

void send_ready(struct pipeline *p)
{
    order_queue_wake(p->order_queues, p->now_ms);
    park_ready(p);
    enum breaker_leave leave = breaker_ask(&p->breaker, p->now_ms);
    if (leave == BREAKER_PROBE && has_slot(p))
        send_probe(p);
    while (leave == BREAKER_SEND && has_slot(p)) {
        struct delivery *d = take(p, may_begin(p) ? from_any : from_again);
        if (d == NULL)
            return;
        send_one(p, d, false);
    }
}

/* Only if time alone lets something go: else a full house would spin. */
int64_t send_wait_until(const struct pipeline *p)
{
    return has_slot(p) && order_queue_has_any(p->order_queues,
                                              may_begin(p) || breaker_is_open(&p->breaker))
               ? breaker_wake_ms(&p->breaker, p->now_ms)
               : -1;
}

/* ---- giving up what was not sent ---- */

static void dropped(void *context, struct delivery *d)
{
    struct pipeline *p = context;
    p->totals.abandoned++;
    free_delivery(p, d);
}

void drop_deliveries(struct pipeline *p, struct partition *partition)
{
    order_queue_drop(p->order_queues, partition, dropped, p);
}
