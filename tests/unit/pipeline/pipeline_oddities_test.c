/* pipeline_oddities: what is strange about a record that is judged all the same is said, once. */
#include "base/buf.h"
#include "fakes/avro_bytes.h"
#include "fakes/pipeline_harness.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define M "elementor_sync_"
#define ROW                                                                               \
    HARNESS_FIELD("id")                                                                   \
    "," HARNESS_FIELD("order_number") "," HARNESS_FIELD("client_name") "," HARNESS_FIELD( \
        "client_"                                                                         \
        "phone") "," HARNESS_FIELD("product_name") "," HARNESS_FIELD("quantity") "," HARNESS_FIELD("unit_price") "," HARNESS_FIELD("total_amount") "," HARNESS_FIELD("status") "," HARNESS_FIELD("__op") "," HARNESS_FIELD("__table")

enum { TEXT_MAX = 65536, LOG_MAX = 65536, ROWS_MAX = 4 };

struct row {
    const char *id, *status, *op, *table; /* id NULL: no more */
    bool has_old_key;                     /* a header says that its key was another one */
};

static void produce(struct pipeline_harness *w, const struct row *row)
{
    const char *columns[] = {row->id, "CMD-1", "Amina",     "06",    "Watch",   "1",
                             "2.50",  "2.50",  row->status, row->op, row->table};
    struct buf b;
    buf_init(&b, 1024);
    buf_add(&b, "\0\0\0\0\1", 5);
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
        avro_add_text(&b, columns[i]);
    assert_true(buf_ok(&b));
    rd_kafka_headers_t *headers = rd_kafka_headers_new(1);
    if (row->has_old_key)
        rd_kafka_header_add(headers, "__debezium.oldkey", -1, "{\"id\":\"another\"}", -1);
    assert_int_equal(
        rd_kafka_producev(w->cluster.rk, RD_KAFKA_V_TOPIC(CLUSTER_TOPIC), RD_KAFKA_V_PARTITION(0),
                          RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_VALUE(b.data, b.len),
                          RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_END),
        RD_KAFKA_RESP_ERR_NO_ERROR);
    assert_int_equal(rd_kafka_flush(w->cluster.rk, HARNESS_PATIENCE_MS),
                     RD_KAFKA_RESP_ERR_NO_ERROR);
    buf_done(&b);
}

static size_t times_in_log(const struct pipeline_harness *w, const char *event)
{
    static char text[LOG_MAX];
    size_t times = 0;
    ssize_t len = pread(w->log_fd, text, sizeof text - 1, 0);
    text[len > 0 ? len : 0] = '\0';
    for (const char *at = text; (at = strstr(at, event)) != NULL; at += strlen(event))
        times++;
    return times;
}

static const struct oddity {
    const char *name, *schema, *event, *detail, *metric;
    struct row rows[ROWS_MAX];
} oddities[] = {
    {"a snapshot's rows that are not sent",
     HARNESS_ANSWER("orders.Row", ROW),
     "event=\"snapshot row not sent\"",
     "rule.snapshot=deliver",
     M "records_snapshot_unsent_total 2\n",
     {{"o1", "confirmed", "r", "orders", false},
      {"o2", "confirmed", "r", "orders", false},
      {"o3", "pending", "r", "orders", false}}},
    {"a second table",
     HARNESS_ANSWER("orders.Row", ROW),
     "event=\"second table in topic\"",
     "set rule.table",
     M "records_delivered_total 3\n",
     {{"o1", "confirmed", "c", "orders", false},
      {"o2", "confirmed", "c", "archive", false},
      {"o3", "confirmed", "c", "archive", false}}},
    {"a schema of another name",
     HARNESS_ANSWER("shop.public.payments.Row", ROW),
     "event=\"schema of another name\"",
     "schema=shop.public.payments.Row schema_id=1 topic=orders",
     M "records_delivered_total 2\n",
     {{"o1", "confirmed", "c", "orders", false}, {"o2", "confirmed", "c", "orders", false}}},
    {"a changed order id",
     HARNESS_ANSWER("orders.Row", ROW),
     "event=\"order id changed\"",
     "reason=key_change",
     M "records_skipped_total{reason=\"key_change\"} 2\n",
     {{"o1", "confirmed", "c", "orders", true}, {"o2", "confirmed", "c", "orders", true}}},
    {"a status that is nearly the value",
     HARNESS_ANSWER("orders.Row", ROW),
     "event=\"status nearly matches\"",
     "value=confirmed",
     M "records_skipped_total{reason=\"not_confirmed\"} 2\n",
     /* char(12) comes with its blanks */
     {{"o1", "confirmed   ", "c", "orders", false}, {"o2", "confirmed   ", "c", "orders", false}}},
    {"an update without the row before",
     HARNESS_ANSWER("orders.Row", ROW),
     "event=\"before image missing\"",
     "REPLICA IDENTITY FULL",
     M "records_delivered_total 2\n",
     {{"o1", "confirmed", "u", "orders", false}, {"o2", "confirmed", "u", "orders", false}}},
};

static void each_is_said_once(void **state)
{
    static const struct server_rule accepting[] = {{NULL, SERVER_ANSWER, NO_CONTENT, 0}, {0}};
    static char text[TEXT_MAX];
    const struct oddity *o = *state;
    const struct server_rule registry[] = {{NULL, SERVER_ANSWER_CLOSE, o->schema, 0}, {0}};
    struct pipeline_harness w;
    pipeline_harness_open_with_registry(&w, accepting, registry);
    pipeline_harness_log_open(&w);
    for (size_t i = 0; i < ROWS_MAX && o->rows[i].id != NULL; i++)
        produce(&w, &o->rows[i]);
    pipeline_harness_start(&w);
    pipeline_harness_await_scrape(&w, "/metrics", o->metric, text, sizeof text);
    size_t times = times_in_log(&w, o->event), details = times_in_log(&w, o->detail);
    pipeline_harness_await_log(&w, ""); /* standard error is itself again */
    pipeline_harness_stop(&w);
    assert_true(w.ok);
    pipeline_harness_close(&w);
    if (times != 1 || details != 1)
        fail_msg("%s: said %zu times, with \"%s\" %zu times", o->name, times, o->detail, details);
}

int main(void)
{
    enum { COUNT = sizeof oddities / sizeof *oddities };
    struct CMUnitTest tests[COUNT];
    for (size_t i = 0; i < COUNT; i++)
        tests[i] = (struct CMUnitTest){.name = oddities[i].name,
                                       .test_func = each_is_said_once,
                                       .initial_state = (void *)&oddities[i]};
    return pipeline_harness_main("pipeline_oddities", tests, COUNT);
}
