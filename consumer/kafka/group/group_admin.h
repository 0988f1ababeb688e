/* group_admin: the consumer group seen from outside: its commits, its members; and new commits for
 * a group that has none. Joins nothing. Calls block, each for some seconds at most. */
#ifndef KAFKA_GROUP_GROUP_ADMIN_H
#define KAFKA_GROUP_GROUP_ADMIN_H

#include "base/slice.h"
#include "config/config.h"

#include <librdkafka/rdkafka.h>

struct group_partition {
    int64_t low, high; /* the first offset that exists, and the next that will */
    int64_t committed; /* -1: nothing */
    char *metadata;    /* of the commit; "" for none. Owned */
};

struct group_topic {
    const char *name; /* borrowed from the config */
    struct group_partition *partitions;
    size_t count;
};

struct group;

struct group *group_new(const struct config *config, struct error *err);
void group_free(struct group *group); /* accepts NULL */

/* Partitions, ends and commits; count 0 when the topic does not exist. Free with group_topic_done,
 * after a failure too. */
bool group_look(struct group *group, const char *topic, struct group_topic *ret,
                struct error *err) must_check;
void group_topic_done(struct group_topic *topic);

/* The first offset of each partition at or after the time; behind the last record: its end. */
bool group_offsets_at(struct group *group, const struct group_topic *topic, int64_t ms,
                      int64_t *ret_offsets, struct error *err) must_check;

/* A partition and the member that has it; both texts are borrowed. */
typedef void group_owned(void *context, struct slice topic, int32_t partition, const char *member);

/* Every partition that a member of the group has, of whatever topic, as the coordinator tells it:
 * "elementor-sync-1c9d4b7e (10.0.0.7)", a member's id without the rest of its UUID. False: not
 * known; a group of the brokers' own protocol (KIP-848) is not described so. */
bool group_owners(struct group *group, group_owned *take, void *context);

/* Fails with FAILED, naming them, when the group has members. Static ones, which stay for their
 * session after they stopped, are waited for first, saying so; stop_fd ends that wait (-1: none).
 */
bool group_is_idle(struct group *group, int stop_fd, struct error *err) must_check;

struct group_commit {
    int32_t partition;
    int64_t offset;
    const char *metadata;
};

/* Commits all of them, or fails saying which were not. A group with members refuses: the broker
 * looks at that itself. */
bool group_commit(struct group *group, const char *topic, const struct group_commit *commits,
                  size_t count, struct error *err) must_check;

#endif
