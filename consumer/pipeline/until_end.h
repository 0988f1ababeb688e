/* until_end: run --until-end: whether everything below the end offsets of the start is settled. */
#ifndef PIPELINE_UNTIL_END_H
#define PIPELINE_UNTIL_END_H

#include "kafka/consumer/consumer.h"
#include "pipeline/committer.h"
#include "pipeline/tracking/partitions.h"

struct until_end {
    struct consumer *consumer;
    const struct committer *committer;
    const struct partitions *partitions;
    int64_t *offsets; /* by slot; 0: of no interest */
    size_t count;
};

/* Notes the end offsets of now; asks the cluster and waits for its answer. */
bool until_end_find(struct until_end *u, struct error *err) must_check;
void until_end_done(struct until_end *u);

/* Settled and committed, here or by another member. To be called in each turn. */
bool until_end_reached(struct until_end *u);

/* A partition is stopped: err has the reason. */
bool until_end_is_out_of_reach(const struct until_end *u, struct error *err);

void until_end_log_unsettled(const struct until_end *u);

#endif
