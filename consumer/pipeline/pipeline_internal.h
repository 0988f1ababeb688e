/* pipeline_internal: the pipeline's state, shared by its parts.
 *
 *   pipeline.c          the turn, start and end
 *   join.c     before the first turn
 *   membership.c    what the consumer group gives and wants back
 *   intake.c     records: window, wire, schema, transform, order queue or parking
 *   suspects.c    who is at fault when a record cannot be read; stopped partitions
 *   park_stretch.c     stretches that an operator has parked
 *   unsent.c   records with the rule's value that are skipped all the same
 *   sender.c     deliveries on their way: order queue, webhook, breaker, retry
 *   recorder.c   deliveries at their end: outcome record, parking, window
 *   answered_again.c records that come again after a loss
 *   committer.c   commits, and when a partition may be given back
 *   reload.c   rotated secrets
 *   member_state.c    what it says of itself: the members topic
 *   metrics.c  the same for the ops port */
#ifndef PIPELINE_PIPELINE_INTERNAL_H
#define PIPELINE_PIPELINE_INTERNAL_H

#include "delivery/answered.h"
#include "delivery/breaker.h"
#include "delivery/history.h"
#include "delivery/order_queue.h"
#include "delivery/retry_policy.h"
#include "delivery/webhook.h"
#include "http/ops_server.h"
#include "http/response_class.h"
#include "kafka/consumer/consumer.h"
#include "kafka/producer/publisher.h"
#include "offsets/offset_window.h"
#include "order/transform.h"
#include "pipeline/pipeline.h"
#include "pipeline/suspects.h"
#include "registry/decoders.h"
#include "registry/registry.h"
#include "sys/log.h"
#include "sys/loop.h"

enum { COORDINATES_MAX = 300 }; /* "topic-partition-offset" */
enum { READ_BATCH = 500 };      /* messages taken from librdkafka at a time */

enum partition_state {
    PARTITION_NONE, /* not ours */
    PARTITION_READING,
    PARTITION_HELD,    /* waits for a schema, for memory, or for room in the parking */
    PARTITION_STOPPED, /* its records cannot be read (pipeline_doubt), or its place is lost */
    PARTITION_REVOKING /* drains, commits, goes back to the group */
};

/* One slot (a partition of kafka.topic or of retry.topic). Lives as long as the pipeline;
 * `assignment_epoch` tells its assignments apart, so that a late completion of an earlier one
 * touches nothing. */
struct partition {
    struct pipeline *p;
    int32_t slot, number;
    bool is_retry;
    enum partition_state state;
    uint64_t assignment_epoch;
    uint32_t status_epoch; /* of the memory of last statuses (order/status_cache) */
    struct offset_window window;
    int64_t replay_until; /* offsets below it are a replay; -1: none */
    int64_t restart_at;   /* its offsets begin anew there, once nothing is open; -1: no */
    size_t busy;          /* requests and records of this epoch still under way */
    size_t settling;      /* of these, delivered or parked, and not yet recorded */
    int64_t held_ms;      /* monotonic time from which on it was HELD */
    bool maybe_more;      /* its queue may hold messages */
    bool at_end;          /* the fetcher said that there is nothing more (until_end) */
    bool full;            /* inflight.partition_records */
    int64_t full_said_ms;
    bool text_full;          /* the window no longer fits into a commit: nothing more is opened */
    int64_t committed;       /* acknowledged by the group; -1: nothing yet in this epoch */
    int64_t asked;           /* in the outstanding commit; -1: none */
    int64_t committed_ms;    /* monotonic time of the last acknowledged commit */
    int64_t give_back_by_ms; /* REVOKING: deadline of its drain */
    int64_t last_settled_ms; /* of its deliveries; what it commits last gets its time from then */
    /* Deliveries of this epoch: ever dispatched; of these settled; of these in the outstanding
     * commit; of these in an acknowledged one. A crash sends dispatched - covered again. */
    uint64_t dispatched, settled, asked_settled, covered;
    uint64_t settles, asked_settles, told_settles; /* of all kinds, for the commit's metadata */
    rd_kafka_message_t *batch[READ_BATCH];
    size_t batch_at, batch_len; /* what is left of the batch; NULL: taken by the doubt */
    struct doubt doubt;
    struct stretch stretches[STRETCHES_MAX]; /* of a retry slot: for the slot of orders beside it */
    size_t stretch_count;
};

struct totals { /* consumed = skipped + delivered + parked + abandoned + unsettled_count() */
    uint64_t consumed, repeated, settled_before, skipped[SKIP_REASON_COUNT];
    uint64_t delivered, parked, attempts, failures, before_unknown, abandoned;
    uint64_t answers_incomplete, unknown_results; /* of attempts */
    uint64_t snapshot_unsent;                     /* of those skipped as snapshot */
    uint64_t outcomes_unacknowledged, breaker_opened, commits, commit_failures;
    uint64_t reloads, reload_failures;
};

