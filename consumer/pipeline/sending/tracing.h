/* tracing: deliveries as OpenTelemetry's spans, where trace.url is set (tracing/exporter).
 *
 *   the record's traceparent, or none
 *    └─ deliver TOPIC      from its reading until it is settled, by one member
 *        ├─ POST           an attempt; its id is in the request's traceparent
 *        └─ POST
 *
 * A record without a traceparent has the trace that its webhook-id makes: attempts of other
 * members, or after a restart, belong to it too. Names of attributes are those of OpenTelemetry's
 * semantic conventions (messaging, HTTP) where they have one, else elementor_sync.*. Not
 * thread-safe. */
#ifndef PIPELINE_SENDING_TRACING_H
#define PIPELINE_SENDING_TRACING_H

#include "delivery/delivery.h"
#include "delivery/webhook.h"
#include "http/headers/traceparent.h"
#include "sys/clock.h"
#include "tracing/exporter.h"

/* Borrowed all. Zero-initialised but for these. */
struct tracing {
    const struct config *config;
    const struct now *now;
    const struct webhook *webhook;
    struct exporter *exporter;
    uint64_t random; /* state; 0: not drawn yet */
};

/* A delivery's trace: one allocation, freed with the delivery. */
struct delivery_trace {
    struct trace_context context; /* of its own span */
    char parent_id[SPAN_ID_TEXT]; /* of the record's traceparent; "": none */
    char attempt_id[SPAN_ID_TEXT];
    int64_t start_ms;    /* wall clock at its reading */
    const char *outcome; /* static; NULL: not known yet */
};

/* An attempt begins. Returns the traceparent that its request is to carry, in ret_text or borrowed
 * from the delivery. */
struct slice tracing_begin_attempt(struct tracing *t, struct delivery *d,
                                   char ret_text[TRACEPARENT_TEXT]);

/* It ended; status and reason are in the delivery. */
void tracing_end_attempt(struct tracing *t, const struct delivery *d, bool failed);

/* How the delivery ended ("delivered", "parked"…, static), before it is written down; and that it
 * is settled. */
void tracing_conclude(struct tracing *t, struct delivery *d, const char *outcome);
void tracing_settle(struct tracing *t, const struct delivery *d);

/* It is left to the partition's next owner. */
void tracing_abandon(struct tracing *t, const struct delivery *d);

#endif
