/* consumer_internal: the source's state.
 *
 *   consumer.c         start, reading, commits, close
 *   metadata.c   is the topic there, where does it end
 *   rebalance.c  what the group gives and takes
 *   start_offsets.c   where reading begins
 *   other_members.c  how far other members are
 *   out_of_range.c    an offset that is not there
 *   group_wait.c    the group makes it wait
 *   fatal.c   librdkafka cannot go on
 *   partition_queue.c   a slot's own queue, and what came by another
 *
 * A slot's states; every arrow is made in rebalance.c:
 *
 *   FREE ──(group gives)──▶ WANTED ──(position known)──▶ ASSIGNED ──(group takes)──▶ REVOKING
 *    ▲                        │                             │ (lost)                   │ release
 *    └────────────────────────┴─────────────────────────────┴──────── RELEASED ◀───────┘ */
#ifndef KAFKA_CONSUMER_CONSUMER_INTERNAL_H
#define KAFKA_CONSUMER_CONSUMER_INTERNAL_H

#include "kafka/consumer/consumer.h"
#include "kafka/consumer/join_watch.h"
#include "kafka/group/group_members.h"
#include "sys/background.h"
#include "sys/log.h"

enum consumer_state {
    CONSUMER_FREE,
    CONSUMER_WANTED,
    CONSUMER_ASSIGNED,
    CONSUMER_REVOKING,
    CONSUMER_RELEASED
};

struct consumer_slot {
    enum consumer_state state;
    rd_kafka_queue_t *queue;     /* its own, unforwarded; fetched at each assignment */
    rd_kafka_message_t **strays; /* came by the consumer's queue instead; read before `queue` */
    size_t stray_at, stray_count, stray_room;
    bool lost;           /* lost_offset is not in the topic, and that is still to be dealt with */
    int64_t lost_offset; /* -1: none is, but the topic was made again */
    int64_t look_ms;     /* monotonic: not before; 0: as soon as it is read again */
    int looks;           /* that did not settle it */
    int64_t seen;        /* a commit of the group that was seen, and 1; 0: none */
};

enum consumer_change { CHANGE_NONE, CHANGE_ASSIGN, CHANGE_REVOKE };

/* Where an assignment begins, looked for in a thread; see start_offsets.c. The first three are the
 * loop's, the others the thread's while it runs. */
struct consumer_starts {
    struct background background;
    struct consumer *source;
    uint64_t rebalances; /* of the source when it began: an older answer is thrown away */
    bool follows;        /* looks how far the topic has grown, and nothing else */
    rd_kafka_topic_partition_list_t *list;
    int64_t *seen; /* by partition of the topic */
    size_t seen_count;
    int32_t partitions, retry_partitions, born;
    bool ok, unanswered, made_again;
    struct error err;
};

/* What the topic holds where an offset is lost; see out_of_range.c. */
struct consumer_bounds {
    struct background background;
    rd_kafka_t *rk;
    const char *topic;
    int32_t slot;
    int64_t lost_offset, low, high;
    int64_t committed; /* < 0: the group has committed nothing there */
    bool ok;
    struct error err;
};

/* How far other members are; see other_members.c. */
struct consumer_others {
    struct background background;
    rd_kafka_t *rk;
    uint64_t rebalances;
    rd_kafka_topic_partition_list_t *list;
    rd_kafka_resp_err_t code;
    int64_t asked_ms;
};

/* The group makes this member wait. Monotonic. */
struct consumer_wait {
    struct background background; /* asks who is in the group */
    struct group_members members; /* these two are its own while it runs */
    struct error err;
    bool known, asked, said;
    int64_t asked_ms, again_ms, none_since_ms;
};

struct consumer {
    const struct config *config;
    struct consumer_events events;
    rd_kafka_t *rk;
    rd_kafka_topic_t *topic; /* for metadata only */
    rd_kafka_queue_t *main_queue, *commit_queue, *close_queue;
    struct join_watch join;
    struct consumer_wait wait;
    struct consumer_starts starts;
    struct consumer_bounds bounds;
    struct consumer_others others;
    uint64_t rebalances; /* counts what the group gave and took */
    int wake_fd;
    struct consumer_slot *slots;
    size_t count;
    int32_t partitions, retry_partitions; /* of the topics */
    int32_t born; /* partitions of the topic when the group began at its end; 0: it did not, or this
                   * member does not know */
    enum consumer_change pending; /* what librdkafka waits for us to carry out */
    bool follow;                  /* look whether the topic has grown before an assignment */
    int64_t retry_ms;             /* of a pending assignment whose offsets could not be looked up */
    bool subscribed, ever_assigned, joined, closing, leaving, closed;
    bool fatal;      /* librdkafka cannot go on */
    int commits;     /* whose answers are awaited */
    bool unanswered; /* one is awaited no more, and may be under way still */
    struct log_limited offsets_trouble, broker_trouble;
    struct log_limited consumer_trouble, stray_trouble;
    struct log_limited refused_trouble; /* TLS or the login */
    char words[256];                    /* the last on a broken connection that say something */
};

