#include "pipeline/sending/endpoint.h"

#include "sys/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LOG_EVERY_MS = 60000 };

struct endpoint {
    const struct config *config;
    const struct now *now;
    const struct webhook *webhook;
    struct backlog *backlog; /* has the sole probe */
    struct response_rules rules;
    struct breaker_options breaker_options;
    struct endpoint_state state;
    struct log_limited failing, unknown, incomplete;
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

static void hold_as_asked(struct endpoint *e, const struct http_result *result)
{
    int64_t cap_ms = e->config->retry_after_cap;
    if (result->retry_after_ms > 0)
        breaker_hold(&e->state.breaker,
                     e->now->mono_ms +
                         (result->retry_after_ms < cap_ms ? result->retry_after_ms : cap_ms));
}

void endpoint_learn(struct endpoint *e, struct delivery *d, const struct answer_verdict *verdict,
                    const struct http_result *result)
{
    struct breaker *breaker = &e->state.breaker;
    bool is_probe = d->probe, counts = strcmp(d->source, "redrive") != 0;
    d->probe = false;
    if (is_probe) {
        e->state.probe = NULL;
        e->backlog->sole_probe = NULL;
    }
    if (verdict->class == RESPONSE_TRANSIENT)
        hold_as_asked(e, result);
    endpoint_note_reason(d, verdict, result);
    if (verdict->class != RESPONSE_DELIVERED)
        memcpy(e->state.last_failure, d->reason, sizeof e->state.last_failure);
    bool turned = breaker_learn(breaker, &e->breaker_options, verdict->class, is_probe, counts,
                                e->now->mono_ms);
    if ((turned || is_probe) && answer_may_be_taken(verdict->sense))
        probe_slowly(e, d);
    if (!turned)
        return;
    log_breaker(e, d->reason);
    e->state.opened += breaker_is_open(breaker);
    e->state.changes++;
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
    const struct log_field fields[] = {LOG_S("endpoint", webhook_name(e->webhook)),
                                       LOG_S("reason", d->reason),
                                       LOG_S("error", result->failure),
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
