/* pipeline_lost: the next offset is not in the topic any more, and kafka.lost_offsets lets it go
 * on: only what could not be read is passed by. */
#include "fakes/pipeline_harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define M "elementor_sync_"

enum { TEXT_MAX = 65536, FETCH = 1, ERRORS = 1000, ORDERS = 5, READ = 2 };

static char text[TEXT_MAX];

static void await(struct pipeline_harness *w, const char *metric)
{
    pipeline_harness_await_scrape(w, "/metrics", metric, text, sizeof text);
}

static size_t times_sent(struct pipeline_harness *w, const char *order)
{
    size_t count = 0;
    for (size_t i = 0; i < server_request_count(w->webhook); i++)
        count += strstr(server_request(w->webhook, i)->body, order) != NULL;
    return count;
}

static void confirm(struct pipeline_harness *w, int from, int to)
{
    for (int i = from; i < to; i++) {
        char id[16];
        snprintf(id, sizeof id, "o%d", i);
        pipeline_harness_produce(w, 0, id, "06", "confirmed");
    }
}

/* The mock's answer to a fetch has one batch of each partition, so one record of ours. With each of
 * these records, which are no orders, came one more of partition 0. */
static void await_fetches(struct pipeline_harness *w, int count)
{
    for (int i = 1; i <= count; i++) {
        char position[128];
        pipeline_harness_produce(w, 2, "no order", "06", "pending");
        snprintf(position, sizeof position,
                 M "partition_position{topic=\"orders\",partition=\"2\"} %d\n", i);
        await(w, position);
    }
}

/* READ orders are under way or about to be, and nothing more is taken; the others are fetched, and
 * wait in librdkafka's queue. */
static void open_busy(struct pipeline_harness *w, const char *lost_offsets)
{
    static const struct server_rule webhook[] = {
        {NULL, SERVER_HOLD, NO_CONTENT, 1}, {NULL, SERVER_ANSWER, NO_CONTENT, 0}, {0}};
    pipeline_harness_open(w, webhook);
    pipeline_harness_set(w, "kafka.lost_offsets", lost_offsets);
    pipeline_harness_set(w, "webhook.concurrency", "1");
    pipeline_harness_set(w, "inflight.partition_records", "2");
    confirm(w, 0, READ);
    pipeline_harness_start(w);
    pipeline_harness_await_requests(w, 1);
    await(w, M "partition_position{topic=\"orders\",partition=\"0\"} 2\n");
    confirm(w, READ, ORDERS);
    await(w, M "partition_end{topic=\"orders\",partition=\"0\"} 5\n");
    await_fetches(w, ORDERS - READ);
}

static void refuse(struct pipeline_harness *w, int16_t question, rd_kafka_resp_err_t code,
                   size_t count)
{
    rd_kafka_resp_err_t codes[ERRORS];
    for (size_t i = 0; i < count; i++)
        codes[i] = code;
    rd_kafka_mock_push_request_errors_array(w->cluster.mock, question, count, codes);
    cluster_settle(&w->cluster);
}

static void answer_again(struct pipeline_harness *w, int16_t question)
{
    rd_kafka_mock_clear_request_errors(w->cluster.mock, question);
    cluster_settle(&w->cluster);
}

/* One request fetches of all partitions: with this order comes what there is to say of the other.
 */
static void await_fetch(struct pipeline_harness *w)
{
    pipeline_harness_produce(w, 1, "elsewhere", "06", "confirmed");
    await(w, M "partition_position{topic=\"orders\",partition=\"1\"} 1\n");
}

/* No fetch succeeds meanwhile. The mock keeps five mebibytes of a partition: of these seven records
 * the last five. They are no orders, and parked. */
static void let_retention_pass(struct pipeline_harness *w)
{
    enum { RECORDS = 7, SIZE = 900000 };
    char *bytes = calloc(1, SIZE);
    assert_non_null(bytes);
    bytes[0] = 1;
    refuse(w, FETCH, RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR, ERRORS);
    for (int i = 0; i < RECORDS; i++)
        cluster_produce(&w->cluster, 0, bytes, SIZE);
    free(bytes);
    answer_again(w, FETCH);
    await_fetch(w);
}

