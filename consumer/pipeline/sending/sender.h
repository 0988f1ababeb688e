/* sender: deliveries on their way: starts attempts when they may start, and handles their ends.
 *
 *   order queues ──(pause, breaker, concurrency, uncommitted_max)──▶ attempt ──▶ recorder: deliver,
 * park ▲                                                              │
 *        └───────────────────────(again, after a delay)─────────────────┘
 *
 * Not thread-safe. */
#ifndef PIPELINE_SENDING_SENDER_H
#define PIPELINE_SENDING_SENDER_H

#include "pipeline/sending/endpoint.h"
#include "pipeline/sending/latency.h"
#include "pipeline/sending/pause.h"
#include "pipeline/sending/recorder.h"
#include "pipeline/sending/tracing.h"
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
    struct tracing *tracing;
    int wake_fd; /* as in consumer.h */
};

struct sender *sender_new(const struct sender_uses *uses, struct error *err);
void sender_free(struct sender *s); /* after the requests are over; accepts NULL */

/* The pause holds everything back at an operator's word; pause_begin starts it. */
struct pause *sender_pause(const struct sender *s);

/* Starts every attempt that may begin. */
void sender_turn(struct sender *s);
int64_t sender_wait_until(const struct sender *s); /* monotonic ms, -1: not waiting */

/* Abandons the partition's deliveries that have no attempt under way. */
void sender_drop(struct sender *s, struct partition *partition);

enum { ANSWER_CLASSES = 6 };
extern const char *const answer_class_names[ANSWER_CLASSES];

struct sender_state {
    size_t in_flight;      /* requests */
    size_t first_attempts; /* of these, first ones of their order */
    uint64_t attempts, failures, unknown_results, abandoned;
    uint64_t answers[ANSWER_CLASSES]; /* requests that ended, by their status' first digit */
    struct histogram durations;       /* of requests */
    struct latency latency;           /* of deliveries */
    int64_t newest_delivery_ms;       /* wall clock; 0: none yet */
};
const struct sender_state *sender_state(const struct sender *s);

#endif
