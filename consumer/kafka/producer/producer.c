#include "kafka/producer/producer.h"

#include "kafka/kafka_client.h"

#include <stdlib.h>
#include <string.h>

struct lent_client {
    struct lent_client *next;
    rd_kafka_t *rk;
};

static rd_kafka_t *client_new(const struct config *config, struct error *err)
{
    static const struct kafka_property properties[] = {{"enable.idempotence", "true"},
                                                       {"acks", "all"},
                                                       {"linger.ms", "1"},
                                                       {"message.timeout.ms", "30000"},
                                                       {NULL, NULL}};
    rd_kafka_conf_t *conf = kafka_conf_new(config, properties, err);
    if (conf == NULL)
        return NULL;
    rd_kafka_conf_set_events(conf, RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR);
    return kafka_client_new(RD_KAFKA_PRODUCER, conf, err);
}

static void use(struct producer *p, rd_kafka_t *rk)
{
    static const uint64_t one = 1;
    p->rk = rk;
    p->queue = rd_kafka_queue_get_main(rk);
    rd_kafka_queue_io_event_enable(p->queue, p->wake_fd, &one, sizeof one);
}

bool producer_open(struct producer *p, const struct config *config, int wake_fd, struct error *err)
{
    *p = (struct producer){.config = config, .wake_fd = wake_fd};
    rd_kafka_t *rk = client_new(config, err);
    if (rk == NULL)
        return error_no_memory(err);
    use(p, rk);
    return true;
}

static void give_up_topics(struct producer *p)
{
    for (size_t i = 0; i < p->topic_count; i++)
        rd_kafka_topic_destroy(p->topics[i]);
    p->topic_count = 0;
    rd_kafka_queue_destroy(p->queue);
}

void producer_close(struct producer *p)
{
    give_up_topics(p);
    rd_kafka_destroy(p->rk);
    while (p->former != NULL) {
        struct lent_client *former = p->former;
        p->former = former->next;
        rd_kafka_destroy(former->rk);
        free(former);
    }
}

bool producer_replace(struct producer *p)
{
    struct error err = {0};
    rd_kafka_topic_t *topics[PRODUCER_TOPICS_MAX] = {NULL};
    struct lent_client *former = malloc(sizeof *former);
    rd_kafka_t *rk = former != NULL ? client_new(p->config, &err) : NULL;
    if (rk == NULL) {
        free(former);
        return false;
    }
    size_t count = p->topic_count;
    for (size_t i = 0; i < count; i++)
        topics[i] = rd_kafka_topic_new(rk, rd_kafka_topic_name(p->topics[i]), NULL);
    give_up_topics(p);
    *former = (struct lent_client){p->former, p->rk};
    if (p->lent) {
        p->former = former;
    } else {
        rd_kafka_destroy(former->rk);
        free(former);
    }
    use(p, rk);
    memcpy(p->topics, topics, count * sizeof *topics);
    p->topic_count = count;
    p->lent = false;
    return true;
}

/* A topic object is known to the producer's metadata for as long as it lives; its first record
 * would otherwise wait for a refresh, a second on 2.0.2. */
void producer_know(struct producer *p, const char *topic, int64_t timeout_ms)
{
    const struct rd_kafka_metadata *metadata;
    if (p->topic_count == PRODUCER_TOPICS_MAX)
        return;
    rd_kafka_topic_t *rkt = rd_kafka_topic_new(p->rk, topic, NULL);
    p->topics[p->topic_count++] = rkt;
    if (rd_kafka_metadata(p->rk, 0, rkt, &metadata, (int)timeout_ms) == RD_KAFKA_RESP_ERR_NO_ERROR)
        rd_kafka_metadata_destroy(metadata);
}

rd_kafka_topic_t *producer_topic(const struct producer *p, const char *name)
{
    for (size_t i = 0; i < p->topic_count; i++)
        if (strcmp(rd_kafka_topic_name(p->topics[i]), name) == 0)
            return p->topics[i];
    return NULL;
}

rd_kafka_t *producer_lend(struct producer *p)
{
    p->lent = true;
    return p->rk;
}
