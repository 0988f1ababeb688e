#include "fakes/cluster.h"

#include "sys/clock.h"

#include <stdlib.h>
#include <string.h>

enum { WAIT_MS = 10000, BROKER = 1, SILENCED = 40, SILENT_MS = 120000 };

static void require(int ok)
{
    if (!ok)
        abort();
}

static rd_kafka_conf_t *conf_new(const char *const settings[][2], size_t count)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    for (size_t i = 0; i < count; i++)
        require(rd_kafka_conf_set(conf, settings[i][0], settings[i][1], NULL, 0) ==
                RD_KAFKA_CONF_OK);
    return conf;
}

void cluster_settle(struct cluster *c)
{
    const struct rd_kafka_metadata *metadata;
    require(!rd_kafka_metadata(c->rk, 0, NULL, &metadata, WAIT_MS));
    rd_kafka_metadata_destroy(metadata);
}

static void create_topic(struct cluster *c, const char *name, int partitions)
{
    cluster_settle(c);
    require(!rd_kafka_mock_topic_create(c->mock, name, partitions, 1));
}

void cluster_open(struct cluster *c, int partitions)
{
    static const char *const settings[][2] = {{"log_level", "0"}};
    c->traceparent = NULL;
    c->many = false;
    c->rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf_new(settings, 1), NULL, 0);
    require(c->rk != NULL);
    c->mock = rd_kafka_mock_cluster_new(c->rk, 1);
    require(c->mock != NULL);
    c->brokers = rd_kafka_mock_cluster_bootstraps(c->mock);
    require(rd_kafka_brokers_add(c->rk, c->brokers) > 0);
    create_topic(c, CLUSTER_TOPIC, partitions);
    create_topic(c, CLUSTER_PARKED, 1);
    create_topic(c, "elementor-sync.deliveries", 1);
    create_topic(c, "elementor-sync.retry", partitions);
    create_topic(c, "elementor-sync.members", 1);
    create_topic(c, CLUSTER_CONTROL, 1);
}

void cluster_close(struct cluster *c)
{
    cluster_settle(c);
    rd_kafka_mock_cluster_destroy(c->mock);
    rd_kafka_destroy(c->rk);
}

void cluster_produce(struct cluster *c, int32_t partition, const void *value, size_t len)
{
    rd_kafka_headers_t *headers = rd_kafka_headers_new(1);
    if (c->traceparent != NULL)
        require(!rd_kafka_header_add(headers, "traceparent", -1, c->traceparent, -1));
    require(!rd_kafka_producev(
        c->rk, RD_KAFKA_V_TOPIC(CLUSTER_TOPIC), RD_KAFKA_V_PARTITION(partition),
        RD_KAFKA_V_KEY("key", 3), RD_KAFKA_V_VALUE((void *)(uintptr_t)value, len),
        RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END));
    if (!c->many)
        require(!rd_kafka_flush(c->rk, WAIT_MS));
}

void cluster_begin_many(struct cluster *c)
{
    c->many = true;
}

void cluster_end_many(struct cluster *c)
{
    c->many = false;
    require(!rd_kafka_flush(c->rk, WAIT_MS));
}

void cluster_silence(struct cluster *c, enum cluster_question question)
{
    for (int i = 0; i < SILENCED; i++)
        require(!rd_kafka_mock_broker_push_request_error_rtts(
            c->mock, BROKER, (int16_t)question, 1, RD_KAFKA_RESP_ERR_NO_ERROR, SILENT_MS));
}

void cluster_await_question(struct cluster *c, enum cluster_question question)
{
    size_t left = SILENCED;
    for (int64_t deadline = clock_mono_ms() + WAIT_MS; left == SILENCED; cluster_settle(c)) {
        require(!rd_kafka_mock_broker_error_stack_cnt(c->mock, BROKER, (int16_t)question, &left));
        require(clock_mono_ms() < deadline);
    }
}

static rd_kafka_t *consumer(const struct cluster *c, const char *group)
{
    const char *const settings[][2] = {
        {"bootstrap.servers", c->brokers}, {"group.id", group}, {"auto.offset.reset", "earliest"}};
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf_new(settings, 3), NULL, 0);
    require(rk != NULL);
    return rk;
}

int64_t cluster_committed(struct cluster *c, const char *group, int32_t partition)
{
    rd_kafka_t *rk = consumer(c, group);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, CLUSTER_TOPIC, partition);
    require(!rd_kafka_committed(rk, list, WAIT_MS));
    int64_t offset = list->elems[0].offset;
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_destroy(rk);
    return offset >= 0 ? offset : -1;
}

void cluster_commit(struct cluster *c, const char *group, int32_t partition, int64_t offset,
                    const char *metadata)
{
    rd_kafka_t *rk = consumer(c, group);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_t *p =
        rd_kafka_topic_partition_list_add(list, CLUSTER_TOPIC, partition);
    p->offset = offset;
    p->metadata = strdup(metadata);
    p->metadata_size = strlen(metadata);
    require(!rd_kafka_commit(rk, list, 0));
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_destroy(rk);
}

size_t cluster_read(struct cluster *c, const char *topic,
                    void (*record)(void *context, const rd_kafka_message_t *m), void *context)
{
    const char *const settings[][2] = {{"bootstrap.servers", c->brokers},
                                       {"group.id", "topic-reader"},
                                       {"enable.auto.commit", "false"},
                                       {"enable.partition.eof", "true"}};
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf_new(settings, 4), NULL, 0);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    size_t count = 0;
    require(rk != NULL);
    rd_kafka_topic_partition_list_add(list, topic, 0)->offset = RD_KAFKA_OFFSET_BEGINNING;
    require(!rd_kafka_assign(rk, list));
    rd_kafka_topic_partition_list_destroy(list);
    for (bool end = false; !end;) {
        rd_kafka_message_t *m = rd_kafka_consumer_poll(rk, WAIT_MS);
        require(m != NULL);
        end = m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF;
        if (m->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
            record(context, m);
            count++;
        }
        rd_kafka_message_destroy(m);
    }
    rd_kafka_consumer_close(rk);
    rd_kafka_destroy(rk);
    return count;
}

rd_kafka_message_t *cluster_parked(struct cluster *c)
{
    rd_kafka_t *rk = consumer(c, "parked-reader");
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, CLUSTER_PARKED, 0)->offset = RD_KAFKA_OFFSET_BEGINNING;
    require(!rd_kafka_assign(rk, list));
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_poll_set_consumer(rk);
    c->parked_reader = rk;
    return rd_kafka_consumer_poll(rk, WAIT_MS);
}

void cluster_parked_done(rd_kafka_message_t *message, struct cluster *c)
{
    rd_kafka_message_destroy(message);
    rd_kafka_consumer_close(c->parked_reader);
    rd_kafka_destroy(c->parked_reader);
}
