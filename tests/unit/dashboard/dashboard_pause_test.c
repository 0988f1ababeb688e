/* dashboard_pause_test: an operator pauses the group and lets it go on by the API; the word is a
 * record of the control topic, and the status tells of it. */
#include "fakes/dashboard_harness.h"

#include "sys/clock.h"
#include "topics/control_record.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void await_status(struct dashboard_harness *s, const char *wanted)
{
    for (int i = 0; i < 1000; i++) {
        struct answer a = dashboard_harness_ask(s, "GET", "/api/v1/status", s->operator, NULL);
        if (strstr(a.body, wanted) != NULL)
            return;
        usleep(10000);
    }
    fail_msg("no %s in the status", wanted);
}

/* One that is alive for as long as the test may take. */
static void write_member(struct dashboard_harness *s)
{
    enum { TEN_MINUTES_MS = 600000 };
    char record[256];
    snprintf(record, sizeof record,
             "{\"version\":1,\"member\":\"m1\",\"group\":\"elementor-sync\",\"at_ms\":%" PRId64
             ",\"partitions\":[],\"paused\":false}",
             clock_wall_ms() + TEN_MINUTES_MS);
    assert_false(rd_kafka_producev(s->cluster.rk, RD_KAFKA_V_TOPIC("elementor-sync.members"),
                                   RD_KAFKA_V_PARTITION(0), RD_KAFKA_V_KEY("m1", 2),
                                   RD_KAFKA_V_VALUE(record, strlen(record)),
                                   RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END));
}

struct said {
    const struct config *config;
    struct control_word last;
};

static void note_word(void *context, const rd_kafka_message_t *m)
{
    struct said *said = context;
    assert_true(control_record_read(said->config, m, &said->last));
}

static void a_word_is_written_shown_and_taken_back(void **state)
{
    struct dashboard_harness s;
    (void)state;
    dashboard_harness_open(&s);
    dashboard_harness_start(&s);
    struct said said = {.config = s.config};
    write_member(&s);
    await_status(&s, "\"member\":\"m1\"");
    await_status(&s, "\"paused\":null");
    struct answer a =
        dashboard_harness_ask(&s, "POST", "/api/v1/pause", s.operator, "{\"reason\":\"stock\"}");
    assert_int_equal(a.status, 200);
    assert_non_null(strstr(a.body, "\"reason\":\"stock\""));
    await_status(&s, "\"reason\":\"stock\"");
    await_status(&s, "\"code\":\"paused\"");
    a = dashboard_harness_ask(&s, "GET", "/metrics", s.operator, NULL);
    assert_non_null(strstr(a.body, "elementor_sync_dashboard_paused 1\n"));
    a = dashboard_harness_ask(&s, "POST", "/api/v1/pause", s.operator, "{\"reason\":\"other\"}");
    assert_int_equal(a.status, 200);
    assert_non_null(strstr(a.body, "\"reason\":\"stock\""));
    assert_int_equal(cluster_read(&s.cluster, CLUSTER_CONTROL, note_word, &said), 1);
    assert_true(said.last.paused);
    assert_string_equal(said.last.reason, "stock");
    assert_string_not_equal(said.last.by, "");
    a = dashboard_harness_ask(&s, "POST", "/api/v1/resume", s.operator, "{}");
    assert_int_equal(a.status, 200);
    await_status(&s, "\"paused\":null");
    assert_int_equal(cluster_read(&s.cluster, CLUSTER_CONTROL, note_word, &said), 2);
    assert_false(said.last.paused);
    dashboard_harness_close(&s);
}

static void only_an_operator_with_a_reason_pauses(void **state)
{
    static const char *const bad[] = {"{}", "{\"reason\":\"\"}", "{\"reason\":7}", "[]"};
    struct dashboard_harness s;
    (void)state;
    dashboard_harness_open(&s);
    dashboard_harness_start(&s);
    struct said said = {.config = s.config};
    const char *body = "{\"reason\":\"stock\"}";
    assert_int_equal(dashboard_harness_ask(&s, "POST", "/api/v1/pause", "", body).status, 401);
    assert_int_equal(dashboard_harness_ask(&s, "POST", "/api/v1/pause", s.customer, body).status,
                     403);
    assert_int_equal(dashboard_harness_ask(&s, "POST", "/api/v1/resume", s.customer, "{}").status,
                     403);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(
            dashboard_harness_ask(&s, "POST", "/api/v1/pause", s.operator, bad[i]).status, 400);
    assert_int_equal(cluster_read(&s.cluster, CLUSTER_CONTROL, note_word, &said), 0);
    dashboard_harness_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_word_is_written_shown_and_taken_back),
        cmocka_unit_test(only_an_operator_with_a_reason_pauses),
    };
    return pipeline_harness_main("dashboard_pause", tests, sizeof tests / sizeof *tests);
}
