#include "kafka/group/group_listing.h"

#include "kafka/group/group_question.h"

#include <string.h>

static bool has_members(rd_kafka_consumer_group_state_t state)
{
    return state == RD_KAFKA_CONSUMER_GROUP_STATE_STABLE ||
           state == RD_KAFKA_CONSUMER_GROUP_STATE_PREPARING_REBALANCE ||
           state == RD_KAFKA_CONSUMER_GROUP_STATE_COMPLETING_REBALANCE;
}

static bool is_in(rd_kafka_event_t *event, const char *group)
{
    size_t count = 0;
    const rd_kafka_ListConsumerGroups_result_t *result =
        rd_kafka_event_ListConsumerGroups_result(event);
    const rd_kafka_ConsumerGroupListing_t **list =
        result != NULL ? rd_kafka_ListConsumerGroups_result_valid(result, &count) : NULL;
    for (size_t i = 0; list != NULL && i < count; i++)
        if (strcmp(rd_kafka_ConsumerGroupListing_group_id(list[i]), group) == 0)
            return has_members(rd_kafka_ConsumerGroupListing_state(list[i]));
    return false;
}

bool group_is_listed_with_members(rd_kafka_t *rk, const char *group, int timeout_ms)
{
    rd_kafka_event_t *event = group_question_list(rk, timeout_ms);
    bool found = event != NULL && is_in(event, group);
    if (event != NULL)
        rd_kafka_event_destroy(event);
    return found;
}
