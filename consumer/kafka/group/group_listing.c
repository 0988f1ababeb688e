#include "kafka/group/group_listing.h"

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
    char why[200];
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_AdminOptions_t *options =
        rd_kafka_AdminOptions_new(rk, RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPS);
    (void)rd_kafka_AdminOptions_set_request_timeout(options, timeout_ms, why, sizeof why);
    rd_kafka_ListConsumerGroups(rk, options, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, timeout_ms);
    bool found = event != NULL && is_in(event, group);
    if (event != NULL)
        rd_kafka_event_destroy(event);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_queue_destroy(queue);
    return found;
}
