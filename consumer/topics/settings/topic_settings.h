/* topic_settings: a topic's settings, as the cluster has them. */
#ifndef TOPICS_SETTINGS_TOPIC_SETTINGS_H
#define TOPICS_SETTINGS_TOPIC_SETTINGS_H

#include "base/error.h"
#include "topics/settings/topic_keeps.h"

#include <librdkafka/rdkafka.h>

/* DescribeConfigs, within timeout_ms for each of two questions. NULL, with why, when the cluster
 * does not say: no right to (DescribeConfigs), no controller, no answer. The result lives as long
 * as *ret_event, which the caller destroys; it is NULL where nothing was asked or answered. */
const rd_kafka_ConfigResource_t *topic_settings_describe(rd_kafka_t *rk, const char *topic,
                                                         int timeout_ms,
                                                         rd_kafka_event_t **ret_event,
                                                         struct error *err);

/* The settings that tell how long records are kept; a limit that is not reported is -1: none. */
bool topic_settings_ask(rd_kafka_t *rk, const char *topic, int timeout_ms,
                        struct topic_settings *ret_settings, struct error *err) must_check;

#endif
