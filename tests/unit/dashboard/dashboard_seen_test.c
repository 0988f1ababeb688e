/* dashboard_seen_test: orders that are not in the view yet, and the place of a parked record. */
#include "fakes/dashboard_harness.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SYNC "/functions/v1/sync-order-elementor"

static void a_forced_call_waits_for_an_unseen_order(void **state)
{
    struct dashboard_harness s;
    char request[64];
    (void)state;
    dashboard_harness_open(&s);
    dashboard_harness_set(&s, "dashboard.wait", "20s");
    dashboard_harness_start(&s);
    cluster_produce(&s.cluster, 0, "bytes", 5);
    int fd = dashboard_harness_send(&s, "POST", SYNC, s.operator,
                                    "{\"order_id\":\"o1\",\"force\":true}");
    dashboard_harness_outcome(&s, &(struct outcome){.order = "o1", .state = "delivered"});
    for (int i = 0; dashboard_harness_retries(&s, request) < 1; i++) {
        if (i == 1000)
            fail_msg("no retry record");
        usleep(10000);
    }
    dashboard_harness_outcome(
        &s, &(struct outcome){.order = "o1", .state = "delivered", .request = request});
    struct answer a = dashboard_harness_receive(fd);
    assert_int_equal(a.status, 200);
    a = dashboard_harness_ask(&s, "POST", SYNC, s.operator,
                              "{\"order_id\":\"none\",\"force\":true}");
    assert_int_equal(a.status, 404); /* before dashboard.wait is over */
    dashboard_harness_close(&s);
}

static void a_parked_record_is_at_its_stated_place(void **state)
{
    struct dashboard_harness s;
    const struct outcome o = {.order = "o1", .state = "parked", .reason = "http:422", .offset = 7};
    (void)state;
    dashboard_harness_open(&s);
    dashboard_harness_start(&s);
    dashboard_harness_park(&s, &o, "refused");
    dashboard_harness_outcome(&s, &o);
    dashboard_harness_await_order(&s, "o1", "parked");
    struct answer a = dashboard_harness_ask(&s, "GET", "/api/v1/orders/o1", s.operator, NULL);
    if (strstr(a.body, "\"parked_at\":{\"topic\":\"" CLUSTER_PARKED "\",\"partition\":") == NULL)
        fail_msg("%s", a.body);
    dashboard_harness_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_forced_call_waits_for_an_unseen_order),
        cmocka_unit_test(a_parked_record_is_at_its_stated_place),
    };
    return pipeline_harness_main("dashboard_seen", tests, sizeof tests / sizeof *tests);
}
