/* committer: commits settled offsets, and gives partitions back once that is done.
 *
 * One commit at a time: the watermark of each partition that has news, and in its metadata what is
 * settled above it and how often the rest was tried. Not thread-safe. */
#ifndef PIPELINE_COMMITTER_H
#define PIPELINE_COMMITTER_H

#include "config/config.h"
#include "kafka/consumer/consumer.h"
#include "pipeline/sending/endpoint.h"
#include "pipeline/tracking/partitions.h"
#include "sys/clock.h"

struct committer;

struct committer_uses {
    const struct config *config;
    const struct now *now;
    struct consumer *consumer;
    struct partitions *partitions;
    const struct endpoint_state *endpoint;
};

struct committer *committer_new(const struct committer_uses *uses); /* NULL without memory */
void committer_free(struct committer *c);                           /* accepts NULL */

/* Sends a commit if one is due. */
void committer_turn(struct committer *c);
int64_t committer_wait_until(const struct committer *c); /* monotonic ms, -1: not waiting */

/* consumer_events: the answer for one partition, and the end of the whole answer. */
void committer_answered(struct committer *c, int32_t slot, int64_t offset, bool ok,
                        const char *error);
void committer_finished(struct committer *c);

/* True while the partition has something to commit. */
bool committer_has_news(const struct committer *c, const struct partition *partition);

/* Releases the revoked partitions that are drained and committed, or whose time is up. */
void committer_give_back(struct committer *c);

struct committer_counts {
    uint64_t commits, failures; /* of partitions */
};
const struct committer_counts *committer_counts(const struct committer *c);

#endif
