#include "pipeline/sending/sender.h"

#include "delivery/policy/retry_policy.h"
#include "offsets/commit_pace.h"
#include "pipeline/sending/last_answer.h"
#include "pipeline/sending/next_delivery.h"
#include "sys/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { LOG_EVERY_MS = 60000 };
enum { ANSWER_MAX = 1024 * 1024 };

struct sender {
    struct sender_uses use;
    struct pause *pause;
    struct retry_options retry_options;
    uint64_t random;
    LIST_HEAD(, delivery) under_way; /* the requests' */
    struct sender_state state;
    struct log_limited no_memory;
    struct last_answer last_answer;
    struct buf text; /* an answer, for a moment */
};

struct sender *sender_new(const struct sender_uses *uses, struct error *err)
{
    const struct config *config = uses->config;
    struct sender *s = calloc(1, sizeof *s);
    if (s == NULL) {
        error_no_memory(err);
        return NULL;
    }
    s->use = *uses;
    s->pause = pause_new(&(const struct pause_uses){.config = config,
                                                    .now = uses->now,
                                                    .wake_fd = uses->wake_fd,
                                                    .endpoint = uses->endpoint},
                         err);
    if (s->pause == NULL) {
        free(s);
        return NULL;
    }
    buf_init(&s->text, ANSWER_MAX);
    if (getrandom(&s->random, sizeof s->random, 0) < 0)
        s->random = (uint64_t)uses->now->wall_ms;
    s->retry_options =
        (struct retry_options){.base_ms = config->retry_base,
                               .cap_ms = config->retry_cap,
                               .attempts = (int)config->retry_attempts,
                               .endpoint_attempts = (int)config->retry_endpoint_attempts,
                               .unknown_attempts = (int)config->retry_unknown_attempts,
                               .give_up_ms = config->retry_give_up};
    return s;
}

struct pause *sender_pause(const struct sender *s)
{
    return s->pause;
}

const struct sender_state *sender_state(const struct sender *s)
{
    return &s->state;
}

/* ---- the requests under way ---- */

static void join_under_way(struct sender *s, struct delivery *d)
{
    LIST_INSERT_HEAD(&s->under_way, d, under_way);
    s->state.in_flight++;
    s->state.first_attempts += d->history.attempts == 1;
}

static void leave_under_way(struct sender *s, struct delivery *d)
{
    LIST_REMOVE(d, under_way);
    s->state.in_flight--;
    s->state.first_attempts -= d->history.attempts == 1;
}

void sender_free(struct sender *s)
{
    if (s == NULL)
        return;
    for (struct delivery *d; (d = LIST_FIRST(&s->under_way)) != NULL;) {
        LIST_REMOVE(d, under_way);
        backlog_free(s->use.backlog, d);
    }
    pause_free(s->pause);
    buf_done(&s->text);
    free(s);
}

static const struct breaker *breaker_of(const struct sender *s)
{
    return &endpoint_state(s->use.endpoint)->breaker;
}

/* ---- an attempt's end ---- */

static uint32_t random_next(struct sender *s)
{
    s->random = s->random * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(s->random >> 32);
}

static bool is_being_given_back(const struct delivery *d)
{
    const struct partition *partition = partition_of(d);
    return partition == NULL || partition->state == PARTITION_REVOKING;
}

/* For the next owner: without it, each restart would count the order's failures anew. */
static void note_tried(struct sender *s, const struct delivery *d)
{
    const struct retry_history *h = &d->history;
    struct partition *partition = partition_of(d);
    int64_t now_ms = s->use.now->mono_ms;
    int64_t still_ms = pause_stood_still_ms(s->pause) - h->first_still_ms;
    if (partition != NULL)
        partition_note_tried(partition, d, now_ms - h->first_ms - still_ms);
}

/* An attempt is in a commit before the next one begins: so a crash costs one more, and not as many
 * as fit between two commits. retry.cap holds all the same. */
