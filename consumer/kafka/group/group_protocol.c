#include "kafka/group/group_protocol.h"

#include "config/member_options.h"
#include "kafka/group/group_listing.h"
#include "kafka/group/group_members.h"

bool group_has_other_protocol(rd_kafka_t *rk, const struct config *config, int timeout_ms)
{
    struct group_members classic;
    struct error err = {0};
    if (!group_members_list(rk, config->kafka_group, NULL, timeout_ms, &classic, &err))
        return false;
    if (config_group_is_brokers(config))
        return classic.count > 0;
    return classic.count == 0 && group_is_listed_with_members(rk, config->kafka_group, timeout_ms);
}
