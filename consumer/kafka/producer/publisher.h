/* publisher: writes to the program's own topics; acks=all, idempotent.
 *
 * A record is tried again until the brokers acknowledge it (said once, then calmly), or until its
 * deadline, if need be by another producer; nothing is dropped in silence. Not thread-safe. */
#ifndef KAFKA_PRODUCER_PUBLISHER_H
#define KAFKA_PRODUCER_PUBLISHER_H

#include "config/config.h"

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdint.h>

struct publisher;

/* acknowledged: by the brokers; false: the deadline passed or publisher_free ended it, and nothing
 * is known. Called once, from publisher_turn or publisher_free. */
typedef void publisher_done(void *context, bool acknowledged);

/* wake_fd: as in consumer.h. */
struct publisher *publisher_new(const struct config *config, int wake_fd, struct error *err);

/* Everything is copied at the call, but the headers, which are taken over. */
struct publication {
    const char *topic;
    int32_t partition; /* RD_KAFKA_PARTITION_UA: by key */
    const void *key, *value;
    size_t key_len, value_len;
    rd_kafka_headers_t *headers; /* NULL: none */
    int64_t deadline_ms;         /* monotonic; -1: none */
    bool value_optional;         /* too large for the topic: publish key and headers alone; if need
                                  * be only headers that begin with "elementor-sync.", of these only
                                  * short ones, and at last only its place and reason */
};

/* Takes responsibility for the record, and its headers in any case. done may be NULL. False only
 * without memory. */
bool publisher_put(struct publisher *publisher, const struct publication *publication,
                   publisher_done *done, void *context, struct error *err) must_check;

/* Serves acknowledgements, retries and deadlines; ms until the next call is due, or -1. */
int64_t publisher_turn(struct publisher *publisher, int64_t now_ms);

/* Learns where the topic's partitions are, so that its first record need not wait for that; at most
 * timeout_ms. Records are published without it too. Four topics at
 * most. */
void publisher_know(struct publisher *publisher, const char *topic, int64_t timeout_ms);

/* Serves acknowledgements until nothing is under way, at most timeout_ms. */
void publisher_flush(struct publisher *publisher, int64_t timeout_ms);

/* Producers end with a fatal error one after the other, with nothing acknowledged in between:
 * another one would fare no better. Then FAILED, with librdkafka's reason. */
bool publisher_is_lost(const struct publisher *publisher, struct error *err);

/* The producer itself, for what else it can do; valid until publisher_free. */
rd_kafka_t *publisher_client(struct publisher *publisher);

/* Ends what is under way: `done` gets acknowledged = false. Accepts NULL. */
void publisher_free(struct publisher *publisher);

#endif
