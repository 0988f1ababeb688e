/* consumer_internal: the consumer's parts. A file uses those that stand below it, and none of
 * consumer.h's functions but through consumer.c:
 *
 *   metadata.c         the topic is there, and ends at …
 *   consumer.c         start, reading, commits, close
 *   rebalance.c · out_of_range.c · group_wait.c · other_members.c
 *   start_offsets.c · client_trouble.c · join_watch.c
 *   assignment.c       the slots */
#ifndef KAFKA_CONSUMER_CONSUMER_INTERNAL_H
#define KAFKA_CONSUMER_CONSUMER_INTERNAL_H

#include "kafka/consumer/client_trouble.h"
#include "kafka/consumer/group_wait.h"
#include "kafka/consumer/other_members.h"
#include "kafka/consumer/out_of_range.h"
#include "kafka/consumer/rebalance.h"

struct consumer {
    const struct config *config;
    struct consumer_events events;
    rd_kafka_t *rk;
    rd_kafka_topic_t *topic; /* so that librdkafka keeps its metadata */
    rd_kafka_queue_t *main_queue, *commit_queue, *close_queue;
    struct assignment assignment;
    struct start_offsets starts;
    struct join_watch join;
    struct rebalance rebalance;
    struct out_of_range lost;
    struct other_members others;
    struct group_wait wait;
    struct client_trouble trouble;
    bool subscribed, left, closed; /* left: the group has been left, and nothing is owned */
    bool fatal;                    /* librdkafka cannot go on */
    int commits;                   /* whose answers are awaited */
};

/* The group's own events, and the client's errors. */
void consumer_serve_group(struct consumer *s);

#endif
