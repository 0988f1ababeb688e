#include "topics/settings/topic_settings.h"

#include "topics/settings/cleanup_policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void take_setting(const char *name, const char *value, struct topic_settings *ret)
{
    const struct {
        const char *name;
        int64_t *number;
    } numbers[] = {{"retention.ms", &ret->retention_ms},
                   {"retention.bytes", &ret->retention_bytes},
                   {"min.compaction.lag.ms", &ret->compaction_lag_ms}};
    if (strcmp(name, "cleanup.policy") == 0)
        snprintf(ret->policy, sizeof ret->policy, "%s", value);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (strcmp(name, numbers[i].name) == 0)
            *numbers[i].number = strtoll(value, NULL, 10);
}

static const char *take_answer(rd_kafka_event_t *event, struct topic_settings *ret)
{
    size_t resources = 0, count;
    if (event == NULL)
        return "no answer";
    if (rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return rd_kafka_event_error_string(event);
    const rd_kafka_ConfigResource_t **all = rd_kafka_DescribeConfigs_result_resources(
        rd_kafka_event_DescribeConfigs_result(event), &resources);
    if (resources != 1)
        return "no answer";
    rd_kafka_resp_err_t code = rd_kafka_ConfigResource_error(all[0]);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return rd_kafka_err2str(code);
    const rd_kafka_ConfigEntry_t **entries = rd_kafka_ConfigResource_configs(all[0], &count);
    for (size_t i = 0; i < count; i++)
        if (rd_kafka_ConfigEntry_value(entries[i]) != NULL)
            take_setting(rd_kafka_ConfigEntry_name(entries[i]),
                         rd_kafka_ConfigEntry_value(entries[i]), ret);
    return "";
}

bool topic_settings_ask(rd_kafka_t *rk, const char *topic, int timeout_ms,
                        struct topic_settings *ret_settings, char *ret_why, size_t size)
{
    *ret_settings = (struct topic_settings){.retention_ms = -1, .retention_bytes = -1};
    if (!topic_policies_can_ask(rk, timeout_ms)) {
        snprintf(ret_why, size, "the cluster names no controller");
        return false;
    }
    rd_kafka_ConfigResource_t *resource =
        rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_DescribeConfigs(rk, &resource, 1, NULL, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, timeout_ms);
    snprintf(ret_why, size, "%s", take_answer(event, ret_settings));
    if (event != NULL)
        rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    rd_kafka_ConfigResource_destroy(resource);
    return *ret_why == '\0';
}
