/* topic_settings: a topic's settings, as the cluster has them. */
#ifndef TOPICS_SETTINGS_TOPIC_SETTINGS_H
#define TOPICS_SETTINGS_TOPIC_SETTINGS_H

#include "topics/settings/topic_keeps.h"

#include <librdkafka/rdkafka.h>

/* DescribeConfigs, within timeout_ms. False, with the reason in *ret_why (size bytes), when the
 * cluster does not say: no right to (DescribeConfigs), no controller, no answer. */
bool topic_settings_ask(rd_kafka_t *rk, const char *topic, int timeout_ms,
                        struct topic_settings *ret_settings, char *ret_why, size_t size);

#endif
