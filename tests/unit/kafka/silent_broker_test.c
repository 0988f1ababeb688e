/* silent_broker_test: a broker that takes a question and never answers it holds up nothing for
 * longer than that one's limit says. */
#include "fakes/pipeline_harness.h"
#include "kafka/group/group_admin.h"
#include "kafka/reader.h"
#include "sys/clock.h"
#include "unit/check/check_fixture.h"

#define M "elementor_sync_"

/* The limits are 5 and 10 s, and to leave a group as long again; librdkafka's own, where it has
 * one, is a minute. */
enum { BOUND_MS = 40000, TEXT_MAX = 65536 };

static const struct server_rule accepting[] = {{NULL, SERVER_ANSWER, NO_CONTENT, 0}, {0}};

static char text[TEXT_MAX];

/* ---- a member ---- */

/* Its partitions have no commit, so that it asks where they begin. */
static void stop_amid(enum cluster_question question)
{
    struct pipeline_harness w;
    pipeline_harness_open(&w, accepting);
    pipeline_harness_set(&w, "kafka.start", "latest");
    pipeline_harness_set(&w, "drain.timeout", "1s");
    pipeline_harness_set(&w, "outcome.timeout", "1s");
    for (int32_t p = 0; p < HARNESS_PARTITIONS; p++)
        pipeline_harness_confirm(&w, p, "before");
    cluster_silence(&w.cluster, question);
    pipeline_harness_start(&w);
    cluster_await_question(&w.cluster, question);
    int64_t asked_ms = clock_mono_ms();
    pipeline_harness_stop(&w);
    assert_true(clock_mono_ms() - asked_ms < BOUND_MS);
    assert_true(w.ok);
    pipeline_harness_close(&w);
}

static void a_member_ends_while_it_asks_for_commits(void **state)
{
    (void)state;
    stop_amid(CLUSTER_OFFSET_FETCH);
}

static void a_member_ends_while_it_asks_for_offsets(void **state)
{
    (void)state;
    stop_amid(CLUSTER_LIST_OFFSETS);
}

static void a_member_ends_while_it_commits_where_to_start(void **state)
{
    (void)state;
    stop_amid(CLUSTER_OFFSET_COMMIT);
}

static void a_member_ends_while_a_commit_is_unanswered(void **state)
{
    struct pipeline_harness w;
    (void)state;
    pipeline_harness_open(&w, accepting);
    pipeline_harness_set(&w, "drain.timeout", "1s");
    pipeline_harness_set(&w, "outcome.timeout", "1s");
    pipeline_harness_confirm(&w, 0, "o1");
    cluster_silence(&w.cluster, CLUSTER_OFFSET_COMMIT);
    pipeline_harness_start(&w);
    pipeline_harness_await_scrape(&w, "/metrics", M "records_delivered_total 1\n", text,
                                  sizeof text);
    int64_t asked_ms = clock_mono_ms();
    pipeline_harness_stop(&w);
    assert_true(clock_mono_ms() - asked_ms < BOUND_MS);
    pipeline_harness_close(&w);
}

/* ---- a member that delivers ---- */

/* Its partitions are lost and given again, and no answer says where they begin: what is under way
 * is answered in time, and so are requests to the ops port. */
static void a_silent_coordinator_does_not_stop_the_loop(void **state)
{
    enum { HEARTBEAT = 12, ASKED = 20, LATEST_ANSWER_MS = 2500 /* a look-up takes 5 s */ };
    static const struct server_rule holding[] = {{NULL, SERVER_HOLD, NO_CONTENT, 1}, {0}};
    struct pipeline_harness w;
    (void)state;
    pipeline_harness_open(&w, holding);
    pipeline_harness_set(&w, "webhook.timeout", "20s");
    pipeline_harness_set(&w, "kafka.properties.session.timeout.ms", "2500");
    pipeline_harness_set(&w, "kafka.properties.heartbeat.interval.ms", "100");
    pipeline_harness_set(&w, "drain.timeout", "1s");
    pipeline_harness_set(&w, "outcome.timeout", "1s");
    pipeline_harness_produce(&w, 0, "held", "06", "confirmed");
    pipeline_harness_start(&w);
    pipeline_harness_await_requests(&w, 1);
    cluster_silence(&w.cluster, CLUSTER_OFFSET_FETCH);
    rd_kafka_mock_push_request_errors(w.cluster.mock, HEARTBEAT, 1,
                                      RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION);
    cluster_await_question(&w.cluster, CLUSTER_OFFSET_FETCH);
    for (int i = 0; i < ASKED; i++) {
        int64_t asked_ms = clock_mono_ms();
        pipeline_harness_scrape(&w, "/livez", text, sizeof text);
        assert_true(clock_mono_ms() - asked_ms < LATEST_ANSWER_MS);
        assert_string_not_equal(text, "");
    }
    server_release(w.webhook);
    pipeline_harness_await_scrape(&w, "/metrics", M "records_delivered_total 1\n", text,
                                  sizeof text);
    assert_true(pipeline_harness_metric(text, M "webhook_failures_total") == 0);
    assert_true(pipeline_harness_metric(text, M "loop_longest_turn_seconds") * 1000 <
                LATEST_ANSWER_MS);
    pipeline_harness_stop(&w);
    pipeline_harness_close(&w);
}

