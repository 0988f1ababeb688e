/* pipeline_outcome: what is written of an order's end: the parked record, the outcome record. */
#include "fakes/clock.h"
#include "fakes/pipeline_harness.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DELIVERIES "elementor-sync.deliveries"
#define PREFIX "elementor-sync."

enum { RECORDS_MAX = 16, TEXT_MAX = 65536 };

struct records {
    json_t *values[RECORDS_MAX];
    char keys[RECORDS_MAX][64];
    size_t count;
};

static void take(void *context, const rd_kafka_message_t *m)
{
    struct records *r = context;
    assert_true(r->count < RECORDS_MAX);
    snprintf(r->keys[r->count], sizeof r->keys[0], "%.*s", (int)m->key_len, (const char *)m->key);
    r->values[r->count] = json_loadb(m->payload, m->len, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(r->values[r->count++]);
}

static void read_outcomes(struct pipeline_harness *w, struct records *r)
{
    r->count = 0;
    cluster_read(&w->cluster, DELIVERIES, take, r);
}

static void forget(struct records *r)
{
    for (size_t i = 0; i < r->count; i++)
        json_decref(r->values[i]);
}

static const char *text_of(const struct records *r, size_t i, const char *name)
{
    const char *text = json_string_value(json_object_get(r->values[i], name));
    return text != NULL ? text : "";
}

static json_int_t number_of(const struct records *r, size_t i, const char *name)
{
    json_t *value = json_object_get(r->values[i], name);
    return json_is_integer(value) ? json_integer_value(value) : -1;
}

static void assert_try(const struct records *r, size_t i, size_t at, int status, const char *reason)
{
    const json_t *try = json_array_get(json_object_get(r->values[i], "tries"), at);
    assert_true(json_integer_value(json_object_get(try, "at_ms")) > 0);
    assert_true(json_integer_value(json_object_get(try, "took_ms")) >= 0);
    assert_int_equal(json_integer_value(json_object_get(try, "status")), status);
    assert_string_equal(json_string_value(json_object_get(try, "reason")), reason);
}

static size_t tries_of(const struct records *r, size_t i)
{
    return json_array_size(json_object_get(r->values[i], "tries"));
}

static void each_end_is_recorded(void **state)
{
    static const struct server_rule webhook[] = {
        {NULL, SERVER_ANSWER, BUSY, 1},
        {NULL, SERVER_ANSWER, NO_CONTENT, 1},
        {NULL, SERVER_ANSWER, "HTTP/1.1 422 No\r\nContent-Length: 0\r\n\r\n", 1},
        {NULL, SERVER_ANSWER, NO_CONTENT, 0},
        {0}};
    struct pipeline_harness w;
    struct records r;
    (void)state;
    pipeline_harness_open(&w, webhook);
    pipeline_harness_confirm(&w, 1, "o1");
    pipeline_harness_produce(&w, 1, "o1", "08", "pending");
    pipeline_harness_produce(&w, 1, "o1", "08", "confirmed");
    pipeline_harness_produce(&w, 1, "o1", "08", "pending");
    pipeline_harness_produce(&w, 1, "o1", " ", "confirmed");
    cluster_produce(&w.cluster, 2, "junk", 4);
    pipeline_harness_produce(&w, 2, "o2", "08", "pending");
    pipeline_harness_set(&w, "webhook.concurrency", "1");
    pipeline_harness_run_to_end(&w);
    read_outcomes(&w, &r);
    assert_int_equal(r.count, 4);
    for (size_t i = 0, of_o1 = 0; i < r.count; i++) {
        static const char *const states[] = {"delivered", "parked", "parked"};
        static const char *const reasons[] = {"", "http:422", "missing:client_phone"};
        static const int offsets[] = {1, 4, 6}, attempts[] = {2, 1, 0}, status[] = {204, 422, -1};
        assert_string_equal(text_of(&r, i, "topic"), CLUSTER_TOPIC);
        assert_true(number_of(&r, i, "settled_ms") > 0);
        if (strcmp(r.keys[i], "o1") != 0) { /* no order is known of it */
            assert_string_equal(r.keys[i], CLUSTER_TOPIC "-2-0");
            assert_true(json_is_null(json_object_get(r.values[i], "order_id")));
            assert_string_equal(text_of(&r, i, "reason"), "undecodable");
            continue;
        }
        assert_string_equal(text_of(&r, i, "state"), states[of_o1]);
        assert_string_equal(text_of(&r, i, "reason"), reasons[of_o1]);
        assert_string_equal(text_of(&r, i, "order_number"), "CMD-1");
        assert_string_equal(text_of(&r, i, "source"), "cdc");
        assert_int_equal(number_of(&r, i, "partition"), 1);
        assert_int_equal(number_of(&r, i, "offset"), offsets[of_o1]);
        assert_int_equal(number_of(&r, i, "attempts"), attempts[of_o1]);
        assert_int_equal(number_of(&r, i, "status"), status[of_o1]);
        assert_int_equal(tries_of(&r, i), attempts[of_o1]);
        if (of_o1 == 0) {
            assert_try(&r, i, 0, 503, "http:503");
            assert_try(&r, i, 1, 204, "");
        } else if (of_o1 == 1) {
            assert_try(&r, i, 0, 422, "http:422");
        }
        json_t *previous = json_object_get(r.values[i], "previous");
        assert_int_equal(json_array_size(previous), of_o1);
        for (size_t k = 0; k < of_o1; k++) /* latest first */
            assert_string_equal(
                json_string_value(json_object_get(json_array_get(previous, k), "state")),
                states[of_o1 - 1 - k]);
        of_o1++;
    }
    forget(&r);
    pipeline_harness_close(&w);
}

/* Its outcome meanwhile tells why it is not there yet, and when it is tried again. */
static void long_retry_is_recorded(void **state)
{
    static const struct server_rule webhook[] = {
        {NULL, SERVER_ANSWER, BUSY, 6}, {NULL, SERVER_ANSWER, NO_CONTENT, 0}, {0}};
    static char text[TEXT_MAX];
    struct pipeline_harness w;
    struct records r = {.count = 0};
    (void)state;
    pipeline_harness_open(&w, webhook);
    pipeline_harness_confirm(&w, 1, "o1");
    pipeline_harness_start(&w);
    pipeline_harness_await_scrape(&w, "/metrics", "elementor_sync_breaker_open 1\n", text,
                                  sizeof text);
    read_outcomes(&w, &r);
    assert_int_equal(r.count, 0); /* five failures within a moment are not worth a record */
    clock_skip(31000);
    while (r.count == 0)
        read_outcomes(&w, &r);
    assert_string_equal(r.keys[0], "o1");
    assert_string_equal(text_of(&r, 0, "state"), "retrying");
    assert_string_equal(text_of(&r, 0, "reason"), "http:503");
    assert_int_equal(number_of(&r, 0, "attempts"), 6);
    assert_int_equal(tries_of(&r, 0), 6);
    assert_try(&r, 0, 5, 503, "http:503");
    assert_int_equal(number_of(&r, 0, "status"), 503);
    assert_true(json_is_null(json_object_get(r.values[0], "settled_ms")));
    assert_true(number_of(&r, 0, "next_attempt_ms") > number_of(&r, 0, "last_attempt_ms"));
    assert_true(number_of(&r, 0, "last_attempt_ms") >=
                number_of(&r, 0, "first_attempt_ms") + 31000);
    forget(&r);
    clock_skip(61000);
    pipeline_harness_await_scrape(&w, "/metrics", "elementor_sync_records_delivered_total 1\n",
                                  text, sizeof text);
    pipeline_harness_stop(&w);
    assert_true(w.ok);
    read_outcomes(&w, &r);
    assert_int_equal(r.count, 2);
    assert_string_equal(text_of(&r, 1, "state"), "delivered");
    assert_int_equal(number_of(&r, 1, "attempts"), 7);
    assert_int_equal(tries_of(&r, 1), 7);
    assert_try(&r, 1, 6, 204, "");
    assert_true(json_is_null(json_object_get(r.values[1], "next_attempt_ms")));
    forget(&r);
    pipeline_harness_close(&w);
}

/* ---- the parked record ---- */

static const char *header(const rd_kafka_message_t *m, const char *name)
{
    rd_kafka_headers_t *headers;
    const void *value;
    size_t size;
    if (rd_kafka_message_headers(m, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR ||
        rd_kafka_header_get_last(headers, name, &value, &size) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return "";
    return value;
}

static void a_refused_record_is_parked_with_all_that_is_known(void **state)
{
    static const struct server_rule webhook[] = {
        {NULL, SERVER_ANSWER,
         "HTTP/1.1 400 Bad\r\nContent-Length: 66\r\n\r\n"
         "{\"at\":\"\\/hook\\/c4nary-secret\",\"phone\":\"0611-223344\",\"who\":\"Amina\"}XXXX",
         1},
        {NULL, SERVER_ANSWER, NO_CONTENT, 0},
        {0}};
    static const struct {
        const char *name, *value;
    } expected[] = {
        {PREFIX "source", "cdc"},         {PREFIX "reason", "http:400"},
        {PREFIX "class", "refused"},      {PREFIX "topic", CLUSTER_TOPIC},
        {PREFIX "partition", "2"},        {PREFIX "offset", "0"},
        {PREFIX "schema-id", "1"},        {PREFIX "order-id", "o7"},
        {PREFIX "order-number", "CMD-1"}, {PREFIX "status", "400"},
        {PREFIX "attempts", "1"},
    };
    struct pipeline_harness w;
    char url[128];
    (void)state;
    pipeline_harness_open(&w, webhook);
    snprintf(url, sizeof url, "http://127.0.0.1:%d/hook/c4nary-secret", server_port(w.webhook));
    pipeline_harness_set(&w, "webhook.url", url);
    pipeline_harness_produce(&w, 2, "o7", "0611223344", "confirmed");
    pipeline_harness_run_to_end(&w);
    rd_kafka_message_t *m = cluster_parked(&w.cluster);
    assert_non_null(m);
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        assert_string_equal(header(m, expected[i].name), expected[i].value);
    assert_int_equal(strncmp(header(m, PREFIX "webhook-id"), "msg_", 4), 0);
    assert_true(atoll(header(m, PREFIX "timestamp")) > 0);
    assert_true(atoll(header(m, PREFIX "first-attempt")) > 0);
    assert_true(atoll(header(m, PREFIX "last-attempt")) >=
                atoll(header(m, PREFIX "first-attempt")));
    const char *response = header(m, PREFIX "response");
    assert_non_null(strstr(response, "[redacted]"));
    assert_null(strstr(response, "c4nary"));
    assert_null(strstr(response, "223344"));
    assert_null(strstr(response, "Amina"));
    assert_int_equal(m->key_len, 3);
    assert_true(m->len > 5 && ((const char *)m->payload)[4] == 1);
    cluster_parked_done(m, &w.cluster);
    pipeline_harness_close(&w);
}

/* Its source still has it: the headers say where. */
static void a_record_too_large_to_park_is_parked_without_its_value(void **state)
{
    static const struct server_rule webhook[] = {{NULL, SERVER_ANSWER, NO_CONTENT, 0}, {0}};
    static char junk[20000];
    struct pipeline_harness w;
    (void)state;
    pipeline_harness_open(&w, webhook);
    pipeline_harness_set(&w, "kafka.properties.message.max.bytes", "10000");
    memset(junk, 'j', sizeof junk);
    cluster_produce(&w.cluster, 0, junk, sizeof junk);
    pipeline_harness_produce(&w, 0, "o1", "06", "pending");
    pipeline_harness_run_to_end(&w);
    rd_kafka_message_t *m = cluster_parked(&w.cluster);
    assert_non_null(m);
    assert_int_equal(m->len, 0);
    assert_string_equal(header(m, PREFIX "dropped-value"), "true");
    assert_string_equal(header(m, PREFIX "offset"), "0");
    assert_string_equal(header(m, PREFIX "reason"), "undecodable");
    cluster_parked_done(m, &w.cluster);
    assert_int_equal(cluster_committed(&w.cluster, "shop", 0), 2);
    pipeline_harness_close(&w);
}

/* Not even its key and headers fit: ours alone still say where it lies. */
static void a_record_with_a_huge_key_is_parked_all_the_same(void **state)
{
    static const struct server_rule webhook[] = {{NULL, SERVER_ANSWER, NO_CONTENT, 0}, {0}};
    static char key[20000];
    struct pipeline_harness w;
    (void)state;
    pipeline_harness_open(&w, webhook);
    pipeline_harness_set(&w, "kafka.properties.message.max.bytes", "10000");
    memset(key, 'k', sizeof key);
    assert_int_equal(rd_kafka_producev(w.cluster.rk, RD_KAFKA_V_TOPIC(CLUSTER_TOPIC),
                                       RD_KAFKA_V_PARTITION(0), RD_KAFKA_V_KEY(key, sizeof key),
                                       RD_KAFKA_V_VALUE((void *)key, 100),
                                       RD_KAFKA_V_HEADER("h", "v", 1),
                                       RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END),
                     RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_flush(w.cluster.rk, HARNESS_PATIENCE_MS);
    pipeline_harness_produce(&w, 0, "o1", "06", "pending");
    pipeline_harness_run_to_end(&w);
    rd_kafka_message_t *m = cluster_parked(&w.cluster);
    assert_non_null(m);
    assert_int_equal(m->len + m->key_len, 0);
    assert_string_equal(header(m, "h"), "");
    assert_string_equal(header(m, PREFIX "offset"), "0");
    cluster_parked_done(m, &w.cluster);
    pipeline_harness_close(&w);
}

/* A 2xx is a fact, whether or not its record finds its way in time. */
static void an_outcome_that_cannot_be_written_is_waited_for_only_so_long(void **state)
{
    enum { FAR_AWAY_MS = 300 };
    static const struct server_rule webhook[] = {{NULL, SERVER_ANSWER, NO_CONTENT, 0}, {0}};
    static char text[TEXT_MAX];
    struct pipeline_harness w;
    (void)state;
    pipeline_harness_open(&w, webhook);
    pipeline_harness_set(&w, "outcome.timeout", "50ms");
    pipeline_harness_confirm(&w, 0, "o1");
    rd_kafka_mock_broker_set_rtt(w.cluster.mock, 1, FAR_AWAY_MS);
    pipeline_harness_start(&w);
    pipeline_harness_await_scrape(
        &w, "/metrics", "elementor_sync_outcomes_unacknowledged_total 1\n", text, sizeof text);
    pipeline_harness_await_scrape(
        &w, "/metrics", "elementor_sync_partition_committed{topic=\"orders\",partition=\"0\"} 3\n",
        text, sizeof text);
    pipeline_harness_stop(&w);
    assert_true(w.ok);
    assert_int_equal(server_request_count(w.webhook), 1);
    pipeline_harness_close(&w);
}

/* Its first attempt fails, then the order is cancelled in the shop; another one is not. */
static void overtake(const char *option, const char *state, size_t requests)
{
    static const struct server_rule webhook[] = {
        {NULL, SERVER_ANSWER, BUSY, 1}, {NULL, SERVER_ANSWER, NO_CONTENT, 0}, {0}};
    static char text[TEXT_MAX];
    struct pipeline_harness w;
    struct records r;
    pipeline_harness_open(&w, webhook);
    pipeline_harness_set(&w, "rule.overtaken", option);
    pipeline_harness_set(&w, "retry.base", "1h");
    pipeline_harness_set(&w, "retry.cap", "1h");
    pipeline_harness_produce(&w, 0, "o1", "06", "pending");
    pipeline_harness_produce(&w, 0, "o1", "06", "confirmed");
    pipeline_harness_start(&w);
    pipeline_harness_await_requests(&w, 1);
    pipeline_harness_produce(&w, 0, "o1", "06", "cancelled");
    pipeline_harness_produce(&w, 0, "o2", "06", "confirmed");
    pipeline_harness_await_requests(&w, 2);
    pipeline_harness_await_scrape(&w, "/metrics", "elementor_sync_records_delivered_total 1\n",
                                  text, sizeof text);
    clock_skip(3600 * 1000);
    pipeline_harness_await_scrape(&w, "/metrics", "elementor_sync_records_in_flight 0\n", text,
                                  sizeof text);
    pipeline_harness_stop(&w);
    assert_true(w.ok);
    assert_int_equal(server_request_count(w.webhook), requests);
    assert_int_equal(cluster_committed(&w.cluster, "shop", 0), 4);
    read_outcomes(&w, &r);
    const char *last = "";
    for (size_t i = 0; i < r.count; i++)
        if (strcmp(r.keys[i], "o1") == 0)
            last = text_of(&r, i, "state");
    assert_string_equal(last, state);
    forget(&r);
    pipeline_harness_close(&w);
}

static void what_is_overtaken_is_sent(void **state)
{
    (void)state;
    overtake("send", "delivered", 3);
}

static void what_is_overtaken_is_skipped(void **state)
{
    (void)state;
    overtake("skip", "overtaken", 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_end_is_recorded),
        cmocka_unit_test(long_retry_is_recorded),
        cmocka_unit_test(what_is_overtaken_is_sent),
        cmocka_unit_test(what_is_overtaken_is_skipped),
        cmocka_unit_test(a_refused_record_is_parked_with_all_that_is_known),
        cmocka_unit_test(a_record_too_large_to_park_is_parked_without_its_value),
        cmocka_unit_test(a_record_with_a_huge_key_is_parked_all_the_same),
        cmocka_unit_test(an_outcome_that_cannot_be_written_is_waited_for_only_so_long),
    };
    return pipeline_harness_main("pipeline_outcome", tests, sizeof tests / sizeof *tests);
}
