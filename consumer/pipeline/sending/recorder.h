/* recorder: deliveries at their end: parked if they must be, then recorded, then settled.
 *
 *   2xx ───────────────────────────────▶ outcome record ──(acknowledged, or outcome.timeout)──▶
 * settled never ──▶ parked (acknowledged) ───▶ outcome record ──(the
 * same)──────────────────────────▶ settled
 *
 * Also remembers the ends: a record that comes again although its transition was answered with 2xx
 * (an assignment was lost before the commit, and given back) is settled without another request;
 * replays and retries are sent, since an operator asked for them. Not thread-safe. */
#ifndef PIPELINE_SENDING_RECORDER_H
#define PIPELINE_SENDING_RECORDER_H

#include "config/config.h"
#include "delivery/history.h"
#include "delivery/webhook.h"
#include "kafka/producer/publisher.h"
#include "order/rule.h"
#include "pipeline/sending/park_reasons.h"
#include "pipeline/sending/tracing.h"
#include "pipeline/tracking/backlog.h"
#include "pipeline/tracking/partitions.h"
#include "sys/clock.h"

struct recorder;

struct recorder_uses {
    const struct config *config;
    const struct now *now;
    const char *member; /* that records the outcomes */
    struct backlog *backlog;
    struct publisher *publisher;
    const struct webhook *webhook; /* its secrets are redacted */
    struct tracing *tracing;
};

struct recorder *recorder_new(const struct recorder_uses *uses); /* NULL without memory */
void recorder_free(struct recorder *r);                          /* accepts NULL */

/* Each takes a delivery that is IN_FLIGHT, with its partition's work begun, and ends it. */
void recorder_deliver(struct recorder *r, struct delivery *d);
void recorder_park(struct recorder *r, struct delivery *d, struct slice response, bool cut);
void recorder_skip(struct recorder *r, struct delivery *d);    /* d->skip is the reason */
void recorder_give_up(struct recorder *r, struct delivery *d); /* the next owner sends it */

/* Publishes that an order is still being tried; wall clock. */
void recorder_retrying(struct recorder *r, struct delivery *d, int64_t next_attempt_ms);

/* Settles a delivery whose record was answered before, or whose confirmation was sent from the
 * shop's table meanwhile; false: it is to be sent. Its partition's
 * work has not begun. */
bool recorder_pass_answered(struct recorder *r, struct delivery *d);
void recorder_forget_answered(struct recorder *r); /* the topic was made again */

/* The order's deliveries by this process since. */
enum history_standing recorder_standing(const struct recorder *r, const struct delivery *d);

struct recorder_counts {
    uint64_t delivered, parked, abandoned, outcomes_unacknowledged;
    uint64_t skipped[SKIP_REASON_COUNT];
    struct park_reasons park_reasons;
};
const struct recorder_counts *recorder_counts(const struct recorder *r);

#endif
