/* dashboard_batches_test: one call does a thing with many orders: its preview says which of them
 * cannot and why, each has its answer, and asking twice does nothing twice. */
#include "fakes/dashboard_harness.h"

#include "sys/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BATCHES "/api/v1/batches"
#define PREVIEW BATCHES "/preview"

static struct answer ask(struct dashboard_harness *s, const char *path, const char *body)
{
    return dashboard_harness_ask(s, body != NULL ? "POST" : "GET", path, s->operator, body);
}

static void expect(const struct answer *a, int status, const char *wanted)
{
    if (a->status != status || strstr(a->body, wanted) == NULL)
        fail_msg("%d %s instead of %d %s", a->status, a->body, status, wanted);
}

/* o1 and o2 are parked, o3 is delivered, o4 is tried again; Kafka has their records. */
static void open_with_four(struct dashboard_harness *s, int64_t now_ms)
{
    const struct outcome
        o3 = {.order = "o3", .state = "delivered", .offset = 2, .at_ms = now_ms - 1000},
        o4 = {
            .order = "o4", .state = "retrying", .reason = "http:503", .offset = 3, .at_ms = now_ms};
    dashboard_harness_open(s);
    dashboard_harness_set(s, "dashboard.redrive_rate", "1000");
    dashboard_harness_start(s);
    for (int i = 0; i < 4; i++)
        cluster_produce(&s->cluster, 0, "bytes", 5);
    dashboard_harness_refused(s, "o1", 0, now_ms - 3000);
    dashboard_harness_refused(s, "o2", 1, now_ms - 2000);
    dashboard_harness_outcome(s, &o3);
    dashboard_harness_await_order(s, "o3", "delivered");
    dashboard_harness_outcome(s, &o4);
    dashboard_harness_await_order(s, "o4", "retrying");
}

/* Awaits the end of the batch that this answer is of; its state, with each order's answer. */
static struct answer await_end(struct dashboard_harness *s, const struct answer *begun)
{
    char path[128];
    const char *id = strstr(begun->body, "\"id\":\"");
    assert_int_equal(begun->status, 202);
    assert_non_null(id);
    snprintf(path, sizeof path, BATCHES "/%.32s", id + strlen("\"id\":\""));
    for (;;) {
        struct answer a = ask(s, path, NULL);
        assert_int_equal(a.status, 200);
        if (strstr(a.body, "\"ended_ms\":null") == NULL)
            return a;
    }
}

#define FIVE "\"keys\":[\"o1\",\"o2\",\"o3\",\"o4\",\"o9\",\"o1\"]"

static void those_that_are_named_are_retried_and_each_is_answered(void **state)
{
    struct dashboard_harness s;
    char request[64];
    (void)state;
    open_with_four(&s, clock_wall_ms());
    struct answer a = ask(&s, PREVIEW, "{\"action\":\"retry\"," FIVE "}");
    expect(&a, 200, "\"count\":5,\"can\":2,");
    expect(&a, 200, "{\"answer\":\"delivered\",\"count\":1,\"sample\":[{\"key\":\"o3\"");
    expect(&a, 200, "{\"answer\":\"under-way\",\"count\":1,\"sample\":[{\"key\":\"o4\"");
    expect(&a, 200, "{\"answer\":\"not-found\",\"count\":1,\"sample\":[]}");
    assert_int_equal(dashboard_harness_retries(&s, request), 0);
    a = ask(&s, BATCHES, "{\"action\":\"retry\",\"confirm\":5," FIVE "}");
    expect(&a, 409, "\"count\":2");
    a = ask(&s, BATCHES, "{\"action\":\"retry\",\"confirm\":2," FIVE "}");
    a = await_end(&s, &a);
    expect(&a, 200, "\"state\":\"done\",\"count\":2,\"sent\":2,\"failed\":0,");
    expect(&a, 200, "{\"key\":\"o1\",\"answer\":\"done\"},{\"key\":\"o2\",\"answer\":\"done\"}");
    assert_int_equal(dashboard_harness_retries(&s, request), 2);
    a = ask(&s, PREVIEW, "{\"action\":\"retry\"," FIVE "}"); /* once more: nothing is left to do */
    expect(&a, 200, "\"can\":0,");
    expect(&a, 200, "{\"answer\":\"already\",\"count\":2,");
    a = ask(&s, "/api/v1/orders/o1", NULL);
    expect(&a, 200, "\"what\":\"redrive\",\"by\":\"olga\"");
    dashboard_harness_close(&s);
}

