/* cluster: librdkafka's in-process mock cluster with the two topics the program knows, and what a
 * test wants of it. A set-up that fails aborts: there is no test without it. */
#ifndef FAKES_CLUSTER_H
#define FAKES_CLUSTER_H

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLUSTER_TOPIC "orders"
#define CLUSTER_PARKED "elementor-sync.parked"
#define CLUSTER_CONTROL "elementor-sync.control"

struct cluster {
    rd_kafka_t *rk; /* a producer; the mock lives in it */
    rd_kafka_mock_cluster_t *mock;
    const char *brokers;
    rd_kafka_t *parked_reader; /* while a parked record is out */
    const char *traceparent;   /* a header of the next records; NULL: none */
    bool many;                 /* the acknowledgements are awaited together, by cluster_end_many */
};

void cluster_open(struct cluster *c, int partitions);
void cluster_close(struct cluster *c);

/* Call it between two rd_kafka_mock_* calls: the mock empties its wake-up pipe after it served a
 * call, and the wake-up of one that comes just then is lost with it, so that it takes a second.
 * Awaits an answer, which says that the mock is past that. */
void cluster_settle(struct cluster *c);

/* Writes one record and awaits its acknowledgement. value NULL: a tombstone. */
void cluster_produce(struct cluster *c, int32_t partition, const void *value, size_t len);

/* Around thousands of cluster_produce: one acknowledgement takes ten milliseconds, all of them no
 * more. */
void cluster_begin_many(struct cluster *c);
void cluster_end_many(struct cluster *c);

/* Kinds of questions: Kafka's API keys. */
enum cluster_question {
    CLUSTER_LIST_OFFSETS = 2,
    CLUSTER_OFFSET_COMMIT = 8,
    CLUSTER_OFFSET_FETCH = 9
};

/* From now on the broker takes such questions and says nothing. */
void cluster_silence(struct cluster *c, enum cluster_question question);

/* Until one of them has come. */
void cluster_await_question(struct cluster *c, enum cluster_question question);

/* The group's committed offset in CLUSTER_TOPIC, -1: none. */
int64_t cluster_committed(struct cluster *c, const char *group, int32_t partition);

/* Commits for a group that has no members now. */
void cluster_commit(struct cluster *c, const char *group, int32_t partition, int64_t offset,
                    const char *metadata);

/* The records of a topic's partition 0, oldest first, up to its end: each is handed over, borrowed.
 * Returns how many. */
size_t cluster_read(struct cluster *c, const char *topic,
                    void (*record)(void *context, const rd_kafka_message_t *m), void *context);

/* The first record of the parked topic, NULL when there is none within 10 s; give it back. */
rd_kafka_message_t *cluster_parked(struct cluster *c);
void cluster_parked_done(rd_kafka_message_t *message, struct cluster *c);

#endif
