/* case_producer: writes the records of a case into a topic, bytes, headers and coordinates as
 * captured.
 *
 *   case_producer BROKERS TOPIC RECORDS.ndjson
 *
 * Creates the topic with six partitions; fails when an offset does not come out as captured. */
#include <jansson.h>
#include <librdkafka/rdkafka.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PARTITIONS = 6, WAIT_MS = 30000 };

static int undelivered;

static void die(const char *what, const char *why)
{
    fprintf(stderr, "case_producer: %s: %s\n", what, why);
    exit(1);
}

static void delivered(rd_kafka_t *rk, const rd_kafka_message_t *m, void *opaque)
{
    (void)rk, (void)opaque;
    if (m->err)
        die("not delivered", rd_kafka_err2str(m->err));
    if (m->offset != (int64_t)(intptr_t)m->_private)
        die("not delivered", "the topic was not empty");
    undelivered--;
}

static rd_kafka_t *producer(const char *brokers)
{
    char text[512];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    if (rd_kafka_conf_set(conf, "bootstrap.servers", brokers, text, sizeof text) ||
        rd_kafka_conf_set(conf, "enable.idempotence", "true", text, sizeof text))
        die("configuration", text);
    rd_kafka_conf_set_dr_msg_cb(conf, delivered);
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
    if (rk == NULL)
        die("producer", text);
    return rk;
}

static void create_topic(rd_kafka_t *rk, const char *name)
{
    char text[512];
    rd_kafka_NewTopic_t *topic = rd_kafka_NewTopic_new(name, PARTITIONS, 1, text, sizeof text);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_CreateTopics(rk, &topic, 1, NULL, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, WAIT_MS);
    if (event == NULL || rd_kafka_event_error(event))
        die("topic", event ? rd_kafka_event_error_string(event) : "no answer");
    size_t count;
    const rd_kafka_topic_result_t **results =
        rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count);
    if (rd_kafka_topic_result_error(results[0]))
        die("topic", rd_kafka_topic_result_error_string(results[0]));
    rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    rd_kafka_NewTopic_destroy(topic);
}

struct bytes {
    unsigned char *data; /* NULL: null */
    size_t len;
};

static struct bytes decode(const char *base64)
{
    if (base64 == NULL)
        return (struct bytes){0};
    size_t len = strlen(base64);
    struct bytes out = {malloc(len + 1), 0};
    int decoded = EVP_DecodeBlock(out.data, (const unsigned char *)base64, (int)len);
    if (decoded < 0)
        die("base64", base64);
    out.len = (size_t)decoded;
    for (size_t i = len; i > 0 && base64[i - 1] == '='; i--)
        out.len--;
    return out;
}

static rd_kafka_headers_t *headers_of(const json_t *record)
{
    rd_kafka_headers_t *headers = rd_kafka_headers_new(4);
    size_t i;
    json_t *header;
    json_array_foreach (json_object_get(record, "headers"), i, header) {
        const char *value = json_string_value(json_array_get(header, 1));
        rd_kafka_header_add(headers, json_string_value(json_array_get(header, 0)), -1, value,
                            value ? -1 : 0);
    }
    return headers;
}

static void produce(rd_kafka_t *rk, const char *topic, const json_t *record)
{
    struct bytes key = decode(json_string_value(json_object_get(record, "key")));
    struct bytes value = decode(json_string_value(json_object_get(record, "value")));
    intptr_t offset = (intptr_t)json_integer_value(json_object_get(record, "offset"));
    rd_kafka_resp_err_t err = rd_kafka_producev(
        rk, RD_KAFKA_V_TOPIC(topic),
        RD_KAFKA_V_PARTITION((int32_t)json_integer_value(json_object_get(record, "partition"))),
        RD_KAFKA_V_TIMESTAMP(json_integer_value(json_object_get(record, "timestamp"))),
        RD_KAFKA_V_KEY(key.data, key.len), RD_KAFKA_V_VALUE(value.data, value.len),
        RD_KAFKA_V_HEADERS(headers_of(record)), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
        RD_KAFKA_V_OPAQUE((void *)offset), RD_KAFKA_V_END);
    if (err)
        die("produce", rd_kafka_err2str(err));
    undelivered++;
    free(key.data);
    free(value.data);
}

int main(int argc, char **argv)
{
    if (argc != 4)
        die("usage", "case_producer BROKERS TOPIC RECORDS.ndjson");
    FILE *file = fopen(argv[3], "r");
    if (file == NULL)
        die(argv[3], "cannot be read");
    rd_kafka_t *rk = producer(argv[1]);
    create_topic(rk, argv[2]);
    json_error_t error;
    for (json_t *record; (record = json_loadf(file, JSON_DISABLE_EOF_CHECK, &error)) != NULL;) {
        produce(rk, argv[2], record);
        json_decref(record);
    }
    fclose(file);
    rd_kafka_flush(rk, WAIT_MS);
    rd_kafka_destroy(rk);
    if (undelivered != 0)
        die("flush", "not everything was acknowledged");
    return 0;
}
