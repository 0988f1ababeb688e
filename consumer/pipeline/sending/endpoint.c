#include "pipeline/sending/endpoint.h"

#include "base/time_text.h"
#include "sys/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LOG_EVERY_MS = 60000 };
enum { LONG_HOLD_MS = 5000 /* worth a status record of its own */ };
enum { THROUGH_MS = 10000 /* after a delivery, others may still get through */ };

struct endpoint {
    const struct config *config;
    const struct now *now;
    const struct webhook *webhook;
    struct backlog *backlog; /* has the sole probe */
    struct response_rules rules;
    struct breaker_options breaker_options;
    struct endpoint_state state;
    struct log_limited failing, unknown, incomplete, held, slowed;
};

static bool set_rules(struct response_rules *rules, const struct config *c, struct error *err)
{
    const struct {
        const char *list;
        enum response_class class;
    } changes[] = {{c->outcome_delivered, RESPONSE_DELIVERED},
                   {c->outcome_transient, RESPONSE_TRANSIENT},
                   {c->outcome_refused, RESPONSE_REFUSED},
                   {c->outcome_endpoint, RESPONSE_ENDPOINT}};
    response_rules_default(rules);
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++)
        if (changes[i].list != NULL &&
            !response_rules_change(rules, changes[i].list, changes[i].class, err))
            return false;
    return true;
}

struct endpoint *endpoint_new(const struct config *config, const struct now *now,
                              const struct webhook *webhook, struct backlog *backlog,
                              struct error *err)
{
    struct endpoint *e = calloc(1, sizeof *e);
    if (e == NULL) {
        error_no_memory(err);
        return NULL;
    }
    e->config = config;
    e->now = now;
    e->webhook = webhook;
    e->backlog = backlog;
    e->breaker_options =
        (struct breaker_options){.failures_in_row = (int)config->breaker_failures_in_row,
                                 .failures_min = (int)config->breaker_failures_min,
                                 .failures_window_s = (int)(config->breaker_failures_window / 1000),
                                 .refusals_min = (int)config->breaker_refusals_min,
                                 .refusals_window_s = (int)(config->breaker_refusals_window / 1000),
                                 .probe_first_ms = config->breaker_probe_first,
                                 .probe_cap_ms = config->breaker_probe_cap};
    breaker_init(&e->state.breaker, now->mono_ms);
    pace_init(&e->state.pace, (int)config->webhook_concurrency, now->mono_ms);
    if (!set_rules(&e->rules, config, err)) {
        endpoint_free(e);
        return NULL;
    }
    return e;
}

void endpoint_free(struct endpoint *e)
{
    free(e);
}

const struct endpoint_state *endpoint_state(const struct endpoint *e)
{
    return &e->state;
}

/* ---- an answer ---- */

bool endpoint_timed_out(const struct http_result *result)
{
    return result->maybe_taken && result->kind == FAILURE_TIMEOUT;
}

struct answer_verdict endpoint_judge(const struct endpoint *e, const struct http_result *result)
{
    return answer_judge(&e->rules, (enum answer_rule)e->config->outcome_success, result);
}

/* The reason is "timeout" only after the request was sent; before, the connection failed. A 2xx
 * that is not a delivery has a word of its own. */
