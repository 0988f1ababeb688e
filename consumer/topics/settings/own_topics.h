/* own_topics: the topics that the program owns: looked for at the start, made where they are
 * missing.
 */
#ifndef TOPICS_SETTINGS_OWN_TOPICS_H
#define TOPICS_SETTINGS_OWN_TOPICS_H

#include "config/config.h"
#include "kafka/consumer/consumer.h"

#include <stdbool.h>

/* After consumer_start. Makes the parked, deliveries, retry, members and control topics where they
 * are missing (topics.create), with the partitions and settings they need, and gives the consumer
 * the number of retry partitions. A retry topic with fewer partitions than the orders' topic gets
 * the missing ones. False with FAILED, saying exactly what to create, when one is missing and
 * may not be made; with UNREACHABLE when the cluster does not answer. Bounded by some seconds. */
bool topics_prepare(const struct config *config, struct consumer *source,
                    struct error *err) must_check;

/* While members run: the orders' topic has so many partitions by now, and its retry topic gets as
 * many if it may. Returns how many it has; the log names those that are missing. */
int32_t topics_follow(const struct config *config, struct consumer *source, int32_t partitions);

#endif
