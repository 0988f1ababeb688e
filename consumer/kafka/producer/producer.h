/* producer: librdkafka's, for the program's own topics, and another one in its place when it cannot
 * go on. */
#ifndef KAFKA_PRODUCER_PRODUCER_H
#define KAFKA_PRODUCER_PRODUCER_H

#include "config/config.h"

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdint.h>

enum { PRODUCER_TOPICS_MAX = 4 };

struct producer {
    rd_kafka_t *rk;
    rd_kafka_queue_t *queue; /* delivery reports, errors */
    rd_kafka_topic_t *topics[PRODUCER_TOPICS_MAX];
    size_t topic_count;
    const struct config *config;
    int wake_fd;
    bool lent;
    struct lent_client *former; /* lent, and replaced since */
};

/* The config must outlive it; wake_fd: as in consumer.h. */
bool producer_open(struct producer *producer, const struct config *config, int wake_fd,
                   struct error *err) must_check;
void producer_close(struct producer *producer);

/* The same settings, the same topics, a client of its own; rk and queue are other ones afterwards.
 * To be called when nothing is under way. False without memory: the former is still there. */
bool producer_replace(struct producer *producer) must_check;

/* Learns where the topic's partitions are, so that its first record need not wait for that; at most
 * timeout_ms. */
void producer_know(struct producer *producer, const char *topic, int64_t timeout_ms);

/* One that it knows; NULL: it does not. Borrowed. */
rd_kafka_topic_t *producer_topic(const struct producer *producer, const char *name);

/* The client, for others; valid until producer_close, even if it is replaced. */
rd_kafka_t *producer_lend(struct producer *producer);

#endif
