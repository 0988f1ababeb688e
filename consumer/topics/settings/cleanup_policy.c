#include "topics/settings/cleanup_policy.h"

#include <stdio.h>
#include <string.h>

static void list_own(const struct config *config, struct topic_policy policies[TOPIC_POLICIES])
{
    const struct topic_policy own[TOPIC_POLICIES] = {
        {.option = "parked.topic", .name = config->parked_topic},
        {.option = "deliveries.topic", .name = config->deliveries_topic, .compact = true},
        {.option = "retry.topic", .name = config->retry_topic},
        {.option = "members.topic", .name = config->members_topic, .compact = true},
        {.option = "control.topic", .name = config->control_topic, .compact = true},
    };
    memcpy(policies, own, sizeof own);
}

static void note_why(struct topic_policy *policy, const char *why)
{
    snprintf(policy->why, sizeof policy->why, "%s", why);
}

static void read_one(const rd_kafka_ConfigResource_t *resource, struct topic_policy *policy)
{
    rd_kafka_resp_err_t code = rd_kafka_ConfigResource_error(resource);
    size_t count;
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        if (code != RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
            note_why(policy, rd_kafka_err2str(code));
        return;
    }
    const rd_kafka_ConfigEntry_t **entries = rd_kafka_ConfigResource_configs(resource, &count);
    for (size_t i = 0; i < count; i++) {
        const char *value = rd_kafka_ConfigEntry_value(entries[i]);
        if (strcmp(rd_kafka_ConfigEntry_name(entries[i]), "cleanup.policy") == 0 && value != NULL)
            snprintf(policy->found, sizeof policy->found, "%s", value);
    }
}

static void read_answer(const rd_kafka_DescribeConfigs_result_t *result,
                        struct topic_policy policies[TOPIC_POLICIES])
{
    size_t count;
    const rd_kafka_ConfigResource_t **resources =
        rd_kafka_DescribeConfigs_result_resources(result, &count);
    for (size_t r = 0; r < count; r++)
        for (size_t i = 0; i < TOPIC_POLICIES; i++)
            if (strcmp(policies[i].name, rd_kafka_ConfigResource_name(resources[r])) == 0)
                read_one(resources[r], &policies[i]);
}

static void ask(rd_kafka_t *rk, int timeout_ms, struct topic_policy ret_policies[TOPIC_POLICIES])
{
    rd_kafka_ConfigResource_t *resources[TOPIC_POLICIES];
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    for (size_t i = 0; i < TOPIC_POLICIES; i++)
        resources[i] = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, ret_policies[i].name);
    rd_kafka_DescribeConfigs(rk, resources, TOPIC_POLICIES, NULL, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, timeout_ms);
    if (event != NULL && !rd_kafka_event_error(event))
        read_answer(rd_kafka_event_DescribeConfigs_result(event), ret_policies);
    else
        for (size_t i = 0; i < TOPIC_POLICIES; i++)
            note_why(&ret_policies[i],
                     event != NULL ? rd_kafka_event_error_string(event) : "no answer");
    rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    rd_kafka_ConfigResource_destroy_array(resources, TOPIC_POLICIES);
}

/* Without one (librdkafka's mock cluster) it would be waited for in vain. */
bool topic_policies_can_ask(rd_kafka_t *rk, int timeout_ms)
{
    const struct rd_kafka_metadata *metadata;
    bool found = false;
    if (rd_kafka_metadata(rk, 0, NULL, &metadata, timeout_ms) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return false;
    int32_t id = rd_kafka_controllerid(rk, 0);
    for (int i = 0; i < metadata->broker_cnt; i++)
        found |= metadata->brokers[i].id == id;
    rd_kafka_metadata_destroy(metadata);
    return found;
}

void topic_policies_ask(rd_kafka_t *rk, const struct config *config, int timeout_ms,
                        struct topic_policy ret_policies[TOPIC_POLICIES])
{
    list_own(config, ret_policies);
    if (topic_policies_can_ask(rk, timeout_ms))
        ask(rk, timeout_ms, ret_policies);
    else
        for (size_t i = 0; i < TOPIC_POLICIES; i++)
            note_why(&ret_policies[i], "the cluster names no controller");
}
