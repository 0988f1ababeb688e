/* group_view: the members of a consumer group, seen from outside. Pure. */
#ifndef KAFKA_GROUP_GROUP_VIEW_H
#define KAFKA_GROUP_GROUP_VIEW_H

#include <stdbool.h>
#include <stddef.h>

enum { GROUP_VIEW_TEXT = 480 };

/* One member, as the cluster describes it; texts borrowed. */
struct group_member {
    const char *client_id, *host;
    const char *instance;    /* group.instance.id; "": none */
    bool has_topic;          /* a partition of the orders' topic is assigned to it */
    const char *other_topic; /* another topic of which it has a partition; NULL: none */
};

enum group_view {
    GROUP_IS_EMPTY,
    GROUP_IS_OURS,   /* every member is one of this program's, as far as is known */
    GROUP_IS_MIXED,  /* another shop's members of this program: they read another topic */
    GROUP_IS_FOREIGN /* a member of another program */
};

/* own_client_id: what this program's members are called ("elementor-sync", or
 * kafka.properties.client.id). *ret_text names the members at fault, else counts all. */
enum group_view group_view_of(const struct group_member *members, size_t count,
                              const char *own_client_id, char ret_text[GROUP_VIEW_TEXT]);

#endif
