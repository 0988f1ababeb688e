/* pipeline_hostile: texts that were never meant, and a producer that cannot go on. */
#include "fakes/pipeline_harness.h"
#include "sys/clock.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DELIVERIES "elementor-sync.deliveries"
#define RETRIES "elementor-sync.retry"

enum { TEXT_MAX = 65536, RECORD_MAX = 400000 };

static const struct server_rule accepting[] = {{NULL, SERVER_ANSWER, NO_CONTENT, 0}, {0}};

static size_t put_text(unsigned char *to, const char *text, size_t len)
{
    size_t at = 0;
    for (size_t zigzag = len * 2;; zigzag >>= 7) {
        to[at++] = (unsigned char)((zigzag & 0x7f) | (zigzag > 0x7f ? 0x80 : 0));
        if (zigzag <= 0x7f)
            break;
    }
    memcpy(to + at, text, len);
    return at + len;
}

/* A confirmed row with this id and number. */
static size_t row(unsigned char *bytes, const char *id, size_t id_len, const char *number)
{
    const char *columns[] = {number, "Amina", "06", "Watch", "1", "2.50", "2.50", "confirmed"};
    size_t at = 5;
    memcpy(bytes, "\0\0\0\0\1", 5);
    at += put_text(bytes + at, id, id_len);
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
        at += put_text(bytes + at, columns[i], strlen(columns[i]));
    return at;
}

static void take_outcome(void *context, const rd_kafka_message_t *m)
{
    json_t **ret = context;
    json_decref(*ret);
    *ret = json_loadb(m->payload, m->len, JSON_ALLOW_NUL, NULL);
    assert_non_null(*ret);
}

/* The one outcome that there is. */
static json_t *outcome_of(struct pipeline_harness *w)
{
    json_t *outcome = NULL;
    assert_int_equal(cluster_read(&w->cluster, DELIVERIES, take_outcome, &outcome), 1);
    return outcome;
}

static json_t *outcome_of_row(const char *id, size_t id_len, const char *number)
{
    static unsigned char bytes[RECORD_MAX];
    struct pipeline_harness w;
    pipeline_harness_open(&w, accepting);
    cluster_produce(&w.cluster, 0, bytes, row(bytes, id, id_len, number));
    pipeline_harness_run_to_end(&w);
    json_t *outcome = outcome_of(&w);
    pipeline_harness_close(&w);
    return outcome;
}

static void an_id_that_is_no_text_has_an_outcome(void **state)
{
    (void)state;
    json_t *outcome = outcome_of_row("o\xff", 2, "CMD-1");
    assert_string_equal(json_string_value(json_object_get(outcome, "reason")), "bad_text:order_id");
    assert_true(json_is_null(json_object_get(outcome, "order_id")));
    json_decref(outcome);
}

static void a_huge_id_has_an_outcome(void **state)
{
    enum { HUGE_ID = 70000 };
    static char id[HUGE_ID];
    (void)state;
    memset(id, 'i', sizeof id);
    json_t *outcome = outcome_of_row(id, sizeof id, "CMD-1");
    assert_int_equal(json_string_length(json_object_get(outcome, "order_id")), HUGE_ID);
    json_decref(outcome);
}

static void quotes_and_controls_have_an_outcome(void **state)
{
    static const char id[] = "a\"\\\n\0\x7fz";
    (void)state;
    json_t *outcome = outcome_of_row(id, sizeof id - 1, "\"\\\t");
    assert_memory_equal(json_string_value(json_object_get(outcome, "order_id")), id, sizeof id - 1);
    assert_string_equal(json_string_value(json_object_get(outcome, "order_number")), "\"\\\t");
    json_decref(outcome);
}

