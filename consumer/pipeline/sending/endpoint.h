/* endpoint: the state of the webhook's endpoint, by its answers so far: the breaker and its probe,
 * the pace and a hold.
 *
 * Classifies each answer by the rules of the configuration, keeps breaker and pace, and logs the
 * endpoint's troubles, each at intervals. Not thread-safe. */
#ifndef PIPELINE_SENDING_ENDPOINT_H
#define PIPELINE_SENDING_ENDPOINT_H

#include "config/config.h"
#include "delivery/delivery.h"
#include "delivery/policy/breaker.h"
#include "delivery/policy/pace.h"
#include "delivery/webhook.h"
#include "http/answer.h"
#include "pipeline/tracking/backlog.h"
#include "sys/clock.h"

struct endpoint;

/* Everything is borrowed. NULL with err. */
struct endpoint *endpoint_new(const struct config *config, const struct now *now,
                              const struct webhook *webhook, struct backlog *backlog,
                              struct error *err);
void endpoint_free(struct endpoint *e); /* accepts NULL */

struct endpoint_state {
    struct breaker breaker;
    struct pace pace;
    const struct delivery *probe; /* under way; NULL: none */
    uint64_t delivered;           /* answered with 2xx */
    uint64_t changes, opened;     /* of the breaker; long holds are changes too */
    uint64_t answers_incomplete;
    char last_failure[DELIVERY_REASON_MAX];
};
const struct endpoint_state *endpoint_state(const struct endpoint *e);

bool endpoint_timed_out(const struct http_result *result); /* after the request was sent */
struct answer_verdict endpoint_judge(const struct endpoint *e, const struct http_result *result);

/* Notes status and reason of an attempt in its delivery. */
void endpoint_note_reason(struct delivery *d, const struct answer_verdict *verdict,
                          const struct http_result *result);

/* The answer to: may an attempt begin now, with in_flight requests under way? And the time at which
 * that may change by itself (monotonic ms; -1: not by time). */
enum breaker_leave endpoint_ask(const struct endpoint *e, size_t in_flight);
int64_t endpoint_wake_ms(const struct endpoint *e, size_t in_flight);

/* An attempt at it begins; in_flight with it. */
void endpoint_begin(struct endpoint *e, struct delivery *d, size_t in_flight);

/* It ended: breaker and pace learn of it. */
void endpoint_learn(struct endpoint *e, struct delivery *d, const struct answer_verdict *verdict,
                    const struct http_result *result);
void endpoint_delivered(struct endpoint *e); /* after it: the order is delivered */

void endpoint_begin_probe(struct endpoint *e, const struct delivery *d);
/* An attempt ended without a result that counts; if it is the probe, the next may go then. */
void endpoint_pass_over(struct endpoint *e, struct delivery *d, int64_t next_probe_ms);

/* This member has so many of all partitions: its share of webhook.rate. */
void endpoint_share_rate(struct endpoint *e, int32_t partitions, int32_t all);

/* The endpoint is another one from now on. */
void endpoint_retarget(struct endpoint *e);

void endpoint_log_incomplete(struct endpoint *e, const struct http_result *result);
void endpoint_log_failure(struct endpoint *e, const struct delivery *d,
                          const struct http_result *result);
void endpoint_log_unknown(struct endpoint *e, const struct delivery *d,
                          const struct http_result *result, int64_t delay_ms);

#endif
