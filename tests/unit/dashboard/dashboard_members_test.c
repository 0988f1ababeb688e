/* dashboard_members_test: members' reports, with numbers of any size; the view's own metrics. */
#include "fakes/dashboard_harness.h"

#include "sys/clock.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LARGEST "9223372036854775807"
#define LEAST "-9223372036854775808"

static void write_member(struct dashboard_harness *s, const char *name, const char *at_ms,
                         const char *more)
{
    char text[1024];
    int len = snprintf(text, sizeof text,
                       "{\"version\":1,\"member\":\"%s\",\"group\":\"elementor-sync\","
                       "\"at_ms\":%s,%s}",
                       name, at_ms, more);
    assert_false(rd_kafka_producev(s->cluster.rk, RD_KAFKA_V_TOPIC("elementor-sync.members"),
                                   RD_KAFKA_V_PARTITION(0), RD_KAFKA_V_KEY(name, strlen(name)),
                                   RD_KAFKA_V_VALUE(text, (size_t)len),
                                   RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END));
}

static struct answer await_member(struct dashboard_harness *s, const char *name)
{
    char text[64];
    snprintf(text, sizeof text, "\"member\":\"%s\"", name);
    for (int i = 0; i < 1000; i++) {
        struct answer a = dashboard_harness_ask(s, "GET", "/api/v1/status", s->operator, NULL);
        if (strstr(a.body, text) != NULL)
            return a;
        usleep(10000);
    }
    fail_msg("%s is never shown", name);
    return (struct answer){0};
}

/* The sums end at the largest number, and what is below 0 counts as 0; a build that traps on
 * overflow goes on. */
static void numbers_of_any_size_are_summed(void **state)
{
    static const char large[] =
        "\"in_flight\":" LARGEST ",\"waiting\":" LARGEST ",\"retrying\":" LARGEST
        ",\"rates\":{\"delivered_per_s\":1e308},\"partitions\":[{\"partition\":0,\"lag\":" LARGEST
        "},{\"partition\":1,\"lag\":" LARGEST "}]";
    static const char small[] = "\"in_flight\":" LEAST ",\"waiting\":" LEAST ",\"retrying\":" LEAST
                                ",\"partitions\":[{\"partition\":2,\"lag\":" LEAST "}]";
    struct dashboard_harness s;
    char now[32];
    (void)state;
    dashboard_harness_open(&s);
    dashboard_harness_start(&s);
    snprintf(now, sizeof now, "%lld", (long long)clock_wall_ms());
    write_member(&s, "m1", now, large);
    write_member(&s, "m2", now, large);
    write_member(&s, "m3", now, small);
    write_member(&s, "m4", LEAST, small);
    write_member(&s, "m5", LARGEST, small);
    struct answer a = await_member(&s, "m5");
    static const char *const sums[] = {"\"lag\":" LARGEST ",", "\"in_flight\":" LARGEST ",",
                                       "\"waiting\":" LARGEST ",", "\"delivered_per_s\":"};
    for (size_t i = 0; i < sizeof sums / sizeof *sums; i++)
        if (strstr(a.body, sums[i]) == NULL)
            fail_msg("no %s in %s", sums[i], a.body);
    a = dashboard_harness_ask(&s, "GET", "/api/v1/activity", s.operator, NULL);
    assert_int_equal(a.status, 200);
    dashboard_harness_close(&s);
}

static void assert_line(const struct answer *a, const char *line)
{
    if (strstr(a->body, line) == NULL)
        fail_msg("no %s in %s", line, a->body);
}

/* The members find the pace one by one: the longest hold of those alive is said. */
static void a_hold_is_shown_until_it_is_over(void **state)
{
    struct dashboard_harness s;
    char now[32], more[160], expected[64];
    int64_t now_ms = clock_wall_ms(), until_ms = now_ms + 600000;
    (void)state;
    dashboard_harness_open(&s);
    dashboard_harness_start(&s);
    snprintf(now, sizeof now, "%lld", (long long)now_ms);
    write_member(&s, "m1", now, "\"partitions\":[],\"pace\":{\"hold_until_ms\":1000}");
    struct answer a = await_member(&s, "m1");
    assert_line(&a, "\"hold_until_ms\":null");
    assert_line(&a, "\"verdict\":{\"state\":\"all_well\",\"since_ms\":null,\"flows\":true");
    snprintf(more, sizeof more, "\"partitions\":[],\"pace\":{\"hold_until_ms\":%lld}",
             (long long)until_ms);
    write_member(&s, "m2", now, more);
    write_member(&s, "m3", now, "\"partitions\":[],\"pace\":{\"hold_until_ms\":null}");
    a = await_member(&s, "m3");
    snprintf(expected, sizeof expected, "\"hold_until_ms\":%lld", (long long)until_ms);
    assert_line(&a, expected);
    assert_line(&a, "\"verdict\":{\"state\":\"working\",\"since_ms\":null,\"flows\":false,"
                    "\"causes\":[{\"code\":"
                    "\"webhook_holds\"");
    dashboard_harness_close(&s);
}

/* Operators alone: the numbers tell a shop's turnover. */
static void metrics_count_orders_and_those_that_expire(void **state)
{
    const int64_t day_ms = 24 * 3600 * INT64_C(1000);
    struct dashboard_harness s;
    (void)state;
    dashboard_harness_open(&s);
    dashboard_harness_set(&s, "parked.retention", "30d");
    dashboard_harness_start(&s);
    int64_t now_ms = clock_wall_ms();
    dashboard_harness_outcome(&s, &(struct outcome){.order = "o1", .state = "delivered"});
    dashboard_harness_outcome(
        &s, &(struct outcome){.order = "o2", .state = "parked", .at_ms = now_ms - 25 * day_ms});
    dashboard_harness_outcome(
        &s, &(struct outcome){.order = "o3", .state = "parked", .at_ms = now_ms - 2 * day_ms});
    dashboard_harness_await_order(&s, "o3", "parked");
    assert_int_equal(dashboard_harness_ask(&s, "GET", "/metrics", "", NULL).status, 401);
    struct answer a = dashboard_harness_ask(&s, "GET", "/metrics", s.operator, NULL);
    assert_int_equal(a.status, 200);
    assert_line(&a, "elementor_sync_dashboard_orders{state=\"delivered\"} 1\n");
    assert_line(&a, "elementor_sync_dashboard_orders{state=\"parked\"} 2\n");
    assert_line(&a, "elementor_sync_dashboard_parked_expiring 1\n");
    dashboard_harness_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hold_is_shown_until_it_is_over),
        cmocka_unit_test(numbers_of_any_size_are_summed),
        cmocka_unit_test(metrics_count_orders_and_those_that_expire),
    };
    return pipeline_harness_main("dashboard_members", tests, sizeof tests / sizeof *tests);
}
