/* dashboard_dismiss_test: an operator says of a parked order that it will never be sent, and takes
 * that back, by the API; the word is in the order's record of the deliveries topic. */
#include "fakes/dashboard_harness.h"

#include <stdio.h>
#include <string.h>

#define DISMISS "/api/v1/orders/o1/dismiss"
#define RESTORE "/api/v1/orders/o1/restore"
#define GIVEN_UP "{\"reason\":\"cancelled\"}"

static void open_with_parked(struct dashboard_harness *s)
{
    const struct outcome o1 = {.order = "o1", .state = "parked", .reason = "http:422"},
                         o2 = {.order = "o2", .state = "delivered"};
    dashboard_harness_open(s);
    dashboard_harness_start(s);
    dashboard_harness_park(s, &o1, "refused");
    dashboard_harness_outcome(s, &o1);
    dashboard_harness_outcome(s, &o2);
    dashboard_harness_await_order(s, "o1", "parked");
    dashboard_harness_await_order(s, "o2", "delivered");
}

static struct answer ask(struct dashboard_harness *s, const char *path, const char *body)
{
    return dashboard_harness_ask(s, body != NULL ? "POST" : "GET", path, s->operator, body);
}

static void expect(struct dashboard_harness *s, const char *path, const char *wanted)
{
    struct answer a = ask(s, path, NULL);
    if (strstr(a.body, wanted) == NULL)
        fail_msg("no %s in %s", wanted, a.body);
}

struct found {
    char text[2048];
    size_t count;
};

static void note(void *context, const rd_kafka_message_t *m)
{
    struct found *f = context;
    if (m->key_len != 2 || memcmp(m->key, "o1", 2) != 0)
        return;
    f->count++;
    snprintf(f->text, sizeof f->text, "%.*s", (int)m->len, (const char *)m->payload);
}

static struct found last_record(struct dashboard_harness *s)
{
    struct found f = {.count = 0};
    cluster_read(&s->cluster, "elementor-sync.deliveries", note, &f);
    return f;
}

static void a_dismissed_order_needs_nobody_until_it_is_taken_back(void **state)
{
    struct dashboard_harness s;
    (void)state;
    open_with_parked(&s);
    struct answer a = ask(&s, DISMISS, GIVEN_UP);
    assert_int_equal(a.status, 200);
    assert_non_null(strstr(a.body, "\"reason\":\"cancelled\""));
    /* At once, since the call waited for it. */
    expect(&s, "/api/v1/orders/o1", "\"state\":\"dismissed\"");
    expect(&s, "/api/v1/orders/o1", "\"class\":\"refused\"");
    expect(&s, "/api/v1/status", "\"parked\":0,\"overtaken\":0,\"dismissed\":1");
    expect(&s, "/api/v1/status", "\"reasons\":[]");
    expect(&s, "/api/v1/orders?state=dismissed", "\"key\":\"o1\"");
    expect(&s, "/api/v1/orders?state=parked", "\"orders\":[]");
    expect(&s, "/metrics", "elementor_sync_dashboard_orders{state=\"dismissed\"} 1\n");
    a = ask(&s, "/api/v1/redrives/preview", "{}");
    assert_non_null(strstr(a.body, "\"count\":0"));
    const struct found dismissed = last_record(&s);
    assert_non_null(strstr(dismissed.text, "\"state\":\"parked\",\"reason\":\"http:422\""));
    assert_non_null(strstr(dismissed.text, "\"reason\":\"cancelled\"}"));
    a = ask(&s, DISMISS, "{\"reason\":\"another\"}");
    assert_int_equal(a.status, 200);
    assert_non_null(strstr(a.body, "\"reason\":\"cancelled\"")); /* the first one counts */
    assert_int_equal(last_record(&s).count, dismissed.count);
    a = ask(&s, RESTORE, "{}");
    assert_int_equal(a.status, 200);
    assert_non_null(strstr(a.body, "\"dismissed\":null"));
    expect(&s, "/api/v1/orders/o1", "\"state\":\"parked\"");
    expect(&s, "/api/v1/orders/o1", "\"undone_by\"");
    expect(&s, "/api/v1/status", "\"parked\":1,\"overtaken\":0,\"dismissed\":0");
    dashboard_harness_close(&s);
}

