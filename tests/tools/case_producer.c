/* case_producer: writes the records of a case into a topic, bytes, headers and coordinates as
 * captured.
 *
 *   case_producer BROKERS TOPIC RECORDS.ndjson
 *
 * Creates the topic with six partitions; fails when an offset does not come out as captured. */
#include "tools/record_json.h"
#include "tools/tool_producer.h"

#include <jansson.h>
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PARTITIONS = 6, WAIT_MS = 30000 };

static int undelivered;

static void delivered(rd_kafka_t *rk, const rd_kafka_message_t *m, void *opaque)
{
    (void)rk, (void)opaque;
    if (m->err)
        die("not delivered", rd_kafka_err2str(m->err));
    if (m->offset != (int64_t)(intptr_t)m->_private)
        die("not delivered", "the topic was not empty");
    undelivered--;
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

int main(int argc, char **argv)
{
    if (argc != 4)
        die("usage", "case_producer BROKERS TOPIC RECORDS.ndjson");
    FILE *file = fopen(argv[3], "r");
    if (file == NULL)
        die(argv[3], "cannot be read");
    const char *const settings[][2] = {
        {"bootstrap.servers", argv[1]}, {"enable.idempotence", "true"}, {NULL, NULL}};
    rd_kafka_t *rk = tool_producer(settings, delivered);
    create_topic(rk, argv[2]);
    json_error_t error;
    for (json_t *record; (record = json_loadf(file, JSON_DISABLE_EOF_CHECK, &error)) != NULL;) {
        intptr_t offset = (intptr_t)json_integer_value(json_object_get(record, "offset"));
        record_json_produce(rk, argv[2], record, (void *)offset);
        undelivered++;
        json_decref(record);
    }
    fclose(file);
    rd_kafka_flush(rk, WAIT_MS);
    rd_kafka_destroy(rk);
    if (undelivered != 0)
        die("flush", "not everything was acknowledged");
    return 0;
}
