/* dashboard_trends_test: GET /api/v1/trends: what is known, and null where nothing is. */
#include "fakes/dashboard_harness.h"

#include "sys/clock.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { MINUTE = 60000, DAY = 24 * 60 * MINUTE };

static json_t *trends(struct dashboard_harness *s, int hours)
{
    char path[64];
    snprintf(path, sizeof path, "/api/v1/trends?hours=%d", hours);
    struct answer a = dashboard_harness_ask(s, "GET", path, s->operator, NULL);
    assert_int_equal(a.status, 200);
    json_t *said = json_loads(a.body, 0, NULL);
    assert_non_null(said);
    return said;
}

/* Of the point that this time is in. */
static const json_t *at(const json_t *said, const char *list, int64_t ms)
{
    int64_t from = json_integer_value(json_object_get(said, "from_ms"));
    int64_t step = json_integer_value(json_object_get(said, "step_ms"));
    const json_t *value = json_array_get(json_object_get(said, list), (size_t)((ms - from) / step));
    assert_non_null(value);
    return value;
}

static void write_member(struct dashboard_harness *s, const char *name, int64_t failures, int lag)
{
    char text[512];
    int64_t now_ms = clock_wall_ms();
    int len = snprintf(
        text, sizeof text,
        "{\"version\":1,\"member\":\"%s\",\"group\":\"elementor-sync\",\"started_ms\":%lld,"
        "\"at_ms\":%lld,\"partitions\":[{\"partition\":0,\"lag\":%d}],\"totals\":"
        "{\"failures\":%lld}}",
        name, (long long)(now_ms - now_ms % DAY - DAY), (long long)now_ms, lag,
        (long long)failures);
    assert_false(rd_kafka_producev(s->cluster.rk, RD_KAFKA_V_TOPIC("elementor-sync.members"),
                                   RD_KAFKA_V_PARTITION(0), RD_KAFKA_V_KEY(name, strlen(name)),
                                   RD_KAFKA_V_VALUE(text, (size_t)len),
                                   RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END));
}

/* Until the lag that was written last is told: the members have been looked at since. */
static json_t *await_lag(struct dashboard_harness *s, int lag)
{
    for (int i = 0; i < 1000; i++) {
        json_t *said = trends(s, 1);
        if (json_integer_value(at(said, "lag", clock_wall_ms())) == lag)
            return said;
        json_decref(said);
        if (i % 40 == 0) /* not so far that the member counts as gone */
            dashboard_harness_skip(s, 3000);
        usleep(20000);
    }
    fail_msg("the lag is never %d", lag);
    return NULL;
}

static void what_settled_is_known_from_before_the_start(void **state)
{
    struct dashboard_harness s;
    int64_t now_ms = clock_wall_ms();
    (void)state;
    dashboard_harness_open(&s);
    dashboard_harness_start(&s);
    for (int i = 0; i < 3; i++)
        dashboard_harness_outcome(&s, &(struct outcome){.order = i == 0   ? "o0"
                                                                 : i == 1 ? "o1"
                                                                          : "o2",
                                                        .state = i == 2 ? "parked" : "delivered",
                                                        .at_ms = now_ms - 20 * MINUTE});
    dashboard_harness_await_order(&s, "o2", "parked");
    json_t *said = trends(&s, 1);
    assert_int_equal(json_array_size(json_object_get(said, "delivered")), 60);
    assert_int_equal(json_integer_value(at(said, "delivered", now_ms - 20 * MINUTE)), 2);
    assert_int_equal(json_integer_value(at(said, "parked", now_ms - 20 * MINUTE)), 1);
    assert_true(json_is_integer(at(said, "delivered", now_ms - 10 * MINUTE))); /* known: none was */
    assert_int_equal(json_integer_value(at(said, "delivered", now_ms - 10 * MINUTE)), 0);
    assert_true(json_is_null(at(said, "p99_ms", now_ms - 10 * MINUTE)));
    assert_true(json_is_null(at(said, "delivered", now_ms - 40 * MINUTE))); /* before the first */
    assert_true(json_is_null(at(said, "failed", now_ms - 20 * MINUTE)));
    assert_true(json_is_null(at(said, "lag", now_ms)));
    json_decref(said);
    said = trends(&s, 24);
    assert_int_equal(json_array_size(json_object_get(said, "p50_ms")), 96);
    assert_int_equal(json_integer_value(json_object_get(said, "step_ms")), 15 * MINUTE);
    json_decref(said);
    said = trends(&s, 168);
    assert_int_equal(json_array_size(json_object_get(said, "lag")), 168);
    json_decref(said);
    dashboard_harness_close(&s);
}

static int failed_in_all(const json_t *said)
{
    const json_t *value;
    size_t i;
    double failed = 0;
    json_array_foreach (json_object_get(said, "failed"), i, value)
        failed += json_number_value(value);
    return (int)failed;
}

/* The first report of a member that is older than the dashboard tells nothing of a minute. */
static void members_failures_are_counted_from_report_to_report(void **state)
{
    struct dashboard_harness s;
    (void)state;
    dashboard_harness_open(&s);
    dashboard_harness_start(&s);
    write_member(&s, "m1", 1000, 7);
    json_decref(await_lag(&s, 7));
    write_member(&s, "m1", 1005, 9);
    json_t *said = await_lag(&s, 9);
    assert_int_equal(failed_in_all(said), 5);
    json_decref(said);
    dashboard_harness_skip(&s, 10 * MINUTE); /* nobody is heard, and so nothing known */
    said = trends(&s, 1);
    assert_true(json_is_null(at(said, "failed", clock_wall_ms())));
    assert_true(json_is_null(at(said, "lag", clock_wall_ms() - 5 * MINUTE)));
    json_decref(said);
    dashboard_harness_close(&s);
}

static void other_spans_are_refused(void **state)
{
    static const char *const queries[] = {"?hours=2", "?hours=0", "?hours=169", "?hours=x",
                                          "?days=1"};
    struct dashboard_harness s;
    char path[64];
    (void)state;
    dashboard_harness_open(&s);
    dashboard_harness_start(&s);
    for (size_t i = 0; i < sizeof queries / sizeof *queries; i++) {
        snprintf(path, sizeof path, "/api/v1/trends%s", queries[i]);
        assert_int_equal(dashboard_harness_ask(&s, "GET", path, s.operator, NULL).status, 400);
    }
    assert_int_equal(dashboard_harness_ask(&s, "GET", "/api/v1/trends", s.operator, NULL).status,
                     200);
    assert_int_equal(dashboard_harness_ask(&s, "GET", "/api/v1/trends", s.customer, NULL).status,
                     403);
    assert_int_equal(dashboard_harness_ask(&s, "GET", "/api/v1/trends", "", NULL).status, 401);
    dashboard_harness_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_settled_is_known_from_before_the_start),
        cmocka_unit_test(members_failures_are_counted_from_report_to_report),
        cmocka_unit_test(other_spans_are_refused),
    };
    return pipeline_harness_main("dashboard_trends", tests, sizeof tests / sizeof *tests);
}
