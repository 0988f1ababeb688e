/* topic_metadata: the partitions of a topic, and the names of others that may be meant. */
#include "check/check_internal.h"

#include "config/suggest.h"
#include "kafka/kafka_client.h"
#include "kafka/offsets.h"
#include "sys/clock.h"

#include <stdio.h>
#include <string.h>

enum {
    ASK_MS = 5000,
    NAMED_MAX = 8 /* topics named where none is near */
};

int32_t check_partitions(struct check *c, const char *name, rd_kafka_resp_err_t *ret_code)
{
    int64_t deadline_ms = clock_mono_ms() + ASK_MS;
    int32_t partitions = (int32_t)kafka_partition_count(c->rk, name, ASK_MS, ret_code, NULL);
    while (kafka_is_passing(*ret_code) && clock_mono_ms() < deadline_ms) {
        kafka_await_leaders(c->rk, name);
        partitions = (int32_t)kafka_partition_count(c->rk, name, ASK_MS, ret_code, NULL);
    }
    return partitions;
}

bool check_is_missing(rd_kafka_resp_err_t code)
{
    return code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART ||
           code == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC || code == RD_KAFKA_RESP_ERR_NO_ERROR;
}

/* Topics without orders: Kafka's and the program's own. */
static bool is_internal(const struct config *config, const char *name)
{
    const char *const own[] = {config->parked_topic, config->deliveries_topic, config->retry_topic,
                               config->members_topic, config->control_topic};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (strcmp(own[i], name) == 0)
            return true;
    return name[0] == '_';
}

/* The topic whose name is few enough typing errors away; NULL: none. */
static const char *nearest(const struct check *c, const struct rd_kafka_metadata *metadata,
                           const char *wanted)
{
    const char *found = NULL;
    size_t least = strlen(wanted) / 3 + 1;
    for (int i = 0; i < metadata->topic_cnt; i++) {
        const char *name = metadata->topics[i].topic;
        size_t d = config_distance(wanted, name);
        bool exists = metadata->topics[i].err == RD_KAFKA_RESP_ERR_NO_ERROR;
        if (exists && !is_internal(c->config, name) && d < least) {
            least = d;
            found = name;
        }
    }
    return found;
}

static void list_topics(const struct check *c, const struct rd_kafka_metadata *metadata, char *text,
                        size_t size)
{
    size_t len = 0;
    int named = 0, others = 0;
    for (int i = 0; i < metadata->topic_cnt; i++) {
        const char *name = metadata->topics[i].topic;
        if (is_internal(c->config, name) || metadata->topics[i].err != RD_KAFKA_RESP_ERR_NO_ERROR)
            continue;
        if (named == NAMED_MAX || len + strlen(name) + 2 >= size) {
            others++;
            continue;
        }
        len += (size_t)snprintf(text + len, size - len, "%s%s", named++ > 0 ? ", " : "", name);
    }
    if (named == 0)
        snprintf(text, size, "none yet: is the connector running?");
    else if (others > 0)
        snprintf(text + len, size - len, " and %d more", others);
}

void check_suggest_topic(struct check *c, const char *wanted, char *text, size_t size)
{
    const struct rd_kafka_metadata *metadata;
    char names[400] = "";
    snprintf(text, size, "correct kafka.topic");
    if (rd_kafka_metadata(c->rk, 1, NULL, &metadata, ASK_MS) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return;
    const char *near = wanted != NULL ? nearest(c, metadata, wanted) : NULL;
    list_topics(c, metadata, names, sizeof names);
    /* the nearest name would be one partition: a part of the shop */
    bool partitioned = wanted != NULL && check_topic_partitioned(metadata, wanted, text, size);
    if (!partitioned && near != NULL)
        snprintf(text, size, "did you mean \"%s\"?", near);
    else if (!partitioned)
        snprintf(text, size, "topics that this user can see: %s", names);
    rd_kafka_metadata_destroy(metadata);
}
