#include "topics/settings/topic_retention.h"

#include "sys/log.h"
#include "topics/settings/topic_settings.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RETENTION "retention.ms"

/* ---- asking ---- */

static const char *value_of(const rd_kafka_ConfigResource_t *resource, const char *name)
{
    size_t count;
    const rd_kafka_ConfigEntry_t **entries = rd_kafka_ConfigResource_configs(resource, &count);
    for (size_t i = 0; i < count; i++)
        if (strcmp(rd_kafka_ConfigEntry_name(entries[i]), name) == 0)
            return rd_kafka_ConfigEntry_value(entries[i]);
    return NULL;
}

bool topic_retention_ask(rd_kafka_t *rk, const char *topic, int timeout_ms, int64_t *ret_ms,
                         struct error *err)
{
    rd_kafka_event_t *event;
    const rd_kafka_ConfigResource_t *found =
        topic_settings_describe(rk, topic, timeout_ms, &event, err);
    const char *value = found != NULL ? value_of(found, RETENTION) : NULL;
    if (value != NULL)
        *ret_ms = strtoll(value, NULL, 10);
    else if (found != NULL)
        error_set(err, ERROR_FAILED, "the cluster does not report " RETENTION);
    rd_kafka_event_destroy(event);
    return value != NULL;
}

/* ---- setting ---- */

/* AlterConfigs sets all of a topic's own settings at once: a setting that is left out falls back.
 */
static void keep_others(const rd_kafka_ConfigResource_t *found, rd_kafka_ConfigResource_t *wanted)
{
    size_t count;
    const rd_kafka_ConfigEntry_t **entries = rd_kafka_ConfigResource_configs(found, &count);
    for (size_t i = 0; i < count; i++) {
        const char *name = rd_kafka_ConfigEntry_name(entries[i]);
        const char *value = rd_kafka_ConfigEntry_value(entries[i]);
        if (rd_kafka_ConfigEntry_source(entries[i]) ==
                RD_KAFKA_CONFIG_SOURCE_DYNAMIC_TOPIC_CONFIG &&
            value != NULL && strcmp(name, RETENTION) != 0)
            rd_kafka_ConfigResource_set_config(wanted, name, value);
    }
}

static bool read_altered(rd_kafka_event_t *event, struct error *err)
{
    size_t count = 0;
    const rd_kafka_ConfigResource_t **found = NULL;
    if (event == NULL || rd_kafka_event_error(event))
        return error_set(err, ERROR_FAILED, "%s",
                         event != NULL ? rd_kafka_event_error_string(event) : "no answer");
    found =
        rd_kafka_AlterConfigs_result_resources(rd_kafka_event_AlterConfigs_result(event), &count);
    rd_kafka_resp_err_t code =
        count == 1 ? rd_kafka_ConfigResource_error(found[0]) : RD_KAFKA_RESP_ERR_UNKNOWN;
    return code == RD_KAFKA_RESP_ERR_NO_ERROR ||
           error_set(err, ERROR_FAILED, "%s", rd_kafka_err2str(code));
}

/* The topic's other settings stay as they are. */
static bool set_retention(rd_kafka_t *rk, const char *topic, int64_t ms, int timeout_ms,
                          struct error *err)
{
    char text[24];
    rd_kafka_event_t *event;
    const rd_kafka_ConfigResource_t *found =
        topic_settings_describe(rk, topic, timeout_ms, &event, err);
    rd_kafka_ConfigResource_t *wanted = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic);
    bool ok = found != NULL;
    snprintf(text, sizeof text, "%" PRId64, ms);
    rd_kafka_ConfigResource_set_config(wanted, RETENTION, text);
    if (ok)
        keep_others(found, wanted);
    rd_kafka_event_destroy(event);
    if (ok) {
        rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
        rd_kafka_AlterConfigs(rk, &wanted, 1, NULL, queue);
        event = rd_kafka_queue_poll(queue, timeout_ms);
        ok = read_altered(event, err);
        rd_kafka_event_destroy(event);
        rd_kafka_queue_destroy(queue);
    }
    rd_kafka_ConfigResource_destroy(wanted);
    return ok;
}

/* ---- the parked topic ---- */

static void log_unbounded(const struct config *config, const char *why)
{
    char hint[400];
    snprintf(hint, sizeof hint,
             "kafka-configs.sh --alter --entity-type topics --entity-name %.249s --add-config "
             "retention.ms=%" PRId64,
             config->parked_topic, config->parked_retention);
    log_warn("parked retention unlimited", LOG_S("topic", config->parked_topic),
             LOG_S("error", why), LOG_S("hint", hint));
}

void topic_retention_bound(rd_kafka_t *rk, const struct config *config, int timeout_ms)
{
    struct error err = {0};
    int64_t ms;
    if (!topic_retention_ask(rk, config->parked_topic, timeout_ms, &ms, &err)) {
        log_debug("parked retention unknown", LOG_S("error", err.text));
        return;
    }
    if (ms >= 0)
        return;
    if (!config->topics_create)
        log_unbounded(config, "topics.create=false");
    else if (!set_retention(rk, config->parked_topic, config->parked_retention, timeout_ms, &err))
        log_unbounded(config, err.text);
    else
        log_warn("parked topic bounded", LOG_S("topic", config->parked_topic),
                 LOG_I("retention_ms", config->parked_retention),
                 LOG_S("reason", "it kept personal data for ever (parked.retention)"));
}