static json_t *outcome_of_retry(const char *topic, const char *request)
{
    static unsigned char bytes[RECORD_MAX];
    struct pipeline_harness w;
    pipeline_harness_open(&w, accepting);
    rd_kafka_headers_t *headers = rd_kafka_headers_new(8);
    rd_kafka_header_add(headers, "elementor-sync.group", -1, "shop", -1);
    rd_kafka_header_add(headers, "elementor-sync.judged", -1, "yes", -1);
    rd_kafka_header_add(headers, "elementor-sync.topic", -1, topic, -1);
    rd_kafka_header_add(headers, "elementor-sync.partition", -1, "0", -1);
    rd_kafka_header_add(headers, "elementor-sync.offset", -1, "7", -1);
    rd_kafka_header_add(headers, "elementor-sync.timestamp", -1, "1795564800000", -1);
    rd_kafka_header_add(headers, "elementor-sync.request", -1, request, -1);
    size_t len = row(bytes, "o1", 2, "CMD-1");
    assert_int_equal(rd_kafka_producev(w.cluster.rk, RD_KAFKA_V_TOPIC(RETRIES),
                                       RD_KAFKA_V_PARTITION(0), RD_KAFKA_V_VALUE(bytes, len),
                                       RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                                       RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_END),
                     RD_KAFKA_RESP_ERR_NO_ERROR);
    assert_int_equal(rd_kafka_flush(w.cluster.rk, HARNESS_PATIENCE_MS), RD_KAFKA_RESP_ERR_NO_ERROR);
    pipeline_harness_run_to_end(&w);
    json_t *outcome = outcome_of(&w);
    pipeline_harness_close(&w);
    return outcome;
}

/* The schema requires a topic: a record without one is not a retry. */
static void a_retry_of_no_topic_is_parked(void **state)
{
    static const char *const topics[] = {"", "o\xff"};
    (void)state;
    for (size_t i = 0; i < sizeof topics / sizeof *topics; i++) {
        json_t *outcome = outcome_of_retry(topics[i], "r-1");
        assert_string_equal(json_string_value(json_object_get(outcome, "reason")), "undecodable");
        assert_string_equal(json_string_value(json_object_get(outcome, "topic")), RETRIES);
        json_decref(outcome);
    }
}

static void a_request_that_is_no_text_is_none(void **state)
{
    (void)state;
    json_t *outcome = outcome_of_retry(CLUSTER_TOPIC, "r\xff");
    assert_string_equal(json_string_value(json_object_get(outcome, "state")), "delivered");
    assert_true(json_is_null(json_object_get(outcome, "request")));
    json_decref(outcome);
}

struct keys {
    size_t count;
    char key[8][64];
};

/* Each key once: what a lost producer had written unacknowledged is written twice. */
static void note_key(void *context, const rd_kafka_message_t *m)
{
    struct keys *keys = context;
    char key[sizeof *keys->key];
    snprintf(key, sizeof key, "%.*s", (int)m->key_len, (const char *)m->key);
    for (size_t i = 0; i < keys->count; i++) {
        if (strcmp(keys->key[i], key) == 0)
            return;
    }
    assert_true(keys->count < sizeof keys->key / sizeof *keys->key);
    memcpy(keys->key[keys->count++], key, sizeof key);
}

/* It writes nothing any more; what it was to write, another one does. */
static void a_producer_that_cannot_go_on_is_replaced(void **state)
{
    enum { REFUSED = 3, PRODUCE = 0 };
    struct keys outcomes = {0}, parked = {0};
    struct pipeline_harness w;
    (void)state;
    pipeline_harness_open(&w, accepting);
    pipeline_harness_confirm(&w, 0, "o1");
    pipeline_harness_produce(&w, 1, "o2", "", "confirmed");
    for (int i = 0; i < REFUSED; i++)
        rd_kafka_mock_push_request_errors(w.cluster.mock, PRODUCE, 1,
                                          RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER);
    pipeline_harness_run_to_end(&w);
    cluster_read(&w.cluster, DELIVERIES, note_key, &outcomes);
    cluster_read(&w.cluster, "elementor-sync.parked", note_key, &parked);
    assert_int_equal(outcomes.count, 2);
    assert_int_equal(parked.count, 1);
    pipeline_harness_close(&w);
}

