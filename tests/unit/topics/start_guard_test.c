/* start_guard: kafka.start=latest after the group's commits have expired. */
#include "check/check.h"
#include "fakes/pipeline_harness.h"
#include "topics/settings/start_guard.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DELIVERIES "shop.deliveries"

static const struct server_rule accepting[] = {{NULL, SERVER_ANSWER, NO_CONTENT, 0}, {0}};

static void open_shop(struct pipeline_harness *w)
{
    pipeline_harness_open(w, accepting);
    pipeline_harness_set(w, "kafka.start", "latest");
    pipeline_harness_set(w, "deliveries.topic", DELIVERIES);
    cluster_settle(&w->cluster);
    assert_false(rd_kafka_mock_topic_create(w->cluster.mock, DELIVERIES, 1, 1));
}

static void add_outcome(struct pipeline_harness *w, const char *value)
{
    assert_false(rd_kafka_producev(w->cluster.rk, RD_KAFKA_V_TOPIC(DELIVERIES),
                                   RD_KAFKA_V_PARTITION(0), RD_KAFKA_V_KEY("o", 1),
                                   RD_KAFKA_V_VALUE((void *)(uintptr_t)value, strlen(value)),
                                   RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END));
}

static void add_delivered(struct pipeline_harness *w, const char *topic, int partition, int offset)
{
    char value[256];
    snprintf(value, sizeof value,
             "{\"version\":1,\"state\":\"delivered\",\"order_id\":\"o\",\"topic\":\"%s\","
             "\"partition\":%d,\"offset\":%d,\"timestamp_ms\":1795771800123}",
             topic, partition, offset);
    add_outcome(w, value);
}

static void written(struct pipeline_harness *w)
{
    assert_false(rd_kafka_flush(w->cluster.rk, HARNESS_PATIENCE_MS));
}

static void run_refuses(void **state)
{
    const struct start_guard_question asked = {.timeout_ms = 10000, .reading_ms = 10000};
    char unknown[ERROR_TEXT_MAX];
    struct error err = {0};
    struct pipeline_harness w;
    (void)state;
    open_shop(&w);
    pipeline_harness_confirm(&w, 0, "before"); /* offsets 0 to 2 */
    pipeline_harness_confirm(&w, 1, "meanwhile");
    add_delivered(&w, CLUSTER_TOPIC, 0, 1);
    written(&w);
    assert_false(pipeline_harness_try_to_end(&w));
    assert_int_equal(w.err.code, ERROR_CONFIG);
    assert_string_equal(
        w.err.text,
        "kafka.start=latest would pass by up to 4 records in 2 partitions (the first: partition 0, "
        "2 to 3): group \"shop\" has no commit there, but its " DELIVERIES
        " names an outcome at partition 0, offset 1, so its commits have expired. Choose: "
        "kafka.start=earliest, elementor-sync replay --from 2026-11-27T08:30:00.000Z, or run "
        "--start-at-end");
    assert_int_equal(server_request_count(w.webhook), 0);
    assert_int_equal(cluster_committed(&w.cluster, "shop", 0), -1);
    w.options.start_at_end = true; /* the operator has chosen */
    pipeline_harness_run_to_end(&w);
    assert_int_equal(server_request_count(w.webhook), 0);
    assert_int_equal(cluster_committed(&w.cluster, "shop", 1), 3);
    pipeline_harness_confirm(&w, 1, "after"); /* there are commits again */
    assert_true(start_guard_allows(w.config, &asked, unknown, &err));
    assert_string_equal(unknown, "");
    pipeline_harness_close(&w);
}

static void earliest_needs_no_guard(void **state)
{
    struct pipeline_harness w;
    (void)state;
    open_shop(&w);
    pipeline_harness_set(&w, "kafka.start", "earliest");
    pipeline_harness_confirm(&w, 0, "before");
    add_delivered(&w, CLUSTER_TOPIC, 0, 0);
    written(&w);
    pipeline_harness_run_to_end(&w);
    assert_int_equal(server_request_count(w.webhook), 1);
    pipeline_harness_close(&w);
}

/* The deliveries topic has no outcome of this topic and group, or all is dealt with. */
static void first_start_is_allowed(void **state)
{
    struct pipeline_harness w;
    (void)state;
    open_shop(&w);
    pipeline_harness_confirm(&w, 0, "before");
    add_delivered(&w, "orders.of.another.shop", 0, 1);
    add_delivered(&w, CLUSTER_TOPIC ".eu", 0, 1);
    add_outcome(&w, "{\"topic\":\"" CLUSTER_TOPIC "\",\"partition\":\"0\",\"offset\":1}");
    add_outcome(&w, "{\"topic\":\"" CLUSTER_TOPIC "\",\"partition\":99,\"offset\":1}");
    add_outcome(&w, "{\"topic\":\"" CLUSTER_TOPIC "\",\"group\":\"staging\",\"partition\":0,"
                    "\"offset\":1}");
    add_outcome(&w, CLUSTER_TOPIC " not JSON");
    written(&w);
    pipeline_harness_run_to_end(&w);
    assert_int_equal(cluster_committed(&w.cluster, "shop", 0), 3);
    pipeline_harness_close(&w);
    open_shop(&w);
    pipeline_harness_confirm(&w, 2, "before");
    add_delivered(&w, CLUSTER_TOPIC, 2, 2); /* nothing lies behind it */
    written(&w);
    pipeline_harness_run_to_end(&w);
    assert_int_equal(cluster_committed(&w.cluster, "shop", 2), 3);
    pipeline_harness_close(&w);
}

