/* fill: writes many records like the real ones into a topic, made from a case's captured envelopes.
 *
 *   bench_fill BROKERS TOPIC CASE_FOLDER RECORDS EVERY [NAME=NUMBER...]
 *
 * Orders live as orders do: an insert, then updates, with an id of its own; one record in EVERY
 * confirms. Creates the topic. Prints how many confirm. The names:
 *   batch       16384, Connect's own: bytes of a batch
 *   partitions  6
 *   life        5: the records of an order
 *   width       0: bytes that the city of each row has at least */
#include "base/buf.h"
#include "cdc/change.h"
#include "cdc/plan.h"
#include "fakes/avro_bytes.h"
#include "tools/tool_producer.h"

#include <jansson.h>
#include <librdkafka/rdkafka.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SAMPLES_MAX = 64, UUID = 36, FLUSH_MS = 120000, VALUE_MAX = 1000000 };

enum fill_option { BATCH, PARTITIONS, LIFE, WIDTH, OPTION_COUNT };
static const char *const option_names[OPTION_COUNT] = {"batch", "partitions", "life", "width"};
static long options[OPTION_COUNT] = {[BATCH] = 16384, [PARTITIONS] = 6, [LIFE] = 5};

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
    struct plan_options wanted = {
        .rule_column = "status", .rule_value = "confirmed", .prefix = "__"};
    for (size_t f = 0; f < FIELD_COUNT; f++)
        wanted.columns[f] = payload_field_columns[f];
    snprintf(path, sizeof path, "%s/schemas.json", folder);
    json_t *schemas = json_load_file(path, 0, NULL);
    struct plan *plan = NULL;
    json_object_foreach (schemas, id, entry) {
        const char *schema = json_string_value(json_object_get(entry, "schema"));
        if (strstr(schema, "\"name\":\"Envelope\"") != NULL)
            plan = plan_compile(schema, strlen(schema), &wanted, &err);
    }
    if (plan == NULL)
        die("schema", err.text);
    json_decref(schemas);
    return plan;
}

/* The same record with a city of so many bytes; its before image, where it has one, stays. */
static void widen(struct sample *s, const struct column *city, size_t width)
{
    struct buf b;
    size_t at = (size_t)((const unsigned char *)city->data - s->value);
    char *filler = malloc(width);
    if (filler == NULL)
        die("width", "too large");
    memset(filler, 'x', width);
    buf_init(&b, VALUE_MAX);
    buf_add(&b, s->value, at - 1);
    avro_add_blob(&b, filler, width);
    buf_add(&b, s->value + at + city->len, s->len - at - city->len);
    free(filler);
    free(s->value);
    s->value = (unsigned char *)buf_take(&b, &s->len);
    if (s->value == NULL)
        die("width", "too large");
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
    const struct column *city = &c.field[FIELD_CLIENT_CITY];
    if (options[WIDTH] > 0) {
        if (city->kind != COLUMN_TEXT || city->len >= 64) /* the length before it is one byte */
            return;
        widen(&s, city, (size_t)options[WIDTH]);
    }
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
    rd_kafka_NewTopic_t *topic = rd_kafka_NewTopic_new(name, (int)options[PARTITIONS], 1, NULL, 0);
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
    const struct samples *kind = confirms                 ? &confirming
                                 : n % options[LIFE] == 0 ? &inserts
                                                          : &updates;
    return &kind->all[(size_t)n % kind->count];
}

static void produce(rd_kafka_t *rk, const char *topic, const struct sample *s, long n)
{
    char id[64];
    static unsigned char value[VALUE_MAX];
    long order = n / options[LIFE];
    snprintf(id, sizeof id, "%08lx-0000-4000-8000-%012lx", order & 0xffffffff, order);
    memcpy(value, s->value, s->len);
    for (unsigned char *at = value; (at = memmem(at, s->len - (size_t)(at - value), s->id, UUID));
         at += UUID)
        memcpy(at, id, UUID);
    while (
        rd_kafka_producev(rk, RD_KAFKA_V_TOPIC(topic),
                          RD_KAFKA_V_PARTITION((int32_t)(order % options[PARTITIONS])),
                          RD_KAFKA_V_KEY(id, UUID), RD_KAFKA_V_VALUE(value, s->len),
                          RD_KAFKA_V_HEADER("__debezium.context.connectorName", "postgresql", -1),
                          RD_KAFKA_V_HEADER("__debezium.context.taskId", "0", -1),
                          RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                          RD_KAFKA_V_END) == RD_KAFKA_RESP_ERR__QUEUE_FULL)
        rd_kafka_poll(rk, 100);
    rd_kafka_poll(rk, 0);
}

static void take_option(const char *word)
{
    const char *sign = strchr(word, '=');
    for (int i = 0; i < OPTION_COUNT && sign != NULL; i++)
        if (strlen(option_names[i]) == (size_t)(sign - word) &&
            strncmp(option_names[i], word, (size_t)(sign - word)) == 0) {
            options[i] = atol(sign + 1);
            return;
        }
    die(word, "is no option");
}

int main(int argc, char **argv)
{
    char batch_bytes[24];
    if (argc < 6)
        die("usage", "bench_fill BROKERS TOPIC CASE_FOLDER RECORDS EVERY [NAME=NUMBER...]");
    for (int i = 6; i < argc; i++)
        take_option(argv[i]);
    snprintf(batch_bytes, sizeof batch_bytes, "%ld", options[BATCH]);
    long records = atol(argv[4]), every = atol(argv[5]), confirmed = 0;
    read_samples(compile(argv[3]), argv[3]);
    const char *const settings[][2] = {{"bootstrap.servers", argv[1]},
                                       {"linger.ms", "50"},
                                       {"batch.size", batch_bytes},
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