enum { DURATION_BUCKETS = 11 };
extern const int64_t duration_bounds_ms[DURATION_BUCKETS];

struct durations { /* of requests */
    uint64_t count[DURATION_BUCKETS + 1];
    int64_t sum_ms;
};

enum { RATE_POINTS = 12 }; /* one every five seconds */

struct rate_point {
    int64_t at_ms;
    uint64_t consumed, delivered;
};

struct pipeline {
    const struct config *config;
    struct loop *loop;
    struct http *http;
    struct registry *registry;
    struct webhook *webhook;
    struct consumer *consumer;
    struct publisher *publisher;
    struct ops *ops; /* NULL: no ops.listen */
    struct transform *transform;
    struct decoders *decoders;
    struct order_queues *order_queues;
    struct history *history;       /* transitions that were settled */
    struct answered *answered;     /* records that are not sent again */
    struct partition **partitions; /* by slot; NULL: never assigned */
    size_t partition_count;
    size_t next_partition; /* where the next round of reading begins: fairness */
    int wake_fd;
    bool stopping; /* leaves the group */
    struct error *fatal;
    struct reload *reload;
    struct config *adopted; /* what the last reload read; owned. NULL: none yet */
    bool reload_asked;      /* by SIGHUP */
    int64_t next_look_ms;   /* at the secrets' files */

    int64_t now_ms, wall_ms;         /* monotonic and wall clock, read once a turn */
    size_t held_records, held_bytes; /* unsettled deliveries, rejected ones included */
    bool full;                       /* inflight.records, inflight.bytes */
    bool ahead;                      /* enough is ready to be sent */
    size_t concluded;                /* of these, delivered or parked: only to be recorded yet */
    uint64_t deliveries;             /* answered with 2xx */
    size_t in_flight;                /* webhook requests */
    size_t first_attempts;           /* of these, first ones of their order */
    struct delivery *under_way;      /* the same ones, for whoever ends them early */
    size_t uncovered;                /* dispatched, not covered by an acknowledged commit */
    struct response_rules response_rules;
    struct retry_options retry_options;
    struct breaker breaker;
    struct breaker_options breaker_options;
    const struct delivery *probe; /* under way; NULL: none */
    struct delivery *sole_probe;  /* the only one to probe with: its answers do not say whether it
                                   * was taken; NULL: any may */
    struct buf text;              /* for whoever needs one for a moment */
    struct buf previous;          /* of an outcome record, for a moment */
    char member[64];
    bool commit_outstanding;
    int64_t commit_sent_ms, commit_retry_ms; /* the last one; not before that, after a failure */
    int64_t commit_wanted_ms;                /* since when there is something to commit; -1 */

    int64_t *end_offsets; /* until_end: by partition */
    size_t end_count;

    struct delivery *held_first, *held_last; /* every unsettled delivery, oldest first */
    int64_t started_wall_ms, state_said_ms;
    struct durations durations;
    bool state_changed; /* say so soon */
    char last_failure[DELIVERY_REASON_MAX];
    struct rate_point rates[RATE_POINTS];
    size_t rate_count;

    uint64_t random;
    uint32_t status_epochs;
    struct totals totals;
    int64_t next_progress_ms;
    uint64_t progress_shown;
    struct log_limited webhook_trouble, commit_trouble, memory_trouble, window_trouble;
    struct log_limited unknown_trouble, incomplete_trouble;
    bool case_mismatch_logged, before_unknown_said, others_retry_said, snapshot_unsent_said,
        key_change_said, second_table_said;
};

/* join.c: prepares what a member needs and joins the group. False when told to stop
 * meanwhile, or with p->fatal. */
bool join_group(struct pipeline *p, const struct pipeline_options *options) must_check;

/* membership.c */
struct consumer_events group_events(struct pipeline *p);
void end_partition(struct pipeline *p, struct partition *partition); /* this assignment is over */
void restart_emptied(struct pipeline *p);

/* unsent.c */
bool partition_era_is_live(const void *pipeline,
                           uint32_t status_epoch); /* of order/rule: rule_place */
void say_unsent(struct pipeline *p, const rd_kafka_message_t *m, const struct transformed *t);

/* intake.c */
void read_partitions(struct pipeline *p);
bool may_read(struct pipeline *p);            /* there may be more to read at once */
void drop_batch(struct partition *partition); /* the suspects too */
void hold_partition(struct pipeline *p, struct partition *partition); /* for a moment */

enum suspect_fate {
    SUSPECT_SETTLED, /* passed by, or on its way to be sent or parked */
    SUSPECT_KEPT,    /* it still cannot be read, or there was no memory */
    SUSPECT_PENDING  /* its schema is awaited */
};

