/* cleanup_policy_rule: finds a cleanup.policy that would lose a topic's records. Pure.
 */
#ifndef TOPICS_SETTINGS_CLEANUP_POLICY_RULE_H
#define TOPICS_SETTINGS_CLEANUP_POLICY_RULE_H

#include <stdbool.h>

/* The fault of `policy` ("compact", "delete", "compact,delete") and the value to set instead; ""
 * for none. compact: the topic is to hold the last record of each key for ever; else every record,
 * whatever its key, until its time is over. */
const char *topic_policy_fault(bool compact, const char *policy);

#endif
