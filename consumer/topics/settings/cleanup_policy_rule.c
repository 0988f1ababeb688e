#include "topics/settings/cleanup_policy_rule.h"

#include <string.h>

const char *topic_policy_fault(bool compact, const char *policy)
{
    if (!compact && strstr(policy, "compact") != NULL)
        return "only the last record of each key is kept, and none without a key is taken: orders "
               "can be lost, or stand still; set cleanup.policy=delete";
    if (compact && strstr(policy, "delete") != NULL)
        return "the last record of each key is forgotten too, once its time is over; set "
               "cleanup.policy=compact";
    return "";
}
