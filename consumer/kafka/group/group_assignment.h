/* group_assignment: a member's assignment in a consumer group, in the bytes of the consumer
 * protocol (ConsumerProtocolAssignment, all versions). Pure: the bytes are another client's. */
#ifndef KAFKA_GROUP_GROUP_ASSIGNMENT_H
#define KAFKA_GROUP_GROUP_ASSIGNMENT_H

#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

/* One partition; the topic is borrowed from the bytes. */
typedef void group_assigned(void *context, struct slice topic, int32_t partition);

/* Every partition that the bytes name, in their order; false where they end too early or are of no
 * such form, after those that stand before that place. */
bool group_assignment_read(const void *bytes, size_t size, group_assigned *take, void *context);

#endif
