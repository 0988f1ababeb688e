/* member_properties: the configuration of a member of the consumer group, by the librdkafka at
 * hand.
 */
#ifndef KAFKA_GROUP_MEMBER_PROPERTIES_H
#define KAFKA_GROUP_MEMBER_PROPERTIES_H

#include "config/config.h"

#include <librdkafka/rdkafka.h>

/* The member's own properties, then the user's; of the properties that group.protocol=consumer
 * (KIP-848) refuses, because the broker decides them, none with it. The caller owns it. NULL with
 * CONFIG when a property is refused. */
rd_kafka_conf_t *kafka_member_conf(const struct config *config, struct error *err);

/* librdkafka makes a member of this configuration: what `run` would meet, for `check`. */
bool kafka_member_is_accepted(const struct config *config, struct error *err) must_check;

#endif
