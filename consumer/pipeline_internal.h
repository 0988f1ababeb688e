/* pipeline_internal: the pipeline's state, shared by its parts.
 *
 *   pipeline.c          the turn, start and end, what the group wants of us
 *   pipeline_read.c     records: window, wire, schema, transform, lane or parking
 *   pipeline_send.c     deliveries: lane, webhook, retry, settle
 *   pipeline_commit.c   commits, and when a partition may be given back */
#ifndef PIPELINE_INTERNAL_H
#define PIPELINE_INTERNAL_H

#include "core/lane.h"
#include "core/retry.h"
#include "core/transform.h"
#include "core/window.h"
#include "edge/log.h"
#include "edge/loop.h"
#include "edge/parking.h"
#include "edge/registry.h"
#include "edge/source.h"
#include "edge/webhook.h"
#include "pipeline.h"
#include "plans.h"

enum { READ_BATCH = 500 }; /* messages taken from librdkafka at a time */

enum partition_state {
    PARTITION_NONE, /* not ours */
    PARTITION_READING,
    PARTITION_HELD,    /* waits for a schema, for memory, or for room in the parking */
    PARTITION_STOPPED, /* its records cannot be read at all: the operator must look */
    PARTITION_REVOKING /* drains, commits, goes back to the group */
};

/* One partition of kafka.topic. Lives as long as the pipeline; `epoch` tells its assignments apart,
 * so that a late completion of an earlier one touches nothing. */
struct partition {
    int32_t number;
    enum partition_state state;
    uint64_t epoch;
    struct window window;
    size_t busy;             /* requests and parked records of this epoch still under way */
    bool maybe_more;         /* its queue may hold messages */
    bool at_end;             /* the fetcher said that there is nothing more (until_end) */
    int64_t committed;       /* acknowledged by the group; -1: nothing yet in this epoch */
    int64_t asked;           /* in the outstanding commit; -1: none */
    int64_t give_back_by_ms; /* REVOKING: deadline of its drain */
    rd_kafka_message_t *batch[READ_BATCH];
    size_t batch_at, batch_len; /* what is left of the batch */
};

struct totals { /* conservation: consumed = skipped + delivered + parked + open */
    uint64_t consumed, repeated, skipped[SKIP_REASON_COUNT];
    uint64_t delivered, parked, attempts, failures, before_unknown, abandoned;
};

struct pipeline {
    const struct config *config;
    struct loop *loop;
    struct http *http;
    struct registry *registry;
    struct webhook *webhook;
    struct source *source;
    struct parking *parking;
    struct transform *transform;
    struct plans *plans;
    struct lanes *lanes;
    struct partition **partitions; /* by number; NULL: never assigned */
    size_t partition_count;
    size_t next_partition; /* where the next round of reading begins: fairness */
    int wake_fd;
    bool stopping; /* leaves the group */
    struct error *fatal;

    int64_t now_ms;                  /* monotonic, read once a turn */
    size_t held_records, held_bytes; /* unsettled deliveries and parked records */
    size_t in_flight;                /* webhook requests */
    struct attempt *attempts;        /* the same ones, for whoever ends them early */
    bool commit_outstanding;
    int64_t next_commit_ms;

    int64_t *end_offsets; /* until_end: by partition */
    size_t end_count;

    uint64_t random;
    struct totals totals;
    int64_t next_progress_ms;
    uint64_t progress_shown;
    struct log_trouble webhook_trouble, commit_trouble, memory_trouble;
    bool near_miss_said, before_unknown_said;
};

/* pipeline_read.c */
bool read_partitions(struct pipeline *p); /* true: there may be more to read at once */
void drop_batch(struct partition *partition);

/* pipeline_send.c */
void send_ready(struct pipeline *p);
bool park(struct pipeline *p, struct partition *partition, const rd_kafka_message_t *message,
          const char *reason, const char *detail);
void drop_deliveries(struct pipeline *p, struct partition *partition);
void drop_attempts(struct pipeline *p); /* at the very end: their requests are over already */

/* pipeline_commit.c */
void commit_due(struct pipeline *p);
void commit_answered(struct pipeline *p, int32_t number, int64_t offset, bool ok,
                     const char *error);
void commit_finished(struct pipeline *p);
void give_back_drained(struct pipeline *p);
bool everything_settled(const struct pipeline *p);
int64_t commit_wait_until(const struct pipeline *p); /* monotonic ms, -1: not waiting */

/* The partition of a delivery or parked record, or NULL when that assignment is over. */
struct partition *partition_of(struct pipeline *p, int32_t number, uint64_t epoch);

#endif
