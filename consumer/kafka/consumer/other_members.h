/* other_members: the group's progress in the partitions of other members. */
#ifndef KAFKA_CONSUMER_OTHER_MEMBERS_H
#define KAFKA_CONSUMER_OTHER_MEMBERS_H

#include "kafka/consumer/assignment.h"
#include "sys/background.h"

struct other_members {
    const struct assignment *assignment;
    struct background background;
    rd_kafka_t *rk; /* from here on the thread's while it runs */
    rd_kafka_topic_partition_list_t *list;
    rd_kafka_resp_err_t code;
    uint64_t rebalances; /* when it was asked: an older answer is thrown away */
    int64_t asked_ms;
};

/* As consumer_others_reached. rebalances: how many there were; settled: the group has answered, and
 * nothing is on its way. */
bool other_members_reached(struct other_members *others, uint64_t rebalances, bool settled,
                           const int64_t *ends, size_t count);

void other_members_done(struct other_members *others);

#endif
