/* latency: the stages of a delivered order's time, from the shop's commit to the receiver's
 * answer.
 *
 *   commit ──KAFKA──▶ in the topic ──READ──▶ read ──SENT──▶ the attempt that is answered
 * ──ANSWERED──▶ 2xx
 *
 * Commit and topic have clocks of their own (the database's, the connector's or broker's). A hop
 * that they show as negative counts as none, and the next one begins at the later of its two times,
 * so that the hops always add up to the whole. */
#ifndef PIPELINE_SENDING_LATENCY_H
#define PIPELINE_SENDING_LATENCY_H

#include "delivery/delivery.h"
#include "sys/clock.h"
#include "sys/metrics_text.h"

enum latency_hop { HOP_KAFKA, HOP_READ, HOP_SENT, HOP_ANSWERED, HOP_COUNT };
extern const char *const latency_hop_names[HOP_COUNT];

struct latency {
    struct histogram hop[HOP_COUNT], whole;
};

/* A delivery that was answered with 2xx just now. One that an operator asked for, or whose record
 * does not tell when it was committed and written, is not counted: it has no such way. */
void latency_note(struct latency *l, const struct delivery *d, const struct now *now);

#endif
