#include "kafka/group/member_properties.h"

#include "config/member_options.h"
#include "kafka/kafka_client.h"

#include <inttypes.h>
#include <stdio.h>

enum { HEARTBEATS_A_SESSION = 3, HEARTBEAT_MAX_MS = 3000, NUMBER_MAX = 24, PROPERTIES_MAX = 16 };

struct properties {
    struct kafka_property list[PROPERTIES_MAX];
    size_t count;
    char session[NUMBER_MAX], heartbeat[NUMBER_MAX];
};

static void add(struct properties *p, const char *name, const char *value)
{
    p->list[p->count++] = (struct kafka_property){name, value};
}

static void add_reading(struct properties *p)
{
    add(p, "enable.auto.commit", "false");
    add(p, "enable.auto.offset.store", "false");
    add(p, "auto.offset.reset", "error");
    add(p, "allow.auto.create.topics", "false");
    add(p, "enable.partition.eof", "true");
    add(p, "queued.max.messages.kbytes", "2560"); /* of each partition's own queue */
    /* A queue may be over its limit by as much. Never less than the topic's largest batch, a
     * mebibyte by default: of a larger batch the broker sends a useless piece, to all but the first
     * partition of an answer, and they would come one after another. */
    add(p, "fetch.message.max.bytes", "1100000");
    /* A new record ends the wait at once. But while the orders' queues are full a request is for
     * idle partitions alone, and it must not outlast what is queued. */
    add(p, "fetch.wait.max.ms", "250");
    /* A topic that was made again, or got partitions, is noticed at the next look. */
    add(p, "topic.metadata.refresh.interval.ms", "30000");
}

/* The session is what the others wait for after a member's death. */
static void add_classic(struct properties *p, const struct config *config)
{
    int64_t heartbeat_ms = config_session_ms(config) / HEARTBEATS_A_SESSION;
    if (heartbeat_ms > HEARTBEAT_MAX_MS)
        heartbeat_ms = HEARTBEAT_MAX_MS;
    snprintf(p->session, sizeof p->session, "%" PRId64, config->session_timeout);
    snprintf(p->heartbeat, sizeof p->heartbeat, "%" PRId64, heartbeat_ms);
    add(p, "partition.assignment.strategy", "cooperative-sticky");
    add(p, "session.timeout.ms", p->session);
    add(p, "heartbeat.interval.ms", p->heartbeat);
}

rd_kafka_conf_t *kafka_member_conf(const struct config *config, struct error *err)
{
    struct properties p = {.count = 0};
    add_reading(&p);
    add(&p, "group.id", config->kafka_group);
    if (config->kafka_instance != NULL)
        add(&p, "group.instance.id", config->kafka_instance);
    if (!config_group_is_brokers(config))
        add_classic(&p, config);
    p.list[p.count] = (struct kafka_property){NULL, NULL};
    return kafka_conf_new(config, p.list, err);
}

bool kafka_member_is_accepted(const struct config *config, struct error *err)
{
    rd_kafka_conf_t *conf = kafka_member_conf(config, err);
    rd_kafka_t *rk = conf != NULL ? kafka_client_new(RD_KAFKA_CONSUMER, conf, err) : NULL;
    if (rk == NULL)
        return false;
    rd_kafka_destroy_flags(rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    return true;
}
