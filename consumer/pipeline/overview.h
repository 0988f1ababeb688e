/* overview: the pipeline's parts as status, metrics and progress read them, and sums over them.
 *
 * All numbers are read between two events, on the one thread, so that at any time
 * consumed = skipped + delivered + parked + abandoned + in flight. */
#ifndef PIPELINE_OVERVIEW_H
#define PIPELINE_OVERVIEW_H

#include "kafka/consumer/consumer.h"
#include "pipeline/committer.h"
#include "pipeline/intake/intake.h"
#include "pipeline/reloader.h"
#include "pipeline/sending/recorder.h"
#include "pipeline/sending/sender.h"
#include "sys/loop.h"
#include "tracing/exporter.h"

struct overview {
    const struct config *config;
    const struct now *now;
    const struct loop *loop;
    const struct webhook *webhook;
    const struct registry *registry;
    struct consumer *consumer;
    const struct partitions *partitions;
    const struct backlog *backlog;
    const struct endpoint *endpoint;
    const struct recorder *recorder;
    const struct sender *sender;
    const struct exporter *exporter;
    const struct intake *intake;
    const struct committer *committer;
    const struct reloader *reloader;
};

struct totals {
    uint64_t consumed, skipped[SKIP_REASON_COUNT], skipped_sum, delivered, parked, abandoned;
    size_t in_flight; /* read, and no end of it known */
};
struct totals overview_totals(const struct overview *o);

/* The partition's end as far as fetching has shown. */
int64_t overview_end(const struct overview *o, const struct partition *partition);

#endif
