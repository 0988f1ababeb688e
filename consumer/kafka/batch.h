/* batch: what a queue of librdkafka's holds now. */
#ifndef KAFKA_BATCH_H
#define KAFKA_BATCH_H

#include <librdkafka/rdkafka.h>
#include <stddef.h>

/* As rd_kafka_consume_batch_queue without waiting: at most max records and events, in order; how
 * many. The caller destroys each.
 *
 * Since 2.2 librdkafka's own counts the end of a partition as a record: its position is then one
 * too far, and after the next rebalance the record that comes there is passed over, or the
 * partition has lost its place (librdkafka #4844). Read one by one, ends do not count. */
size_t kafka_batch(rd_kafka_queue_t *queue, rd_kafka_message_t **messages, size_t max);

#endif
