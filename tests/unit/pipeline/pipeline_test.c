/* pipeline: the whole way of a record, its ends and its waits. */
#include "fakes/pipeline_harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void transitions_are_sent_and_committed(void **state)
{
    static const struct server_rule webhook[] = {{NULL, SERVER_ANSWER, NO_CONTENT, 0}, {0}};
    struct pipeline_harness w;
    (void)state;
    pipeline_harness_open(&w, webhook);
    for (int32_t p = 0; p < HARNESS_PARTITIONS; p++) {
        char id[16];
        for (int i = 0; i < 20; i++) {
            snprintf(id, sizeof id, "o%d-%d", (int)p, i);
            pipeline_harness_confirm(&w, p, id);
        }
        cluster_produce(&w.cluster, p, NULL, 0);
    }
    pipeline_harness_run_to_end(&w);
    assert_int_equal(server_request_count(w.webhook), 20 * HARNESS_PARTITIONS);
    assert_non_null(strstr(server_request(w.webhook, 0)->body, "\"unit_price\":2.50"));
    for (int32_t p = 0; p < HARNESS_PARTITIONS; p++)
        assert_int_equal(cluster_committed(&w.cluster, "shop", p), 61);
    /* A real broker shows (e2e) that a second run sends nothing: the mock of 2.0.2 answers no
     * JoinGroup in a group that its last member has just left. */
    pipeline_harness_close(&w);
}

static void failures_are_retried_with_one_webhook_id(void **state)
{
    static const struct server_rule webhook[] = {{NULL, SERVER_ANSWER, BUSY, 2},
                                                 {NULL, SERVER_RESET, "", 1},
                                                 {NULL, SERVER_ANSWER, NO_CONTENT, 0},
                                                 {0}};
    struct pipeline_harness w;
    char id[64], first[64], attempt[16];
    (void)state;
    pipeline_harness_open(&w, webhook);
    pipeline_harness_confirm(&w, 1, "o1");
    pipeline_harness_run_to_end(&w);
    assert_int_equal(server_request_count(w.webhook), 4);
    pipeline_harness_header(&w, 0, "webhook-id", first, sizeof first);
    for (size_t i = 0; i < 4; i++) {
        pipeline_harness_header(&w, i, "webhook-id", id, sizeof id);
        pipeline_harness_header(&w, i, "webhook-attempt", attempt, sizeof attempt);
        assert_string_equal(id, first);
        assert_int_equal(atoi(attempt), i + 1);
    }
    assert_int_equal(cluster_committed(&w.cluster, "shop", 1), 3);
    pipeline_harness_close(&w);
}

/* Debezium's tracing puts it into the records; the receiver's spans join the shop's. */
static void the_records_trace_goes_on_in_every_attempt(void **state)
{
    static const char given[] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    static const struct server_rule webhook[] = {{NULL, SERVER_ANSWER, BUSY, 1},
                                                 {NULL, SERVER_ANSWER, NO_CONTENT, 1},
                                                 {NULL, SERVER_ANSWER, BUSY, 1},
                                                 {NULL, SERVER_ANSWER, NO_CONTENT, 0},
                                                 {0}};
    struct pipeline_harness w;
    char trace[4][64];
    (void)state;
    pipeline_harness_open(&w, webhook);
    w.cluster.traceparent = given;
    pipeline_harness_confirm(&w, 1, "o1");
    pipeline_harness_run_to_end(&w);
    w.cluster.traceparent = "00-not-one";
    pipeline_harness_confirm(&w, 2, "o2");
    pipeline_harness_run_to_end(&w);
    assert_int_equal(server_request_count(w.webhook), 4);
    for (size_t i = 0; i < 4; i++)
        pipeline_harness_header(&w, i, "traceparent", trace[i], sizeof trace[i]);
    assert_string_equal(trace[0], given);
    assert_string_equal(trace[1], given);
    assert_int_equal(strlen(trace[2]), strlen(given)); /* one of our own */
    assert_string_not_equal(trace[2], given);
    assert_string_equal(trace[3], trace[2]);
    pipeline_harness_close(&w);
}

