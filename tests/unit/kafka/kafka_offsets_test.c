/* kafka_offsets_test: beginnings, ends and commits are asked for within a bounded time. */
#include "fakes/cluster.h"
#include "kafka/offsets.h"
#include "sys/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { PARTITIONS = 3, PATIENCE_MS = 10000, ASK_MS = 500, BOUND_MS = 8000 };

static struct cluster cluster;
static rd_kafka_t *rk;

static int open_all(void **state)
{
    static const char *const settings[][2] = {{"group.id", "shop"}, {"log_level", "0"}};
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    (void)state;
    cluster_open(&cluster, PARTITIONS);
    rd_kafka_conf_set(conf, "bootstrap.servers", cluster.brokers, NULL, 0);
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        assert_int_equal(rd_kafka_conf_set(conf, settings[i][0], settings[i][1], NULL, 0),
                         RD_KAFKA_CONF_OK);
    rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, NULL, 0);
    assert_non_null(rk);
    return 0;
}

/* The client that a commit has left unanswered would wait for it. */
static int leave_all(void **state)
{
    (void)state;
    cluster_close(&cluster);
    return 0;
}

static int close_all(void **state)
{
    rd_kafka_destroy(rk);
    return leave_all(state);
}

static void beginnings_and_ends_are_found(void **state)
{
    int64_t low[PARTITIONS], high[PARTITIONS];
    struct error err = {0};
    (void)state;
    cluster_produce(&cluster, 1, "a", 1);
    cluster_produce(&cluster, 2, "b", 1);
    cluster_produce(&cluster, 2, "c", 1);
    assert_true(kafka_watermarks(rk, CLUSTER_TOPIC, 0, PARTITIONS, low, high, PATIENCE_MS, &err));
    for (int i = 0; i < PARTITIONS; i++) {
        assert_int_equal(low[i], 0);
        assert_int_equal(high[i], i);
    }
    assert_true(kafka_watermarks(rk, CLUSTER_TOPIC, 2, 1, NULL, high, PATIENCE_MS, &err));
    assert_int_equal(high[0], 2);
}

static void a_partition_that_is_not_there_is_named(void **state)
{
    int64_t high[PARTITIONS + 1];
    struct error err = {0};
    (void)state;
    assert_false(
        kafka_watermarks(rk, CLUSTER_TOPIC, 0, PARTITIONS + 1, NULL, high, PATIENCE_MS, &err));
    assert_int_equal(err.code, ERROR_UNREACHABLE);
    assert_non_null(strstr(err.text, "orders, partition 3: Local: Unknown partition"));
}

static void the_others_are_found_all_the_same(void **state)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(2);
    (void)state;
    cluster_produce(&cluster, 1, "a", 1);
    for (int32_t i = 0; i <= PARTITIONS; i++)
        rd_kafka_topic_partition_list_add(list, CLUSTER_TOPIC, i)->offset = RD_KAFKA_OFFSET_END;
    assert_int_equal(kafka_offsets(rk, list, PATIENCE_MS), RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION);
    assert_int_equal(list->elems[1].err, RD_KAFKA_RESP_ERR_NO_ERROR);
    assert_int_equal(list->elems[1].offset, 1);
    assert_int_equal(list->elems[PARTITIONS].err, RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION);
    rd_kafka_topic_partition_list_destroy(list);
}

static void silence_is_an_answer(void **state)
{
    int64_t low[PARTITIONS], high[PARTITIONS], began_ms = clock_mono_ms();
    struct error err = {0};
    (void)state;
    cluster_silence(&cluster, CLUSTER_LIST_OFFSETS);
    assert_false(kafka_watermarks(rk, CLUSTER_TOPIC, 0, PARTITIONS, low, high, ASK_MS, &err));
    assert_true(clock_mono_ms() - began_ms < BOUND_MS);
    assert_int_equal(err.code, ERROR_UNREACHABLE);
    assert_string_equal(err.text, "offsets of orders: the broker did not answer in time");
}

static rd_kafka_topic_partition_list_t *commit_list(int32_t partition, const char *metadata)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_t *p =
        rd_kafka_topic_partition_list_add(list, CLUSTER_TOPIC, partition);
    p->offset = 7;
    p->metadata = strdup(metadata);
    p->metadata_size = strlen(metadata);
    return list;
}

static void a_commit_is_answered(void **state)
{
    rd_kafka_topic_partition_list_t *list = commit_list(1, "1.7.");
    (void)state;
    assert_int_equal(kafka_commit(rk, list, PATIENCE_MS), RD_KAFKA_RESP_ERR_NO_ERROR);
    assert_int_equal(cluster_committed(&cluster, "shop", 1), 7);
    rd_kafka_mock_push_request_errors(cluster.mock, CLUSTER_OFFSET_COMMIT, 1,
                                      RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID);
    assert_int_equal(kafka_commit(rk, list, PATIENCE_MS), RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID);
    assert_int_equal(list->elems[0].err, RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID);
    rd_kafka_topic_partition_list_destroy(list);
}

static void a_commit_is_not_awaited_for_ever(void **state)
{
    rd_kafka_topic_partition_list_t *list = commit_list(1, "");
    int64_t began_ms = clock_mono_ms();
    (void)state;
    cluster_silence(&cluster, CLUSTER_OFFSET_COMMIT);
    assert_int_equal(kafka_commit(rk, list, ASK_MS), RD_KAFKA_RESP_ERR__TIMED_OUT);
    assert_true(clock_mono_ms() - began_ms < BOUND_MS);
    rd_kafka_topic_partition_list_destroy(list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(beginnings_and_ends_are_found, open_all, close_all),
        cmocka_unit_test_setup_teardown(a_partition_that_is_not_there_is_named, open_all,
                                        close_all),
        cmocka_unit_test_setup_teardown(the_others_are_found_all_the_same, open_all, close_all),
        cmocka_unit_test_setup_teardown(silence_is_an_answer, open_all, close_all),
        cmocka_unit_test_setup_teardown(a_commit_is_answered, open_all, close_all),
        cmocka_unit_test_setup_teardown(a_commit_is_not_awaited_for_ever, open_all, leave_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
