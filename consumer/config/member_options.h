/* member_options: the options of this member of the consumer group. */
#ifndef CONFIG_MEMBER_OPTIONS_H
#define CONFIG_MEMBER_OPTIONS_H

#include "config/config.h"

/* True when the broker assigns partitions and decides sessions: kafka.properties.group.protocol is
 * "consumer" (KIP-848). */
bool config_group_is_brokers(const struct config *config);

/* The session timeout of the group's members (ms), kafka.properties.* included. */
int64_t config_session_ms(const struct config *config);

/* The member's own name in the group; NULL: it is a dynamic member. Borrowed. */
const char *config_instance(const struct config *config);

/* CONFIG, naming the options, when they contradict each other or cannot work. */
bool config_check_group(const struct config *config, struct error *err) must_check;

#endif