/* inflight.bytes bounds what is held, and headers are held too. */
static void headers_count_as_held(void **state)
{
    enum { RECORDS = 40, HEADER_BYTES = 20000, LIMIT_BYTES = 65536 };
    static const struct server_rule holding[] = {{NULL, SERVER_HOLD, NO_CONTENT, 0}, {0}};
    static char text[TEXT_MAX], header[HEADER_BYTES];
    static unsigned char bytes[1024];
    struct pipeline_harness w;
    (void)state;
    pipeline_harness_open(&w, holding);
    pipeline_harness_set(&w, "inflight.bytes", "64KiB");
    for (int i = 0; i < RECORDS; i++) {
        char id[16];
        snprintf(id, sizeof id, "o%d", i);
        size_t len = row(bytes, id, strlen(id), "CMD-1");
        assert_int_equal(rd_kafka_producev(w.cluster.rk, RD_KAFKA_V_TOPIC(CLUSTER_TOPIC),
                                           RD_KAFKA_V_PARTITION(0), RD_KAFKA_V_VALUE(bytes, len),
                                           RD_KAFKA_V_HEADER("trace", header, sizeof header),
                                           RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                                           RD_KAFKA_V_END),
                         RD_KAFKA_RESP_ERR_NO_ERROR);
    }
    assert_int_equal(rd_kafka_flush(w.cluster.rk, HARNESS_PATIENCE_MS), RD_KAFKA_RESP_ERR_NO_ERROR);
    pipeline_harness_start(&w);
    pipeline_harness_await_requests(&w, 2);
    pipeline_harness_await_scrape(&w, "/metrics", "elementor_sync_records_in_flight 4\n", text,
                                  sizeof text);
    assert_true(pipeline_harness_metric(text, "elementor_sync_deliveries_bytes") > LIMIT_BYTES);
    server_release(w.webhook);
    pipeline_harness_await_requests(&w, RECORDS);
    pipeline_harness_await_scrape(&w, "/metrics", "elementor_sync_deliveries_bytes 0\n", text,
                                  sizeof text);
    pipeline_harness_stop(&w);
    assert_true(w.ok);
    pipeline_harness_close(&w);
}

static void note_partitions(void *context, const rd_kafka_message_t *m)
{
    size_t *most = context;
    json_t *state = m->payload != NULL ? json_loadb(m->payload, m->len, 0, NULL) : NULL;
    size_t count = json_array_size(json_object_get(state, "partitions"));
    *most = count > *most ? count : *most;
    json_decref(state);
}

/* However many partitions it has, a member says so. */
static void a_member_of_many_partitions_is_seen(void **state)
{
    enum { MANY = 600 };
    size_t most = 0;
    struct pipeline_harness w;
    (void)state;
    pipeline_harness_open(&w, accepting);
    assert_int_equal(rd_kafka_mock_topic_create(w.cluster.mock, "wide", MANY, 1), 0);
    cluster_settle(&w.cluster);
    assert_int_equal(rd_kafka_mock_topic_create(w.cluster.mock, "wide-retry", MANY, 1), 0);
    pipeline_harness_set(&w, "kafka.topic", "wide");
    pipeline_harness_set(&w, "retry.topic", "wide-retry");
    pipeline_harness_start(&w);
    for (int64_t end_ms = clock_mono_ms() + HARNESS_PATIENCE_MS;
         most < MANY && clock_mono_ms() < end_ms;)
        cluster_read(&w.cluster, "elementor-sync.members", note_partitions, &most);
    assert_int_equal(most, MANY);
    pipeline_harness_stop(&w);
    pipeline_harness_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_id_that_is_no_text_has_an_outcome),
        cmocka_unit_test(a_huge_id_has_an_outcome),
        cmocka_unit_test(quotes_and_controls_have_an_outcome),
        cmocka_unit_test(a_retry_of_no_topic_is_parked),
        cmocka_unit_test(a_request_that_is_no_text_is_none),
        cmocka_unit_test(a_producer_that_cannot_go_on_is_replaced),
        cmocka_unit_test(headers_count_as_held),
        cmocka_unit_test(a_member_of_many_partitions_is_seen),
    };
    return pipeline_harness_main("pipeline_hostile", tests, sizeof tests / sizeof *tests);
}
