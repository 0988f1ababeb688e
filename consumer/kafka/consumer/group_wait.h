/* group_wait: logs that the group makes this member wait, for whom and until when.
 *
 * A JoinGroup is answered once every member that the group knows has asked to join again, or its
 * session has ended: after a member's death the others wait for it. Only the coordinator knows
 * that member; it is asked on another connection than the one that waits. */
#ifndef KAFKA_CONSUMER_GROUP_WAIT_H
#define KAFKA_CONSUMER_GROUP_WAIT_H

#include "kafka/group/group_members.h"
#include "sys/background.h"

struct group_wait {
    const struct config *config;
    rd_kafka_t *rk;
    int wake_fd;
    struct background background; /* asks who is in the group */
    struct group_members members; /* these two are its own while it runs */
    struct error err;
    bool known, asked, said;
    int64_t asked_ms, again_ms, none_since_ms; /* monotonic */
};

/* The member, as it is now. */
struct group_wait_member {
    bool takes_part;    /* it has subscribed, and neither leaves nor is lost */
    int64_t joining_ms; /* since when it joins, monotonic; 0: it does not */
    bool has_none;      /* no partition is its own */
    bool is_changing;   /* partitions are on their way to it, or from it */
    bool joined;
};

void group_wait_turn(struct group_wait *w, const struct group_wait_member *member);

/* The time until the next step is due (ms); -1: none is. */
int64_t group_wait_wake_ms(struct group_wait *w, const struct group_wait_member *member);

void group_wait_done(struct group_wait *w);

#endif
