#include "topics/settings/own_topics.h"

#include "kafka/offsets.h"
#include "sys/log.h"
#include "topics/settings/cleanup_policy.h"
#include "topics/settings/cleanup_policy_rule.h"
#include "topics/settings/former_names.h"
#include "topics/settings/topic_retention.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { ASK_MS = 10000, OWN_TOPICS = 5, SETTINGS_MAX = 3, COMMAND_MAX = 360 };

struct own_topic {
    const char *name;
    int32_t partitions;
    const char *settings[SETTINGS_MAX][2]; /* ended by a NULL name */
    char retention[24];                    /* a number in them */
};

/* Dead letters are kept for parked.retention: they hold personal data. A retry must survive a long
 * outage. Members write every few seconds: their topic is compacted every ten minutes, so that it
 * stays quick to read. */
static void list_own(const struct config *config, int32_t partitions,
                     struct own_topic topics[OWN_TOPICS])
{
    const struct own_topic own[OWN_TOPICS] = {
        {config->parked_topic, partitions, {{"retention.ms", ""}}, ""},
        {config->deliveries_topic,
         partitions,
         {{"cleanup.policy", "compact"}, {"segment.ms", "86400000"}},
         ""},
        {config->retry_topic, partitions, {{"retention.ms", "604800000"}}, ""},
        {config->members_topic,
         1,
         {{"cleanup.policy", "compact"},
          {"segment.ms", "600000"},
          {"min.cleanable.dirty.ratio", "0.1"}},
         ""},
        {config->control_topic, 1, {{"cleanup.policy", "compact"}}, ""},
    };
    memcpy(topics, own, sizeof own);
    snprintf(topics->retention, sizeof topics->retention, "%" PRId64, config->parked_retention);
    topics->settings[0][1] = topics->retention;
}

/* The topic's partitions; 0: it is missing; -1 with err: no broker answers. */
static int32_t count_partitions(rd_kafka_t *rk, const char *name, struct error *err)
{
    rd_kafka_resp_err_t code;
    bool answered;
    size_t count = kafka_partition_count(rk, name, ASK_MS, &code, &answered);
    if (answered)
        return (int32_t)count;
    error_set(err, ERROR_UNREACHABLE, "topic \"%s\": %s", name, rd_kafka_err2str(code));
    return -1;
}

/* The command for an operator to type. */
static const char *command(const struct own_topic *topic, char text[COMMAND_MAX])
{
    int len = snprintf(text, COMMAND_MAX, "kafka-topics.sh --create --topic %.100s --partitions %d",
                       topic->name, (int)topic->partitions);
    for (int i = 0; i < SETTINGS_MAX && topic->settings[i][0] != NULL; i++)
        len += snprintf(text + len, (size_t)(COMMAND_MAX - len), " --config %s=%s",
                        topic->settings[i][0], topic->settings[i][1]);
    return text;
}

static bool refuse(const struct own_topic *topic, const char *why, struct error *err)
{
    char text[COMMAND_MAX];
    return error_set(
        err, ERROR_FAILED,
        "topic \"%.100s\" is missing and was not created (%.100s). Create it (%s), or set "
        "topics.create=true and let the program's user create topics",
        topic->name, why, command(topic, text));
}

/* UNREACHABLE, so that the request is made again. */
static bool is_unheard(const struct own_topic *topic, rd_kafka_resp_err_t code, struct error *err)
{
    if (!kafka_is_unheard(code))
        return false;
    error_set(err, ERROR_UNREACHABLE, "topic \"%.100s\": %s", topic->name, rd_kafka_err2str(code));
    return true;
}

static rd_kafka_resp_err_t event_code(rd_kafka_event_t *event)
{
    return event != NULL ? rd_kafka_event_error(event) : RD_KAFKA_RESP_ERR__TIMED_OUT;
}

