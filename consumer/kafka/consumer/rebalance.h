/* rebalance: carries out the group's assignments and revocations. */
#ifndef KAFKA_CONSUMER_REBALANCE_H
#define KAFKA_CONSUMER_REBALANCE_H

#include "kafka/consumer/assignment.h"
#include "kafka/consumer/join_watch.h"
#include "kafka/consumer/start_offsets.h"

enum consumer_change { CHANGE_NONE, CHANGE_ASSIGN, CHANGE_REVOKE };

struct rebalance {
    const struct consumer_events *events;
    struct assignment *assignment;
    struct start_offsets *starts;
    struct join_watch *join;
    uint64_t count;               /* of what the group gave and took */
    enum consumer_change pending; /* what librdkafka waits for us to carry out */
    bool follow;                  /* look whether the topic has grown before an assignment */
    bool ever_assigned, joined;
    bool leaving;     /* the group gets everything back, and nothing is taken any more */
    int64_t retry_ms; /* of a pending assignment whose offsets could not be looked up */
    struct log_limited trouble;
};

/* The group's wish, from librdkafka's callback: noted, and the owner hears of what is lost or to be
 * given back; rebalance_carry_out does the rest. */
void rebalance_note(struct rebalance *r, rd_kafka_resp_err_t err,
                    const rd_kafka_topic_partition_list_t *partitions);

void rebalance_carry_out(struct rebalance *r); /* what is pending, if it can be done by now */
bool rebalance_is_settled(const struct rebalance *r); /* joined, and nothing is pending */

void rebalance_leave(struct rebalance *r);                 /* everything is to be given back */
void rebalance_end(struct rebalance *r);                   /* everything is lost */
void rebalance_expelled(struct rebalance *r);              /* no commit will be taken any more */
void rebalance_release(struct rebalance *r, int32_t slot); /* a revoking slot is drained */

#endif
