/* message: the messages that a queue of librdkafka's holds now, and a message's headers by name. */
#ifndef KAFKA_MESSAGE_H
#define KAFKA_MESSAGE_H

#include "base/slice.h"

#include <librdkafka/rdkafka.h>
#include <stdbool.h>

/* As rd_kafka_consume_batch_queue without waiting: at most max records and events, in order; how
 * many. The caller destroys each.
 *
 * Since 2.2 librdkafka's own counts the end of a partition as a record: its position is then one
 * too far, and after the next rebalance the record that comes there is passed over, or the
 * partition has lost its place (librdkafka #4844). Read one by one, ends do not count. */
size_t kafka_batch(rd_kafka_queue_t *queue, rd_kafka_message_t **messages, size_t max);

/* The message's headers, borrowed from it; NULL: none. */
rd_kafka_headers_t *kafka_headers(const rd_kafka_message_t *message);

/* A header by its name; of several the last one counts. Borrowed; a NUL stands behind it. {NULL,
 * 0}: it is missing, or has no value. headers may be NULL. */
struct slice kafka_header_in(const rd_kafka_headers_t *headers, const char *name);

/* The same of a message. cdc and order know no librdkafka: they take these two as callbacks, with a
 * void pointer. */
struct slice kafka_header(const void *message, const char *name);
bool kafka_has_header(const void *message, const char *name);

#endif
