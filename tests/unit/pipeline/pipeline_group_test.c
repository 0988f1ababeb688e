/* pipeline_group: the group takes partitions away while orders are under way. */
#include "fakes/pipeline_harness.h"
#include "kafka/group/group_protocol.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define M "elementor_sync_"
#define MEMBERS "elementor-sync.members"

enum { TEXT_MAX = 65536, OFFSET_COMMIT = 8, HEARTBEAT = 12 };

static char text[TEXT_MAX];

static void await(struct pipeline_harness *w, const char *metric)
{
    pipeline_harness_await_scrape(w, "/metrics", metric, text, sizeof text);
}

/* Of partition 0: delivered first, so that more than two requests may be under way. */
enum { WARM = 4 };

static int64_t delivered_first(int32_t partition)
{
    return partition == 0 ? WARM : 0;
}

static void await_committed(struct pipeline_harness *w, int32_t partition, int64_t further)
{
    char committed[96];
    snprintf(committed, sizeof committed,
             M "partition_committed{topic=\"orders\",partition=\"%d\"} %lld\n", (int)partition,
             (long long)(delivered_first(partition) + further));
    await(w, committed);
}

/* Of each partition one order is under way; a drain would wait for it longer than any test does. */
static void open_busy(struct pipeline_harness *w, const struct server_rule *webhook)
{
    pipeline_harness_open(w, webhook);
    pipeline_harness_set(w, "drain.timeout", "5m");
    pipeline_harness_set(w, "webhook.timeout", "2m");
    pipeline_harness_set(w, "kafka.properties.session.timeout.ms", "2500");
    pipeline_harness_set(w, "kafka.properties.heartbeat.interval.ms", "100");
    for (int i = 0; i < WARM; i++) {
        char id[16];
        snprintf(id, sizeof id, "warm%d", i);
        pipeline_harness_produce(w, 0, id, "06", "confirmed");
    }
    pipeline_harness_start(w);
    await_committed(w, 0, 0);
    for (int32_t p = 0; p < HARNESS_PARTITIONS; p++) {
        char id[16];
        snprintf(id, sizeof id, "held%d", (int)p);
        pipeline_harness_produce(w, p, id, "06", "confirmed");
    }
    pipeline_harness_await_requests(w, WARM + HARNESS_PARTITIONS);
}

/* The end of an assignment that was lost touches nothing: not the window, not the group's offsets,
 * though the same member has the partition again by then. */
static void lost_partition_is_let_go_at_once(void **state)
{
    static const struct server_rule webhook[] = {{"warm", SERVER_ANSWER, NO_CONTENT, 0},
                                                 {NULL, SERVER_HOLD, BUSY, HARNESS_PARTITIONS},
                                                 {NULL, SERVER_ANSWER, BUSY, 0},
                                                 {0}};
    struct pipeline_harness w;
    (void)state;
    open_busy(&w, webhook);
    await(&w, M "deliveries_uncovered 3\n");
    double commits = pipeline_harness_metric(text, M "commits_total");
    rd_kafka_mock_push_request_errors(w.cluster.mock, HEARTBEAT, 1,
                                      RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION);
    await(&w, M "deliveries_uncovered 0\n");
    assert_true(pipeline_harness_metric(text, M "webhook_requests") == HARNESS_PARTITIONS);
    await(&w, M "deliveries{state=\"waiting\"} 3\n"); /* read again, behind those under way */
    server_release(w.webhook);
    pipeline_harness_await_requests(&w, WARM + HARNESS_PARTITIONS + 1);
    assert_true(pipeline_harness_metric(text, M "commits_total") == commits);
    pipeline_harness_set(&w, "drain.timeout", "0s");
    pipeline_harness_stop(&w);
    assert_true(w.ok);
    assert_int_equal(cluster_committed(&w.cluster, "shop", 0), WARM);
    for (int32_t p = 1; p < HARNESS_PARTITIONS; p++) {
        int64_t offset = cluster_committed(&w.cluster, "shop", p);
        assert_true(offset == -1 || offset == 0); /* 0: a commit that notes an attempt */
    }
    pipeline_harness_close(&w);
}

/* An answer that came after the loss is known when the partition is there again: the order is not
 * sent a second time. */
