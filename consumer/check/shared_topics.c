/* shared_topics: looks for another shop or group that writes to the program's own topics. */
#include "check/check_internal.h"

#include "kafka/offsets.h"
#include "sys/clock.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OWN "own topics"

enum { ASK_MS = 5000, READ_MS = 3000, POLL_MS = 100, NEWEST = 200, LIST_TEXT = 400 };

/* Counts those whose record names another topic or group than the configured ones. */
static void note_stranger(struct check *c, const rd_kafka_message_t *m, struct tally *strangers)
{
    json_t *record = m->payload != NULL ? json_loadb(m->payload, m->len, 0, NULL) : NULL;
    const char *topic = json_string_value(json_object_get(record, "topic"));
    const char *group = json_string_value(json_object_get(record, "group"));
    char text[TALLY_TEXT];
    if (topic != NULL && strcmp(topic, c->config->kafka_topic) != 0) {
        snprintf(text, sizeof text, "topic %s", topic);
        tally_add(strangers, text, strlen(text));
    } else if (group != NULL && strcmp(group, c->config->kafka_group) != 0) {
        snprintf(text, sizeof text, "group %s", group);
        tally_add(strangers, text, strlen(text));
    }
    json_decref(record);
}

/* The newest records of each partition; returns how many partitions have any. */
static int seek_newest(struct check *c, const char *topic, int32_t count,
                       rd_kafka_topic_partition_list_t *list)
{
    struct error ignored = {0};
    int64_t *low = calloc((size_t)count * 2, sizeof *low), *high = low != NULL ? low + count : NULL;
    int open = 0;
    if (low != NULL &&
        kafka_watermarks_awaited(c->rk, topic, (size_t)count, low, high, ASK_MS, &ignored))
        for (int32_t p = 0; p < count; p++)
            if (low[p] < high[p]) {
                rd_kafka_topic_partition_list_add(list, topic, p)->offset =
                    high[p] - low[p] > NEWEST ? high[p] - NEWEST : low[p];
                open++;
            }
    free(low);
    return open;
}

static void read_newest(struct check *c, const char *topic, int32_t count, struct tally *strangers)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)count);
    int open = seek_newest(c, topic, count, list);
    int64_t deadline_ms = clock_mono_ms() + READ_MS;
    rd_kafka_assign(c->rk, list);
    while (open > 0 && clock_mono_ms() < deadline_ms) {
        rd_kafka_message_t *m = rd_kafka_consumer_poll(c->rk, POLL_MS);
        if (m == NULL)
            continue;
        open -= m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF;
        if (m->err == RD_KAFKA_RESP_ERR_NO_ERROR)
            note_stranger(c, m, strangers);
        rd_kafka_message_destroy(m);
    }
    rd_kafka_assign(c->rk, NULL);
    rd_kafka_topic_partition_list_destroy(list);
}

/* Their outcomes and members would be among ours, and their retries in our retry topic. */
void check_shared(struct check *c)
{
    const struct {
        const char *option, *name;
    } topics[] = {{"deliveries.topic", c->config->deliveries_topic},
                  {"members.topic", c->config->members_topic},
                  {"control.topic", c->config->control_topic}};
    for (size_t i = 0; i < sizeof topics / sizeof *topics; i++) {
        struct tally strangers = {.used = 0};
        char list[LIST_TEXT];
        rd_kafka_resp_err_t code;
        int32_t count = check_partitions(c, topics[i].name, &code);
        if (count > 0)
            read_newest(c, topics[i].name, count, &strangers);
        if (strangers.total > 0)
            report_add(c->report, REPORT_WARN, OWN, topics[i].option,
                       "%s is shared: among its newest records are those of %s. Give each shop and "
                       "each group topics of its own (parked.topic, deliveries.topic, retry.topic, "
                       "members.topic, control.topic; left out, they have the group's name)",
                       topics[i].name, tally_list(&strangers, "", list, sizeof list));
    }
}
