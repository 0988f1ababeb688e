/* pipeline_fatal: what librdkafka calls fatal is the end, at once and with its reason. */
#include "fakes/pipeline_harness.h"
#include "sys/clock.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define M "elementor_sync_"

enum { TEXT_MAX = 65536, HEARTBEAT = 12, INIT_PRODUCER_ID = 22, PRODUCE = 0, END_MS = 8000 };

static char text[TEXT_MAX];

/* One request is under way, more orders are ready, and more are in the topic. */
static void open_busy(struct pipeline_harness *w)
{
    static const struct server_rule webhook[] = {
        {NULL, SERVER_HOLD, NO_CONTENT, 1}, {NULL, SERVER_ANSWER, NO_CONTENT, 0}, {0}};
    pipeline_harness_open(w, webhook);
    pipeline_harness_set(w, "webhook.concurrency", "1");
    pipeline_harness_set(w, "drain.timeout", "5m");
    pipeline_harness_set(w, "webhook.timeout", "2m");
    pipeline_harness_set(w, "kafka.properties.heartbeat.interval.ms", "100");
    for (int i = 0; i < 20; i++) {
        char id[16];
        snprintf(id, sizeof id, "o%d", i);
        pipeline_harness_produce(w, i % HARNESS_PARTITIONS, id, "06", "confirmed");
    }
}

/* It ends by itself; nothing more is sent from the error on. */
static void expect_end(struct pipeline_harness *w, int64_t since_ms)
{
    pthread_join(w->thread, NULL);
    assert_true(clock_mono_ms() - since_ms < END_MS);
    assert_false(w->ok);
    server_release(w->webhook);
    assert_int_equal(server_request_count(w->webhook), 1);
}

static void a_fenced_member_ends_naming_its_instance(void **state)
{
    struct pipeline_harness w;
    (void)state;
    open_busy(&w);
    pipeline_harness_set(&w, "kafka.instance", "shop-1");
    pipeline_harness_start(&w);
    pipeline_harness_await_requests(&w, 1);
    int64_t since_ms = clock_mono_ms();
    rd_kafka_mock_push_request_errors(w.cluster.mock, HEARTBEAT, 1,
                                      RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID);
    expect_end(&w, since_ms);
    assert_int_equal(w.err.code, ERROR_CONFIG);
    assert_non_null(strstr(w.err.text, "instance \"shop-1\""));
    assert_int_equal(cluster_committed(&w.cluster, "shop", 0), -1);
    pipeline_harness_close(&w);
}

/* The name that came as a librdkafka property is named as well. */
static void fenced_member_with_an_instance_property_ends_too(void **state)
{
    struct pipeline_harness w;
    (void)state;
    open_busy(&w);
    pipeline_harness_set(&w, "kafka.properties.group.instance.id", "shop-2");
    pipeline_harness_start(&w);
    pipeline_harness_await_requests(&w, 1);
    int64_t since_ms = clock_mono_ms();
    rd_kafka_mock_push_request_errors(w.cluster.mock, HEARTBEAT, 1,
                                      RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID);
    expect_end(&w, since_ms);
    assert_non_null(strstr(w.err.text, "instance \"shop-2\""));
    pipeline_harness_close(&w);
}

/* Each producer that takes over ends in the same way: no other one would do better. */
static void failing_producers_end_the_process(void **state)
{
    static const struct server_rule webhook[] = {{NULL, SERVER_ANSWER, NO_CONTENT, 0}, {0}};
    rd_kafka_resp_err_t codes[500];
    struct pipeline_harness w;
    (void)state;
    pipeline_harness_open(&w, webhook);
    pipeline_harness_set(&w, "outcome.timeout", "0s");
    pipeline_harness_set(&w, "drain.timeout", "1s");
    pipeline_harness_confirm(&w, 0, "o1");
    pipeline_harness_start(&w);
    pipeline_harness_await_requests(&w, 1);
    pipeline_harness_await_scrape(&w, "/metrics", M "deliveries_uncovered 0\n", text, sizeof text);
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        codes[i] = RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER;
    rd_kafka_mock_push_request_errors_array(w.cluster.mock, PRODUCE, sizeof codes / sizeof *codes,
                                            codes);
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        codes[i] = RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED;
    rd_kafka_mock_push_request_errors_array(w.cluster.mock, INIT_PRODUCER_ID,
                                            sizeof codes / sizeof *codes, codes);
    pthread_join(w.thread, NULL);
    assert_false(w.ok);
    assert_int_equal(w.err.code, ERROR_FAILED);
    assert_non_null(strstr(w.err.text, "producer cannot go on"));
    pipeline_harness_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fenced_member_ends_naming_its_instance),
        cmocka_unit_test(fenced_member_with_an_instance_property_ends_too),
        cmocka_unit_test(failing_producers_end_the_process),
    };
    return pipeline_harness_main("pipeline_fatal", tests, sizeof tests / sizeof *tests);
}
