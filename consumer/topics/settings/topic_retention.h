/* topic_retention: reads and changes the time for which a topic keeps its records (retention.ms).
 */
#ifndef TOPICS_SETTINGS_TOPIC_RETENTION_H
#define TOPICS_SETTINGS_TOPIC_RETENTION_H

#include "base/error.h"
#include "config/config.h"

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdint.h>

#define TOPIC_KEEPS_FOR_EVER (-1)
/* Parked orders that Kafka deletes within this time are reported (ms). */
#define TOPIC_EXPIRES_SOON_MS (7 * INT64_C(86400000))

/* In milliseconds, or TOPIC_KEEPS_FOR_EVER. False with why when the cluster does not tell. Bounded
 * by timeout_ms for each of two questions. */
bool topic_retention_ask(rd_kafka_t *rk, const char *topic, int timeout_ms, int64_t *ret_ms,
                         struct error *err) must_check;

/* At a start: a parked topic that keeps its records for ever, as former releases made it, gets
 * parked.retention; where that cannot be done it is named, with the command that does it. A
 * retention that was set by hand stays. */
void topic_retention_bound(rd_kafka_t *rk, const struct config *config, int timeout_ms);

#endif
