/* mock_kafka: librdkafka's mock cluster on loopback, for other processes to join.
 *
 *   mock_kafka TOPIC=PARTITIONS...
 *
 * Prints "brokers HOST:PORT". Then each line of standard input is a record to write, in the form of
 * tests/cases/NAME/records.ndjson (topic, partition, key and value in base64, headers as text); an
 * empty line is answered with "written" once all are acknowledged. Ends at the end of its input. */
#include "tools/record_json.h"
#include "tools/tool_producer.h"

#include <jansson.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WAIT_MS = 30000 };

static void acknowledged(rd_kafka_t *rk, const rd_kafka_message_t *m, void *opaque)
{
    (void)rk, (void)opaque;
    if (m->err)
        die("not written", rd_kafka_err2str(m->err));
}

static void create_topics(rd_kafka_mock_cluster_t *mock, char **topics)
{
    for (; *topics != NULL; topics++) {
        char *partitions = strchr(*topics, '=');
        if (partitions == NULL)
            die(*topics, "TOPIC=PARTITIONS is meant");
        *partitions++ = '\0';
        rd_kafka_resp_err_t err = rd_kafka_mock_topic_create(mock, *topics, atoi(partitions), 1);
        if (err)
            die(*topics, rd_kafka_err2str(err));
    }
}

static void serve_line(rd_kafka_t *rk, const char *line)
{
    if (line[0] == '\n') {
        if (rd_kafka_flush(rk, WAIT_MS))
            die("flush", "not everything was acknowledged");
        puts("written");
        return;
    }
    json_error_t error;
    json_t *record = json_loads(line, 0, &error);
    if (record == NULL)
        die("record", error.text);
    record_json_produce(rk, json_string_value(json_object_get(record, "topic")), record, NULL);
    json_decref(record);
    rd_kafka_poll(rk, 0);
}

int main(int argc, char **argv)
{
    if (argc < 2)
        die("usage", "mock_kafka TOPIC=PARTITIONS...");
    setvbuf(stdout, NULL, _IOLBF, 0);
    const char *const settings[][2] = {{"linger.ms", "2"}, {NULL, NULL}};
    rd_kafka_t *rk = tool_producer(settings, acknowledged);
    rd_kafka_mock_cluster_t *mock = rd_kafka_mock_cluster_new(rk, 1);
    if (mock == NULL)
        die("mock cluster", "did not start");
    create_topics(mock, argv + 1);
    rd_kafka_brokers_add(rk, rd_kafka_mock_cluster_bootstraps(mock));
    printf("brokers %s\n", rd_kafka_mock_cluster_bootstraps(mock));
    char *line = NULL;
    size_t size = 0;
    while (getline(&line, &size, stdin) > 0)
        serve_line(rk, line);
    free(line);
    rd_kafka_mock_cluster_destroy(mock);
    rd_kafka_destroy(rk);
    return 0;
}