static void answered_record_is_not_sent_again(void **state)
{
    static const struct server_rule webhook[] = {
        {"warm", SERVER_ANSWER, NO_CONTENT, 0},
        {NULL, SERVER_HOLD, NO_CONTENT, HARNESS_PARTITIONS},
        {NULL, SERVER_ANSWER, BUSY, 0},
        {0}};
    struct pipeline_harness w;
    (void)state;
    open_busy(&w, webhook);
    await(&w, M "deliveries_uncovered 3\n");
    rd_kafka_mock_push_request_errors(w.cluster.mock, HEARTBEAT, 1,
                                      RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION);
    await(&w, M "deliveries_uncovered 0\n");
    assert_true(pipeline_harness_metric(text, M "webhook_requests") == HARNESS_PARTITIONS);
    await(&w, M "deliveries{state=\"waiting\"} 3\n"); /* read again, behind those under way */
    server_release(w.webhook);
    await(&w, M "records_delivered_total 7\n");
    await(&w, M "records_skipped_total{reason=\"already_delivered\"} 3\n");
    assert_true(pipeline_harness_metric(text, M "records_in_flight") == 0);
    pipeline_harness_stop(&w);
    assert_true(w.ok);
    assert_int_equal(server_request_count(w.webhook), WARM + HARNESS_PARTITIONS);
    for (int32_t p = 0; p < HARNESS_PARTITIONS; p++)
        assert_int_equal(cluster_committed(&w.cluster, "shop", p), delivered_first(p) + 1);
    pipeline_harness_close(&w);
}

/* ---- expelled while it drains ---- */

/* Joins and does nothing; librdkafka's own thread does what a member must. */
static rd_kafka_t *join(struct pipeline_harness *w)
{
    static const char *const settings[][2] = {
        {"group.id", "shop"},
        {"partition.assignment.strategy", "cooperative-sticky"},
        {"enable.auto.commit", "false"},
        {"session.timeout.ms", "2500"},
        {"heartbeat.interval.ms", "100"}};
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", w->cluster.brokers, NULL, 0);
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        assert_int_equal(rd_kafka_conf_set(conf, settings[i][0], settings[i][1], NULL, 0),
                         RD_KAFKA_CONF_OK);
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, NULL, 0);
    assert_non_null(rk);
    rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(topics, CLUSTER_TOPIC, RD_KAFKA_PARTITION_UA);
    assert_int_equal(rd_kafka_subscribe(rk, topics), RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_topic_partition_list_destroy(topics);
    return rk;
}

/* A member that ends between its JoinGroup and its first assignment aborts the process: an
 * assertion of librdkafka 2.0.2's sticky assignor. */
static void await_assignment(rd_kafka_t *rk)
{
    enum { LOOK_MS = 10 };
    for (int waited_ms = 0, count = 0; count == 0; waited_ms += LOOK_MS) {
        rd_kafka_topic_partition_list_t *list;
        assert_true(waited_ms < HARNESS_PATIENCE_MS);
        assert_int_equal(rd_kafka_assignment(rk, &list), RD_KAFKA_RESP_ERR_NO_ERROR);
        count = list->cnt;
        rd_kafka_topic_partition_list_destroy(list);
        usleep(LOOK_MS * 1000);
    }
}

static void leave(rd_kafka_t *rk)
{
    rd_kafka_consumer_close(rk);
    rd_kafka_destroy(rk);
}

static void find_revoking(void *context, const rd_kafka_message_t *m)
{
    bool *found = context;
    char record[4096];
    snprintf(record, sizeof record, "%.*s", (int)m->len, (const char *)m->payload);
    *found |= strstr(record, "\"state\":\"revoking\"") != NULL;
}

static void await_revoking(struct pipeline_harness *w)
{
    for (bool found = false; !found;) /* the members topic comes to its end each time */
        cluster_read(&w->cluster, MEMBERS, find_revoking, &found);
}

static void fail_commits(struct pipeline_harness *w, rd_kafka_resp_err_t code, size_t count)
{
    rd_kafka_resp_err_t codes[1000];
    assert_true(count <= sizeof codes / sizeof *codes);
    for (size_t i = 0; i < count; i++)
        codes[i] = code;
    rd_kafka_mock_clear_request_errors(w->cluster.mock, OFFSET_COMMIT);
    rd_kafka_mock_push_request_errors_array(w->cluster.mock, OFFSET_COMMIT, count, codes);
}