/* What becomes of one after the preview is that order's own answer. */
static void all_that_the_filter_shows_are_dismissed_and_taken_back(void **state)
{
    struct dashboard_harness s;
    int64_t now_ms = clock_wall_ms();
    char path[128], body[128];
    (void)state;
    open_with_four(&s, now_ms);
    struct answer a = ask(&s, PREVIEW "?state=parked&reason=http:422", "{\"action\":\"dismiss\"}");
    expect(&a, 200, "\"count\":2,\"can\":2,");
    int64_t until_ms = answer_number(&a, "until_ms");
    assert_int_equal(until_ms, now_ms - 2000 + 1);
    dashboard_harness_refused(&s, "o5", 4, now_ms); /* after the preview */
    snprintf(path, sizeof path, BATCHES "?state=parked&reason=http:422&until_ms=%" PRId64,
             until_ms);
    a = ask(&s, path, "{\"action\":\"dismiss\",\"confirm\":2}");
    expect(&a, 400, "reason: a text of 1 to 200 bytes");
    a = ask(&s, path, "{\"action\":\"dismiss\",\"confirm\":2,\"reason\":\"cancelled\"}");
    a = await_end(&s, &a);
    expect(&a, 200,
           "\"action\":\"dismiss\",\"state\":\"done\",\"count\":2,\"sent\":2,\"failed\":0,");
    a = ask(&s, "/api/v1/status", NULL);
    expect(&a, 200, "\"parked\":1,\"overtaken\":0,\"dismissed\":2");
    a = ask(&s, "/api/v1/orders/o2", NULL);
    expect(&a, 200, "\"reason\":\"cancelled\"");
    a = ask(&s, PREVIEW, "{\"action\":\"restore\"," FIVE "}");
    expect(&a, 200, "\"can\":2,");
    snprintf(body, sizeof body, "{\"action\":\"restore\",\"confirm\":2," FIVE "}");
    a = ask(&s, BATCHES, body);
    a = await_end(&s, &a);
    expect(&a, 200, "\"sent\":2,");
    a = ask(&s, "/api/v1/status", NULL);
    expect(&a, 200, "\"parked\":3,\"overtaken\":0,\"dismissed\":0");
    dashboard_harness_close(&s);
}

static void a_replay_sends_what_was_delivered_in_a_time_too(void **state)
{
    struct dashboard_harness s;
    int64_t now_ms = clock_wall_ms();
    char path[128], request[64];
    (void)state;
    open_with_four(&s, now_ms);
    struct answer a = ask(&s, PREVIEW, "{\"action\":\"replay\"}");
    expect(&a, 400, "a replay needs since_ms");
    snprintf(path, sizeof path, PREVIEW "?since_ms=%" PRId64 "&until_ms=%" PRId64, now_ms - 2500,
             now_ms + 1);
    a = ask(&s, path, "{\"action\":\"replay\"}");
    expect(&a, 200, "\"count\":3,\"can\":2,\"delivered\":1,");
    assert_int_equal(answer_number(&a, "first_ms"), now_ms - 2000);
    assert_int_equal(answer_number(&a, "last_ms"), now_ms - 1000);
    snprintf(path, sizeof path, BATCHES "?since_ms=%" PRId64 "&until_ms=%" PRId64, now_ms - 2500,
             answer_number(&a, "until_ms"));
    a = ask(&s, path, "{\"action\":\"replay\",\"confirm\":2}");
    a = await_end(&s, &a);
    expect(&a, 200, "\"action\":\"replay\",\"state\":\"done\",\"count\":2,\"sent\":2,");
    assert_int_equal(dashboard_harness_retries(&s, request), 2);
    a = ask(&s, "/api/v1/orders/o3", NULL);
    expect(&a, 200, "\"what\":\"replay\",\"by\":\"olga\"");
    dashboard_harness_close(&s);
}

static void only_operators_begin_one_and_only_of_what_can_be_read(void **state)
{
    static const char *const bad[] = {
        "{}",
        "{\"action\":\"delete\",\"confirm\":1}",
        "{\"action\":\"retry\",\"keys\":[],\"confirm\":1}",
        "{\"action\":\"retry\",\"keys\":[7],\"confirm\":1}",
        "{\"action\":\"retry\",\"keys\":[\"o1\"]}",
        "{\"action\":\"retry\",\"keys\":[\"o1\"],\"confirm\":0}",
    };
    struct dashboard_harness s;
    char request[64];
    (void)state;
    open_with_four(&s, clock_wall_ms());
    const char *body = "{\"action\":\"retry\",\"confirm\":2,\"keys\":[\"o1\",\"o2\"]}";
    assert_int_equal(dashboard_harness_ask(&s, "POST", BATCHES, "", body).status, 401);
    assert_int_equal(dashboard_harness_ask(&s, "POST", BATCHES, s.customer, body).status, 403);
    assert_int_equal(dashboard_harness_ask(&s, "POST", PREVIEW, s.customer, body).status, 403);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(ask(&s, BATCHES, bad[i]).status, 400);
    assert_int_equal(ask(&s, BATCHES "?sort=oldest", body).status, 400);
    assert_int_equal(ask(&s, BATCHES "/none", NULL).status, 404);
    assert_int_equal(dashboard_harness_retries(&s, request), 0);
    struct answer a = ask(&s, BATCHES, NULL);
    expect(&a, 200, "{\"batches\":[]}");
    dashboard_harness_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(those_that_are_named_are_retried_and_each_is_answered),
        cmocka_unit_test(all_that_the_filter_shows_are_dismissed_and_taken_back),
        cmocka_unit_test(a_replay_sends_what_was_delivered_in_a_time_too),
        cmocka_unit_test(only_operators_begin_one_and_only_of_what_can_be_read),
    };
    return pipeline_harness_main("dashboard_batches", tests, sizeof tests / sizeof *tests);
}
