/* standing: the group's standing in a topic: its commits, the owner of each partition, and the time
 * since which the oldest unsettled record waits. Blocking; for the commands. */
#ifndef OPERATOR_STANDING_H
#define OPERATOR_STANDING_H

#include "kafka/group/group_admin.h"

enum { STANDING_OWNER_MAX = 160 };

struct standing_partition {
    char owner[STANDING_OWNER_MAX]; /* "": none, or not known */
    int64_t waits_since_ms;         /* when its record was written; -1: none waits, or not known */
};

struct standing {
    struct group_topic topic;
    struct standing_partition *partitions; /* as many as the topic has */
    bool owners_known;
};

/* count 0 of the topic when it does not exist. Asks for the owners, and reads one record of each
 * partition that is not read to its end, within 5 s: without them the standing has what is known.
 * UNREACHABLE where the cluster does not tell commits and ends; FAILED when stop_fd asks to stop.
 * Free with standing_done, after a failure too. */
bool standing_of(const struct config *config, struct group *group, const char *topic, int stop_fd,
                 struct standing *ret, struct error *err) must_check;
void standing_done(struct standing *standing);

/* The records left to read, by a partition's commit; -1: it has none, and the partition has
 * records. */
int64_t standing_lag(const struct group_partition *partition);

#endif
