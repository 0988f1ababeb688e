/* group_listing: finds by the list of all groups whether a group has members.
 *
 * DescribeConsumerGroups of an older librdkafka knows the classic protocol alone: a group of the
 * brokers' own protocol (KIP-848) looks to it like one that is not there, and its members
 * take partitions unseen. ListConsumerGroups lists both kinds, each with its state. */
#ifndef KAFKA_GROUP_GROUP_LISTING_H
#define KAFKA_GROUP_GROUP_LISTING_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>

/* True when the cluster lists the group with a state that only a group with members has. False also
 * when the answer does not come within timeout_ms, or holds no states (brokers before 2.6). */
bool group_is_listed_with_members(rd_kafka_t *rk, const char *group, int timeout_ms);

#endif
