/* park_order: an operator's order to park the unreadable records of a stretch of one partition. A
 * record of the retry topic, in the partition with the source partition's number:
 *
 *   elementor-sync.group .topic .partition   whose it is
 *   elementor-sync.offset                    the first offset of the stretch
 *   elementor-sync.park-until                the first one behind it
 *   elementor-sync.park-reason               the operator's words
 *   elementor-sync.request                   names the order in the audit lines */
#ifndef TOPICS_PARK_ORDER_H
#define TOPICS_PARK_ORDER_H

#include "base/error.h"
#include "kafka/producer/publisher.h"

enum { PARK_REASON_MAX = 200 };

struct park_order {
    const char *topic, *reason, *request; /* borrowed */
    int32_t partition;
    int64_t from, until;
};

/* The record is such an order; then park_order_read reads it. */
bool park_order_is(const rd_kafka_message_t *m);

/* False: it is damaged. Borrows the message. */
bool park_order_read(const rd_kafka_message_t *m, struct park_order *ret) must_check;

/* Writes it; done and deadline_ms as in publisher.h. False only without memory. */
bool park_order_write(struct publisher *publisher, const struct config *config,
                      const struct park_order *order, int64_t deadline_ms, publisher_done *done,
                      void *context, struct error *err) must_check;

#endif
