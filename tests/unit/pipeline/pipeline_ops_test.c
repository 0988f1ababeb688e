/* pipeline_ops: what a member says of itself while it works: the ops port and the members topic. */
#include "fakes/avro_bytes.h"
#include "fakes/pipeline_harness.h"
#include "sys/clock.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define M "elementor_sync_"
enum { TEXT_MAX = 65536 };

static double skipped(const char *text)
{
    return pipeline_harness_metric(text, M "records_skipped_total{reason=\"not_confirmed\"}") +
           pipeline_harness_metric(text, M "records_skipped_total{reason=\"already_confirmed\"}") +
           pipeline_harness_metric(text, M "records_skipped_total{reason=\"tombstone\"}");
}

static void assert_conserved(const char *text)
{
    double known = skipped(text) + pipeline_harness_metric(text, M "records_delivered_total") +
                   pipeline_harness_metric(text, M "records_parked_total") +
                   pipeline_harness_metric(text, M "records_abandoned_total") +
                   pipeline_harness_metric(text, M "records_in_flight");
    assert_true(known == pipeline_harness_metric(text, M "records_consumed_total"));
}

static void assert_every_answer_has_a_class(const char *text)
{
    static const char *const classes[] = {"none", "1xx", "2xx", "3xx", "4xx", "5xx"};
    double ended = 0;
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
        char name[64];
        snprintf(name, sizeof name, M "webhook_answers_total{class=\"%s\"}", classes[i]);
        ended += pipeline_harness_metric(text, name);
    }
    assert_true(ended == pipeline_harness_metric(text, M "webhook_duration_seconds_count"));
    assert_true(ended == pipeline_harness_metric(text, M "webhook_attempts_total") -
                             pipeline_harness_metric(text, M "webhook_requests"));
}

/* At every scrape, while orders are delivered, retried, parked and held. */
static void every_record_is_accounted_for(void **state)
{
    static const struct server_rule webhook[] = {
        {NULL, SERVER_ANSWER, NO_CONTENT, 20}, /* four at a time may be sent then */
        {NULL, SERVER_HOLD, NO_CONTENT, 2},
        {NULL, SERVER_ANSWER, BUSY, 1},
        {NULL, SERVER_ANSWER, "HTTP/1.1 422 No\r\nContent-Length: 0\r\n\r\n", 3},
        {NULL, SERVER_ANSWER, NO_CONTENT, 0},
        {0}};
    static char text[TEXT_MAX];
    struct pipeline_harness w;
    (void)state;
    pipeline_harness_open(&w, webhook);
    pipeline_harness_set(&w, "webhook.concurrency", "4");
    for (int i = 0; i < 60; i++) {
        char id[16];
        snprintf(id, sizeof id, "o%d", i);
        pipeline_harness_confirm(&w, i % HARNESS_PARTITIONS, id);
    }
    cluster_produce(&w.cluster, 0, NULL, 0);
    cluster_produce(&w.cluster, 0, "junk", 4);
    pipeline_harness_start(&w);
    pipeline_harness_scrape(&w, "/readyz", text, sizeof text);
    assert_string_equal(text, ""); /* the mock takes three seconds to form a group */
    pipeline_harness_await_scrape(&w, "/readyz", "ok", text, sizeof text);
    for (double in_flight = -1; in_flight != 2;) {
        pipeline_harness_scrape(&w, "/metrics", text, sizeof text);
        assert_conserved(text);
        if (pipeline_harness_metric(text, M "records_consumed_total") == 182)
            in_flight = pipeline_harness_metric(text, M "records_in_flight");
    }
    assert_true(pipeline_harness_metric(text, M "records_parked_total") == 4);
    assert_true(pipeline_harness_metric(text, M "records_delivered_total") == 55);
    assert_true(pipeline_harness_metric(text, M "webhook_requests") == 2);
    assert_every_answer_has_a_class(text);
    assert_true(pipeline_harness_metric(text, M "webhook_answers_total{class=\"2xx\"}") == 55);
    assert_true(pipeline_harness_metric(text, M "webhook_answers_total{class=\"4xx\"}") == 3);
    assert_true(pipeline_harness_metric(
                    text, M "records_parked_by_reason_total{reason=\"http:422\"}") == 3);
    assert_true(pipeline_harness_metric(
                    text, M "records_parked_by_reason_total{reason=\"undecodable\"}") == 1);
    double newest = pipeline_harness_metric(text, M "newest_delivery_timestamp_seconds");
    assert_true(newest >= pipeline_harness_metric(text, M "start_time_seconds"));
    assert_true(pipeline_harness_metric(text, M "webhook_duration_seconds_count") == 59);
    assert_true(
        pipeline_harness_metric(text, M "partition_end{topic=\"orders\",partition=\"0\"}") == 62);
    assert_true(pipeline_harness_metric(text, M "memory_orders") > 0);
    assert_true(pipeline_harness_metric(text, M "memory_misses_total") ==
                pipeline_harness_metric(text, M "memory_orders"));
    assert_null(strstr(text, "/hook"));
    server_release(w.webhook);
    pipeline_harness_await_scrape(&w, "/metrics", M "records_in_flight 0\n", text, sizeof text);
    assert_conserved(text);
    assert_true(pipeline_harness_metric(text, M "records_delivered_total") == 57);
    pipeline_harness_stop(&w);
    assert_true(w.ok);
    pipeline_harness_close(&w);
}