static void rejected_record_is_parked(void **state)
{
    static const struct server_rule webhook[] = {{NULL, SERVER_ANSWER, NO_CONTENT, 0}, {0}};
    struct pipeline_harness w;
    rd_kafka_headers_t *headers;
    const void *reason;
    size_t len;
    (void)state;
    pipeline_harness_open(&w, webhook);
    pipeline_harness_produce(&w, 0, "o1", "  ", "confirmed");
    cluster_produce(&w.cluster, 1, "{\"json\":1}", 10);
    pipeline_harness_produce(&w, 1, "o2", "06",
                             "pending"); /* another record can be read: that one is broken */
    pipeline_harness_run_to_end(&w);
    assert_int_equal(server_request_count(w.webhook), 0);
    assert_int_equal(cluster_committed(&w.cluster, "shop", 0), 1);
    rd_kafka_message_t *m = cluster_parked(&w.cluster);
    assert_non_null(m);
    assert_int_equal(rd_kafka_message_headers(m, &headers), RD_KAFKA_RESP_ERR_NO_ERROR);
    assert_int_equal(rd_kafka_header_get_last(headers, "elementor-sync.reason", &reason, &len),
                     RD_KAFKA_RESP_ERR_NO_ERROR);
    assert_true(strcmp(reason, "missing:client_phone") == 0 || strcmp(reason, "undecodable") == 0);
    assert_int_equal(m->key_len, 3);
    cluster_parked_done(m, &w.cluster);
    pipeline_harness_close(&w);
}

/* The brokers take the offset commits but no parked record: nothing of it may be committed, and the
 * stop must not wait for it. */
static void record_without_parking_is_not_committed(void **state)
{
    enum { PRODUCE = 0 };
    static const struct server_rule webhook[] = {{NULL, SERVER_ANSWER, NO_CONTENT, 0}, {0}};
    char text[256];
    struct pipeline_harness w;
    (void)state;
    pipeline_harness_open_without_registry(&w, webhook);
    pipeline_harness_set(&w, "drain.timeout", "100ms");
    pipeline_harness_produce(&w, 0, "o1", "  ", "confirmed");
    pipeline_harness_confirm(&w, 1, "o2");
    pipeline_harness_start(&w);
    pipeline_harness_await_scrape(&w, "/readyz", "ok", text, sizeof text);
    for (int i = 0; i < 10000; i++) /* librdkafka tries again at once: more than there will be */
        rd_kafka_mock_push_request_errors(w.cluster.mock, PRODUCE, 1,
                                          RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS);
    server_listen(w.registry); /* only now anything can be decided */
    pipeline_harness_await_requests(&w, 1);
    pipeline_harness_stop(&w);
    assert_true(w.ok);
    rd_kafka_mock_clear_request_errors(w.cluster.mock, PRODUCE);
    assert_true(cluster_committed(&w.cluster, "shop", 0) <= 0);
    assert_int_equal(cluster_committed(&w.cluster, "shop", 1), 3);
    pipeline_harness_close(&w);
}

static void commit_errors_are_retried(void **state)
{
    enum { OFFSET_COMMIT = 8 };
    static const struct server_rule webhook[] = {{NULL, SERVER_ANSWER, NO_CONTENT, 0}, {0}};
    struct pipeline_harness w;
    (void)state;
    pipeline_harness_open(&w, webhook);
    pipeline_harness_confirm(&w, 2, "o1");
    rd_kafka_mock_push_request_errors(w.cluster.mock, OFFSET_COMMIT, 2,
                                      RD_KAFKA_RESP_ERR_OFFSET_METADATA_TOO_LARGE,
                                      RD_KAFKA_RESP_ERR_OFFSET_METADATA_TOO_LARGE);
    pipeline_harness_run_to_end(&w);
    assert_int_equal(cluster_committed(&w.cluster, "shop", 2), 3);
    assert_int_equal(server_request_count(w.webhook), 1);
    pipeline_harness_close(&w);
}