/* A commit of one partition is gone (kafka-consumer-groups --delete-offsets); the others have
 * theirs. Only an outcome of that very partition proves that it is not a new one. */
static void one_commit_is_gone(void **state)
{
    struct pipeline_harness w;
    (void)state;
    open_shop(&w);
    for (int32_t p = 0; p < HARNESS_PARTITIONS; p++)
        pipeline_harness_confirm(&w, p, "before");
    cluster_commit(&w.cluster, "shop", 0, 3, "1.3..n3");
    cluster_commit(&w.cluster, "shop", 2, 3, "1.3..n3");
    add_delivered(&w, CLUSTER_TOPIC, 0, 2);
    written(&w);
    pipeline_harness_run_to_end(&w); /* partition 1 starts at its end, as the others did */
    pipeline_harness_close(&w);
    open_shop(&w);
    for (int32_t p = 0; p < HARNESS_PARTITIONS; p++)
        pipeline_harness_confirm(&w, p, "before");
    cluster_commit(&w.cluster, "shop", 0, 3, "1.3..n3");
    cluster_commit(&w.cluster, "shop", 2, 3, "1.3..n3");
    add_delivered(&w, CLUSTER_TOPIC, 1, 0);
    written(&w);
    assert_false(pipeline_harness_try_to_end(&w));
    assert_int_equal(w.err.code, ERROR_CONFIG);
    assert_non_null(strstr(w.err.text, "up to 2 records in 1 partitions (the first: partition 1, 1 "
                                       "to 3)"));
    pipeline_harness_close(&w);
}

/* Another shop has written a great deal since: the outcomes are looked for further back. */
static void further_back(void **state)
{
    struct pipeline_harness w;
    (void)state;
    open_shop(&w);
    pipeline_harness_confirm(&w, 0, "before");
    add_delivered(&w, CLUSTER_TOPIC, 0, 0);
    for (int i = 0; i < 2000; i++)
        add_delivered(&w, "orders.of.another.shop", 0, i);
    written(&w);
    assert_false(pipeline_harness_try_to_end(&w));
    assert_int_equal(w.err.code, ERROR_CONFIG);
    pipeline_harness_close(&w);
}

static void topic_made_anew(void **state)
{
    struct pipeline_harness w;
    (void)state;
    open_shop(&w);
    pipeline_harness_confirm(&w, 0, "new");
    add_delivered(&w, CLUSTER_TOPIC, 0, 5000);
    written(&w);
    assert_false(pipeline_harness_try_to_end(&w));
    assert_non_null(strstr(w.err.text, "up to 3 records in 1 partitions (the first: partition 0, 0 "
                                       "to 3)"));
    assert_non_null(strstr(w.err.text, "offset 5000"));
    pipeline_harness_close(&w);
}

/* Bounded, whatever does not answer; and no guess about it. */
static void commits_are_not_known(void **state)
{
    struct pipeline_harness w;
    char unknown[ERROR_TEXT_MAX];
    struct error err = {0};
    const struct start_guard_question question = {.timeout_ms = 300, .reading_ms = 300};
    (void)state;
    open_shop(&w);
    pipeline_harness_confirm(&w, 0, "before");
    cluster_silence(&w.cluster, CLUSTER_OFFSET_FETCH);
    assert_false(start_guard_allows(w.config, &question, unknown, &err));
    assert_int_equal(err.code, ERROR_UNREACHABLE);
    pipeline_harness_close(&w);
}

static void check_says_the_same(void **state)
{
    struct pipeline_harness w;
    struct buf b;
    struct error err = {0};
    const struct check_options options = {0};
    struct report *report = report_new();
    (void)state;
    open_shop(&w);
    pipeline_harness_confirm(&w, 0, "before");
    add_delivered(&w, CLUSTER_TOPIC, 0, 0);
    written(&w);
    check_run(w.config, &options, report);
    buf_init(&b, 1024 * 1024);
    report_json(report, "0", &b);
    const char *found = strstr(buf_text(&b), "kafka.start=latest would pass by up to 2 records");
    if (found == NULL || report_verdict(report, &err))
        fail_msg("%s", buf_text(&b));
    buf_done(&b);
    report_free(report);
    pipeline_harness_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_refuses),
        cmocka_unit_test(earliest_needs_no_guard),
        cmocka_unit_test(first_start_is_allowed),
        cmocka_unit_test(one_commit_is_gone),
        cmocka_unit_test(further_back),
        cmocka_unit_test(topic_made_anew),
        cmocka_unit_test(commits_are_not_known),
        cmocka_unit_test(check_says_the_same),
    };
    return pipeline_harness_main("start_guard", tests, sizeof tests / sizeof *tests);
}
