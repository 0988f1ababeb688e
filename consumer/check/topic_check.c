/* topic_check: the retention of the orders' topic, and the topics beside it that may hold the
 * rest. */
#include "check/check_internal.h"

#include "check/topic_family.h"
#include "topics/settings/topic_settings.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define KAFKA "kafka"
#define ALTER_PUBLICATION "ALTER PUBLICATION … SET (publish_via_partition_root = true)"

enum { ASK_MS = 5000, NAMED_MAX = 6, NAMES_TEXT = 320 };

/* ---- retention ---- */

void check_topic_keeps(struct check *c)
{
    struct topic_settings settings;
    char why[TOPIC_KEEPS_TEXT];
    struct error err = {0};
    const char *topic = c->config->kafka_topic;
    if (!topic_settings_ask(c->rk, topic, ASK_MS, &settings, &err)) {
        report_add(c->report, REPORT_NOTE, KAFKA, "retention",
                   "not known (%s): make sure that the topic has cleanup.policy=delete and keeps "
                   "its records for a week",
                   err.text);
        return;
    }
    switch (topic_keeps_orders(&settings, why)) {
    case TOPIC_KEEPS:
        report_add(c->report, REPORT_OK, KAFKA, "retention",
                   "cleanup.policy=%s, retention.ms=%" PRId64 "%s", settings.policy,
                   settings.retention_ms, settings.retention_ms < 0 ? " (for ever)" : "");
        break;
    case TOPIC_KEEPS_LITTLE:
        report_add(c->report, REPORT_WARN, KAFKA, "retention", "%s", why);
        break;
    default:
        error_set(&err, ERROR_FAILED, "%s", why);
        report_fail(c->report, &err, KAFKA, "retention");
    }
}

/* ---- the topics of a partitioned table ---- */

/* Those of the family that exist; returns how many. */
static int list_family(const struct rd_kafka_metadata *metadata, const char *topic, char *ret_names)
{
    int count = 0;
    size_t len = 0;
    *ret_names = '\0';
    for (int i = 0; i < metadata->topic_cnt; i++) {
        const char *name = metadata->topics[i].topic;
        if (metadata->topics[i].err != RD_KAFKA_RESP_ERR_NO_ERROR ||
            !topic_family_same(topic, name))
            continue;
        if (count < NAMED_MAX && len + strlen(name) + 8 < NAMES_TEXT)
            len += (size_t)snprintf(ret_names + len, NAMES_TEXT - len, "%s%s",
                                    count > 0 ? ", " : "", name);
        else if (count == NAMED_MAX)
            snprintf(ret_names + len, NAMES_TEXT - len, ", …");
        count++;
    }
    return count;
}

bool check_topic_partitioned(const struct rd_kafka_metadata *metadata, const char *topic,
                             char *ret_hint, size_t size)
{
    char names[NAMES_TEXT];
    if (list_family(metadata, topic, names) == 0 || topic_family_root(topic) != strlen(topic))
        return false;
    snprintf(ret_hint, size,
             "%.200s look like partitions of that table, each published under its own "
             "name: " ALTER_PUBLICATION ", so that all of them come in the topic of the table",
             names);
    return true;
}

void check_topic_family(struct check *c)
{
    const struct rd_kafka_metadata *metadata;
    const char *topic = c->config->kafka_topic;
    char names[NAMES_TEXT];
    if (rd_kafka_metadata(c->rk, 1, NULL, &metadata, ASK_MS) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return;
    if (list_family(metadata, topic, names) > 0)
        report_add(c->report, REPORT_WARN, KAFKA, "partitioned",
                   "%s may be partitions of the same table; orders in them are not "
                   "read. " ALTER_PUBLICATION
                   ", restart the connector, and set kafka.topic to %.*s",
                   names, (int)topic_family_root(topic), topic);
    rd_kafka_metadata_destroy(metadata);
}
