/* group_protocol: looks for members of a group that a member of this configuration would not see.
 *
 * A group can hold members of the classic protocol and of the brokers' own (KIP-848) at once, and
 * all of them get partitions; but what one kind asks about its group does not name the other. */
#ifndef KAFKA_GROUP_GROUP_PROTOCOL_H
#define KAFKA_GROUP_GROUP_PROTOCOL_H

#include "config/config.h"

#include <librdkafka/rdkafka.h>

/* True when kafka.group has members, and all that can be told of them is that they are of the other
 * protocol than `config`'s. Asked before the caller joins. Blocks for 2 × timeout_ms and a second
 * at most; false without an answer. */
bool group_has_other_protocol(rd_kafka_t *rk, const struct config *config, int timeout_ms);

#endif
