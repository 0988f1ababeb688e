/* outcomes: fills the topics of a dashboard: so many outcomes, one in fifty of them parked.
 *
 *   bench_outcomes BROKERS PREFIX N     topics PREFIX.deliveries, .parked, .retry, .members */
#include "bench/order_id.h"
#include "tools/tool_producer.h"
#include "topics/outcome_record.h"

#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PARTITIONS = 6, TOPICS = 4, FLUSH_MS = 120000, PARKED_EVERY = 50, TEXT_MAX = 4096 };

static long failures;
static char topics[TOPICS][128];
enum { DELIVERIES, PARKED };

static void delivered(rd_kafka_t *rk, const rd_kafka_message_t *m, void *opaque)
{
    (void)rk, (void)opaque;
    failures += m->err != 0;
}

static void create_topics(rd_kafka_t *rk, const char *prefix)
{
    static const char *const names[TOPICS] = {"deliveries", "parked", "retry", "members"};
    rd_kafka_NewTopic_t *wanted[TOPICS];
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    for (int i = 0; i < TOPICS; i++) {
        snprintf(topics[i], sizeof topics[i], "%s.%s", prefix, names[i]);
        wanted[i] = rd_kafka_NewTopic_new(topics[i], PARTITIONS, 1, NULL, 0);
    }
    rd_kafka_CreateTopics(rk, wanted, TOPICS, NULL, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, 30000);
    if (event == NULL || rd_kafka_event_error(event))
        die("topics", "not created");
    rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    rd_kafka_NewTopic_destroy_array(wanted, TOPICS);
}

static void produce(rd_kafka_t *rk, const char *topic, const char *key, const char *value,
                    size_t len, rd_kafka_headers_t *headers, int32_t partition)
{
    rd_kafka_resp_err_t code;
    for (;;) {
        rd_kafka_headers_t *copy = rd_kafka_headers_copy(headers);
        code = rd_kafka_producev(
            rk, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(partition),
            RD_KAFKA_V_KEY(key, strlen(key)), RD_KAFKA_V_VALUE((void *)(uintptr_t)value, len),
            RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_HEADERS(copy), RD_KAFKA_V_END);
        if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
            break;
        rd_kafka_headers_destroy(copy);
        if (code != RD_KAFKA_RESP_ERR__QUEUE_FULL)
            die("produce", rd_kafka_err2str(code));
        rd_kafka_poll(rk, 100);
    }
    rd_kafka_poll(rk, 0);
}

static void park(rd_kafka_t *rk, const char *key, int32_t partition, int64_t offset)
{
    static const char response[] = "{\"message\":\"no\"}", bytes[400];
    char number[24];
    rd_kafka_headers_t *headers = rd_kafka_headers_new(8);
    rd_kafka_header_add(headers, "elementor-sync.topic", -1, "orders.public.orders", -1);
    snprintf(number, sizeof number, "%d", (int)partition);
    rd_kafka_header_add(headers, "elementor-sync.partition", -1, number, -1);
    snprintf(number, sizeof number, "%lld", (long long)offset);
    rd_kafka_header_add(headers, "elementor-sync.offset", -1, number, -1);
    rd_kafka_header_add(headers, "elementor-sync.class", -1, "refused", -1);
    rd_kafka_header_add(headers, "elementor-sync.response", -1, response, -1);
    produce(rk, topics[PARKED], key, bytes, sizeof bytes, headers, partition);
    rd_kafka_headers_destroy(headers);
}

static void put(rd_kafka_t *rk, uint64_t n, struct buf *b, rd_kafka_headers_t *none)
{
    char id[37], number[32];
    bool parked = n % PARKED_EVERY == 0;
    int64_t at = INT64_C(1790000000000) + (int64_t)n * 3, offset = (int64_t)n / PARTITIONS;
    int32_t partition = (int32_t)(n % PARTITIONS);
    order_id(n, id);
    snprintf(number, sizeof number, "CMD-%08llu", (unsigned long long)n);
    const struct outcome_record record = {.state = slice_of(parked ? "parked" : "delivered"),
                                          .reason = slice_of(parked ? "http:422" : ""),
                                          .order_id = slice_of(id),
                                          .order_number = slice_of(number),
                                          .confirmed_at = slice_of("2026-11-22T09:15:30.123456Z"),
                                          .webhook_id =
                                              slice_of("msg_c32c71f621b497ead7947d05cefae5b0"),
                                          .source = slice_of("cdc"),
                                          .topic = slice_of("orders.public.orders"),
                                          .partition = partition,
                                          .offset = offset,
                                          .timestamp_ms = at,
                                          .lsn = 36384160,
                                          .attempts = 1,
                                          .status = parked ? 422 : 200,
                                          .first_attempt_ms = at,
                                          .last_attempt_ms = at,
                                          .settled_ms = at,
                                          .next_attempt_ms = -1,
                                          .member = slice_of("vm-32747-e0f468f0")};
    buf_reset(b);
    if (!outcome_record_write(&record, b))
        die("record", "not written");
    if (parked)
        park(rk, id, partition, offset);
    produce(rk, topics[DELIVERIES], id, buf_text(b), strlen(buf_text(b)), none, partition);
}

int main(int argc, char **argv)
{
    struct buf b;
    if (argc != 4)
        die("usage", "bench_outcomes BROKERS PREFIX N");
    uint64_t count = strtoull(argv[3], NULL, 10);
    const char *const settings[][2] = {
        {"bootstrap.servers", argv[1]}, {"linger.ms", "50"}, {NULL, NULL}};
    rd_kafka_t *rk = tool_producer(settings, delivered);
    rd_kafka_headers_t *none = rd_kafka_headers_new(0);
    create_topics(rk, argv[2]);
    buf_init(&b, TEXT_MAX);
    for (uint64_t n = 0; n < count; n++)
        put(rk, n, &b, none);
    rd_kafka_flush(rk, FLUSH_MS);
    buf_done(&b);
    rd_kafka_headers_destroy(none);
    rd_kafka_destroy(rk);
    if (failures > 0)
        die("flush", "not everything was acknowledged");
    return 0;
}
