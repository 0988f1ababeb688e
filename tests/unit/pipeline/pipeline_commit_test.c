/* pipeline_commit: when commits go, and what they hold. */
#include "fakes/pipeline_harness.h"

#include <stdio.h>
#include <unistd.h>

#define M "elementor_sync_"

enum { TEXT_MAX = 65536 };

static char text[TEXT_MAX];

static const struct server_rule accepting[] = {{NULL, SERVER_ANSWER, NO_CONTENT, 0}, {0}};

static void confirm_many(struct pipeline_harness *w, int count)
{
    for (int i = 0; i < count; i++) {
        char id[16];
        snprintf(id, sizeof id, "o%d", i);
        pipeline_harness_produce(w, i % HARNESS_PARTITIONS, id, "06", "confirmed");
    }
}

/* commit.interval is longer than the drain and its grace together. */
static void stop_commits_at_once(void **state)
{
    enum { ORDERS = 51 };
    struct pipeline_harness w;
    (void)state;
    pipeline_harness_open(&w, accepting);
    pipeline_harness_set(&w, "commit.interval", "60s");
    pipeline_harness_set(&w, "drain.timeout", "1s");
    confirm_many(&w, ORDERS);
    pipeline_harness_start(&w);
    pipeline_harness_await_requests(&w, ORDERS);
    pipeline_harness_stop(&w);
    assert_true(w.ok);
    for (int32_t p = 0; p < HARNESS_PARTITIONS; p++)
        assert_int_equal(cluster_committed(&w.cluster, "shop", p), ORDERS / HARNESS_PARTITIONS);
    pipeline_harness_run_to_end(&w);
    assert_int_equal(server_request_count(w.webhook), ORDERS);
    pipeline_harness_close(&w);
}

static void refuse(struct pipeline_harness *w, int16_t question, rd_kafka_resp_err_t code,
                   size_t count)
{
    rd_kafka_resp_err_t codes[1000];
    assert_true(count <= sizeof codes / sizeof *codes);
    for (size_t i = 0; i < count; i++)
        codes[i] = code;
    rd_kafka_mock_push_request_errors_array(w->cluster.mock, question, count, codes);
    cluster_settle(&w->cluster);
}

/* The topic was made again while an order of the former one is under way, and what is settled of
 * that one was not committed yet: its offsets mean other records now. */
static void offsets_of_a_former_topic_are_not_committed(void **state)
{
    static const struct server_rule webhook[] = {
        {NULL, SERVER_ANSWER, NO_CONTENT, 2}, {NULL, SERVER_HOLD, NO_CONTENT, 0}, {0}};
    enum { NOTICED_US = 500000, RETRIED_US = 1500000 };
    struct pipeline_harness w;
    (void)state;
    pipeline_harness_open(&w, webhook);
    pipeline_harness_set(&w, "kafka.lost_offsets", "earliest");
    pipeline_harness_set(&w, "drain.timeout", "0s");
    refuse(&w, CLUSTER_OFFSET_COMMIT, RD_KAFKA_RESP_ERR_INVALID_COMMIT_OFFSET_SIZE, 1000);
    for (int i = 0; i < 3; i++) {
        char id[16];
        snprintf(id, sizeof id, "o%d", i);
        pipeline_harness_produce(&w, 0, id, "06", "confirmed");
    }
    pipeline_harness_start(&w);
    pipeline_harness_await_requests(&w, 3);
    pipeline_harness_await_scrape(&w, "/metrics", M "records_delivered_total 2\n", text,
                                  sizeof text);
    pipeline_harness_refuse_fetch(&w, 0);
    usleep(NOTICED_US);
    rd_kafka_mock_clear_request_errors(w.cluster.mock, CLUSTER_OFFSET_COMMIT);
    cluster_settle(&w.cluster);
    usleep(RETRIED_US);
    pipeline_harness_stop(&w);
    assert_true(w.ok);
    assert_int_equal(cluster_committed(&w.cluster, "shop", 0), -1);
    pipeline_harness_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stop_commits_at_once),
        cmocka_unit_test(offsets_of_a_former_topic_are_not_committed),
    };
    return pipeline_harness_main("pipeline_commit", tests, sizeof tests / sizeof *tests);
}
