#include "demo/parts/broker.h"

#include "kafka/offsets.h"
#include "sys/clock.h"

#include <librdkafka/rdkafka_mock.h>
#include <stdlib.h>
#include <string.h>

enum { ASK_EVERY_MS = 300, READ_WAIT_MS = 50 };

#define PARKED "elementor-sync.parked"
#define DELIVERIES "elementor-sync.deliveries"
#define MEMBERS "elementor-sync.members"
#define CONTROL "elementor-sync.control"
#define RETRY "elementor-sync.retry"

struct broker {
    struct broker_events events;
    rd_kafka_t *writer, *reader; /* the mock lives in the writer */
    rd_kafka_mock_cluster_t *mock;
    rd_kafka_headers_t *headers; /* of every change, as Debezium adds them */
    rd_kafka_queue_t *answers;
    bool asking;
    int64_t next_ask_ms;
    uint64_t written, pending;
    int64_t parked_read, outcomes_read; /* next offsets */
    int64_t ends[BROKER_PARTITIONS], committed[BROKER_PARTITIONS];
};

/* ---- life ---- */

static rd_kafka_t *client_new(rd_kafka_type_t type, rd_kafka_conf_t *conf, struct error *err)
{
    char text[256];
    rd_kafka_conf_set(conf, "log_level", "0", NULL, 0);
    rd_kafka_t *rk = rd_kafka_new(type, conf, text, sizeof text);
    if (rk == NULL) {
        rd_kafka_conf_destroy(conf);
        error_set(err, ERROR_FAILED, "librdkafka: %s", text);
    }
    return rk;
}

static void acknowledged(rd_kafka_t *rk, const rd_kafka_message_t *m, void *opaque)
{
    struct broker *b = opaque;
    (void)rk;
    b->pending--;
    if (m->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        b->events.failed(b->events.context, rd_kafka_err2str(m->err));
        return;
    }
    b->written++;
    if (m->offset >= b->ends[m->partition])
        b->ends[m->partition] = m->offset + 1;
    b->events.written(b->events.context, m->_private, m->partition, m->offset);
}

/* Keys go to the same partitions as with Java's producer. */
static bool open_writer(struct broker *b, struct error *err)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "enable.idempotence", "true", NULL, 0);
    rd_kafka_conf_set(conf, "partitioner", "murmur2_random", NULL, 0);
    rd_kafka_conf_set(conf, "linger.ms", "2", NULL, 0);
    rd_kafka_conf_set_opaque(conf, b);
    rd_kafka_conf_set_dr_msg_cb(conf, acknowledged);
    b->writer = client_new(RD_KAFKA_PRODUCER, conf, err);
    return b->writer != NULL;
}

static bool open_mock(struct broker *b, struct error *err)
{
    b->mock = rd_kafka_mock_cluster_new(b->writer, 1);
    if (b->mock == NULL)
        return error_set(err, ERROR_FAILED, "librdkafka's mock cluster did not start");
#ifdef HAVE_MOCK_REBALANCE_DELAY
    rd_kafka_mock_group_initial_rebalance_delay_ms(b->mock, 100);
#endif
    rd_kafka_mock_topic_create(b->mock, BROKER_ORDERS, BROKER_PARTITIONS, 1);
    rd_kafka_mock_topic_create(b->mock, RETRY, BROKER_PARTITIONS, 1);
    rd_kafka_mock_topic_create(b->mock, PARKED, 1, 1);
    rd_kafka_mock_topic_create(b->mock, DELIVERIES, 1, 1);
    rd_kafka_mock_topic_create(b->mock, MEMBERS, 1, 1);
    rd_kafka_mock_topic_create(b->mock, CONTROL, 1, 1);
    rd_kafka_brokers_add(b->writer, rd_kafka_mock_cluster_bootstraps(b->mock));
    return true;
}

