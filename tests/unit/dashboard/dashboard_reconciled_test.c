/* dashboard_reconciled_test: the last comparison with the shop's table, as the status has it. */
#include "fakes/dashboard_harness.h"

#include "sys/clock.h"
#include "topics/reconciled_record.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define COMPARED                                                                            \
    "{\"at_ms\":1795338930123,\"since_ms\":null,\"until_ms\":1795338900000,\"compared\":7," \
    "\"missing\":0}"

static void write_record(struct dashboard_harness *s, const char *key, const char *text)
{
    assert_false(rd_kafka_producev(s->cluster.rk, RD_KAFKA_V_TOPIC("elementor-sync.members"),
                                   RD_KAFKA_V_PARTITION(0), RD_KAFKA_V_KEY(key, strlen(key)),
                                   RD_KAFKA_V_VALUE((void *)(uintptr_t)text, strlen(text)),
                                   RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END));
}

static void await_status(struct dashboard_harness *s, const char *text)
{
    struct answer a = {0};
    for (int i = 0; i < 1000; i++) {
        a = dashboard_harness_ask(s, "GET", "/api/v1/status", s->operator, NULL);
        if (strstr(a.body, text) != NULL)
            return;
        usleep(10000);
    }
    fail_msg("no %s in %s", text, a.body);
}

static void the_last_comparison_of_the_group_is_shown(void **state)
{
    struct dashboard_harness s;
    struct buf record;
    char member[200];
    struct error err = {0};
    const struct reconciled_record last = {1795338930123, -1, 1795338900000, 7, 0};
    struct config *config = config_new();
    (void)state;
    assert_true(config_set(config, "kafka.group", "elementor-sync", "test", &err));
    dashboard_harness_open(&s);
    assert_true(config_set(config, "kafka.topic", s.config->kafka_topic, "test", &err));
    dashboard_harness_start(&s);
    await_status(&s, "\"reconciled\":null");
    write_record(&s, "another/reconcile",
                 "{\"group\":\"another\",\"topic\":\"orders\",\"reconciled\":" COMPARED "}");
    snprintf(member, sizeof member,
             "{\"group\":\"elementor-sync\",\"member\":\"m1\",\"at_ms\":%lld,\"partitions\":[]}",
             (long long)clock_wall_ms());
    write_record(&s, "m1", member);
    await_status(&s, "\"member\":\"m1\"");
    await_status(&s, "\"reconciled\":null");
    buf_init(&record, 4096);
    reconciled_record_write(config, &last, &record);
    write_record(&s, "elementor-sync/reconcile", buf_text(&record));
    await_status(&s, "\"reconciled\":" COMPARED);
    write_record(&s, "elementor-sync/reconcile",
                 "{\"group\":\"elementor-sync\",\"reconciled\":{}}");
    await_status(&s, "\"reconciled\":null");
    buf_done(&record);
    config_free(config);
    dashboard_harness_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_comparison_of_the_group_is_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
