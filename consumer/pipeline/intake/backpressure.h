/* backpressure: the bounds within which reading may run ahead of settled records.
 *
 * Nothing is paused: what is not read stays in librdkafka's queues. */
#ifndef PIPELINE_INTAKE_BACKPRESSURE_H
#define PIPELINE_INTAKE_BACKPRESSURE_H

#include "config/config.h"
#include "pipeline/sending/sender.h"
#include "pipeline/tracking/backlog.h"
#include "pipeline/tracking/partitions.h"

struct backpressure {
    const struct config *config;
    const struct now *now;
    const struct backlog *backlog;
    const struct sender_state *sending;
    const struct endpoint_state *endpoint;
    struct partitions *partitions;
    bool full;  /* inflight.records, inflight.bytes */
    bool ahead; /* enough is ready to be sent */
};

/* True while anything may be read. */
bool has_room(struct backpressure *b);

/* True while this partition may be read: it has its own share, so that its stuck orders leave room
 * for those of others. */
bool partition_has_room(struct backpressure *b, struct partition *partition);

#endif