static bool open_reader(struct broker *b, struct error *err)
{
    static const char *const topics[] = {PARKED, DELIVERIES, MEMBERS};
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", broker_addresses(b), NULL, 0);
    rd_kafka_conf_set(conf, "group.id", "demo", NULL, 0);
    rd_kafka_conf_set(conf, "enable.auto.commit", "false", NULL, 0);
    b->reader = client_new(RD_KAFKA_CONSUMER, conf, err);
    if (b->reader == NULL)
        return false;
    rd_kafka_poll_set_consumer(b->reader);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(3);
    for (size_t i = 0; i < sizeof topics / sizeof *topics; i++)
        rd_kafka_topic_partition_list_add(list, topics[i], 0)->offset = RD_KAFKA_OFFSET_BEGINNING;
    rd_kafka_resp_err_t code = rd_kafka_assign(b->reader, list);
    rd_kafka_topic_partition_list_destroy(list);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR ||
           error_set(err, ERROR_FAILED, "librdkafka: %s", rd_kafka_err2str(code));
}

static void make_headers(struct broker *b)
{
    b->headers = rd_kafka_headers_new(3);
    rd_kafka_header_add(b->headers, "__debezium.context.connectorLogicalName", -1, "orders", -1);
    rd_kafka_header_add(b->headers, "__debezium.context.taskId", -1, "0", -1);
    rd_kafka_header_add(b->headers, "__debezium.context.connectorName", -1, "postgresql", -1);
}

struct broker *broker_new(const struct broker_events *events, struct error *err)
{
    struct broker *b = calloc(1, sizeof *b);
    if (b == NULL) {
        error_no_memory(err);
        return NULL;
    }
    b->events = *events;
    for (int i = 0; i < BROKER_PARTITIONS; i++)
        b->committed[i] = -1;
    make_headers(b);
    if (!open_writer(b, err) || !open_mock(b, err) || !open_reader(b, err)) {
        broker_free(b);
        return NULL;
    }
    b->answers = rd_kafka_queue_new(b->writer);
    return b;
}

void broker_free(struct broker *b)
{
    if (b == NULL)
        return;
    if (b->reader != NULL) {
        rd_kafka_consumer_close(b->reader);
        rd_kafka_destroy(b->reader);
    }
    if (b->writer != NULL)
        rd_kafka_purge(b->writer, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    if (b->answers != NULL)
        rd_kafka_queue_destroy(b->answers);
    if (b->mock != NULL)
        rd_kafka_mock_cluster_destroy(b->mock);
    if (b->writer != NULL)
        rd_kafka_destroy(b->writer);
    rd_kafka_headers_destroy(b->headers);
    free(b);
}

const char *broker_addresses(const struct broker *b)
{
    return rd_kafka_mock_cluster_bootstraps(b->mock);
}

/* ---- writing ---- */

bool broker_write(struct broker *b, struct slice key, struct slice value, void *tag,
                  struct error *err)
{
    rd_kafka_headers_t *headers = rd_kafka_headers_copy(b->headers);
    rd_kafka_resp_err_t code = rd_kafka_producev(
        b->writer, RD_KAFKA_V_TOPIC(BROKER_ORDERS),
        RD_KAFKA_V_KEY((void *)(uintptr_t)key.data, key.len),
        RD_KAFKA_V_VALUE((void *)(uintptr_t)value.data, value.len), RD_KAFKA_V_HEADERS(headers),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_OPAQUE(tag), RD_KAFKA_V_END);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        b->pending++;
        return true;
    }
    rd_kafka_headers_destroy(headers);
    return error_set(err, ERROR_FAILED, "the shop could not write: %s", rd_kafka_err2str(code));
}

/* ---- reading ---- */

static void read_message(struct broker *b, const rd_kafka_message_t *m)
{
    if (m->err != RD_KAFKA_RESP_ERR_NO_ERROR)
        return; /* errors of the mock cluster pass by themselves */
    const char *topic = rd_kafka_topic_name(m->rkt);
    const struct slice value = {m->payload, m->len};
    if (strcmp(topic, PARKED) == 0) {
        b->parked_read = m->offset + 1;
        b->events.parked(b->events.context, m);
    } else if (strcmp(topic, DELIVERIES) == 0) {
        b->outcomes_read = m->offset + 1;
        b->events.outcome(b->events.context, value);
    } else {
        b->events.member(b->events.context, value);
    }
}

