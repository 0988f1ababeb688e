/* consumer: the consumer group's member on librdkafka: assignment, fetching, commits.
 *
 *   wake-up fd ─▶ consumer_turn() ─▶ assigned/revoked/lost/committed callbacks
 *                 consumer_read(partition, …) ─▶ borrowed messages, one partition at a time
 *
 * cooperative-sticky, manual commits, auto.offset.reset=error. Each partition has its own
 * unforwarded queue, read only while its reader has room: backpressure without pause (pausing
 * throws away the prefetch, librdkafka #1849). The rebalance callback only records what is wanted;
 * (un)assignment is carried out by consumer_turn and consumer_release. Not thread-safe. */
#ifndef KAFKA_CONSUMER_CONSUMER_H
#define KAFKA_CONSUMER_CONSUMER_H

#include "config/config.h"

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdint.h>

struct consumer;

/* A slot names what is read: a partition of kafka.topic, or the partition of retry.topic that
 * goes with it. A retry partition is never subscribed; it is given and taken together with its
 * source partition, so that an order is never in two members' hands. */
static inline int32_t slot_of(int32_t partition, bool is_retry)
{
    return partition * 2 + is_retry;
}
static inline int32_t slot_partition(int32_t slot)
{
    return slot / 2;
}
static inline bool slot_is_retry(int32_t slot)
{
    return slot % 2 == 1;
}

/* Reports to the consumer's owner, always from within consumer_turn. */
struct consumer_events {
    void *context;
    /* Reading of this slot begins at `position` (the committed offset, or where kafka.start
     * sets it). Called once its position is known; consumer_read works from here on. metadata: that
     * of the commit it starts from, "" if none; borrowed during the call. */
    void (*assigned)(void *context, int32_t slot, int64_t position, const char *metadata);
    /* The group wants it back: stop dispatching, drain, commit, then call consumer_release. */
    void (*revoking)(void *context, int32_t slot);
    /* Gone already; nothing of it may be committed. consumer_release is not called. */
    void (*lost)(void *context, int32_t slot);
    /* The answer to consumer_commit, for each partition in it; ok=false: error has the reason. */
    void (*committed)(void *context, int32_t slot, int64_t offset, bool ok, const char *error);
    /* All of the answer to consumer_commit has been reported; the next one may be sent. */
    void (*commit_done)(void *context);
    /* Everything that was in the partition at some moment after its assignment has been read. */
    void (*at_end)(void *context, int32_t slot);
    /* The offset to be read next is not in the topic any more (retention), or not yet (a topic made
     * again, or cut short): nothing more of this slot is read until it is assigned again. why: one
     * line. */
    void (*stopped)(void *context, int32_t slot, const char *why);
    /* The same, and the operator had chosen to go on: what is read next lies at `position`. */
    void (*restarted)(void *context, int32_t slot, int64_t position);
    /* Partitions were added to the topic, which has so many by now: how many of them have a retry
     * partition that can be read, by whatever is to be done for it. May take some seconds, and
     * is called in another thread: it may use consumer_client and what never changes. */
    int32_t (*grown)(void *context, int32_t partitions);
    /* Something the operator must know; fatal: the process cannot go on (exit code from err). */
    void (*trouble)(void *context, const struct error *err, bool fatal);
};

/* Joins nothing yet: consumer_start does. wake_fd is written to (8 bytes) whenever a queue has
 * become non-empty: an eventfd watched by the loop and owned by the caller. */
struct consumer *consumer_new(const struct config *config, const struct consumer_events *events,
                              int wake_fd, struct error *err);

/* Checks that the topic exists. Waits calmly while brokers are down, asking
 * `wanted` at least once a second whether to go on (false then, without an error); UNREACHABLE
 * after timeout_ms
 * (-1: never); FAILED, naming the topic, when the cluster answers that it has no such topic. */
bool consumer_start(struct consumer *consumer, int64_t timeout_ms, bool (*wanted)(void *context),
                    void *context, struct error *err) must_check;

/* Joins the group. */
bool consumer_subscribe(struct consumer *consumer, struct error *err) must_check;

/* Serves group events, errors and commit answers; carries out what is due. Never waits for a
 * broker: look-ups run in threads, whose end writes to wake_fd. */
void consumer_turn(struct consumer *consumer);

/* The loop's longest wait before the next consumer_turn (ms); -1: until the wake-up. */
int64_t consumer_wake_ms(struct consumer *consumer);

/* Takes up to max (≤ 1000) messages of one assigned slot, without waiting. Returns how many;
 * the caller destroys each with rd_kafka_message_destroy. Errors and ends are handled inside. The
 * wake-up comes only when an empty queue fills, so read until 0 comes back before waiting for it.
 */
size_t consumer_read(struct consumer *consumer, int32_t slot, rd_kafka_message_t **messages,
                     size_t max);

/* While the member joins its group, or may be about to, a commit would fail and could cost it all
 * its partitions. 0: one may be sent; else how long to wait for that (ms), or -1: until the
 * wake-up. */
int64_t consumer_commit_wait_ms(const struct consumer *consumer, int64_t now_ms);

/* Sends one asynchronous commit; its answer comes by `committed`. Only assigned (or revoking, not
 * yet released) slots may be in it: others are refused by assertion. metadata is printable or
 * NULL. */
struct consumer_offset {
    int32_t slot;
    int64_t offset;       /* the next offset to read */
    const char *metadata; /* borrowed during the call */
};
bool consumer_commit(struct consumer *consumer, const struct consumer_offset *offsets, size_t count,
                     struct error *err) must_check;

/* Hands a revoking slot back. The unassignment is made when all of one revocation are
 * released. */
void consumer_release(struct consumer *consumer, int32_t slot);

/* End offsets by slot (0 where there is no such partition), found by asking the cluster.
 * *ret_offsets is malloced, *ret_count long. Bounded by timeout_ms for each question. */
bool consumer_end_offsets(struct consumer *consumer, int64_t timeout_ms, int64_t **ret_offsets,
                          size_t *ret_count, struct error *err) must_check;

/* The group has committed up to these ends (by slot; 0: of no interest) what other members have.
 * Asks the cluster in the background, once a second; false until it has answered, and while it is
 * not known who has what. To be called in each turn. */
bool consumer_others_reached(struct consumer *consumer, const int64_t *ends, size_t count);

/* A slot's end as far as fetching has told, without asking; -1: not known yet. */
int64_t consumer_end_known(struct consumer *consumer, int32_t slot);

/* Partitions of kafka.topic, as last seen. */
int32_t consumer_partitions(const struct consumer *consumer);

/* Makes retry partitions readable: the topic exists now. Before any is assigned. */
void consumer_use_retry(struct consumer *consumer, int32_t partitions);

/* The consumer itself, for what else it can do (metadata, watermarks). */
rd_kafka_t *consumer_client(struct consumer *consumer);

/* The group has answered with an assignment, be it an empty one. */
bool consumer_joined(const struct consumer *consumer);

/* Begins to leave the group: every assigned partition gets `revoking`; consumer_closed turns true
 * once all are released and the consumer is closed. */
void consumer_close(struct consumer *consumer);
bool consumer_closed(const struct consumer *consumer);

void consumer_free(
    struct consumer *consumer); /* accepts NULL; after consumer_closed, or to abandon */

/* "2.0.2": the librdkafka that runs. */
const char *consumer_library_version(void);

#endif