static void expect_each_sent(struct pipeline_harness *w, size_t times)
{
    for (int i = 0; i < ORDERS; i++) {
        char id[16];
        snprintf(id, sizeof id, "\"o%d\"", i);
        assert_int_equal(times_sent(w, id), times);
    }
}

/* Under way, ready, and fetched: no other member could read these again, and no commit passes them.
 */
static void records_read_before_the_loss_are_sent(void **state)
{
    struct pipeline_harness w;
    (void)state;
    open_busy(&w, "earliest");
    let_retention_pass(&w);
    server_release(w.webhook);
    await(&w, M "records_parked_total 5\n");
    await(&w, M "records_delivered_total 6\n");
    assert_true(pipeline_harness_metric(text, M "records_abandoned_total") == 0);
    assert_true(pipeline_harness_metric(text, M "records_repeated_total") == 0);
    pipeline_harness_stop(&w);
    assert_true(w.ok);
    expect_each_sent(&w, 1);
    assert_int_equal(cluster_committed(&w.cluster, "shop", 0), 12);
    pipeline_harness_close(&w);
}

/* The lost offset is told of while one order is under way: until that has its answer it is the
 * lowest that is not settled. */
static void commit_waits_for_deliveries_under_way(void **state)
{
    static const struct server_rule webhook[] = {
        {NULL, SERVER_HOLD, NO_CONTENT, 1}, {NULL, SERVER_ANSWER, NO_CONTENT, 0}, {0}};
    struct pipeline_harness w;
    (void)state;
    pipeline_harness_open(&w, webhook);
    pipeline_harness_set(&w, "kafka.lost_offsets", "earliest");
    pipeline_harness_set(&w, "drain.timeout", "0s");
    confirm(&w, 0, 1);
    pipeline_harness_start(&w);
    pipeline_harness_await_requests(&w, 1);
    let_retention_pass(&w);
    await(&w, M "records_parked_total 5\n");
    await(&w, M "partition_position{topic=\"orders\",partition=\"0\"} 8\n");
    assert_true(
        pipeline_harness_metric(text, M "partition_open{topic=\"orders\",partition=\"0\"}") >= 1);
    pipeline_harness_stop(&w);
    assert_true(w.ok);
    assert_true(cluster_committed(&w.cluster, "shop", 0) <= 0);
    pipeline_harness_close(&w);
}

/* When offsets start over, orders that were read before are sent first. */
static void recreated_topic_waits_for_records_of_the_former_one(void **state)
{
    struct pipeline_harness w;
    (void)state;
    open_busy(&w, "earliest");
    pipeline_harness_refuse_fetch(&w, ORDERS - READ);
    await_fetch(&w);
    server_release(w.webhook);
    await(&w, M "records_delivered_total 11\n"); /* the mock's is the same topic as before */
    assert_true(pipeline_harness_metric(text, M "records_abandoned_total") == 0);
    await(&w, M "partition_committed{topic=\"orders\",partition=\"0\"} 5\n");
    pipeline_harness_stop(&w);
    assert_true(w.ok);
    expect_each_sent(&w, 2);
    pipeline_harness_close(&w);
}

/* For a moment no broker reports what the topic holds. */
static void reading_goes_on_once_the_position_is_known(void **state)
{
    struct pipeline_harness w;
    (void)state;
    open_busy(&w, "earliest");
    refuse(&w, CLUSTER_LIST_OFFSETS, RD_KAFKA_RESP_ERR_UNKNOWN, 2);
    let_retention_pass(&w);
    server_release(w.webhook);
    await(&w, M "records_delivered_total 6\n");
    await(&w, M "records_parked_total 5\n");
    pipeline_harness_stop(&w);
    assert_true(w.ok);
    pipeline_harness_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_read_before_the_loss_are_sent),
        cmocka_unit_test(commit_waits_for_deliveries_under_way),
        cmocka_unit_test(recreated_topic_waits_for_records_of_the_former_one),
        cmocka_unit_test(reading_goes_on_once_the_position_is_known),
    };
    return pipeline_harness_main("pipeline_lost", tests, sizeof tests / sizeof *tests);
}