static int64_t until_told(const struct sender *s, int64_t delay_ms)
{
    int64_t told_ms = commit_pace_told_ms(s->use.config->commit_interval);
    int64_t least_ms = told_ms < s->retry_options.cap_ms ? told_ms : s->retry_options.cap_ms;
    return delay_ms > least_ms ? delay_ms : least_ms;
}

static void try_again(struct sender *s, struct delivery *d, int64_t delay_ms)
{
    note_tried(s, d);
    if (is_being_given_back(d)) {
        recorder_give_up(s->use.recorder, d);
        return;
    }
    partition_end_work(partition_of(d));
    /* An open breaker has its own pace: a waiting delivery is ready to be its probe. */
    bool may_probe = breaker_is_open(breaker_of(s)) && !d->rests_whole;
    int64_t due_ms = s->use.now->mono_ms + (may_probe ? 0 : until_told(s, delay_ms));
    int64_t endpoint_ms = endpoint_wake_ms(s->use.endpoint, s->state.in_flight);
    recorder_retrying(s->use.recorder, d,
                      s->use.now->wall_ms + (endpoint_ms > due_ms ? endpoint_ms : due_ms) -
                          s->use.now->mono_ms);
    order_queue_back_off(s->use.backlog->queues, d, due_ms);
}

static void park_after(struct sender *s, struct delivery *d, const char *class,
                       const struct http_result *result)
{
    d->class = class;
    d->detail = result->failure;
    recorder_park(s->use.recorder, d, (struct slice){result->body, result->body_len},
                  result->body_cut);
    d->detail = "";
}

const char *const answer_class_names[ANSWER_CLASSES] = {"none", "1xx", "2xx", "3xx", "4xx", "5xx"};

static void note_end(struct sender *s, const struct delivery *d, const struct http_result *result)
{
    int class = result->status / 100;
    s->state.answers[class > 0 && class < ANSWER_CLASSES ? class : 0]++;
    histogram_note(&s->state.durations, s->use.now->mono_ms - d->sent_ms);
    s->state.unknown_results += result->maybe_taken;
}

static void deliver(struct sender *s, struct delivery *d)
{
    latency_note(&s->state.latency, d, s->use.now);
    s->state.newest_delivery_ms = s->use.now->wall_ms;
    recorder_deliver(s->use.recorder, d);
}

/* An order that is delivered at once needs no list. */
static void note_try(const struct sender *s, struct delivery *d, bool failed)
{
    struct attempt_note note = {.at_ms = d->last_attempt_ms,
                                .took_ms = s->use.now->mono_ms - d->sent_ms,
                                .status = d->status};
    tracing_end_attempt(s->use.tracing, d, failed);
    if (!failed && d->tries == NULL)
        return;
    if (failed)
        snprintf(note.reason, sizeof note.reason, "%s", d->reason);
    tries_note(&d->tries, &note);
}

/* Only the receiver, or its operator, can find out whether it took the order. */
static void park_unknown(struct sender *s, struct delivery *d, struct http_result *result)
{
    snprintf(d->reason, sizeof d->reason, "unknown_result");
    result->failure = "each try may have been taken: look for this webhook-id or order at the "
                      "receiver before it is sent again";
    park_after(s, d, "unknown_result", result);
}

static void exhausted(struct sender *s, struct delivery *d, const char *class,
                      const struct http_result *result)
{
    char last[sizeof d->reason];
    memcpy(last, d->reason, sizeof last);
    snprintf(d->reason, sizeof d->reason, "%s:%.32s", class, last);
    park_after(s, d, class, result);
}

/* It ended at a former address, so its result does not count for this one: delivered is delivered,
 * anything else is sent to the new one, which may be the same receiver. */
