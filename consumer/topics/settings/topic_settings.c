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

const rd_kafka_ConfigResource_t *topic_settings_describe(rd_kafka_t *rk, const char *topic,
                                                         int timeout_ms,
                                                         rd_kafka_event_t **ret_event,
                                                         struct error *err)
{
    size_t count = 0;
    const rd_kafka_ConfigResource_t **found = NULL;
    *ret_event = NULL;
    if (!topic_policies_can_ask(rk, timeout_ms)) {
        error_set(err, ERROR_FAILED, "the cluster names no controller");
        return NULL;
    }
    rd_kafka_ConfigResource_t *wanted = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_DescribeConfigs(rk, &wanted, 1, NULL, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, timeout_ms);
    if (event != NULL && rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR_NO_ERROR)
        found = rd_kafka_DescribeConfigs_result_resources(
            rd_kafka_event_DescribeConfigs_result(event), &count);
    rd_kafka_queue_destroy(queue);
    rd_kafka_ConfigResource_destroy(wanted);
    *ret_event = event;
    if (count == 1 && rd_kafka_ConfigResource_error(found[0]) == RD_KAFKA_RESP_ERR_NO_ERROR)
        return found[0];
    error_set(err, ERROR_FAILED, "%s",
              event == NULL ? "no answer"
              : count == 1  ? rd_kafka_err2str(rd_kafka_ConfigResource_error(found[0]))
                            : rd_kafka_event_error_string(event));
    return NULL;
}

bool topic_settings_ask(rd_kafka_t *rk, const char *topic, int timeout_ms,
                        struct topic_settings *ret_settings, struct error *err)
{
    size_t count;
    rd_kafka_event_t *event;
    *ret_settings = (struct topic_settings){.retention_ms = -1, .retention_bytes = -1};
    const rd_kafka_ConfigResource_t *found =
        topic_settings_describe(rk, topic, timeout_ms, &event, err);
    if (found != NULL) {
        const rd_kafka_ConfigEntry_t **entries = rd_kafka_ConfigResource_configs(found, &count);
        for (size_t i = 0; i < count; i++)
            if (rd_kafka_ConfigEntry_value(entries[i]) != NULL)
                take_setting(rd_kafka_ConfigEntry_name(entries[i]),
                             rd_kafka_ConfigEntry_value(entries[i]), ret_settings);
    }
    rd_kafka_event_destroy(event);
    return found != NULL;
}
