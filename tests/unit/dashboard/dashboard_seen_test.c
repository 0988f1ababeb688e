/* dashboard_seen_test: what is not in this view yet, and where a parked record lies. */
#include "fakes/dashboard_harness.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SYNC "/functions/v1/sync-order-elementor"

static void what_is_forced_before_it_is_seen_waits(void **state)
{
    struct station s;
    char request[64];
    (void)state;
    station_open(&s);
    station_set(&s, "dashboard.wait", "20s");
    station_start(&s);
    cluster_produce(&s.cluster, 0, "bytes", 5);
    int fd = station_send(&s, "POST", SYNC, s.operator, "{\"order_id\":\"o1\",\"force\":true}");
    station_outcome(&s, &(struct outcome){.order = "o1", .state = "delivered"});
    for (int i = 0; station_retries(&s, request) < 1; i++) {
        if (i == 1000)
            fail_msg("no retry record");
        usleep(10000);
    }
    station_outcome(&s, &(struct outcome){.order = "o1", .state = "delivered", .request = request});
    struct answer a = station_receive(fd);
    assert_int_equal(a.status, 200);
    a = station_ask(&s, "POST", SYNC, s.operator, "{\"order_id\":\"none\",\"force\":true}");
    assert_int_equal(a.status, 404); /* before dashboard.wait is over */
    station_close(&s);
}

static void a_parked_record_is_where_it_is_said_to_be(void **state)
{
    struct station s;
    const struct outcome o = {.order = "o1", .state = "parked", .reason = "http:422", .offset = 7};
    (void)state;
    station_open(&s);
    station_start(&s);
    station_park(&s, &o, "refused");
    station_outcome(&s, &o);
    station_await_order(&s, "o1", "parked");
    struct answer a = station_ask(&s, "GET", "/api/v1/orders/o1", s.operator, NULL);
    if (strstr(a.body, "\"parked_at\":{\"topic\":\"" CLUSTER_PARKED "\",\"partition\":") == NULL)
        fail_msg("%s", a.body);
    station_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_forced_before_it_is_seen_waits),
        cmocka_unit_test(a_parked_record_is_where_it_is_said_to_be),
    };
    return world_main("dashboard_seen", tests, sizeof tests / sizeof *tests);
}