const char *consumer_topic(const struct consumer *s, int32_t slot);
int32_t consumer_slot_of(const struct consumer *s, const rd_kafka_topic_partition_t *p);

/* Said once, and calmly again after a while. */
void consumer_brokers_missed(struct consumer *s, const char *why);
void consumer_brokers_there(struct consumer *s);

void consumer_serve_group(struct consumer *s); /* the group's own events, and the client's errors */

/* The metadata of a commit; malloced. NULL without memory: then the commit goes without. */
char *consumer_metadata(int32_t born, int32_t slot, int64_t offset, const char *text);

/* rebalance.c */
void consumer_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t err,
                        rd_kafka_topic_partition_list_t *partitions, void *opaque);
void consumer_carry_out(struct consumer *s); /* what is pending, if it can be done by now */
void consumer_revoke_all(struct consumer *s);
void consumer_lose_all(struct consumer *s);
void consumer_expelled(struct consumer *s); /* no commit will be taken any more */
void consumer_note_seen(struct consumer *s, int32_t slot, int64_t offset); /* committed */
bool consumer_none_owned(const struct consumer *s);

/* group_wait.c: logs that the group makes this member wait. */
void consumer_say_wait(struct consumer *s);

/* fatal.c: ends the member when librdkafka has met a fatal error. */
void consumer_look_for_fatal(struct consumer *s);

/* start_offsets.c: finds, in the background, the offset (and metadata) that each of the list begins
 * with; takes the list. NULL: how many partitions there are, and have a retry partition. False: no
 * thread. Once consumer_starts_take is true the answer is in s->starts, until consumer_starts_done.
 */
bool consumer_starts_begin(struct consumer *s, rd_kafka_topic_partition_list_t *list);
bool consumer_starts_take(struct consumer *s);
void consumer_starts_done(struct consumer *s);

/* other_members.c */
void consumer_others_done(struct consumer *s);

/* The opaque of a start that was chosen, and is no commit yet. */
#define CONSUMER_UNCOMMITTED ((void *)1)

/* out_of_range.c. The topic, or a partition of it, was unknown to a broker: it may have been made
 * again since, which is looked up where this member has seen a commit. */
void consumer_doubt_topic(struct consumer *s);
bool consumer_is_doubted(const struct consumer *s, int32_t slot); /* not looked at yet */
/* The offset that is to be read next is not in the topic: noted, and what
 * kafka.lost_offsets says is done once the owner, who reads again, has what lay before it. */
void consumer_offset_lost(struct consumer *s, int32_t slot, int64_t offset);
void consumer_leave_lost(struct consumer *s, int32_t slot);
void consumer_take_bounds(struct consumer *s); /* of what consumer_leave_lost asked for */

/* partition_queue.c. The slot's queue of now, to be fetched before each assignment; what came by
 * another one is kept for the slot (consumes the message) or, of a slot that is not read, dropped;
 * and what there is to read, as kafka_batch. */
void consumer_queue_open(struct consumer *s, int32_t slot);
void consumer_queue_keep_foreign(struct consumer *s, rd_kafka_message_t *m);
void consumer_queue_drop_foreign(struct consumer *s, int32_t slot);
size_t consumer_queue_take(struct consumer *s, int32_t slot, rd_kafka_message_t **messages,
                           size_t max);
void consumer_queue_done(struct consumer_slot *slot);

#define CONSUMER_BORN_MARK ".n" /* offsets/commit_metadata.h */

/* An offset list of all slots in a state; the caller destroys it. */
rd_kafka_topic_partition_list_t *consumer_list(const struct consumer *s, enum consumer_state state);

/* metadata.c: partitions of the topic, by the cluster's metadata; 0 with err. */
size_t consumer_partition_count(struct consumer *s, int timeout_ms, struct error *err);

#endif
