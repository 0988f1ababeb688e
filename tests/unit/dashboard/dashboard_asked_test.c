/* dashboard_asked_test: an operator's own requests are known after the page was loaded again. */
#include "fakes/dashboard_harness.h"

#include "sys/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REQUESTS "/api/v1/requests"

static void open_with_parked(struct dashboard_harness *s)
{
    const struct outcome o1 = {.order = "o1", .state = "parked", .reason = "http:422"};
    dashboard_harness_open(s);
    dashboard_harness_start(s);
    cluster_produce(&s->cluster, 0, "bytes", 5);
    dashboard_harness_park(s, &o1, "refused");
    dashboard_harness_outcome(s, &o1);
    dashboard_harness_await_order(s, "o1", "parked");
}

static void ask_again(struct dashboard_harness *s, char ret_request[64])
{
    size_t before = dashboard_harness_retries(s, ret_request);
    struct answer a =
        dashboard_harness_ask(s, "POST", "/api/v1/orders/o1/retry", s->operator, "{}");
    assert_int_equal(a.status, 202);
    assert_int_equal(dashboard_harness_retries(s, ret_request), before + 1);
}

static void expect(const struct answer *a, const char *format, const char *value)
{
    char wanted[160];
    snprintf(wanted, sizeof wanted, format, value);
    assert_int_equal(a->status, 200);
    if (strstr(a->body, wanted) == NULL)
        fail_msg("no %s in %s", wanted, a->body);
}

static void own_retries_are_known_and_others_are_not(void **state)
{
    struct dashboard_harness s;
    char request[64], second[64], other[1024];
    (void)state;
    open_with_parked(&s);
    struct answer a = dashboard_harness_ask(&s, "GET", REQUESTS, s.operator, NULL);
    expect(&a, "%s", "\"requests\":[]");
    ask_again(&s, request);
    a = dashboard_harness_ask(&s, "GET", REQUESTS, s.operator, NULL);
    expect(&a, "\"retry\":{\"request\":\"%s\"", request);
    expect(&a, "},\"request\":\"%s\"", request);
    const struct outcome parked = {.order = "o1",
                                   .state = "parked",
                                   .reason = "http:500",
                                   .source = "retry",
                                   .request = request,
                                   .at_ms = clock_wall_ms() + 1};
    dashboard_harness_outcome(&s, &parked);
    do
        a = dashboard_harness_ask(&s, "GET", REQUESTS, s.operator, NULL);
    while (strstr(a.body, "http:500") == NULL);
    expect(&a, "%s", "\"retry\":null");
    ask_again(&s, second); /* of an order the newest counts */
    a = dashboard_harness_ask(&s, "GET", REQUESTS, s.operator, NULL);
    expect(&a, "},\"request\":\"%s\"", second);
    assert_null(strstr(strstr(a.body, "\"asked_ms\""), request));
    dashboard_harness_sign(other, sizeof other, "\"sub\":\"day\",\"role\":\"service_role\"");
    a = dashboard_harness_ask(&s, "GET", REQUESTS, other, NULL);
    expect(&a, "%s", "\"requests\":[]");
    dashboard_harness_close(&s);
}

static void only_operators_have_requests(void **state)
{
    struct dashboard_harness s;
    (void)state;
    open_with_parked(&s);
    assert_int_equal(dashboard_harness_ask(&s, "GET", REQUESTS, "", NULL).status, 401);
    assert_int_equal(dashboard_harness_ask(&s, "GET", REQUESTS, s.customer, NULL).status, 403);
    dashboard_harness_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(own_retries_are_known_and_others_are_not),
        cmocka_unit_test(only_operators_have_requests),
    };
    return pipeline_harness_main("dashboard_asked", tests, sizeof tests / sizeof *tests);
}
