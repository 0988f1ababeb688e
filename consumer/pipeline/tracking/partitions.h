/* partitions: this member's partitions of the topic, by slot, and the state of each.
 *
 *   NONE ──assigned──▶ READING ⇄ BLOCKED, STOPPED ──revoking──▶ REVOKING ──given back──▶ NONE
 *
 * An entry lives as long as the pipeline; `assignment_epoch` distinguishes its assignments, so that
 * a late completion of an earlier one touches nothing. Each part of a partition has its writer:
 * `read`, `doubt` and `stretches` pipeline/intake (and membership, for what the consumer reports),
 * `commit` pipeline/committer, `work` this file. Not thread-safe. */
#ifndef PIPELINE_TRACKING_PARTITIONS_H
#define PIPELINE_TRACKING_PARTITIONS_H

#include "delivery/delivery.h"
#include "offsets/offset_window.h"
#include "offsets/tried.h"

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum partition_state {
    PARTITION_NONE, /* not ours */
    PARTITION_READING,
    PARTITION_BLOCKED, /* waits for a schema, for memory, or for room in the parking */
    PARTITION_STOPPED, /* its records cannot be read (intake/suspects), or its offset is lost */
    PARTITION_REVOKING /* drains, commits, goes back to the group */
};

/* ---- reading ---- */

enum { READ_BATCH = 500 }; /* messages taken from librdkafka at a time */

struct partition_read {
    rd_kafka_message_t *batch[READ_BATCH]; /* NULL: kept as a suspect */
    size_t batch_at, batch_len;            /* what is left of the batch */
    int64_t blocked_ms;                    /* monotonic time since which it is BLOCKED */
    bool maybe_more;                       /* its queue may hold messages */
    bool at_end;                           /* the fetcher has reached the end (until_end) */
    bool full;                             /* inflight.partition_records */
    int64_t full_logged_ms;
};

/* ---- records that cannot be read: intake/suspects ---- */

enum {
    DOUBT_FOLLOWERS = 20, /* records within which another like a suspect must be read */
    DOUBT_SUSPECTS_MAX = DOUBT_FOLLOWERS + 1,
    DOUBT_REASON_MAX = 400
};

/* By which other records a record's readability is judged. */
enum doubt_kind {
    DOUBT_NO_ID,     /* not in the wire format, or its schema's id is elsewhere: its partition */
    DOUBT_NO_EVENT,  /* its op is none of Debezium's: its partition */
    DOUBT_MISFIT,    /* its bytes do not fit its schema: its schema id */
    DOUBT_NO_SCHEMA, /* the registry has no such schema: what its partition holds behind it */
    DOUBT_SCHEMA     /* no record of this schema can be read: none, the partition stops */
};

struct reading_fault {
    enum doubt_kind kind;
    struct schema_ref schema; /* NONE: none */
    char reason[DOUBT_REASON_MAX];
};

struct suspect {
    rd_kafka_message_t *message; /* owned */
    uint64_t sequence;           /* its open offset in the partition's window */
    struct reading_fault fault;
    unsigned followers; /* records read behind it */
    bool followed;      /* one of these was read to its end */
};

struct doubt {
    struct suspect suspects[DOUBT_SUSPECTS_MAX]; /* oldest first */
    size_t count;
    unsigned run;       /* records in a row that could not be read */
    bool readable;      /* a record was read to its end */
    bool again;         /* the suspects are to be read again */
    int64_t quiet_ms;   /* monotonic time since which there is nothing to read; 0: there is */
    int64_t blocked_ms; /* the same since which it waits for the registry; 0: it does not */
    bool stopped;       /* and logged */
    int64_t look_ms;    /* stopped: when to look again */
    struct reading_fault fault; /* stopped: why */
};

/* ---- stretches that an operator parks: intake/park_stretch ---- */

enum { STRETCHES_MAX = 8, STRETCH_REASON_MAX = 240 };

struct stretch {
    int64_t from, until; /* offsets of the source partition: from ≤ offset < until */
    uint64_t sequence;   /* of the order, in the retry partition's window */
    char reason[STRETCH_REASON_MAX];
};

struct stretches { /* of a retry slot: for the slot of orders with the same number */
    struct stretch list[STRETCHES_MAX];
    size_t count;
};

/* ---- deliveries under way ---- */

struct partition_work {
    size_t busy;             /* requests and records of this epoch still under way */
    size_t settling;         /* of these, delivered or parked, and not yet recorded */
    int64_t last_settled_ms; /* the grace of its last commit counts from then */
    int64_t give_back_by_ms; /* REVOKING: deadline of its drain */
    uint64_t dispatched;     /* deliveries ever sent; a crash repeats dispatched - covered */
    uint64_t settled;        /* of these */
    uint64_t settles;        /* offsets settled of all kinds, for the commit's metadata */
    uint64_t tries;          /* changes of `tried`, for the same */
};