/* The answer's own word on the one topic that was asked for. */
static bool read_answer(rd_kafka_event_t *event, const struct own_topic *topic, struct error *err)
{
    size_t count;
    if (is_unheard(topic, event_code(event), err))
        return false;
    if (event_code(event) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return refuse(topic, rd_kafka_event_error_string(event), err);
    const rd_kafka_topic_result_t **results =
        rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count);
    rd_kafka_resp_err_t code =
        count == 1 ? rd_kafka_topic_result_error(results[0]) : RD_KAFKA_RESP_ERR_UNKNOWN;
    if (code == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) /* another member was faster */
        return true;
    if (is_unheard(topic, code, err))
        return false;
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

static bool refuse_short(const struct own_topic *topic, int32_t found, const char *why,
                         struct error *err)
{
    return error_set(err, ERROR_FAILED,
                     "topic \"%.100s\" has %d partitions, the orders' topic %d, and none was added "
                     "(%.100s): an order of the others could not be retried. Add them "
                     "(kafka-topics.sh --alter --topic %.100s --partitions %d)",
                     topic->name, (int)found, (int)topic->partitions, why, topic->name,
                     (int)topic->partitions);
}

static bool read_extension(rd_kafka_event_t *event, const struct own_topic *topic, int32_t found,
                           struct error *err)
{
    size_t count;
    if (is_unheard(topic, event_code(event), err))
        return false;
    if (event_code(event) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return refuse_short(topic, found, rd_kafka_event_error_string(event), err);
    const rd_kafka_topic_result_t **results = rd_kafka_CreatePartitions_result_topics(
        rd_kafka_event_CreatePartitions_result(event), &count);
    rd_kafka_resp_err_t code =
        count == 1 ? rd_kafka_topic_result_error(results[0]) : RD_KAFKA_RESP_ERR_UNKNOWN;
    if (code == RD_KAFKA_RESP_ERR_INVALID_PARTITIONS) /* another member was faster */
        return true;
    if (is_unheard(topic, code, err))
        return false;
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return refuse_short(topic, found, rd_kafka_err2str(code), err);
    log_info("partitions added", LOG_S("topic", topic->name),
             LOG_I("partitions", topic->partitions));
    return true;
}

/* The orders' topic has grown: its retry topic follows. */
static bool extend(rd_kafka_t *rk, const struct own_topic *topic, int32_t found, struct error *err)
{
    char text[256];
    rd_kafka_NewPartitions_t *wanted =
        rd_kafka_NewPartitions_new(topic->name, (size_t)topic->partitions, text, sizeof text);
    if (wanted == NULL)
        return refuse_short(topic, found, text, err);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_CreatePartitions(rk, &wanted, 1, NULL, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, ASK_MS);
    bool ok = read_extension(event, topic, found, err);
    rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    rd_kafka_NewPartitions_destroy(wanted);
    return ok;
}

/* One that was there: the retry topic must match the orders' one. More partitions hold nothing that
 * this program writes. */
static bool check_found(rd_kafka_t *rk, const struct config *config, const struct own_topic *topic,
                        int32_t found, struct error *err)
{
    if (topic->name != config->retry_topic || found == topic->partitions)
        return true;
    if (found > topic->partitions) {
        log_warn("retry partitions unread", LOG_S("topic", topic->name), LOG_I("partitions", found),
                 LOG_I("read", topic->partitions),
                 LOG_S("reason",
                       "it has more partitions than the orders' topic; the others are not read"));
        return true;
    }
    if (!config->topics_create)
        return refuse_short(topic, found, "topics.create=false", err);
    return extend(rk, topic, found, err);
}

int32_t topics_follow(const struct config *config, struct consumer *source, int32_t partitions)
{
    struct own_topic topics[OWN_TOPICS];
    struct error err = {0};
    rd_kafka_t *rk = consumer_client(source);
    list_own(config, partitions, topics);
    const struct own_topic *retry = topics;
    while (retry->name != config->retry_topic)
        retry++;
    int32_t found = count_partitions(rk, retry->name, &err);
    if (found >= 0 && check_found(rk, config, retry, found, &err))
        return partitions;
    log_warn(
        "retry partitions missing", LOG_S("error", err.text),
        LOG_S("reason", "partitions were added to the topic; their orders cannot be retried yet"),
        LOG_S("hint", "add them to the retry topic: the next rebalance takes them up"));
    return found < 0 ? 0 : found;
}

/* A topic that was made by hand may keep too little. */
static void log_policies(rd_kafka_t *rk, const struct config *config)
{
    struct topic_policy policies[TOPIC_POLICIES];
    topic_policies_ask(rk, config, ASK_MS, policies);
    for (size_t i = 0; i < TOPIC_POLICIES; i++) {
        const struct topic_policy *policy = &policies[i];
        const char *fault = topic_policy_fault(policy->compact, policy->found);
        if (policy->why[0] != '\0')
            log_debug("cleanup policy unknown", LOG_S("topic", policy->name),
                      LOG_S("error", policy->why));
        else if (fault[0] != '\0')
            LOG_LINE(policy->compact ? LOG_WARN : LOG_ERROR, "cleanup policy wrong",
                     LOG_S("topic", policy->name), LOG_S("policy", policy->found),
                     LOG_S("reason", fault));
    }
}

bool topics_prepare(const struct config *config, struct consumer *source, struct error *err)
{
    struct own_topic topics[OWN_TOPICS];
    rd_kafka_t *rk = consumer_client(source);
    if (!former_names_look(rk, config, consumer_partitions(source), err))
        return false;
    list_own(config, consumer_partitions(source), topics);
    for (int i = 0; i < OWN_TOPICS; i++) {
        int32_t found = count_partitions(rk, topics[i].name, err);
        if (found < 0)
            return false;
        if (found == 0 && !config->topics_create)
            return refuse(&topics[i], "topics.create=false", err);
        if (found == 0 && !create(rk, &topics[i], err))
            return false;
        if (found > 0 && !check_found(rk, config, &topics[i], found, err))
            return false;
    }
    log_policies(rk, config);
    topic_retention_bound(rk, config, ASK_MS);
    consumer_use_retry(source, consumer_partitions(source));
    return true;
}
