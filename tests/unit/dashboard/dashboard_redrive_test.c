/* dashboard_redrive_test: a redrive sends what its preview showed, though orders keep being parked.
 */
#include "fakes/dashboard_harness.h"

#include "sys/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REDRIVES "/api/v1/redrives"

static struct answer start(struct dashboard_harness *s, int64_t until_ms, int count)
{
    char body[96];
    snprintf(body, sizeof body, "{\"until_ms\":%" PRId64 ",\"confirm\":%d}", until_ms, count);
    return dashboard_harness_ask(s, "POST", REDRIVES, s->operator, body);
}

static void what_is_parked_after_the_preview_is_left_out(void **state)
{
    struct dashboard_harness s;
    int64_t now_ms = clock_wall_ms();
    (void)state;
    dashboard_harness_open(&s);
    dashboard_harness_start(&s);
    for (int i = 0; i < 3; i++)
        cluster_produce(&s.cluster, 0, "bytes", 5);
    dashboard_harness_refused(&s, "o1", 0, now_ms - 2000);
    dashboard_harness_refused(&s, "o2", 1, now_ms - 1000);
    struct answer a = dashboard_harness_ask(&s, "POST", REDRIVES "/preview", s.operator, "{}");
    int64_t until_ms = answer_number(&a, "until_ms");
    assert_int_equal(answer_number(&a, "count"), 2);
    assert_int_equal(until_ms, now_ms - 1000 + 1);
    dashboard_harness_refused(&s, "o3", 2, now_ms);
    a = start(&s, until_ms, 2);
    assert_int_equal(a.status, 202);
    while (strstr(a.body, "\"ended_ms\":null") != NULL ||
           strstr(a.body, "\"state\":\"done\"") == NULL)
        a = dashboard_harness_ask(&s, "GET", REDRIVES, s.operator, NULL);
    assert_int_equal(answer_number(&a, "sent"), 2);
    a = dashboard_harness_ask(&s, "POST", REDRIVES "/preview", s.operator, "{}");
    assert_int_equal(answer_number(&a, "count"), 1);
    dashboard_harness_close(&s);
}

/* An earlier one that is heard of later is in it: the preview did not show it. */
static void what_the_preview_did_not_show_is_not_sent(void **state)
{
    struct dashboard_harness s;
    int64_t now_ms = clock_wall_ms();
    (void)state;
    dashboard_harness_open(&s);
    dashboard_harness_start(&s);
    struct answer a = dashboard_harness_ask(&s, "POST", REDRIVES "/preview", s.operator, "{}");
    assert_non_null(strstr(a.body, "\"until_ms\":null"));
    dashboard_harness_refused(&s, "o1", 0, now_ms);
    a = dashboard_harness_ask(&s, "POST", REDRIVES "/preview", s.operator, "{}");
    int64_t until_ms = answer_number(&a, "until_ms");
    dashboard_harness_refused(&s, "o2", 1, now_ms - 1000);
    a = start(&s, until_ms, 1);
    assert_int_equal(a.status, 409);
    assert_int_equal(answer_number(&a, "count"), 2);
    dashboard_harness_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_parked_after_the_preview_is_left_out),
        cmocka_unit_test(what_the_preview_did_not_show_is_not_sent),
    };
    return pipeline_harness_main("dashboard_redrive", tests, sizeof tests / sizeof *tests);
}