static void end_outdated(struct sender *s, struct delivery *d, const struct http_result *result)
{
    const struct answer_verdict verdict = endpoint_judge(s->use.endpoint, result);
    endpoint_pass_over(s->use.endpoint, d, s->use.now->mono_ms);
    endpoint_note_reason(d, &verdict, result);
    note_try(s, d, verdict.class != RESPONSE_DELIVERED);
    if (verdict.class == RESPONSE_DELIVERED) {
        deliver(s, d);
        return;
    }
    s->state.failures++;
    d->rests_whole = endpoint_timed_out(result) || answer_may_be_taken(verdict.sense);
    try_again(s, d, d->rests_whole ? RETRY_UNKNOWN_BASE_MS : 0);
}

static struct retry_outcome outcome_of(struct sender *s, const struct answer_verdict *verdict,
                                       const struct http_result *result)
{
    return (struct retry_outcome){.class = verdict->class,
                                  .breaker_open = breaker_is_open(breaker_of(s)),
                                  .others = endpoint_state(s->use.endpoint)->delivered,
                                  .now_ms = s->use.now->mono_ms,
                                  .random = random_next(s),
                                  .is_pace =
                                      outcome_is_pace(verdict->status, result->has_retry_after),
                                  .is_unknown = result->maybe_taken,
                                  .is_timeout = endpoint_timed_out(result),
                                  .is_slow = answer_may_be_taken(verdict->sense),
                                  .still_ms = pause_stood_still_ms(s->pause)};
}

static void end_failed(struct sender *s, struct delivery *d, enum retry_verdict verdict,
                       int64_t delay_ms, struct http_result *result)
{
    s->state.failures++;
    switch (verdict) {
    case RETRY_REFUSED: park_after(s, d, "refused", result); return;
    case RETRY_EXHAUSTED: exhausted(s, d, "exhausted", result); return;
    case RETRY_SINGULAR: exhausted(s, d, "endpoint", result); return;
    case RETRY_UNKNOWN: park_unknown(s, d, result); return;
    default: break;
    }
    if (result->maybe_taken)
        endpoint_log_unknown(s->use.endpoint, d, result, delay_ms);
    else
        endpoint_log_failure(s->use.endpoint, d, result);
    try_again(s, d, delay_ms);
}

static void attempt_done(void *context, const struct http_result *from)
{
    struct delivery *d = context;
    struct sender *s = d->handler;
    struct http_result result = *from;
    leave_under_way(s, d);
    note_end(s, d, from);
    endpoint_log_incomplete(s->use.endpoint, &result);
    last_answer_note(&s->last_answer, s->use.webhook, d, &result, &s->text);
    if (d->endpoint_generation != webhook_endpoint_generation(s->use.webhook)) {
        end_outdated(s, d, &result);
        return;
    }
    const struct answer_verdict answer = endpoint_judge(s->use.endpoint, &result);
    if (answer.sense != ANSWER_UNDERSTOOD)
        result.failure = answer_hints[answer.sense];
    endpoint_learn(s->use.endpoint, d, &answer, &result);
    const struct retry_outcome outcome = outcome_of(s, &answer, &result);
    int64_t delay_ms = 0;
    enum retry_verdict verdict = retry_decide(&s->retry_options, &d->history, &outcome, &delay_ms);
    d->rests_whole = outcome.is_timeout || outcome.is_slow;
    note_try(s, d, verdict != RETRY_DONE);
    if (verdict != RETRY_AGAIN && s->use.backlog->sole_probe == d)
        s->use.backlog->sole_probe = NULL;
    if (verdict != RETRY_DONE) {
        end_failed(s, d, verdict, delay_ms, &result);
        return;
    }
    endpoint_delivered(s->use.endpoint);
    deliver(s, d);
}

/* ---- an attempt's start ---- */

/* The attempt could not be started: no memory. It is tried again like any other. */
static void attempt_failed(struct sender *s, struct delivery *d)
{
    leave_under_way(s, d);
    endpoint_pass_over(s->use.endpoint, d, s->use.now->mono_ms + s->use.config->retry_base);
    d->rests_whole = false;
    log_limited(&s->no_memory, s->use.now->mono_ms, LOG_EVERY_MS, "request not started",
                (const struct log_field[]){LOG_S("reason", "no memory"), {0}});
    partition_end_work(partition_of(d));
    order_queue_back_off(s->use.backlog->queues, d,
                         s->use.now->mono_ms + s->use.config->retry_base);
}