static void read_own_topics(struct broker *b, int wait_ms)
{
    for (rd_kafka_message_t *m; (m = rd_kafka_consumer_poll(b->reader, wait_ms)) != NULL;) {
        read_message(b, m);
        rd_kafka_message_destroy(m);
        wait_ms = 0;
    }
}

bool broker_read_to_end(struct broker *b, int64_t timeout_ms)
{
    int64_t parked_end, outcomes_end, deadline_ms = clock_mono_ms() + timeout_ms;
    if (!kafka_watermarks(b->reader, PARKED, 0, 1, NULL, &parked_end, (int)timeout_ms, NULL) ||
        !kafka_watermarks(b->reader, DELIVERIES, 0, 1, NULL, &outcomes_end, (int)timeout_ms, NULL))
        return false;
    while (b->parked_read < parked_end || b->outcomes_read < outcomes_end) {
        if (clock_mono_ms() >= deadline_ms)
            return false;
        read_own_topics(b, READ_WAIT_MS);
    }
    return true;
}

/* ---- commits ---- */

static void ask(struct broker *b)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(BROKER_PARTITIONS);
    for (int32_t i = 0; i < BROKER_PARTITIONS; i++)
        rd_kafka_topic_partition_list_add(list, BROKER_ORDERS, i);
    rd_kafka_ListConsumerGroupOffsets_t *of =
        rd_kafka_ListConsumerGroupOffsets_new(BROKER_GROUP, list);
    rd_kafka_ListConsumerGroupOffsets(b->writer, &of, 1, NULL, b->answers);
    rd_kafka_ListConsumerGroupOffsets_destroy(of);
    rd_kafka_topic_partition_list_destroy(list);
    b->asking = true;
}

static void take_offsets(struct broker *b, rd_kafka_event_t *event)
{
    size_t count = 0;
    const rd_kafka_ListConsumerGroupOffsets_result_t *result =
        rd_kafka_event_ListConsumerGroupOffsets_result(event);
    if (result == NULL || rd_kafka_event_error(event))
        return;
    const rd_kafka_group_result_t **groups =
        rd_kafka_ListConsumerGroupOffsets_result_groups(result, &count);
    if (count != 1 || rd_kafka_group_result_error(groups[0]) != NULL)
        return;
    const rd_kafka_topic_partition_list_t *list = rd_kafka_group_result_partitions(groups[0]);
    for (int i = 0; i < list->cnt; i++)
        if (list->elems[i].offset >= 0 && list->elems[i].partition < BROKER_PARTITIONS)
            b->committed[list->elems[i].partition] = list->elems[i].offset;
}

/* True when the answer came. */
static bool take_answer(struct broker *b, int timeout_ms)
{
    rd_kafka_event_t *event = rd_kafka_queue_poll(b->answers, timeout_ms);
    if (event == NULL)
        return false;
    take_offsets(b, event);
    rd_kafka_event_destroy(event);
    b->asking = false;
    return true;
}

bool broker_ask_committed(struct broker *b, int64_t timeout_ms)
{
    if (b->asking && !take_answer(b, (int)timeout_ms)) /* an older question */
        return false;
    ask(b);
    return take_answer(b, (int)timeout_ms);
}

void broker_turn(struct broker *b, int64_t now_ms)
{
    rd_kafka_poll(b->writer, 0);
    read_own_topics(b, 0);
    if (b->asking)
        take_answer(b, 0);
    if (b->asking || now_ms < b->next_ask_ms)
        return;
    b->next_ask_ms = now_ms + ASK_EVERY_MS;
    ask(b);
}

uint64_t broker_written(const struct broker *b)
{
    return b->written;
}

uint64_t broker_pending(const struct broker *b)
{
    return b->pending;
}

uint64_t broker_lag(const struct broker *b)
{
    uint64_t lag = 0;
    for (int i = 0; i < BROKER_PARTITIONS; i++) {
        int64_t from = b->committed[i] >= 0 ? b->committed[i] : 0;
        lag += b->ends[i] > from ? (uint64_t)(b->ends[i] - from) : 0;
    }
    return lag;
}

const int64_t *broker_committed(const struct broker *b)
{
    return b->committed;
}