static void until_end_says_that_no_end_is_told(void **state)
{
    struct pipeline_harness w;
    (void)state;
    pipeline_harness_open(&w, accepting);
    pipeline_harness_confirm(&w, 0, "o1");
    cluster_silence(&w.cluster, CLUSTER_LIST_OFFSETS);
    int64_t began_ms = clock_mono_ms();
    assert_false(pipeline_harness_try_to_end(&w));
    assert_true(clock_mono_ms() - began_ms < BOUND_MS);
    assert_int_equal(w.err.code, ERROR_UNREACHABLE);
    assert_non_null(strstr(w.err.text, "the broker did not answer in time"));
    pipeline_harness_close(&w);
}

/* ---- the commands ---- */

static void preview_says_so(void **state)
{
    struct pipeline_harness w;
    struct error err = {0};
    (void)state;
    pipeline_harness_open(&w, accepting);
    pipeline_harness_confirm(&w, 0, "o1");
    cluster_silence(&w.cluster, CLUSTER_LIST_OFFSETS);
    int64_t began_ms = clock_mono_ms();
    assert_null(reader_new(w.config, "beginning", true, &err));
    assert_true(clock_mono_ms() - began_ms < BOUND_MS);
    assert_int_equal(err.code, ERROR_UNREACHABLE);
    assert_string_equal(err.text, "offsets of orders: the broker did not answer in time");
    pipeline_harness_close(&w);
}

static void offsets_say_so(void **state)
{
    struct pipeline_harness w;
    struct group_topic topic;
    struct error err = {0};
    (void)state;
    pipeline_harness_open(&w, accepting);
    cluster_silence(&w.cluster, CLUSTER_LIST_OFFSETS);
    int64_t began_ms = clock_mono_ms();
    struct group *group = group_new(w.config, &err);
    assert_non_null(group);
    assert_false(group_look(group, CLUSTER_TOPIC, &topic, &err));
    group_topic_done(&topic);
    group_free(group);
    assert_true(clock_mono_ms() - began_ms < BOUND_MS);
    assert_int_equal(err.code, ERROR_UNREACHABLE);
    assert_string_equal(err.text, "offsets of orders: the broker did not answer in time");
    pipeline_harness_close(&w);
}

static void a_reset_says_so(void **state)
{
    static const struct group_commit commit = {0, 7, ""};
    struct pipeline_harness w;
    struct error err = {0};
    (void)state;
    pipeline_harness_open(&w, accepting);
    cluster_silence(&w.cluster, CLUSTER_OFFSET_COMMIT);
    int64_t began_ms = clock_mono_ms();
    struct group *group = group_new(w.config, &err);
    assert_non_null(group);
    assert_false(group_commit(group, CLUSTER_TOPIC, &commit, 1, &err));
    group_free(group);
    assert_true(clock_mono_ms() - began_ms < BOUND_MS);
    assert_int_equal(err.code, ERROR_UNREACHABLE);
    assert_non_null(strstr(err.text, "whether the reset came to pass is not known"));
    pipeline_harness_close(&w);
}

static void check_says_so(void **state)
{
    static const struct server_rule registry[] = {{NULL, SERVER_ANSWER_CLOSE, NOT_FOUND, 0}, {0}};
    struct bench b;
    (void)state;
    bench_open(&b, registry);
    cluster_silence(&b.cluster, CLUSTER_LIST_OFFSETS);
    int64_t began_ms = clock_mono_ms();
    bench_check(&b);
    assert_true(clock_mono_ms() - began_ms < BOUND_MS);
    expect_finding(&b, "fail", "kafka", "topic", "the broker did not answer in time");
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_member_ends_while_it_asks_for_commits),
        cmocka_unit_test(a_member_ends_while_it_asks_for_offsets),
        cmocka_unit_test(a_member_ends_while_it_commits_where_to_start),
        cmocka_unit_test(a_member_ends_while_a_commit_is_unanswered),
        cmocka_unit_test(a_silent_coordinator_does_not_stop_the_loop),
        cmocka_unit_test(until_end_says_that_no_end_is_told),
        cmocka_unit_test(preview_says_so),
        cmocka_unit_test(offsets_say_so),
        cmocka_unit_test(a_reset_says_so),
        cmocka_unit_test(check_says_so),
    };
    return pipeline_harness_main("silent_broker", tests, sizeof tests / sizeof *tests);
}