static void note_attempt(struct sender *s, struct delivery *d)
{
    struct partition *partition = partition_of(d);
    partition_begin_work(partition);
    s->state.attempts++;
    d->last_attempt_ms = s->use.now->wall_ms;
    d->sent_ms = s->use.now->mono_ms;
    d->endpoint_generation = webhook_endpoint_generation(s->use.webhook);
    if (d->history.attempts++ == 0) {
        d->history.first_ms = s->use.now->mono_ms;
        d->history.first_still_ms = pause_stood_still_ms(s->pause);
        d->first_attempt_ms = s->use.now->wall_ms;
    }
    if (!d->dispatched) {
        d->dispatched = true;
        partition_dispatch(s->use.partitions, partition);
    }
}

static void send_one(struct sender *s, struct delivery *d, bool is_probe)
{
    struct error err = {0};
    char trace[TRACEPARENT_TEXT];
    if (recorder_pass_answered(s->use.recorder, d))
        return;
    note_attempt(s, d);
    d->probe = is_probe;
    if (is_probe)
        endpoint_begin_probe(s->use.endpoint, d);
    d->handler = s;
    join_under_way(s, d);
    endpoint_begin(s->use.endpoint, d, s->state.in_flight);
    const struct webhook_message message = {
        .id = d->id,
        .attempt = d->history.attempts,
        .timestamp_s = s->use.now->wall_ms / 1000,
        .traceparent = tracing_begin_attempt(s->use.tracing, d, trace),
        .source = strcmp(d->source, "cdc") == 0 ? NULL : d->source,
        .body = d->text[TEXT_BODY].data,
        .body_len = d->text[TEXT_BODY].len};
    if (webhook_post(s->use.webhook, &message, attempt_done, d, &err) == NULL)
        attempt_failed(s, d);
}

static bool has_slot(const struct sender *s)
{
    return s->state.in_flight < (size_t)s->use.config->webhook_concurrency;
}

/* Only a first attempt adds to what a crash would send again. */
static bool may_begin(const struct sender *s)
{
    return s->use.partitions->uncovered < (size_t)s->use.config->webhook_uncommitted_max;
}

void sender_turn(struct sender *s)
{
    pause_turn(s->pause);
    order_queue_wake(s->use.backlog->queues, s->use.now->mono_ms);
    next_end_unsent(s->use.backlog, s->use.recorder);
    if (!pause_may_send(s->pause))
        return;
    struct delivery *d;
    if (endpoint_ask(s->use.endpoint, s->state.in_flight) == BREAKER_PROBE && has_slot(s) &&
        (d = next_probe(s->use.backlog, s->use.recorder)) != NULL)
        send_one(s, d, true);
    while (endpoint_ask(s->use.endpoint, s->state.in_flight) == BREAKER_SEND &&
           (d = next_delivery(s->use.backlog, s->use.recorder, may_begin(s))) != NULL)
        send_one(s, d, false);
}

/* Only if time alone lets something go; else the loop would spin while all slots are taken. */
int64_t sender_wait_until(const struct sender *s)
{
    return has_slot(s) && pause_may_send(s->pause) &&
                   order_queue_has_any(s->use.backlog->queues,
                                       may_begin(s) || breaker_is_open(breaker_of(s)))
               ? endpoint_wake_ms(s->use.endpoint, s->state.in_flight)
               : -1;
}

/* ---- giving up ---- */

static void dropped(void *context, struct delivery *d)
{
    struct sender *s = context;
    s->state.abandoned++;
    tracing_abandon(s->use.tracing, d);
    backlog_free(s->use.backlog, d);
}

void sender_drop(struct sender *s, struct partition *partition)
{
    order_queue_drop(s->use.backlog->queues, partition, dropped, s);
}
