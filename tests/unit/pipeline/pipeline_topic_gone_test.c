/* pipeline_topic_gone: for a while the cluster says that the topic does not exist, or may not be
 * read: then librdkafka gives the partitions other objects than before. Every order comes. */
#include "fakes/pipeline_harness.h"
#include "sys/clock.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define M "elementor_sync_"

enum { TEXT_MAX = 65536, MOMENT_S = 1 };

static char text[TEXT_MAX];

static const struct server_rule accepting[] = {{NULL, SERVER_ANSWER, NO_CONTENT, 0}, {0}};

static void confirm_each(struct pipeline_harness *w, const char *name)
{
    for (int32_t p = 0; p < HARNESS_PARTITIONS; p++) {
        char id[32];
        snprintf(id, sizeof id, "%s%d", name, (int)p);
        pipeline_harness_produce(w, p, id, "06", "confirmed");
    }
}

/* Nothing is left for a crash, or a lost assignment, to send again. */
static void await_covered(struct pipeline_harness *w)
{
    pipeline_harness_await_scrape(w, "/metrics", M "deliveries_uncovered 0\n", text, sizeof text);
}

static void await_no_partitions(struct pipeline_harness *w)
{
    int64_t deadline = clock_mono_ms() + HARNESS_PATIENCE_MS;
    do {
        pipeline_harness_scrape(w, "/metrics", text, sizeof text);
        assert_true(clock_mono_ms() < deadline);
        usleep(50000);
    } while (strstr(text, "partition_position{topic=\"orders\"") != NULL);
}

static void open_reading(struct pipeline_harness *w)
{
    pipeline_harness_open(w, accepting);
    pipeline_harness_set(w, "kafka.properties.topic.metadata.refresh.interval.ms", "300");
    pipeline_harness_set(w, "kafka.properties.session.timeout.ms", "6000");
    pipeline_harness_set(w, "kafka.properties.heartbeat.interval.ms", "100");
    confirm_each(w, "before");
    pipeline_harness_start(w);
    pipeline_harness_await_requests(w, HARNESS_PARTITIONS);
    await_covered(w);
}

static void set_error(struct pipeline_harness *w, const char *topic, rd_kafka_resp_err_t code)
{
    cluster_settle(&w->cluster);
    rd_kafka_mock_topic_set_error(w->cluster.mock, topic, code);
    cluster_settle(&w->cluster);
}

/* Each order once, and in the partitions' order: what came by another queue is not out of turn. */
static void expect_all(struct pipeline_harness *w, size_t rounds)
{
    pipeline_harness_await_requests(w, rounds * HARNESS_PARTITIONS);
    await_covered(w);
    pipeline_harness_stop(w);
    assert_true(w->ok);
    assert_int_equal(server_request_count(w->webhook), rounds * HARNESS_PARTITIONS);
    for (int32_t p = 0; p < HARNESS_PARTITIONS; p++)
        assert_int_equal(cluster_committed(&w->cluster, "shop", p), rounds);
    pipeline_harness_close(w);
}

static void orders_come_after_the_topic_was_unknown(void **state)
{
    struct pipeline_harness w;
    (void)state;
    open_reading(&w);
    set_error(&w, CLUSTER_TOPIC, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
    await_no_partitions(&w);
    set_error(&w, CLUSTER_TOPIC, RD_KAFKA_RESP_ERR_NO_ERROR);
    confirm_each(&w, "after");
    expect_all(&w, 2);
}

/* Again and again, so that objects of several ages are there. */
static void orders_come_each_time(void **state)
{
    enum { TIMES = 3 };
    struct pipeline_harness w;
    (void)state;
    open_reading(&w);
    for (size_t time = 1; time <= TIMES; time++) {
        char name[16];
        set_error(&w, CLUSTER_TOPIC, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
        await_no_partitions(&w);
        set_error(&w, CLUSTER_TOPIC, RD_KAFKA_RESP_ERR_NO_ERROR);
        snprintf(name, sizeof name, "after%zu-", time);
        confirm_each(&w, name);
        pipeline_harness_await_requests(&w, (time + 1) * HARNESS_PARTITIONS);
        await_covered(&w);
    }
    expect_all(&w, TIMES + 1);
}

/* librdkafka decides what a moment without the topic does: nothing, or all of it. */
static void after_a_moment(const char *topic, rd_kafka_resp_err_t code)
{
    struct pipeline_harness w;
    open_reading(&w);
    set_error(&w, topic, code);
    sleep(MOMENT_S);
    set_error(&w, topic, RD_KAFKA_RESP_ERR_NO_ERROR);
    confirm_each(&w, "after");
    expect_all(&w, 2);
}

static void orders_come_after_a_moment_unknown(void **state)
{
    (void)state;
    after_a_moment(CLUSTER_TOPIC, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
}

static void orders_come_after_a_moment_denied(void **state)
{
    (void)state;
    after_a_moment(CLUSTER_TOPIC, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
}

static void orders_come_after_the_retry_topic_was_unknown(void **state)
{
    (void)state;
    after_a_moment("elementor-sync.retry", RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(orders_come_after_the_topic_was_unknown),
        cmocka_unit_test(orders_come_each_time),
        cmocka_unit_test(orders_come_after_a_moment_unknown),
        cmocka_unit_test(orders_come_after_a_moment_denied),
        cmocka_unit_test(orders_come_after_the_retry_topic_was_unknown),
    };
    return pipeline_harness_main("pipeline_topic_gone", tests, sizeof tests / sizeof *tests);
}
