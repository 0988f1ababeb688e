/* group_members: the members of the consumer group, as its coordinator describes them. */
#ifndef KAFKA_GROUP_GROUP_MEMBERS_H
#define KAFKA_GROUP_GROUP_MEMBERS_H

#include "base/error.h"

#include <librdkafka/rdkafka.h>
#include <stddef.h>

enum { GROUP_MEMBERS_TEXT_MAX = 300 };

struct group_members {
    size_t count;        /* those that are not `own` */
    size_t static_count; /* of these, with a group.instance.id: they stay for their session */
    char names[GROUP_MEMBERS_TEXT_MAX]; /* "shop-1 (/10.0.0.7), …", cut where there are too many */
};

/* Asks by DescribeConsumerGroups, for timeout_ms at most; own: the caller's member id, NULL when it
 * is no member. UNREACHABLE without an answer, FAILED when the coordinator refuses. */
bool group_members_describe(rd_kafka_t *rk, const char *group, const char *own, int timeout_ms,
                            struct group_members *ret, struct error *err) must_check;

/* The same by the older question that every librdkafka asks safely: DescribeConsumerGroups aborts
 * the process on 2.0.2 where a broker does not know it. Blocks for timeout_ms at most; static_count
 * stays 0, as the older answer does not tell. */
bool group_members_list(rd_kafka_t *rk, const char *group, const char *own, int timeout_ms,
                        struct group_members *ret, struct error *err) must_check;

#endif
