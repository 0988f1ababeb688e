#include "topics/settings/former_names.h"

#include "config/own_names.h"
#include "kafka/offsets.h"
#include "sys/log.h"

#include <stdio.h>
#include <string.h>

enum { ASK_MS = 5000 };

/* ---- commits of the former group ---- */

/* The number of partitions of kafka.topic that the group has commits for; -1 where the cluster
 * does not tell, which is logged, or with err where it will soon. Without the right to ask for
 * another group, librdkafka looks for its coordinator until no answer is awaited any more. */
static int count_answer(rd_kafka_event_t *event, const char *group, struct error *err)
{
    size_t count = 0;
    int committed = 0;
    const rd_kafka_group_result_t **results = NULL;
    rd_kafka_resp_err_t code =
        event != NULL ? rd_kafka_event_error(event) : RD_KAFKA_RESP_ERR__TIMED_OUT;
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        results = rd_kafka_ListConsumerGroupOffsets_result_groups(
            rd_kafka_event_ListConsumerGroupOffsets_result(event), &count);
    if (count == 1 && rd_kafka_group_result_error(results[0]) != NULL)
        code = rd_kafka_error_code(rd_kafka_group_result_error(results[0]));
    if (kafka_is_passing(code))
        error_set(err, ERROR_UNREACHABLE, "commits of the group \"%s\": %s", group,
                  rd_kafka_err2str(code));
    if (count != 1 || code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        log_debug("group not looked at", LOG_S("group", group),
                  LOG_S("error", rd_kafka_err2str(code)));
        return -1;
    }
    const rd_kafka_topic_partition_list_t *list = rd_kafka_group_result_partitions(results[0]);
    for (int i = 0; list != NULL && i < list->cnt; i++)
        committed += list->elems[i].err == RD_KAFKA_RESP_ERR_NO_ERROR && list->elems[i].offset >= 0;
    return committed;
}

static int count_commits(rd_kafka_t *rk, const struct config *config, const char *group,
                         int32_t partitions, struct error *err)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(partitions);
    rd_kafka_topic_partition_list_add_range(list, config->kafka_topic, 0, partitions - 1);
    rd_kafka_ListConsumerGroupOffsets_t *ask = rd_kafka_ListConsumerGroupOffsets_new(group, list);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_ListConsumerGroupOffsets(rk, &ask, 1, NULL, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, ASK_MS);
    int committed = count_answer(event, group, err);
    rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    rd_kafka_ListConsumerGroupOffsets_destroy(ask);
    rd_kafka_topic_partition_list_destroy(list);
    return committed;
}

static bool check_group(rd_kafka_t *rk, const struct config *config, int32_t partitions,
                        struct error *err)
{
    if (!config->derived.group || partitions <= 0 ||
        count_commits(rk, config, FORMER_GROUP, partitions, err) <= 0 ||
        count_commits(rk, config, config->kafka_group, partitions, err) != 0)
        return err->code == ERROR_NONE;
    return error_set(
        err, ERROR_CONFIG,
        "the group \"" FORMER_GROUP "\", the default name of former releases, has committed "
        "offsets in %.100s, and \"%.120s\" has none: it would begin at kafka.start. To go on where "
        "the former one stands set kafka.group=" FORMER_GROUP " (its topics then keep their names "
        "too); to begin anew set kafka.group=%.120s",
        config->kafka_topic, config->kafka_group, config->kafka_group);
}

/* ---- records in the former topics ---- */

static int64_t records_of(rd_kafka_t *rk, const char *name)
{
    enum { PARTITIONS_MAX = 1024 };
    int64_t low[PARTITIONS_MAX], high[PARTITIONS_MAX], sum = 0;
    struct error ignored = {0};
    rd_kafka_resp_err_t code;
    size_t count = kafka_partition_count(rk, name, ASK_MS, &code, NULL);
    if (count > PARTITIONS_MAX)
        count = PARTITIONS_MAX;
    if (count == 0 || !kafka_watermarks(rk, name, 0, count, low, high, ASK_MS, &ignored))
        return 0;
    for (size_t i = 0; i < count; i++)
        sum += high[i] - low[i];
    return sum;
}

static void look_at_topic(rd_kafka_t *rk, const struct config *config, size_t which)
{
    char former[TOPIC_NAME_MAX + 1], hint[TOPIC_NAME_MAX + 64];
    const struct own_name *name = &own_names[which];
    own_topic_name(FORMER_GROUP, name->suffix, former);
    if (!config->derived.topics[which] || strcmp(own_name_of(config, name), former) == 0)
        return;
    int64_t records = records_of(rk, former);
    snprintf(hint, sizeof hint, "to go on with it set %s=%s; another shop may use it too",
             name->option, former);
    if (records > 0)
        log_warn("former topic holds records", LOG_S("topic", former), LOG_I("records", records),
                 LOG_S("used_now", own_name_of(config, name)), LOG_S("hint", hint));
}

bool former_names_look(rd_kafka_t *rk, const struct config *config, int32_t partitions,
                       struct error *err)
{
    if (!check_group(rk, config, partitions, err))
        return false;
    for (size_t i = 0; i < OWN_TOPIC_COUNT; i++)
        look_at_topic(rk, config, i);
    return true;
}
