/* sender_group: the election of one of several dashboards that tells, and the state that it keeps.
 *
 * The one that holds partition 0 of the members topic in the group <kafka.group>.notify. Nothing of
 * the topic is read; the metadata of the group's commit holds what is kept, and only who holds the
 * partition can change it. For one thread, which may wait. */
#ifndef DASHBOARD_NOTIFY_SENDER_GROUP_H
#define DASHBOARD_NOTIFY_SENDER_GROUP_H

#include "config/config.h"

enum sender_role {
    SENDER_UNKNOWN, /* the group has not said yet */
    SENDER_MINE,
    SENDER_LEFT, /* this one was it last; no follower is known */
    SENDER_ANOTHER
};

struct sender_group;

/* Joins; NULL with the reason. The config is borrowed. */
struct sender_group *sender_group_new(const struct config *config, struct error *err);
void sender_group_free(struct sender_group *group); /* leaves; accepts NULL */

/* Waits for at most `wait_ms` for the group's word. */
void sender_group_poll(struct sender_group *group, int wait_ms);

enum sender_role sender_group_role(const struct sender_group *group);
uint64_t sender_group_rounds(const struct sender_group *group); /* of sharing out, so far */

/* The text that was kept last; owned by the caller, "" where it is nothing. NULL: the group does
 * not answer, or no memory. */
char *sender_group_kept(struct sender_group *group);

/* False: it is not kept, or not known to be. */
bool sender_group_keep(struct sender_group *group, const char *text);

#endif
