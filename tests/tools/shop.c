/* shop: an orders table under way, as Debezium would tell it: writes change events at a pace, for
 * as long as it takes, and a journal of what must become of each.
 *
 *   shop BROKERS TOPIC JOURNAL TRANSITIONS RATE SEED SCHEMA_ID [ORDERS_ALIVE]
 *
 * Writes until so many transitions to `confirmed` are written, RATE of them a second (0: at once).
 * Orders live interleaved; each is inserted, edited, confirmed, shipped and often confirmed again,
 * at times within one breath. Some records repeat themselves (as Debezium does after a fault), some
 * orders cannot be sent (no phone), some the receiver refuses (their number ends in "!"), some are
 * deleted. The envelope is that of tests/cases/default, under the schema id told.
 *
 * The journal has a line for each record, written once the brokers have it:
 *   sent_us partition offset kind number
 * kind: "e" expected at the receiver, "i" invalid: expected in the parked topic, "r" refused: the
 * same; "-" not for us. number is order_number, of its own for each transition: ORDER.COUNT[!]. */
#include "base/buf.h"
#include "fakes/avro_bytes.h"
#include "tools/tool_producer.h"

#include <arpa/inet.h>
#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    PARTITIONS = 6,
    UUID = 36,
    NUMBER = 32,
    ALIVE_MAX = 100000,
    FLUSH_MS = 300000,
    VALUE_MAX = 4096
};

enum state { UNBORN, PENDING, CONFIRMED, SHIPPED };

struct order {
    long n;
    int confirmations;
    enum state state;
    char kind; /* of its transitions */
};

struct row {
    const char *status;
    char number[NUMBER], phone[24], confirmed_at[40];
    int quantity;
};

struct note { /* a record on its way to the brokers */
    int64_t sent_us;
    char kind, number[NUMBER];
};

static rd_kafka_t *rk;
static const char *topic;
static FILE *journal;
static uint64_t dice;
static uint32_t schema_id;
static int partitions;
static int64_t lsn = 1000000;
static long failures, next_order, transitions;

static int64_t now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static uint32_t throw_dice(uint32_t sides)
{
    dice = dice * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(dice >> 33) % sides;
}

/* ---- the envelope ---- */

static void add_optional_text(struct buf *b, const char *text)
{
    avro_add_long(b, text[0] != '\0');
    if (text[0] != '\0')
        avro_add_text(b, text);
}

static void add_optional_long(struct buf *b, int64_t value)
{
    avro_add_long(b, 1);
    avro_add_long(b, value);
}

static void add_row(struct buf *b, const char *id, const struct row *row)
{
    static const char price[] = {0x01, (char)0xE2, 0x3A}; /* 1234.50 */
    avro_add_blob(b, id, UUID);
    avro_add_text(b, row->number);
    avro_add_text(b, "Amina \xC3\x89l \"B\"");
    avro_add_text(b, row->phone);
    add_optional_text(b, "12 rue Didouche");
    add_optional_text(b, "Alger");
    avro_add_text(b, "Montre");
    avro_add_long(b, row->quantity);
    avro_add_blob(b, price, sizeof price);
    avro_add_blob(b, price, sizeof price);
    avro_add_text(b, row->status);
    add_optional_text(b, row->confirmed_at);
    avro_add_long(b, 0);
    avro_add_text(b, "2026-11-23T08:00:00.000000Z");
}

static void add_source(struct buf *b, int64_t now)
{
    avro_add_text(b, "3.4.0.Final");
    avro_add_text(b, "postgresql");
    avro_add_text(b, "orders");
    avro_add_long(b, now / 1000);
    avro_add_long(b, 0);
    avro_add_text(b, "false");
    avro_add_text(b, "shop");
    add_optional_text(b, "[null,\"1000000\"]");
    add_optional_long(b, now);
    add_optional_long(b, now * 1000);
    avro_add_text(b, "public");
    avro_add_text(b, "orders");
    add_optional_long(b, lsn / 100);
    add_optional_long(b, lsn);
    avro_add_long(b, 0);
}