/* It drains for another member's sake when a commit tells it that the group goes on without it:
 * nothing that it drains for can be committed any more. The other partitions it keeps: while it
 * joins again no commit of theirs is sent that would cost it them, too. */
static void expelled_member_does_not_drain(void **state)
{
    static const struct server_rule webhook[] = {
        {"warm", SERVER_ANSWER, NO_CONTENT, 0},
        {NULL, SERVER_HOLD, NO_CONTENT, HARNESS_PARTITIONS},
        {NULL, SERVER_ANSWER, NO_CONTENT, 0},
        {0}};
    struct pipeline_harness w;
    (void)state;
    open_busy(&w, webhook);
    fail_commits(&w, RD_KAFKA_RESP_ERR_INVALID_COMMIT_OFFSET_SIZE, 1000);
    for (int32_t p = 0; p < HARNESS_PARTITIONS; p++) {
        char id[16];
        snprintf(id, sizeof id, "quick%d", (int)p);
        pipeline_harness_produce(&w, p, id, "06", "confirmed");
    }
    await(&w, M "records_delivered_total 7\n");
    rd_kafka_t *other = join(&w);
    await_revoking(&w);
    fail_commits(&w, RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION, 1);
    await(&w, M "deliveries_uncovered 2\n"); /* of each partition that it keeps, the one held */
    assert_true(pipeline_harness_metric(text, M "webhook_requests") == HARNESS_PARTITIONS);
    leave(other);
    server_release(w.webhook);
    for (int32_t p = 0; p < HARNESS_PARTITIONS; p++)
        await_committed(&w, p, 2);
    pipeline_harness_stop(&w);
    assert_true(w.ok);
    pipeline_harness_close(&w);
}

/* A third of the partitions goes to another member, and a third of the rate with it. */
static void the_share_of_the_rate_follows_the_assignment(void **state)
{
    static const struct server_rule webhook[] = {{NULL, SERVER_ANSWER, NO_CONTENT, 0}, {0}};
    struct pipeline_harness w;
    (void)state;
    pipeline_harness_open(&w, webhook);
    pipeline_harness_set(&w, "webhook.rate", "30");
    pipeline_harness_set(&w, "kafka.properties.session.timeout.ms", "2500");
    pipeline_harness_set(&w, "kafka.properties.heartbeat.interval.ms", "100");
    pipeline_harness_start(&w);
    await(&w, M "webhook_rate 30.000\n");
    rd_kafka_t *other = join(&w);
    await(&w, M "webhook_rate 20.000\n");
    await_assignment(other);
    leave(other);
    await(&w, M "webhook_rate 30.000\n");
    pipeline_harness_stop(&w);
    assert_true(w.ok);
    pipeline_harness_close(&w);
}

/* The mock cluster has no group of two protocols (wrapped at link time). */
static bool has_other_protocol;
bool __wrap_group_has_other_protocol(rd_kafka_t *rk, const struct config *config, int timeout_ms);
bool __wrap_group_has_other_protocol(rd_kafka_t *rk, const struct config *config, int timeout_ms)
{
    (void)rk, (void)config, (void)timeout_ms;
    return has_other_protocol;
}

static void members_of_another_protocol_are_warned_of(void **state)
{
    static const struct server_rule webhook[] = {{NULL, SERVER_ANSWER, NO_CONTENT, 0}, {0}};
    struct pipeline_harness w;
    (void)state;
    pipeline_harness_open(&w, webhook);
    pipeline_harness_log_open(&w);
    has_other_protocol = true;
    pipeline_harness_start(&w);
    pipeline_harness_await_log(&w, "event=\"group of two protocols\" group=");
    has_other_protocol = false;
    pipeline_harness_stop(&w);
    assert_true(w.ok);
    pipeline_harness_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lost_partition_is_let_go_at_once),
        cmocka_unit_test(answered_record_is_not_sent_again),
        cmocka_unit_test(expelled_member_does_not_drain),
        cmocka_unit_test(the_share_of_the_rate_follows_the_assignment),
        cmocka_unit_test(members_of_another_protocol_are_warned_of),
    };
    return pipeline_harness_main("pipeline_group", tests, sizeof tests / sizeof *tests);
}
