/* broker: librdkafka's mock cluster in this process, the shop's writer, and a reader of the
 * delivering program's topics.
 *
 * The mock keeps 5 MiB a partition and drops older records: the writer must not run far ahead. It
 * listens on loopback only. All callbacks run inside broker_turn. */
#ifndef DEMO_PARTS_BROKER_H
#define DEMO_PARTS_BROKER_H

#include "base/buf.h"
#include "base/error.h"
#include "base/slice.h"

#include <librdkafka/rdkafka.h>
#include <stdint.h>

#define BROKER_ORDERS "orders.public.orders"
#define BROKER_GROUP "elementor-sync"

enum { BROKER_PARTITIONS = 6 };

struct broker_events {
    void *context;
    void (*written)(void *context, void *tag, int32_t partition, int64_t offset);
    void (*failed)(void *context, const char *why); /* a record was not written */
    void (*parked)(void *context, const rd_kafka_message_t *message);
    void (*outcome)(void *context, struct slice json); /* deliveries topic */
    void (*member)(void *context, struct slice json);  /* members topic; no bytes: it left */
};

struct broker;

struct broker *broker_new(const struct broker_events *events, struct error *err);
void broker_free(struct broker *b); /* accepts NULL */
const char *broker_addresses(const struct broker *b);

/* Writes a change; value.data NULL: a tombstone. Copies. `tag` comes back in `written`. */
bool broker_write(struct broker *b, struct slice key, struct slice value, void *tag,
                  struct error *err) must_check;

/* Serves everything without waiting. */
void broker_turn(struct broker *b, int64_t now_ms);

uint64_t broker_written(const struct broker *b); /* acknowledged records */
uint64_t broker_pending(const struct broker *b); /* not acknowledged yet */
uint64_t broker_lag(const struct broker *b);     /* acknowledged, not covered by a commit */

/* Reads on to the present end of the parked and deliveries topics; false after timeout_ms. */
bool broker_read_to_end(struct broker *b, int64_t timeout_ms);

/* The group's last known commits, by partition; -1: none. */
const int64_t *broker_committed(const struct broker *b);

/* Requests the group's commits and waits for the answer; false after timeout_ms. */
bool broker_ask_committed(struct broker *b, int64_t timeout_ms);

#endif
