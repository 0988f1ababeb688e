/* membership: partitions begin, drain and end as the consumer group gives and takes them.
 *
 *   consumer events ─▶ partitions, intake, sender, committer */
#ifndef PIPELINE_MEMBERSHIP_H
#define PIPELINE_MEMBERSHIP_H

#include "kafka/consumer/consumer.h"
#include "pipeline/committer.h"
#include "pipeline/intake/intake.h"
#include "pipeline/sending/recorder.h"
#include "pipeline/sending/sender.h"

struct membership {
    const struct config *config;
    const struct now *now;
    struct error *fatal; /* ends the process */
    struct consumer *consumer;
    struct partitions *partitions;
    struct intake *intake;
    struct endpoint *endpoint;
    struct sender *sender;
    struct recorder *recorder;
    struct committer *committer;
};

/* For consumer_new; the rest of `m` may be set until the first consumer_turn. */
struct consumer_events membership_events(struct membership *m);

/* Partitions whose offsets start over do so once nothing of the former ones is open; the share of
 * webhook.rate follows the assignment. */
void membership_turn(struct membership *m);

#endif
