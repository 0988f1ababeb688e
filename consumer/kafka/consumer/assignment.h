/* assignment: the slots of this member, the state of each, and each one's own queue.
 *
 * Every arrow is made in rebalance.c:
 *
 *   FREE ──(group gives)──▶ WANTED ──(position known)──▶ ASSIGNED ──(group takes)──▶ REVOKING
 *    ▲                        │                             │ (lost)                   │ release
 *    └────────────────────────┴─────────────────────────────┴──────── RELEASED ◀───────┘
 *
 * A queue belongs to librdkafka's object of its partition. After one metadata answer that does not
 * know the topic, the partition has another object and another queue, and what is fetched for it
 * goes to the consumer's own queue. So the queue is fetched at each assignment, and what comes by
 * the wrong one all the same is kept for its slot, in order, and its queue fetched again. */
#ifndef KAFKA_CONSUMER_ASSIGNMENT_H
#define KAFKA_CONSUMER_ASSIGNMENT_H

#include "kafka/consumer/consumer.h"
#include "sys/log.h"

enum slot_state { SLOT_FREE, SLOT_WANTED, SLOT_ASSIGNED, SLOT_REVOKING, SLOT_RELEASED };

struct consumer_slot {
    enum slot_state state;
    rd_kafka_queue_t *queue;      /* its own, unforwarded; fetched at each assignment */
    rd_kafka_message_t **foreign; /* came by the consumer's queue instead; read before `queue` */
    size_t foreign_at, foreign_count, foreign_room;
    bool lost;           /* lost_offset is not in the topic, and that is still to be dealt with */
    int64_t lost_offset; /* -1: none is, but the topic was made again */
    int64_t look_ms;     /* monotonic: not before; 0: as soon as it is read again */
    int looks;           /* that did not settle it */
    int64_t seen;        /* a commit of the group that was seen, and 1; 0: none */
    int64_t next;        /* behind the last record that was read, or where reading began */
    int64_t left;        /* the next one when reading went on elsewhere; -1: it never did */
};

struct assignment {
    const struct config *config;
    rd_kafka_t *rk;
    int wake_fd;
    struct consumer_slot *slots;
    size_t count;
    int32_t partitions, retry_partitions; /* of the topics */
    struct log_limited foreign_trouble;
};

void assignment_done(struct assignment *a);

const char *assignment_topic(const struct assignment *a, int32_t slot);
int32_t assignment_slot_of(const struct assignment *a, const rd_kafka_topic_partition_t *p);

/* Made where it is asked for first; valid until the next one is made. */
struct consumer_slot *assignment_slot(struct assignment *a, int32_t slot);

/* FREE for a slot that was never asked for. */
enum slot_state assignment_state(const struct assignment *a, int32_t slot);

size_t assignment_count(const struct assignment *a, enum slot_state state);
bool assignment_is_empty(const struct assignment *a); /* none is assigned, or being revoked */

/* An offset list of all slots in a state; the caller destroys it. */
rd_kafka_topic_partition_list_t *assignment_list(const struct assignment *a, enum slot_state state);

/* All that are in this state become free; what was kept for them is dropped. */
void assignment_free_all(struct assignment *a, enum slot_state state);

/* The group has committed this offset. */
void assignment_note_seen(struct assignment *a, int32_t slot, int64_t offset);

/* ---- queues ---- */

/* The slot's queue of now: to be fetched before each assignment. */
void assignment_open_queue(struct assignment *a, int32_t slot);

/* Consumes what came by the consumer's queue: kept for its slot, or dropped if that is not read. */
void assignment_keep_foreign(struct assignment *a, rd_kafka_message_t *m);

/* Takes what there is to read, as kafka_batch. */
size_t assignment_take(struct assignment *a, int32_t slot, rd_kafka_message_t **messages,
                       size_t max);

#endif