void endpoint_note_reason(struct delivery *d, const struct answer_verdict *verdict,
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

/* ---- the breaker ---- */

static void log_breaker(const struct endpoint *e, const char *last)
{
    const struct breaker *b = &e->state.breaker;
    if (breaker_is_open(b))
        log_error("breaker open", LOG_S("endpoint", webhook_name(e->webhook)),
                  LOG_S("reason", breaker_cause_texts[b->cause]), LOG_S("last", last),
                  LOG_I("next_probe_s", (b->probe_at_ms - e->now->mono_ms) / 1000));
    else
        log_info("breaker closed", LOG_S("endpoint", webhook_name(e->webhook)));
}

/* An endpoint that may take what it does not acknowledge is probed with one order, at the pace of
 * unknown results: more would reach it again and again, or for the first time, for nothing. */
static void probe_slowly(struct endpoint *e, struct delivery *d)
{
    e->backlog->sole_probe = d;
    breaker_rest(&e->state.breaker, e->now->mono_ms + retry_slow_delay_ms(d->history.timeouts + 1));
}

/* ---- the pace ---- */

enum breaker_leave endpoint_ask(const struct endpoint *e, size_t in_flight)
{
    int64_t now_ms = e->now->mono_ms;
    enum breaker_leave leave = breaker_ask(&e->state.breaker, now_ms);
    if (pace_is_held(&e->state.pace, now_ms) ||
        (leave == BREAKER_SEND && !pace_may_send(&e->state.pace, in_flight, now_ms)))
        return BREAKER_WAIT;
    return leave;
}

int64_t endpoint_wake_ms(const struct endpoint *e, size_t in_flight)
{
    const struct breaker *b = &e->state.breaker;
    const struct pace *p = &e->state.pace;
    if (!breaker_is_open(b))
        return pace_wake_ms(p, in_flight, e->now->mono_ms);
    int64_t at = breaker_wake_ms(b);
    return at >= 0 && pace_is_held(p, e->now->mono_ms) && p->hold_until_ms > at ? p->hold_until_ms
                                                                                : at;
}

void endpoint_begin(struct endpoint *e, struct delivery *d, size_t in_flight)
{
    d->pace = pace_sent(&e->state.pace, in_flight, e->now->mono_ms);
}

void endpoint_share_rate(struct endpoint *e, int32_t partitions, int32_t all)
{
    double rate = (double)e->config->webhook_rate;
    if (partitions < 1)
        partitions = 1; /* of the retry topic alone */
    pace_set_share(&e->state.pace, partitions < all ? rate * partitions / all : rate);
}

static void log_hold(struct endpoint *e, const struct delivery *d, int64_t wait_ms)
{
    char until[TIMESTAMP_TEXT];
    timestamp_text((e->now->wall_ms + wait_ms + 999) / 1000 * 1000, until);
    const struct log_field fields[] = {
        LOG_S("endpoint", webhook_name(e->webhook)),
        LOG_S("reason", d->reason),
        LOG_S("until", until),
        LOG_S("hint", "nothing is sent before; retry.after_cap bounds the wait"),
        {0}};
    log_limited(&e->held, e->now->mono_ms, LOG_EVERY_MS, "endpoint asks to wait", fields);
}

static void hold_as_asked(struct endpoint *e, const struct delivery *d,
                          const struct http_result *result)
{
    int64_t cap_ms = e->config->retry_after_cap;
    int64_t wait_ms = result->retry_after_ms < cap_ms ? result->retry_after_ms : cap_ms;
    if (wait_ms <= 0)
        return;
    if (!pace_is_held(&e->state.pace, e->now->mono_ms)) {
        log_hold(e, d, wait_ms);
        e->state.changes += wait_ms >= LONG_HOLD_MS;
    }
    pace_hold(&e->state.pace, e->now->mono_ms + wait_ms);
}

static enum pace_sense sense_of(const struct answer_verdict *verdict,
                                const struct http_result *result)
{
    if (verdict->class == RESPONSE_DELIVERED || verdict->class == RESPONSE_REFUSED)
        return PACE_PASSED;
    if (verdict->status == 429)
        return PACE_TOO_FAST;
    if (verdict->status == 504 || result->kind == FAILURE_TIMEOUT)
        return PACE_TIMED_OUT;
    return verdict->status == 503 ? PACE_TOO_MUCH : PACE_SILENT;
}

static void log_slowed(struct endpoint *e, const struct delivery *d)
{
    const struct pace *p = &e->state.pace;
    char rate[24]; /* a member's share may be less than one */
    snprintf(rate, sizeof rate, "%.4g", pace_per_second(p));
    const struct log_field fields[] = {LOG_S("endpoint", webhook_name(e->webhook)),
                                       LOG_S("reason", d->reason),
                                       LOG_I("concurrency", p->at_a_time.limit),
                                       LOG_S("rate", rate),
                                       {0}};
    log_limited(&e->slowed, e->now->mono_ms, LOG_EVERY_MS, "pace lowered", fields);
}

static void learn_pace(struct endpoint *e, const struct delivery *d, enum pace_sense sense)
{
    const struct pace_answer answer = {.sense = sense,
                                       .request = d->pace,
                                       .took_ms = e->now->mono_ms - d->sent_ms,
                                       .now_ms = e->now->mono_ms};
    if (!breaker_is_open(&e->state.breaker) && pace_learn(&e->state.pace, &answer))
        log_slowed(e, d);
}

/* ---- an answer to an attempt ---- */

static bool learn_breaker(struct endpoint *e, const struct delivery *d,
                          const struct answer_verdict *verdict, enum pace_sense sense,
                          bool is_probe)
{
    const struct breaker_answer answer = {
        .class = verdict->class,
        .was_probe = is_probe,
        .counts_refusal = strcmp(d->source, "redrive") != 0,
        .is_pace = verdict->status != 0 && (sense == PACE_TOO_FAST || sense == PACE_TOO_MUCH),
        .through_ms = THROUGH_MS + 2 * (int64_t)e->state.pace.at_a_time.usual_ms,
        .now_ms = e->now->mono_ms};
    return breaker_learn(&e->state.breaker, &e->breaker_options, &answer);
}

static void note_turn(struct endpoint *e, const struct delivery *d)
{
    bool is_open = breaker_is_open(&e->state.breaker);
    log_breaker(e, d->reason);
    e->state.opened += is_open;
    e->state.changes++;
    if (!is_open) /* the pace from before the outage may be too much for the time after it */
        pace_restart(&e->state.pace, e->now->mono_ms);
}

void endpoint_learn(struct endpoint *e, struct delivery *d, const struct answer_verdict *verdict,
                    const struct http_result *result)
{
    bool is_probe = d->probe;
    enum pace_sense sense = sense_of(verdict, result);
    d->probe = false;
    if (is_probe) {
        e->state.probe = NULL;
        e->backlog->sole_probe = NULL;
    }
    endpoint_note_reason(d, verdict, result);
    if (verdict->class == RESPONSE_TRANSIENT)
        hold_as_asked(e, d, result);
    if (verdict->class != RESPONSE_DELIVERED)
        memcpy(e->state.last_failure, d->reason, sizeof e->state.last_failure);
    learn_pace(e, d, sense);
    bool turned = learn_breaker(e, d, verdict, sense, is_probe);
    if ((turned || is_probe) && answer_may_be_taken(verdict->sense))
        probe_slowly(e, d);
    if (turned)
        note_turn(e, d);
}

void endpoint_delivered(struct endpoint *e)
{
    const struct log_field over[] = {LOG_S("endpoint", webhook_name(e->webhook)), {0}};
    log_recovered(&e->failing, "deliveries succeed again", over);
    e->state.delivered++;
}

void endpoint_begin_probe(struct endpoint *e, const struct delivery *d)
{
    e->state.probe = d;
    breaker_probing(&e->state.breaker);
}

/* While the attempt was under way another probe may have begun, at another address. */
void endpoint_pass_over(struct endpoint *e, struct delivery *d, int64_t next_probe_ms)
{
    if (e->state.probe == d) {
        breaker_probe_gone(&e->state.breaker, next_probe_ms);
        e->state.probe = NULL;
    }
    d->probe = false;
    retry_pass_over(&d->history, e->state.delivered);
}

void endpoint_retarget(struct endpoint *e)
{
    e->backlog->sole_probe = NULL;
    breaker_retarget(&e->state.breaker, &e->breaker_options, e->now->mono_ms);
    pace_release(&e->state.pace);
    pace_restart(&e->state.pace, e->now->mono_ms);
}

/* ---- its troubles ---- */

/* The order is not sent again for it; the receiver needs a look. */
void endpoint_log_incomplete(struct endpoint *e, const struct http_result *result)
{
    if (result->begun_status == 0)
        return;
    e->state.answers_incomplete++;
    const struct log_field fields[] = {LOG_S("endpoint", webhook_name(e->webhook)),
                                       LOG_I("status", result->begun_status),
                                       LOG_S("error", result->failure),
                                       LOG_S("hint", "the status counts; the body is not needed"),
                                       {0}};
    log_limited(&e->incomplete, e->now->mono_ms, LOG_EVERY_MS, "answer incomplete", fields);
}

void endpoint_log_failure(struct endpoint *e, const struct delivery *d,
                          const struct http_result *result)
{
    char words[REFUSAL_WORDS_MAX];
    const char *error = *result->failure != '\0' ? result->failure
                                                 : webhook_refusal_words(e->webhook, result, words);
    const struct log_field fields[] = {LOG_S("endpoint", webhook_name(e->webhook)),
                                       LOG_S("reason", d->reason),
                                       LOG_S("error", error),
                                       LOG_I("attempt", d->history.attempts),
                                       LOG_I("partition", d->partition),
                                       LOG_I("offset", d->offset),
                                       {0}};
    log_limited(&e->failing, e->now->mono_ms, LOG_EVERY_MS, "delivery failed", fields);
}

void endpoint_log_unknown(struct endpoint *e, const struct delivery *d,
                          const struct http_result *result, int64_t delay_ms)
{
    const struct log_field fields[] = {
        LOG_S("endpoint", webhook_name(e->webhook)),
        LOG_S("reason", d->reason),
        LOG_S("error", result->failure),
        LOG_I("attempt", d->history.attempts),
        LOG_S("webhook_id", d->id),
        LOG_I("partition", d->partition),
        LOG_I("offset", d->offset),
        LOG_I("next_attempt_s", delay_ms / 1000),
        LOG_S("hint", endpoint_timed_out(result)
                          ? "the endpoint may have taken it, and each further try as well: a "
                            "receiver that keeps webhook-ids takes it once; webhook.timeout may be "
                            "too short"
                          : "the endpoint may have taken it, and each further try as well: a "
                            "receiver that keeps webhook-ids takes it once"),
        {0}};
    log_limited(&e->unknown, e->now->mono_ms, LOG_EVERY_MS, "delivery result unknown", fields);
}
