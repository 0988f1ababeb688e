/* sender: deliveries on their way: starts attempts when they may start, and handles their ends.
 *
 *   order queues ──(breaker, concurrency, uncommitted_max)──▶ attempt ──▶ recorder: deliver, park
 *        ▲                                                       │
 *        └───────────────────────(again, after a delay)──────────┘
 *
 * Not thread-safe. */
#ifndef PIPELINE_SENDING_SENDER_H
#define PIPELINE_SENDING_SENDER_H

#include "pipeline/sending/endpoint.h"
#include "pipeline/sending/recorder.h"
#include "pipeline/tracking/backlog.h"
#include "pipeline/tracking/partitions.h"

struct sender;

struct sender_uses {
    const struct config *config;
    const struct now *now;
    struct webhook *webhook;
    struct partitions *partitions;
    struct backlog *backlog;
    struct endpoint *endpoint;
    struct recorder *recorder;
};

struct sender *sender_new(const struct sender_uses *uses); /* NULL without memory */
void sender_free(struct sender *s); /* after the requests are over; accepts NULL */

/* Starts what may start. */
void sender_turn(struct sender *s);
int64_t sender_wait_until(const struct sender *s); /* monotonic ms, -1: not waiting */

/* Abandons the partition's deliveries that have no attempt under way. */
void sender_drop(struct sender *s, struct partition *partition);

enum { DURATION_BUCKETS = 11 };
extern const int64_t duration_bounds_ms[DURATION_BUCKETS];

struct sender_state {
    size_t in_flight;      /* requests */
    size_t first_attempts; /* of these, first ones of their order */
    uint64_t attempts, failures, unknown_results, abandoned;
    uint64_t durations[DURATION_BUCKETS + 1]; /* of requests: how many took at most that long */
    int64_t durations_sum_ms;
};
const struct sender_state *sender_state(const struct sender *s);

#endif
