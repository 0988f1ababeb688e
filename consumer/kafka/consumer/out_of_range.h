/* out_of_range: an offset that is not in the topic: retention has passed it, or the topic was made
 * again or cut short. offsets/lost_offset.h tells these apart. */
#ifndef KAFKA_CONSUMER_OUT_OF_RANGE_H
#define KAFKA_CONSUMER_OUT_OF_RANGE_H

#include "kafka/consumer/assignment.h"
#include "kafka/consumer/start_offsets.h"
#include "sys/background.h"

struct out_of_range {
    const struct config *config;
    const struct consumer_events *events;
    struct assignment *assignment;
    struct start_offsets *starts;
    struct log_limited trouble;
    struct background background; /* looks up what the topic holds there */
    rd_kafka_t *rk;               /* from here on the thread's while it runs */
    const char *topic;
    int32_t slot;
    int64_t lost_offset, low, high;
    int64_t next;      /* of the slot, when the thread began */
    int64_t committed; /* < 0: the group has committed nothing there */
    bool ok;
    struct error err;
};

/* The offset that is to be read next is not in the topic: noted, and what kafka.lost_offsets says
 * is done once the owner, who reads again, has what lay before it. */
void out_of_range_note(struct out_of_range *o, int32_t slot, int64_t offset);

/* The topic, or a partition of it, was unknown to a broker: it may have been made again since,
 * which is looked up where this member has seen a commit. */
void out_of_range_doubt_topic(struct out_of_range *o);
bool out_of_range_is_doubted(const struct out_of_range *o, int32_t slot); /* not looked at yet */

/* Asks what the topic holds there, if the slot's offset is lost and it is time. */
void out_of_range_look(struct out_of_range *o, int32_t slot);

/* Takes the answer, and asks again where none has settled it. changing: partitions are on their way
 * to this member, or from it. */
void out_of_range_turn(struct out_of_range *o, bool changing);

void out_of_range_done(struct out_of_range *o);

#endif