/* Reads a suspect again; park: it is parked if it still cannot be read. */
enum suspect_fate read_suspect(struct pipeline *p, struct partition *partition,
                               struct suspect *suspect, bool park);

/* suspects.c */
void doubt_stop(struct pipeline *p, struct partition *partition, const struct reading_fault *fault,
                int64_t offset);
/* Takes the message, whose offset is open from then on. False: there is no room. */
bool doubt_hold(struct pipeline *p, struct partition *partition, const struct reading_fault *fault,
                rd_kafka_message_t *m);
size_t doubt_drop(struct partition *partition); /* the suspects; returns how many they were */
void doubt_note_follower(struct partition *partition);
/* After a record was taken. readable: it was read to its end. */
void doubt_note(struct pipeline *p, struct partition *partition, bool readable);
bool doubt_wants_whole(const struct partition *partition);
void doubt_blocked(struct pipeline *p, struct partition *partition); /* by the registry */
void doubt_turn(struct pipeline *p, struct partition *partition);
void doubt_look(struct pipeline *p, struct partition *partition); /* at once, if it is stopped */
void doubt_overruled(struct pipeline *p, struct partition *partition); /* an operator parked one */
bool partition_is_stopped(const struct partition *partition);
size_t suspect_count(const struct pipeline *p);
/* Why orders are not read, a line for /readyz; NULL: they are. */
const char *reading_trouble(const struct pipeline *p);

/* backpressure.c: whether more may be read at all; whether of this partition, which has its own
 * share, so that its stuck orders leave room for the others'. */
bool has_room(struct pipeline *p);
bool partition_has_room(struct pipeline *p, struct partition *partition);

/* park_stretch.c */
/* What says that this offset of a slot of orders is to be parked; NULL: nothing. */
const struct stretch *stretch_of(const struct pipeline *p, const struct partition *partition,
                                 int64_t offset);
/* Takes an order off a retry slot, whose window has it open from then on. False: offer it again. */
bool stretch_add(struct pipeline *p, struct partition *retry, const rd_kafka_message_t *m);
void stretches_turn(struct pipeline *p, struct partition *retry); /* ends those that are done */

/* sender.c */
void send_ready(struct pipeline *p);
void drop_deliveries(struct pipeline *p, struct partition *partition);
void drop_under_way(struct pipeline *p); /* at the very end: their requests are over already */
int64_t send_wait_until(const struct pipeline *p); /* monotonic ms, -1: not waiting */

/* recorder.c */
void conclude_delivered(struct pipeline *p, struct delivery *d);
void conclude_parked(struct pipeline *p, struct delivery *d, struct slice response, bool cut);
void conclude_skipped(struct pipeline *p, struct delivery *d); /* d->skip says why */
void say_retrying(struct pipeline *p, struct delivery *d, int64_t next_attempt_ms);
void give_up_delivery(struct pipeline *p, struct delivery *d); /* the next owner sends it */
void hold_delivery(struct pipeline *p, struct delivery *d);    /* counts its memory */
void free_delivery(struct pipeline *p, struct delivery *d);    /* gives it back */

void settle_unsent(struct pipeline *p,
                   struct delivery *d); /* taken from its order queue; needs no answer */

/* last_answer.c */
void note_answer(struct pipeline *p, struct delivery *d, const struct http_result *result);
/* What the endpoint answered, without the URL, our keys and the customer's data; in p->text. */
struct slice fit_to_keep(struct pipeline *p, const struct delivery *d, struct slice response,
                         bool cut);

/* answered_again.c */
struct answered *answered_new_for(const struct config *config);
void note_answered(struct pipeline *p, const struct delivery *d);
bool pass_answered(struct pipeline *p, struct delivery *d); /* true: settled, not to be sent */

/* reload.c */
void reload_due(struct pipeline *p);

/* metrics.c */
void write_metrics(struct pipeline *p, struct buf *b);

/* member_state.c */
size_t unsettled_count(const struct pipeline *p); /* read, and no end of it known */
int64_t partition_end(struct pipeline *p, const struct partition *partition);
bool write_state(struct pipeline *p); /* into p->text, as JSON */
void say_state(struct pipeline *p);
void say_joining(struct pipeline *p);
void say_leaving(struct pipeline *p);

/* committer.c */
void commit_due(struct pipeline *p);
void commit_answered(struct pipeline *p, int32_t slot, int64_t offset, bool ok, const char *error);
void commit_finished(struct pipeline *p);
void give_back_drained(struct pipeline *p);
bool everything_settled(struct pipeline *p);
int64_t commit_wait_until(const struct pipeline *p); /* monotonic ms, -1: not waiting */

/* The partition of a delivery or parked record, or NULL when that assignment is over. */
struct partition *partition_of(const struct delivery *d);

#endif