/* ---- commits ---- */

struct partition_commit {
    int64_t committed;    /* acknowledged by the group; -1: nothing yet in this epoch */
    int64_t committed_ms; /* monotonic time of the last acknowledged commit */
    int64_t asked;        /* in the outstanding commit; -1: none */
    uint64_t asked_settled, asked_settles, asked_tries; /* of partition_work, in the outstanding
                                                           commit */
    uint64_t covered, covered_settles, covered_tries;   /* the same, in an acknowledged one */
    bool metadata_full; /* the window no longer fits into a commit: nothing more is opened */
};

struct partition {
    int32_t slot, number;
    bool is_retry;
    enum partition_state state;
    uint64_t assignment_epoch;
    uint32_t status_epoch; /* of the cache of last statuses (order/status_cache) */
    int64_t replay_until;  /* offsets below it are a replay; -1: none */
    int64_t restart_at;    /* its offsets start over there, once nothing is open; -1: no */
    struct offset_window window;
    struct tried_list tried; /* of its open offsets; an earlier owner's among them */
    struct partition_read read;
    struct doubt doubt;
    struct stretches stretches;
    struct partition_work work;
    struct partition_commit commit;
};

struct partitions {
    struct partition **list; /* by slot; NULL: never assigned */
    size_t count;
    size_t uncovered;       /* dispatched, not covered by an acknowledged commit */
    uint32_t status_epochs; /* given out so far */
    uint64_t changes;       /* of states: the member's status is published soon after one */
};

void partitions_done(struct partitions *partitions); /* after partition_end of each */

/* The entry of a slot: NULL if it was never assigned. */
struct partition *partition_at(const struct partitions *partitions, int32_t slot);

/* The same, made when it is first needed. NULL without memory. */
struct partition *partition_make(struct partitions *partitions, int32_t slot);

/* An assignment begins; metadata: that of the commit at `position`. */
void partition_begin(struct partitions *partitions, struct partition *partition, int64_t position,
                     const char *metadata, int64_t now_ms);
/* The group wants it back: it drains until then. */
void partition_revoke(struct partitions *partitions, struct partition *partition,
                      int64_t give_back_by_ms);
/* An assignment ends. */
void partition_end(struct partitions *partitions, struct partition *partition);

static inline bool partition_is_ours(const struct partition *partition)
{
    return partition != NULL && partition->state != PARTITION_NONE;
}

bool partition_is_stopped(const struct partition *partition);

void partition_block(struct partition *partition, int64_t now_ms); /* for a moment */

/* Statuses that were remembered in this partition no longer count: records may come again, or have
 * been skipped. */
void partition_renew_status_epoch(struct partitions *partitions, struct partition *partition);
bool partitions_status_epoch_is_live(const void *partitions, uint32_t status_epoch);

/* The partition that a delivery was read from; NULL when that assignment is over. */
struct partition *partition_of(const struct delivery *d);

/* A request or record of this epoch begins; it ended without settling anything. */
void partition_begin_work(struct partition *partition);
void partition_end_work(struct partition *partition);
/* A delivery is delivered or parked, and is to be recorded. */
void partition_conclude(struct partition *partition);
/* … and is recorded: its work ends, its offset is settled. */
void partition_settle_delivery(struct partition *partition, const struct delivery *d,
                               int64_t now_ms);
/* The first attempt of a delivery. */
void partition_dispatch(struct partitions *partitions, struct partition *partition);
/* Of its settled deliveries, an acknowledged commit covers so many. */
void partition_cover(struct partitions *partitions, struct partition *partition, uint64_t covered);
/* An attempt at a delivery ended, and it is to be sent again: for the next owner. counted_ms: what
 * retry.give_up has counted so far. */
void partition_note_tried(struct partition *partition, const struct delivery *d,
                          int64_t counted_ms);

/* An earlier owner's notes on a new delivery become its history. */
struct tried_clock {
    int64_t now_ms;     /* monotonic */
    int64_t still_ms;   /* for how long deliveries have stood still so far: pause_stood_still_ms */
    uint64_t delivered; /* other orders by this process so far */
};
void partition_recall_tried(struct partition *partition, struct delivery *d,
                            const struct tried_clock *clock);

/* An open offset is settled. */
void partition_settle(struct partition *partition, uint64_t sequence);

#endif
