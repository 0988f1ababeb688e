/* fill: writes many records like the real ones into a topic, made from a case's captured envelopes.
 *
 *   bench_fill BROKERS TOPIC CASE_FOLDER RECORDS EVERY [BATCH_BYTES]
 *
 * In batches of 16 KiB, Connect's own, when BATCH_BYTES says nothing else.
 * Orders live as orders do: an insert, then updates, five records each with an id of its own; one
 * record in EVERY confirms. Creates the topic with six partitions. Prints how many confirm. */
#include "cdc/change.h"
#include "cdc/plan.h"
#include "tools/tool_producer.h"

#include <jansson.h>
#include <librdkafka/rdkafka.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PARTITIONS = 6, SAMPLES_MAX = 64, UUID = 36, FLUSH_MS = 120000, LIFE = 5 };

struct sample {
    unsigned char *value;
    size_t len;
    char id[UUID + 1];
};

static struct samples {
    struct sample all[SAMPLES_MAX];
    size_t count;
} inserts, updates, confirming;
static long failures;

static void delivered(rd_kafka_t *rk, const rd_kafka_message_t *m, void *opaque)
{
    (void)rk, (void)opaque;
    failures += m->err != 0;
}

static struct plan *compile(const char *folder)
{
    char path[512];
    const char *id;
    json_t *entry;
    struct error err = {0};
    struct plan_options options = {
        .rule_column = "status", .rule_value = "confirmed", .prefix = "__"};
    for (size_t f = 0; f < FIELD_COUNT; f++)
        options.columns[f] = payload_field_columns[f];
    snprintf(path, sizeof path, "%s/schemas.json", folder);
    json_t *schemas = json_load_file(path, 0, NULL);
    struct plan *plan = NULL;
    json_object_foreach (schemas, id, entry) {
        const char *schema = json_string_value(json_object_get(entry, "schema"));
        if (strstr(schema, "\"name\":\"Envelope\"") != NULL)
            plan = plan_compile(schema, strlen(schema), &options, &err);
    }
    if (plan == NULL)
        die("schema", err.text);
    json_decref(schemas);
    return plan;
}

static void sort_in(const struct plan *plan, const char *base64)
{
    struct sample s = {.value = malloc(strlen(base64))};
    struct change c;
    const char *why;
    int len = EVP_DecodeBlock(s.value, (const unsigned char *)base64, (int)strlen(base64));
    for (size_t i = strlen(base64); base64[i - 1] == '='; i--)
        len--;
    s.len = (size_t)len;
    if (plan_run(plan, s.value + 5, s.len - 5, false, &c, &why, NULL) != PLAN_DONE || !c.has_row ||
        c.field[FIELD_ORDER_ID].len != UUID || column_is_text(&c.op, "r") ||
        c.field[FIELD_UNIT_PRICE].data[0] < 0)
        return;
    memcpy(s.id, c.field[FIELD_ORDER_ID].data, UUID);
    bool now = column_is_text(&c.status, "confirmed");
    if (now && column_is_text(&c.before_status, "confirmed"))
        return;
    struct samples *kind = now ? &confirming : c.has_before ? &updates : &inserts;
    if (kind->count < SAMPLES_MAX)
        kind->all[kind->count++] = s;
}

static void read_samples(const struct plan *plan, const char *folder)
{
    char path[512];
    snprintf(path, sizeof path, "%s/records.ndjson", folder);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        die(path, "cannot be read");
    for (json_t *r; (r = json_loadf(file, JSON_DISABLE_EOF_CHECK, NULL)) != NULL; json_decref(r))
        if (json_is_string(json_object_get(r, "value")))
            sort_in(plan, json_string_value(json_object_get(r, "value")));
    fclose(file);
    if (inserts.count == 0 || updates.count == 0 || confirming.count == 0)
        die(path, "no usable records");
}

static void create_topic(rd_kafka_t *rk, const char *name)
{
    rd_kafka_NewTopic_t *topic = rd_kafka_NewTopic_new(name, PARTITIONS, 1, NULL, 0);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_CreateTopics(rk, &topic, 1, NULL, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, 30000);
    if (event == NULL || rd_kafka_event_error(event))
        die("topic", "not created");
    rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    rd_kafka_NewTopic_destroy(topic);
}

static const struct sample *sample_for(long n, bool confirms)
{
    const struct samples *kind = confirms ? &confirming : n % LIFE == 0 ? &inserts : &updates;
    return &kind->all[(size_t)n % kind->count];
}

static void produce(rd_kafka_t *rk, const char *topic, const struct sample *s, long n)
{
    char id[64];
    unsigned char value[4096];
    long order = n / LIFE;
    snprintf(id, sizeof id, "%08lx-0000-4000-8000-%012lx", order & 0xffffffff, order);
    memcpy(value, s->value, s->len);
    for (unsigned char *at = value; (at = memmem(at, s->len - (size_t)(at - value), s->id, UUID));
         at += UUID)
        memcpy(at, id, UUID);
    while (rd_kafka_producev(
               rk, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION((int32_t)(order % PARTITIONS)),
               RD_KAFKA_V_KEY(id, UUID), RD_KAFKA_V_VALUE(value, s->len),
               RD_KAFKA_V_HEADER("__debezium.context.connectorName", "postgresql", -1),
               RD_KAFKA_V_HEADER("__debezium.context.taskId", "0", -1),
               RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
               RD_KAFKA_V_END) == RD_KAFKA_RESP_ERR__QUEUE_FULL)
        rd_kafka_poll(rk, 100);
    rd_kafka_poll(rk, 0);
}

int main(int argc, char **argv)
{
    if (argc != 6 && argc != 7)
        die("usage", "bench_fill BROKERS TOPIC CASE_FOLDER RECORDS EVERY [BATCH_BYTES]");
    long records = atol(argv[4]), every = atol(argv[5]), confirmed = 0;
    read_samples(compile(argv[3]), argv[3]);
    const char *const settings[][2] = {{"bootstrap.servers", argv[1]},
                                       {"linger.ms", "50"},
                                       {"batch.size", argc == 7 ? argv[6] : "16384"},
                                       {"compression.type", "none"},
                                       {"queue.buffering.max.messages", "500000"},
                                       {NULL, NULL}};
    rd_kafka_t *rk = tool_producer(settings, delivered);
    create_topic(rk, argv[2]);
    for (long n = 0; n < records; n++) {
        bool confirms = n % every == every / 2;
        confirmed += confirms;
        produce(rk, argv[2], sample_for(n, confirms), n);
    }
    rd_kafka_flush(rk, FLUSH_MS);
    rd_kafka_destroy(rk);
    if (failures > 0)
        die("flush", "not everything was acknowledged");
    printf("%ld\n", confirmed);
    return 0;
}
