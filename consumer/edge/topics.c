#include "edge/topics.h"

#include "edge/log.h"

#include <stdio.h>
#include <string.h>

enum { ASK_MS = 10000, OWN_TOPICS = 4, SETTINGS_MAX = 2 };

struct own_topic {
    const char *name;
    int32_t partitions;
    const char *settings[SETTINGS_MAX][2]; /* ended by a NULL name */
};

/* Dead letters are kept until somebody looks; a retry must survive a long outage. */
static void list_own(const struct config *config, int32_t partitions,
                     struct own_topic topics[OWN_TOPICS])
{
    const struct own_topic own[OWN_TOPICS] = {
        {config->parked_topic, partitions, {{"retention.ms", "-1"}}},
        {config->deliveries_topic, partitions, {{"cleanup.policy", "compact"}}},
        {config->retry_topic, partitions, {{"retention.ms", "604800000"}}},
        {config->members_topic, 1, {{"cleanup.policy", "compact"}}},
    };
    memcpy(topics, own, sizeof own);
}

/* How many partitions the topic has; 0: it is missing; -1 with err: nobody answers. */
static int32_t count_partitions(rd_kafka_t *rk, const char *name, struct error *err)
{
    const struct rd_kafka_metadata *metadata;
    rd_kafka_topic_t *topic = rd_kafka_topic_new(rk, name, NULL);
    rd_kafka_resp_err_t code = rd_kafka_metadata(rk, 0, topic, &metadata, ASK_MS);
    rd_kafka_topic_destroy(topic);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        error_set(err, ERROR_UNREACHABLE, "topic \"%s\": %s", name, rd_kafka_err2str(code));
        return -1;
    }
    int32_t count = 0;
    if (metadata->topic_cnt == 1 && metadata->topics[0].err == RD_KAFKA_RESP_ERR_NO_ERROR)
        count = metadata->topics[0].partition_cnt;
    rd_kafka_metadata_destroy(metadata);
    return count;
}

static bool refuse(const struct own_topic *topic, const char *why, struct error *err)
{
    return error_set(err, ERROR_FAILED,
                     "topic \"%s\" is missing and was not created (%s). Create it: %d partitions, "
                     "%s=%s; or set topics.create=true and let the program's user create topics",
                     topic->name, why, (int)topic->partitions, topic->settings[0][0],
                     topic->settings[0][1]);
}

/* The answer's own word on the one topic that was asked for. */
static bool read_answer(rd_kafka_event_t *event, const struct own_topic *topic, struct error *err)
{
    size_t count;
    if (event == NULL || rd_kafka_event_error(event))
        return refuse(topic, event != NULL ? rd_kafka_event_error_string(event) : "no answer", err);
    const rd_kafka_topic_result_t **results =
        rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count);
    rd_kafka_resp_err_t code =
        count == 1 ? rd_kafka_topic_result_error(results[0]) : RD_KAFKA_RESP_ERR_UNKNOWN;
    if (code == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) /* another member was faster */
        return true;
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return refuse(topic, rd_kafka_err2str(code), err);
    log_info("topic created", LOG_S("topic", topic->name), LOG_I("partitions", topic->partitions));
    return true;
}

static bool create(rd_kafka_t *rk, const struct own_topic *topic, struct error *err)
{
    char text[256];
    rd_kafka_NewTopic_t *wanted =
        rd_kafka_NewTopic_new(topic->name, topic->partitions, -1, text, sizeof text);
    if (wanted == NULL)
        return refuse(topic, text, err);
    for (int i = 0; i < SETTINGS_MAX && topic->settings[i][0] != NULL; i++)
        rd_kafka_NewTopic_set_config(wanted, topic->settings[i][0], topic->settings[i][1]);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_CreateTopics(rk, &wanted, 1, NULL, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, ASK_MS);
    bool ok = read_answer(event, topic, err);
    rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    rd_kafka_NewTopic_destroy(wanted);
    return ok;
}

/* Fewer retry partitions than orders' ones: the orders of the others cannot be retried by hand. */
static void say_short(const struct own_topic *topic, int32_t found)
{
    log_warn("the retry topic has fewer partitions than the orders' topic; add the missing ones",
             LOG_S("topic", topic->name), LOG_I("partitions", found),
             LOG_I("wanted", topic->partitions));
}

bool topics_prepare(const struct config *config, struct source *source, struct error *err)
{
    struct own_topic topics[OWN_TOPICS];
    rd_kafka_t *rk = source_client(source);
    list_own(config, source_partitions(source), topics);
    for (int i = 0; i < OWN_TOPICS; i++) {
        int32_t found = count_partitions(rk, topics[i].name, err);
        if (found < 0)
            return false;
        if (found == 0 && !config->topics_create)
            return refuse(&topics[i], "topics.create=false", err);
        if (found == 0 && !create(rk, &topics[i], err))
            return false;
        if (topics[i].name != config->retry_topic)
            continue;
        if (found > 0 && found < topics[i].partitions)
            say_short(&topics[i], found);
        source_use_retry(source,
                         found > 0 && found < topics[i].partitions ? found : topics[i].partitions);
    }
    return true;
}