/* before, after: NULL where there is none. */
static void write_envelope(struct buf *b, const char *id, const struct row *before,
                           const struct row *after)
{
    int64_t now = now_us();
    uint32_t be = htonl(schema_id);
    buf_reset(b);
    buf_add_char(b, 0);
    buf_add(b, (const char *)&be, sizeof be);
    avro_add_long(b, before != NULL);
    if (before != NULL)
        add_row(b, id, before);
    avro_add_long(b, after != NULL);
    if (after != NULL)
        add_row(b, id, after);
    add_source(b, now);
    avro_add_long(b, 0);
    avro_add_text(b, before == NULL ? "c" : after == NULL ? "d" : "u");
    add_optional_long(b, now / 1000);
    add_optional_long(b, now);
    add_optional_long(b, now * 1000);
    if (!buf_ok(b))
        die("envelope", "larger than VALUE_MAX");
}

/* ---- the brokers ---- */

static void acknowledged(rd_kafka_t *client, const rd_kafka_message_t *m, void *opaque)
{
    struct note *note = m->_private;
    (void)client, (void)opaque;
    failures += m->err != RD_KAFKA_RESP_ERR_NO_ERROR;
    if (m->err == RD_KAFKA_RESP_ERR_NO_ERROR)
        fprintf(journal, "%lld %d %lld %c %s\n", (long long)note->sent_us, m->partition,
                (long long)m->offset, note->kind, note->number);
    free(note);
}

/* value NULL: a tombstone. */
static void produce(long n, const char *id, const struct buf *value, char kind, const char *number)
{
    struct note *note = calloc(1, sizeof *note);
    if (note == NULL)
        die("memory", "none");
    note->kind = kind;
    snprintf(note->number, sizeof note->number, "%s", number);
    note->sent_us = now_us();
    void *data = value != NULL ? value->data : NULL;
    size_t len = value != NULL ? value->len : 0;
    while (rd_kafka_producev(rk, RD_KAFKA_V_TOPIC(topic),
                             RD_KAFKA_V_PARTITION((int32_t)(n % partitions)),
                             RD_KAFKA_V_KEY(id, UUID), RD_KAFKA_V_VALUE(data, len),
                             RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_OPAQUE(note),
                             RD_KAFKA_V_END) == RD_KAFKA_RESP_ERR__QUEUE_FULL)
        rd_kafka_poll(rk, 100);
    rd_kafka_poll(rk, 0);
}

/* With the brokers' own number of copies. It may be there already. */
static void create_topic(void)
{
    rd_kafka_NewTopic_t *fresh = rd_kafka_NewTopic_new(topic, PARTITIONS, -1, NULL, 0);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_CreateTopics(rk, &fresh, 1, NULL, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, 30000);
    if (event == NULL || rd_kafka_event_error(event))
        die(topic, "not created");
    rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    rd_kafka_NewTopic_destroy(fresh);
}

/* Once every broker knows of it. */
static int count_partitions(void)
{
    enum { ATTEMPTS = 300, PAUSE_US = 100000 };
    rd_kafka_topic_t *t = rd_kafka_topic_new(rk, topic, NULL);
    int count = 0;
    for (int i = 0; i < ATTEMPTS && count == 0; i++) {
        const struct rd_kafka_metadata *metadata;
        if (rd_kafka_metadata(rk, 0, t, &metadata, 30000) == RD_KAFKA_RESP_ERR_NO_ERROR) {
            if (metadata->topic_cnt == 1 && metadata->topics[0].err == RD_KAFKA_RESP_ERR_NO_ERROR)
                count = metadata->topics[0].partition_cnt;
            rd_kafka_metadata_destroy(metadata);
        }
        if (count == 0)
            usleep(PAUSE_US);
    }
    if (count == 0)
        die(topic, "is not there");
    rd_kafka_topic_destroy(t);
    return count;
}

/* ---- orders ---- */

static void order_id(long n, char id[UUID + 1])
{
    snprintf(id, UUID + 1, "%08lx-0000-4000-8000-%012lx", n & 0xffffffff, n);
}

static struct row row_of(const struct order *o, enum state state)
{
    static const char *const words[] = {"", "pending", "confirmed", "shipped"};
    struct row row = {.status = words[state], .quantity = 1 + o->confirmations};
    snprintf(row.number, sizeof row.number, "%ld.%d%s", o->n, o->confirmations,
             o->kind == 'r' ? "!" : "");
    snprintf(row.phone, sizeof row.phone, o->kind == 'i' ? " " : "+2136%08ld", o->n);
    if (o->confirmations > 0)
        snprintf(row.confirmed_at, sizeof row.confirmed_at, "2026-11-24T09:%02ld:%02ld.%06ldZ",
                 o->n / 60 % 60, o->n % 60, o->n % 1000000);
    return row;
}

