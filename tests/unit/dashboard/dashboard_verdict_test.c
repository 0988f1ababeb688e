/* dashboard_verdict_test: the verdict on what Kafka says: commits, ends, the times of records. */
#include "fakes/dashboard_harness.h"

#include "sys/clock.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char beats[] = "beats";

/* A record that came `ago_s` seconds ago. */
static void write_at(struct dashboard_harness *s, const char *topic, int32_t partition,
                     int64_t ago_s)
{
    assert_false(rd_kafka_producev(s->cluster.rk, RD_KAFKA_V_TOPIC(topic),
                                   RD_KAFKA_V_PARTITION(partition), RD_KAFKA_V_VALUE("x", 1),
                                   RD_KAFKA_V_TIMESTAMP(clock_wall_ms() - ago_s * 1000),
                                   RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END));
    assert_false(rd_kafka_flush(s->cluster.rk, 10000));
}

static void write_member(struct dashboard_harness *s)
{
    char text[256];
    int len = snprintf(text, sizeof text,
                       "{\"version\":1,\"member\":\"m\",\"group\":\"elementor-sync\","
                       "\"at_ms\":%lld,\"partitions\":[]}",
                       (long long)clock_wall_ms());
    assert_false(rd_kafka_producev(s->cluster.rk, RD_KAFKA_V_TOPIC("elementor-sync.members"),
                                   RD_KAFKA_V_PARTITION(0), RD_KAFKA_V_KEY("m", 1),
                                   RD_KAFKA_V_VALUE(text, (size_t)len),
                                   RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END));
}

/* The status that holds the text; the member lives meanwhile. */
static struct answer await_status(struct dashboard_harness *s, const char *wanted)
{
    struct answer a = {0};
    for (int i = 0; i < 400; i++) {
        if (i % 40 == 0)
            write_member(s);
        a = dashboard_harness_ask(s, "GET", "/api/v1/status", s->operator, NULL);
        if (strstr(a.body, wanted) != NULL)
            return a;
        usleep(50000);
    }
    fail_msg("no %s in %s", wanted, a.body);
    return a;
}

static void assert_says(const struct answer *a, const char *text)
{
    if (strstr(a->body, text) == NULL)
        fail_msg("no %s in %s", text, a->body);
}

/* No member says a word of them: the dashboard asks for commits and ends itself. */
static void what_the_group_has_not_committed_is_known(void **state)
{
    struct dashboard_harness s;
    (void)state;
    dashboard_harness_open(&s);
    write_at(&s, CLUSTER_TOPIC, 0, 7200);
    write_at(&s, CLUSTER_TOPIC, 0, 3600);
    write_at(&s, CLUSTER_TOPIC, 0, 60);
    write_at(&s, CLUSTER_TOPIC, 1, 1800);
    cluster_commit(&s.cluster, "elementor-sync", 0, 3, "");
    cluster_commit(&s.cluster, "elementor-sync", 1, 1, "");
    dashboard_harness_start(&s);
    struct answer a = await_status(&s, "\"state\":\"all_well\"");
    a = dashboard_harness_ask(&s, "GET", "/metrics", s.operator, NULL);
    assert_says(&a, "elementor_sync_dashboard_verdict{state=\"all_well\"} 1\n");
    assert_says(&a, "elementor_sync_dashboard_unsettled_changes 0\n");
    assert_null(strstr(a.body, "dashboard_oldest_unsettled_timestamp_seconds"));
    assert_null(strstr(a.body, "dashboard_heartbeat_timestamp_seconds"));
    assert_null(strstr(a.body, "dashboard_newest_delivery_timestamp_seconds"));

    cluster_commit(&s.cluster, "elementor-sync", 0, 1, "");
    a = await_status(&s, "\"code\":\"waits_long\"");
    assert_says(&a, "\"state\":\"trouble\"");
    assert_says(&a, "\"count\":2");
    cluster_commit(&s.cluster, "elementor-sync", 0, 2, "");
    a = await_status(&s, "\"code\":\"catching_up\"");
    assert_says(&a, "\"state\":\"working\"");
    assert_says(&a, "\"count\":1");
    cluster_commit(&s.cluster, "elementor-sync", 0, 3, "");
    (void)await_status(&s, "\"state\":\"all_well\"");
    dashboard_harness_close(&s);
}

/* Hours without a change are quiet, or well where the source's heartbeats come, and trouble where
 * these stop. */
static void a_quiet_shop_is_told_from_a_source_that_stopped(void **state)
{
    struct dashboard_harness s;
    (void)state;
    dashboard_harness_open(&s);
    dashboard_harness_set(&s, "kafka.heartbeat_topic", beats);
    write_at(&s, CLUSTER_TOPIC, 2, 10000);
    cluster_commit(&s.cluster, "elementor-sync", 2, 1, "");
    dashboard_harness_start(&s);
    (void)await_status(&s, "\"state\":\"quiet\"");
    for (int64_t ago_s = 5000; ago_s >= 1000; ago_s -= 1000)
        write_at(&s, beats, 0, ago_s);
    struct answer a = await_status(&s, "\"state\":\"all_well\"");
    clock_skip(INT64_C(3000) * 1000); /* two are missing */
    a = await_status(&s, "\"state\":\"no_changes_arrive\"");
    assert_says(&a, "\"todo\":\"check_source\"");
    write_at(&s, CLUSTER_TOPIC, 2, 1);
    cluster_commit(&s.cluster, "elementor-sync", 2, 2, "");
    (void)await_status(&s, "\"state\":\"all_well\"");
    dashboard_harness_close(&s);
}

/* Within seconds, and never green meanwhile. */
static void brokers_that_are_away_blind_it(void **state)
{
    struct dashboard_harness s;
    (void)state;
    dashboard_harness_open(&s);
    dashboard_harness_start(&s);
    (void)await_status(&s, "\"state\":\"all_well\"");
    cluster_silence(&s.cluster, CLUSTER_LIST_OFFSETS);
    struct answer a = await_status(&s, "\"state\":\"blind\"");
    assert_says(&a, "\"code\":\"kafka_away\"");
    dashboard_harness_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_group_has_not_committed_is_known),
        cmocka_unit_test(a_quiet_shop_is_told_from_a_source_that_stopped),
        cmocka_unit_test(brokers_that_are_away_blind_it),
    };
    return pipeline_harness_main("dashboard_verdict", tests, sizeof tests / sizeof *tests);
}