/* ---- latency ---- */

#define TIMED_SCHEMA                                                                                                                                \
    HARNESS_ANSWER(                                                                                                                                 \
        "Row",                                                                                                                                      \
        HARNESS_FIELD("id") "," HARNESS_FIELD("order_number") "," HARNESS_FIELD("client_name") "," HARNESS_FIELD("client_phone") "," HARNESS_FIELD( \
            "product_name") "," HARNESS_FIELD("quantity") "," HARNESS_FIELD("unit_price") "," HARNESS_FIELD("total_amount") "," HARNESS_FIELD("status") ",{\\\"name\\\":\\\"__source_ts_ms\\\",\\\"type\\\":\\\"long\\\"}")

static void confirm_at(struct pipeline_harness *w, const char *id, int64_t committed_ms)
{
    const char *columns[] = {id, "CMD-1", "Amina", "06", "Watch", "1", "2.50", "2.50", "confirmed"};
    struct buf b;
    buf_init(&b, 512);
    buf_add(&b, "\0\0\0\0\1", 5);
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
        avro_add_text(&b, columns[i]);
    avro_add_long(&b, committed_ms);
    assert_true(buf_ok(&b));
    cluster_produce(&w->cluster, 0, b.data, b.len);
    buf_done(&b);
}

static double hop(const char *text, const char *name, const char *part)
{
    char series[96];
    snprintf(series, sizeof series, M "delivery_hop_seconds_%s{hop=\"%s\"}", part, name);
    return pipeline_harness_metric(text, series);
}

/* An order was committed a minute ago, waits for a retry, and is answered. */
static void the_hops_of_a_delivery_add_up(void **state)
{
    static const struct server_rule webhook[] = {
        {NULL, SERVER_ANSWER, BUSY, 1}, {NULL, SERVER_ANSWER, NO_CONTENT, 0}, {0}};
    static const struct server_rule registry[] = {
        {"/schemas/ids/1", SERVER_ANSWER_CLOSE, TIMED_SCHEMA, 0}, {0}};
    static const char *const hops[] = {"kafka", "read", "sent", "answered"};
    static char text[TEXT_MAX];
    struct pipeline_harness w;
    double sum = 0;
    (void)state;
    pipeline_harness_open_with_registry(&w, webhook, registry);
    confirm_at(&w, "o1", clock_wall_ms() - 60000);
    pipeline_harness_start(&w);
    pipeline_harness_await_scrape(&w, "/metrics", M "records_delivered_total 1\n", text,
                                  sizeof text);
    for (size_t i = 0; i < sizeof hops / sizeof *hops; i++) {
        assert_true(hop(text, hops[i], "count") == 1);
        assert_true(hop(text, hops[i], "sum") >= 0);
        sum += hop(text, hops[i], "sum");
    }
    double whole = pipeline_harness_metric(text, M "delivery_latency_seconds_sum");
    assert_true(hop(text, "kafka", "sum") >= 60);
    assert_true(hop(text, "sent", "sum") > 0);               /* the retry's rest */
    assert_true(sum > whole - 0.003 && sum < whole + 0.003); /* each is rounded */
    assert_true(pipeline_harness_metric(text, M "delivery_latency_seconds_count") == 1);
    pipeline_harness_stop(&w);
    pipeline_harness_close(&w);
}

/* ---- the members topic ---- */

struct members {
    json_t *last; /* NULL: a tombstone, or none yet */
    int records, tombstones;
};

static void note_member(void *context, const rd_kafka_message_t *m)
{
    struct members *members = context;
    members->records++;
    members->tombstones += m->payload == NULL;
    if (m->payload == NULL)
        return;
    json_decref(members->last);
    members->last = json_loadb(m->payload, m->len, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(members->last);
    assert_string_equal(json_string_value(json_object_get(members->last, "group")), "shop");
    assert_non_null(json_object_get(members->last, "breaker"));
}

static void member_record_is_published_and_deleted(void **state)
{
    static const struct server_rule webhook[] = {{NULL, SERVER_ANSWER, NO_CONTENT, 0}, {0}};
    struct pipeline_harness w;
    struct members members = {0};
    static char text[TEXT_MAX];
    (void)state;
    pipeline_harness_open(&w, webhook);
    pipeline_harness_confirm(&w, 0, "o1");
    pipeline_harness_start(&w);
    pipeline_harness_await_scrape(&w, "/metrics", M "records_delivered_total 1\n", text,
                                  sizeof text);
    pipeline_harness_stop(&w);
    cluster_read(&w.cluster, "elementor-sync.members", note_member, &members);
    assert_true(members.records >= 3);
    assert_int_equal(members.tombstones, 1);
    json_t *totals = json_object_get(members.last, "totals");
    json_int_t known = 0;
    static const char *const ends[] = {"skipped", "delivered", "parked", "abandoned", "in_flight"};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        known += json_integer_value(json_object_get(totals, ends[i]));
    assert_int_equal(known, json_integer_value(json_object_get(totals, "consumed")));
    json_decref(members.last);
    pipeline_harness_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_record_is_accounted_for),
        cmocka_unit_test(the_hops_of_a_delivery_add_up),
        cmocka_unit_test(member_record_is_published_and_deleted),
    };
    return pipeline_harness_main("pipeline_ops", tests, sizeof tests / sizeof *tests);
}
