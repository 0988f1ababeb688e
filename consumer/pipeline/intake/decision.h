/* decision: the decision on one record: skipped, queued to be sent or parked, or kept as a suspect.
 *
 *   record ─▶ record_reader ─┬─▶ transform says skip ──────▶ settled
 *                            ├─▶ deliver, reject ──────────▶ its order's queue
 *                            ├─▶ schema awaited, no memory ▶ the same record is offered again
 *                            └─▶ cannot be read ───────────▶ suspects, or a stretch's parking */
#ifndef PIPELINE_INTAKE_DECISION_H
#define PIPELINE_INTAKE_DECISION_H

#include "pipeline/intake/intake.h"
#include "pipeline/intake/oddities.h"
#include "pipeline/intake/record_reader.h"
#include "pipeline/intake/suspects.h"
#include "pipeline/sending/endpoint.h"
#include "pipeline/sending/pause.h"

enum fate {
    FATE_SETTLED, /* noted and settled, or on its way with a window entry of its own */
    FATE_KEPT,    /* the same as a suspect, which has the message from here on */
    FATE_ORDER,   /* noted; an operator's order, so it is not counted as a record */
    FATE_HOLD,    /* nothing was done: offer the same record again later */
    FATE_PENDING  /* the same: its schema is awaited */
};

struct decision {
    const struct config *config;
    const struct now *now;
    struct partitions *partitions;
    struct backlog *backlog;
    const struct endpoint_state *endpoint;
    const struct pause *pause;
    struct suspects *suspects;
    struct record_reader reader;
    struct oddities oddities;
    struct intake_counts *counts;
};

enum fate decide(struct decision *by, struct partition *partition, rd_kafka_message_t *m);

/* Reads a suspect again, as `read` of struct suspects. */
enum suspect_fate decide_suspect(void *decision, struct partition *partition,
                                 struct suspect *suspect, bool park);

#endif