static void what_becomes_of_it_ends_it(void **state)
{
    struct dashboard_harness s;
    (void)state;
    open_with_parked(&s);
    assert_int_equal(ask(&s, DISMISS, GIVEN_UP).status, 200);
    const struct outcome delivered = {.order = "o1", .state = "delivered", .offset = 1};
    dashboard_harness_outcome(&s, &delivered);
    dashboard_harness_await_order(&s, "o1", "delivered");
    expect(&s, "/api/v1/orders/o1", "\"dismissed\":null");
    expect(&s, "/api/v1/status", "\"dismissed\":0");
    dashboard_harness_close(&s);
}

/* The brokers put the dashboard's reading off for a second. */
static void hold_reading(struct dashboard_harness *s)
{
    enum { FETCH = 1, TIMES = 2 };
    cluster_settle(&s->cluster);
    rd_kafka_mock_push_request_errors(s->cluster.mock, FETCH, TIMES,
                                      RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT,
                                      RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT);
}

/* An outcome that the operator could not know of, since the dashboard had not read it. Whether the
 * brokers held it back in time is chance: it is tried until they did. */
static void an_outcome_of_a_moment_before_is_kept(void **state)
{
    enum { TRIES = 20 };
    struct dashboard_harness s;
    struct answer a = {0};
    bool hit = false;
    (void)state;
    open_with_parked(&s);
    for (int i = 0; i < TRIES && !hit; i++) {
        const struct outcome delivered = {.order = "o1", .state = "delivered", .offset = 2 * i + 1},
                             parked = {.order = "o1", .state = "parked", .offset = 2 * i + 2};
        hold_reading(&s);
        dashboard_harness_outcome(&s, &delivered);
        a = ask(&s, DISMISS, GIVEN_UP);
        assert_int_equal(a.status, 409);
        hit = strstr(a.body, "meanwhile") != NULL;
        dashboard_harness_await_order(&s, "o1", "delivered");
        if (!hit) {
            dashboard_harness_outcome(&s, &parked);
            dashboard_harness_await_order(&s, "o1", "parked");
        }
    }
    assert_true(hit);
    for (int i = 0; strstr(last_record(&s).text, "\"state\":\"delivered\"") == NULL; i++)
        assert_true(i < TRIES); /* it is written once more, behind the word that came too late */
    expect(&s, "/api/v1/orders/o1", "\"state\":\"delivered\"");
    dashboard_harness_close(&s);
}

static void only_an_operator_with_a_reason_dismisses_what_is_parked(void **state)
{
    static const char *const bad[] = {"{}", "{\"reason\":\"\"}", "{\"reason\":7}", "[]"};
    struct dashboard_harness s;
    (void)state;
    open_with_parked(&s);
    size_t before = last_record(&s).count;
    assert_int_equal(dashboard_harness_ask(&s, "POST", DISMISS, "", GIVEN_UP).status, 401);
    assert_int_equal(dashboard_harness_ask(&s, "POST", DISMISS, s.customer, GIVEN_UP).status, 403);
    assert_int_equal(dashboard_harness_ask(&s, "POST", RESTORE, s.customer, "{}").status, 403);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(ask(&s, DISMISS, bad[i]).status, 400);
    assert_int_equal(ask(&s, "/api/v1/orders/o2/dismiss", GIVEN_UP).status, 409);
    assert_int_equal(ask(&s, "/api/v1/orders/o9/dismiss", GIVEN_UP).status, 404);
    assert_int_equal(ask(&s, RESTORE, "{}").status, 200); /* it is not dismissed */
    assert_int_equal(last_record(&s).count, before);
    dashboard_harness_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_dismissed_order_needs_nobody_until_it_is_taken_back),
        cmocka_unit_test(what_becomes_of_it_ends_it),
        cmocka_unit_test(an_outcome_of_a_moment_before_is_kept),
        cmocka_unit_test(only_an_operator_with_a_reason_dismisses_what_is_parked),
    };
    return pipeline_harness_main("dashboard_dismiss", tests, sizeof tests / sizeof *tests);
}