static void move(struct order *o, enum state to)
{
    static struct buf value;
    static bool ready;
    char id[UUID + 1];
    struct row before = row_of(o, o->state);
    bool born = o->state == UNBORN, confirms = to == CONFIRMED && o->state != CONFIRMED;
    if (!ready)
        buf_init(&value, VALUE_MAX);
    ready = true;
    order_id(o->n, id);
    o->confirmations += confirms;
    o->state = to;
    struct row after = row_of(o, to);
    lsn += 8 + throw_dice(500);
    write_envelope(&value, id, born ? NULL : &before, &after);
    int copies = throw_dice(400) == 0 ? 2 : 1; /* told again, as after a fault */
    for (int i = 0; i < copies; i++) {
        produce(o->n, id, &value, confirms ? o->kind : '-', after.number);
        transitions += confirms;
    }
}

static void end_life(struct order *o)
{
    static struct buf value;
    char id[UUID + 1];
    struct row before = row_of(o, o->state);
    if (throw_dice(20) == 0) { /* deleted, with its tombstone */
        buf_init(&value, VALUE_MAX);
        order_id(o->n, id);
        lsn += 8;
        write_envelope(&value, id, &before, NULL);
        produce(o->n, id, &value, '-', before.number);
        produce(o->n, id, NULL, '-', before.number);
        buf_done(&value);
    }
    *o = (struct order){.n = next_order++};
    uint32_t fate = throw_dice(300);
    o->kind = fate == 0 ? 'i' : fate == 1 ? 'r' : 'e';
}

/* One step of an order's life. */
static void live(struct order *o)
{
    switch (o->state) {
    case UNBORN: move(o, PENDING); break;
    case PENDING:
        move(o, throw_dice(3) == 0 ? PENDING : CONFIRMED);
        if (throw_dice(10) == 0) { /* within one breath */
            move(o, PENDING);
            move(o, CONFIRMED);
        }
        break;
    case CONFIRMED: move(o, throw_dice(4) == 0 ? CONFIRMED : SHIPPED); break;
    case SHIPPED:
        if (throw_dice(4) == 0)
            move(o, CONFIRMED);
        else
            end_life(o);
        break;
    }
}

/* Waits until the pace allows the next. */
static void keep_pace(int64_t began_us, long rate)
{
    while (rate > 0 && transitions * 1000000 / rate > now_us() - began_us) {
        rd_kafka_poll(rk, 5);
        fflush(journal);
    }
}

int main(int argc, char **argv)
{
    if (argc != 8 && argc != 9)
        die("usage", "shop BROKERS TOPIC JOURNAL TRANSITIONS RATE SEED SCHEMA_ID [ORDERS_ALIVE]");
    long wanted = atol(argv[4]), rate = atol(argv[5]), alive = argc == 9 ? atol(argv[8]) : 500;
    static struct order orders[ALIVE_MAX];
    topic = argv[2];
    dice = (uint64_t)atol(argv[6]) * 0x9E3779B97F4A7C15u + 1;
    schema_id = (uint32_t)atol(argv[7]);
    if ((journal = fopen(argv[3], "w")) == NULL)
        die(argv[3], "cannot be written");
    if (alive < 1 || alive > ALIVE_MAX)
        die("orders", "too many");
    const char *const settings[][2] = {{"bootstrap.servers", argv[1]},
                                       {"linger.ms", "5"},
                                       {"enable.idempotence", "true"},
                                       {"log_level", "2"},
                                       {"message.timeout.ms", "280000"},
                                       {"reconnect.backoff.max.ms", "1000"},
                                       {"queue.buffering.max.messages", "200000"},
                                       {NULL, NULL}};
    rk = tool_producer(settings, acknowledged);
    create_topic();
    partitions = count_partitions();
    for (long i = 0; i < alive; i++)
        orders[i] = (struct order){.n = next_order++, .kind = 'e'};
    int64_t began_us = now_us();
    while (transitions < wanted) {
        live(&orders[throw_dice((uint32_t)alive)]);
        keep_pace(began_us, rate);
    }
    rd_kafka_flush(rk, FLUSH_MS);
    rd_kafka_destroy(rk);
    if (fclose(journal) != 0 || failures > 0)
        die("flush", "not everything was acknowledged");
    printf("%ld\n", transitions);
    return 0;
}