static void slow_order_does_not_delay_others(void **state)
{
    static const struct server_rule webhook[] = {
        {NULL, SERVER_HOLD, NO_CONTENT, 1}, {NULL, SERVER_ANSWER, NO_CONTENT, 0}, {0}};
    static char text[65536];
    struct pipeline_harness w;
    (void)state;
    pipeline_harness_open(&w, webhook);
    pipeline_harness_confirm(&w, 0, "slow");
    pipeline_harness_start(&w);
    pipeline_harness_await_requests(&w, 1);
    for (int i = 0; i < 30; i++) {
        char id[16];
        snprintf(id, sizeof id, "o%d", i);
        pipeline_harness_confirm(&w, 0, id);
    }
    pipeline_harness_await_requests(&w, 31);
    pipeline_harness_await_scrape(
        &w, "/metrics", "elementor_sync_partition_committed{topic=\"orders\",partition=\"0\"} 1\n",
        text, sizeof text);
    assert_int_equal(cluster_committed(&w.cluster, "shop", 0), 1); /* not past the slow one */
    server_release(w.webhook);
    pipeline_harness_await_scrape(
        &w, "/metrics", "elementor_sync_partition_committed{topic=\"orders\",partition=\"0\"} 93\n",
        text, sizeof text);
    pipeline_harness_stop(&w);
    assert_true(w.ok);
    assert_int_equal(cluster_committed(&w.cluster, "shop", 0), 93);
    pipeline_harness_close(&w);
}

static void hung_webhook_does_not_delay_the_stop(void **state)
{
    static const struct server_rule webhook[] = {{NULL, SERVER_HANG, "", 0}, {0}};
    struct pipeline_harness w;
    (void)state;
    pipeline_harness_open(&w, webhook);
    pipeline_harness_set(&w, "drain.timeout", "100ms");
    pipeline_harness_confirm(&w, 0, "o1");
    pipeline_harness_start(&w);
    pipeline_harness_await_requests(&w, 1);
    pipeline_harness_stop(&w);
    assert_true(w.ok);
    assert_true(cluster_committed(&w.cluster, "shop", 0) <= 1);
    pipeline_harness_close(&w);
}

static void late_registry_is_waited_for(void **state)
{
    static const struct server_rule webhook[] = {{NULL, SERVER_ANSWER, NO_CONTENT, 0}, {0}};
    static char text[65536];
    struct pipeline_harness w;
    (void)state;
    pipeline_harness_open_without_registry(&w, webhook);
    pipeline_harness_confirm(&w, 0, "o1");
    pipeline_harness_log_open(&w);
    pipeline_harness_start(&w);
    pipeline_harness_await_log(&w, "schema registry trouble"); /* it was asked in vain */
    server_listen(w.registry);
    pipeline_harness_await_scrape(
        &w, "/metrics", "elementor_sync_partition_committed{topic=\"orders\",partition=\"0\"} 3\n",
        text, sizeof text); /* its last record may come after the delivery */
    pipeline_harness_stop(&w);
    assert_true(w.ok);
    assert_int_equal(server_request_count(w.webhook), 1);
    pipeline_harness_close(&w);
}

static void late_broker_is_waited_for(void **state)
{
    static const struct server_rule webhook[] = {{NULL, SERVER_ANSWER, NO_CONTENT, 0}, {0}};
    struct pipeline_harness w;
    (void)state;
    pipeline_harness_open(&w, webhook);
    pipeline_harness_confirm(&w, 0, "o1");
    rd_kafka_mock_broker_set_down(w.cluster.mock, 1);
    pipeline_harness_log_open(&w);
    pipeline_harness_start(&w);
    pipeline_harness_await_log(&w, "brokers unreachable"); /* it was looked for in vain */
    rd_kafka_mock_broker_set_up(w.cluster.mock, 1);
    pipeline_harness_await_requests(&w, 1);
    pipeline_harness_stop(&w);
    assert_true(w.ok);
    pipeline_harness_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(transitions_are_sent_and_committed),
        cmocka_unit_test(failures_are_retried_with_one_webhook_id),
        cmocka_unit_test(the_records_trace_goes_on_in_every_attempt),
        cmocka_unit_test(rejected_record_is_parked),
        cmocka_unit_test(record_without_parking_is_not_committed),
        cmocka_unit_test(commit_errors_are_retried),
        cmocka_unit_test(slow_order_does_not_delay_others),
        cmocka_unit_test(hung_webhook_does_not_delay_the_stop),
        cmocka_unit_test(late_registry_is_waited_for),
        cmocka_unit_test(late_broker_is_waited_for),
    };
    return pipeline_harness_main("pipeline", tests, sizeof tests / sizeof *tests);
}
