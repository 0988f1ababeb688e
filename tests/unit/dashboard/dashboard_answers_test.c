/* dashboard_answers_test: answers when something is wrong: gone, never, superseded, refused,
 * unavailable; and a redrive that is cancelled. */
#include "fakes/dashboard_harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SYNC "/functions/v1/sync-order-elementor"
#define AT "2026-11-22T09:15:30.123Z"

static void open_and_start(struct dashboard_harness *s)
{
    dashboard_harness_open(s);
    dashboard_harness_set(s, "dashboard.wait", "20s");
    dashboard_harness_start(s);
}

static struct answer sync_order(struct dashboard_harness *s, const char *body)
{
    return dashboard_harness_ask(s, "POST", SYNC, s->customer, body);
}

static struct answer force_order(struct dashboard_harness *s, const char *body)
{
    return dashboard_harness_ask(s, "POST", SYNC, s->operator, body);
}

static void assert_problem(const struct answer *a, int status, const char *name)
{
    char type[96];
    snprintf(type, sizeof type, "\"type\":\"urn:elementor-sync:problem:%s\"", name);
    if (a->status != status || strstr(a->body, type) == NULL)
        fail_msg("%d %s instead of %d %s", a->status, a->body, status, name);
    assert_string_equal(answer_header(a, "Content-Type"), "application/problem+json");
}

/* Awaits that so many retries are written; the last one's request. */
static void await_retries(struct dashboard_harness *s, size_t count, char request[64])
{
    for (int i = 0; dashboard_harness_retries(s, request) < count; i++) {
        if (i == 1000)
            fail_msg("no retry record");
        usleep(10000);
    }
}

static void parked(struct dashboard_harness *s, const char *order, const char *reason,
                   const char *class, int64_t offset)
{
    const struct outcome o = {
        .order = order, .state = "parked", .reason = reason, .confirmed_at = AT, .offset = offset};
    dashboard_harness_park(s, &o, class);
    dashboard_harness_outcome(s, &o);
    dashboard_harness_await_order(s, order, "parked");
}

/* A record of the source that a retry can find. */
static void kept(struct dashboard_harness *s, size_t count)
{
    while (count-- > 0)
        cluster_produce(&s->cluster, 0, "bytes", 5);
}

/* Once: of the record that this dashboard wrote, and reads a moment later. */
static void assert_asked(struct dashboard_harness *s, const char *by, const char *request)
{
    char wanted[128];
    snprintf(wanted, sizeof wanted, "\"what\":\"retry\",\"by\":\"%s\",\"request\":\"%s\"}]", by,
             request);
    struct answer a = dashboard_harness_ask(s, "GET", "/api/v1/orders/o1", s->operator, NULL);
    const char *found = strstr(a.body, wanted);
    assert_non_null(found);
    assert_ptr_equal(strstr(a.body, "\"what\""), found);
}

static void a_deleted_record_is_answered_410(void **state)
{
    struct dashboard_harness s;
    char request[64];
    (void)state;
    open_and_start(&s);
    dashboard_harness_outcome(&s,
                              &(struct outcome){.order = "o1", .state = "delivered", .offset = 70});
    dashboard_harness_await_order(&s, "o1", "delivered");
    struct answer a = force_order(&s, "{\"order_id\":\"o1\",\"force\":true}");
    assert_problem(&a, 410, "gone");
    assert_non_null(strstr(a.body, "\"success\":false,\"order_id\":\"o1\""));
    a = dashboard_harness_ask(&s, "POST", "/api/v1/orders/o1/retry", s.operator,
                              "{\"force\":true}");
    assert_problem(&a, 410, "gone");
    assert_int_equal(dashboard_harness_retries(&s, request), 0);
    dashboard_harness_close(&s);
}

static void an_invalid_order_is_answered_422(void **state)
{
    struct dashboard_harness s;
    char request[64];
    (void)state;
    open_and_start(&s);
    kept(&s, 1);
    parked(&s, "o1", "missing:client_phone", "validation", 0);
    struct answer a = sync_order(&s, "{\"order_id\":\"o1\"}");
    assert_problem(&a, 422, "never");
    assert_non_null(strstr(a.body, "\"reason\":\"missing:client_phone\""));
    a = force_order(&s, "{\"order_id\":\"o1\",\"force\":true}");
    assert_problem(&a, 422, "never");
    assert_int_equal(dashboard_harness_retries(&s, request), 0);
    dashboard_harness_close(&s);
}

static void a_later_confirmation_supersedes(void **state)
{
    struct dashboard_harness s;
    char request[64];
    (void)state;
    open_and_start(&s);
    kept(&s, 1);
    dashboard_harness_outcome(
        &s,
        &(struct outcome){.order = "o1",
                          .state = "delivered",
                          .confirmed_at = AT,
                          .previous = "{\"webhook_id\":\"msg_0\",\"state\":\"delivered\","
                                      "\"reason\":\"\",\"confirmed_at\":\"2026-11-21T00:00:00Z\","
                                      "\"attempts\":1,\"settled_ms\":5}"});
    dashboard_harness_await_order(&s, "o1", "delivered");
    struct answer a =
        sync_order(&s, "{\"order_id\":\"o1\",\"confirmed_at\":\"2026-11-20T00:00:00Z\"}");
    assert_problem(&a, 409, "superseded");
    a = sync_order(&s, "{\"order_id\":\"o1\",\"confirmed_at\":\"2026-11-21T00:00:00Z\"}");
    assert_int_equal(a.status, 200); /* that one was delivered too, before */
    assert_non_null(strstr(a.body, "\"confirmed_at\":\"2026-11-21T00:00:00Z\""));
    a = force_order(
        &s, "{\"order_id\":\"o1\",\"confirmed_at\":\"2026-11-21T00:00:00Z\",\"force\":true}");
    assert_problem(&a, 409, "superseded");
    a = sync_order(&s, "{\"order_id\":\"o1\",\"confirmed_at\":\"2026-11-22 10:15:30.123+01:00\"}");
    assert_int_equal(a.status, 200); /* the latest one, spelt as PostgreSQL does */
    assert_int_equal(dashboard_harness_retries(&s, request), 0);
    dashboard_harness_close(&s);
}

static void a_retry_that_is_parked_again_is_answered_502(void **state)
{
    struct dashboard_harness s;
    char request[64];
    (void)state;
    open_and_start(&s);
    kept(&s, 2);
    parked(&s, "o1", "http:422", "refused", 0);
    int fd = dashboard_harness_send(&s, "POST", SYNC, s.customer, "{\"order_id\":\"o1\"}");
    await_retries(&s, 1, request);
    dashboard_harness_outcome(&s, &(struct outcome){.order = "o1",
                                                    .state = "parked",
                                                    .reason = "http:422",
                                                    .confirmed_at = AT,
                                                    .request = request});
    struct answer a = dashboard_harness_receive(fd);
    assert_problem(&a, 502, "refused");
    assert_non_null(strstr(a.body, "\"reason\":\"http:422\""));
    assert_asked(&s, "a customer", request);
    dashboard_harness_close(&s);
}

static void a_second_call_joins_the_first(void **state)
{
    struct dashboard_harness s;
    char request[64];
    (void)state;
    open_and_start(&s);
    kept(&s, 1);
    parked(&s, "o1", "http:422", "refused", 0);
    int first = dashboard_harness_send(&s, "POST", SYNC, s.customer, "{\"order_id\":\"o1\"}");
    int second = dashboard_harness_send(&s, "POST", SYNC, s.operator,
                                        "{\"order_id\":\"o1\",\"force\":true}");
    await_retries(&s, 1, request);
    dashboard_harness_outcome(
        &s, &(struct outcome){
                .order = "o1", .state = "delivered", .confirmed_at = AT, .request = request});
    assert_int_equal(dashboard_harness_receive(first).status, 200);
    assert_int_equal(dashboard_harness_receive(second).status, 200);
    assert_int_equal(dashboard_harness_retries(&s, request), 1);
    dashboard_harness_close(&s);
}

static void a_long_wait_is_answered_with_a_status_url(void **state)
{
    struct dashboard_harness s;
    (void)state;
    dashboard_harness_open(&s);
    dashboard_harness_set(&s, "dashboard.wait", "0s");
    dashboard_harness_start(&s);
    dashboard_harness_outcome(&s, &(struct outcome){.order = "o/1", .state = "retrying"});
    dashboard_harness_await_order(&s, "o%2F1", "retrying");
    struct answer a = sync_order(&s, "{\"order_id\":\"o/1\",\"confirmed_at\":\"" AT "\"}");
    assert_int_equal(a.status, 202);
    assert_non_null(
        strstr(a.body, "\"success\":false,\"order_id\":\"o/1\",\"status\":\"retrying\""));
    char at[512];
    snprintf(at, sizeof at, "%s", answer_header(&a, "Location"));
    assert_string_equal(at, SYNC "?order_id=o%2F1&confirmed_at=2026-11-22T09%3A15%3A30.123Z");
    a = dashboard_harness_ask(&s, "GET", SYNC "?order_id=o%2F1", s.customer, NULL);
    assert_int_equal(a.status, 200);
    assert_non_null(strstr(a.body, "\"status\":\"retrying\""));
    a = sync_order(&s, "{\"order_id\":\"o2\"}");
    assert_int_equal(a.status, 202); /* confirmed a moment ago, perhaps */
    assert_non_null(strstr(a.body, "\"status\":\"unseen\""));
    a = force_order(&s, "{\"order_id\":\"o2\",\"force\":true}");
    assert_problem(&a, 404, "never-seen");
    a = dashboard_harness_ask(&s, "GET", SYNC "?order_id=o2", s.customer, NULL);
    assert_int_equal(a.status, 200); /* it may still come */
    assert_non_null(strstr(a.body, "\"status\":\"unseen\""));
    dashboard_harness_close(&s);
}

static void an_operators_retry_is_refused_with_its_reason(void **state)
{
    struct dashboard_harness s;
    char request[64];
    (void)state;
    open_and_start(&s);
    kept(&s, 1);
    const char *path = "/api/v1/orders/o1/retry";
    struct answer a = dashboard_harness_ask(&s, "POST", path, s.operator, "{}");
    assert_problem(&a, 404, "not-found");
    dashboard_harness_outcome(&s, &(struct outcome){.order = "o1", .state = "retrying"});
    dashboard_harness_await_order(&s, "o1", "retrying");
    a = dashboard_harness_ask(&s, "POST", path, s.operator, "{}");
    assert_problem(&a, 409, "under-way");
    dashboard_harness_outcome(&s, &(struct outcome){.order = "o1", .state = "delivered"});
    dashboard_harness_await_order(&s, "o1", "delivered");
    a = dashboard_harness_ask(&s, "POST", path, s.operator, "{}");
    assert_problem(&a, 409, "delivered");
    a = dashboard_harness_ask(&s, "POST", path, s.operator, "{\"force\":1}");
    assert_problem(&a, 400, "bad-request");
    assert_int_equal(dashboard_harness_retries(&s, request), 0);
    a = dashboard_harness_ask(&s, "POST", path, s.operator, "{\"force\":true}");
    assert_int_equal(a.status, 202);
    char said[512];
    snprintf(said, sizeof said, "%s", a.body);
    a = dashboard_harness_ask(&s, "POST", path, s.operator, "{\"force\":true}");
    assert_int_equal(a.status, 202); /* the one under way is named, and none is added */
    assert_string_equal(a.body, said);
    assert_int_equal(dashboard_harness_retries(&s, request), 1);
    assert_non_null(strstr(said, request));
    assert_asked(&s, "olga", request);
    dashboard_harness_close(&s);
}

static void without_brokers_nothing_is_promised(void **state)
{
    struct dashboard_harness s;
    (void)state;
    open_and_start(&s);
    kept(&s, 1);
    parked(&s, "o1", "http:422", "refused", 0);
    assert_false(rd_kafka_mock_broker_set_down(s.cluster.mock, 1));
    int fd = dashboard_harness_send(&s, "POST", SYNC, s.customer, "{\"order_id\":\"o1\"}");
    while (dashboard_harness_ask(&s, "GET", "/livez", "", NULL).status == 200 &&
           strstr(dashboard_harness_ask(&s, "GET", SYNC "?order_id=o1", s.customer, NULL).body,
                  "parked") == NULL)
        usleep(1000);
    clock_skip(30000); /* past what a fetch, and an acknowledgement, may take */
    struct answer a = dashboard_harness_receive(fd);
    assert_problem(&a, 503, "unavailable");
    assert_non_null(strstr(a.body, "nothing was sent"));
    while (dashboard_harness_ask(&s, "GET", "/readyz", "", NULL).status != 503) {
        clock_skip(60000); /* until it looks again */
        usleep(1000);
    }
    assert_int_equal(dashboard_harness_ask(&s, "GET", "/livez", "", NULL).status, 200);
    assert_false(rd_kafka_mock_broker_set_up(s.cluster.mock, 1));
    dashboard_harness_close(&s);
}

/* ---- redrives ---- */

static struct answer redrive(struct dashboard_harness *s, const char *body)
{
    return dashboard_harness_ask(s, "POST", "/api/v1/redrives", s->operator, body);
}

static void take_id(const struct answer *a, char path[128])
{
    const char *id = strstr(a->body, "\"id\":\"");
    assert_non_null(id);
    snprintf(path, 128, "/api/v1/redrives/%.*s", (int)strcspn(id + 6, "\""), id + 6);
}

static void many_parked(struct dashboard_harness *s, int count)
{
    char order[16];
    kept(s, (size_t)count);
    for (int i = 0; i < count; i++) {
        const struct outcome o = {
            .order = order, .state = "parked", .reason = "http:422", .offset = i};
        snprintf(order, sizeof order, "o%d", i);
        dashboard_harness_park(s, &o, "refused");
        dashboard_harness_outcome(s, &o);
    }
    dashboard_harness_await_order(s, order, "parked");
}

static void a_cancelled_redrive_sends_no_more(void **state)
{
    enum { ORDERS = 60 }; /* a minute's work at this rate */
    struct dashboard_harness s;
    char path[128], request[64];
    (void)state;
    dashboard_harness_open(&s);
    dashboard_harness_set(&s, "dashboard.redrive_rate", "1");
    dashboard_harness_start(&s);
    many_parked(&s, ORDERS);
    struct answer a = redrive(&s, "{\"confirm\":59}");
    assert_problem(&a, 409, "count-changed");
    assert_int_equal(answer_number(&a, "count"), ORDERS);
    a = redrive(&s, "{\"reason\":\"http:422\",\"confirm\":60}");
    assert_int_equal(a.status, 202);
    take_id(&a, path);
    await_retries(&s, 1, request);
    a = redrive(&s, "{\"confirm\":59}");
    assert_problem(&a, 409, "busy");
    a = dashboard_harness_ask(&s, "DELETE", "/api/v1/redrives/0123", s.operator, NULL);
    assert_problem(&a, 404, "not-found");
    a = dashboard_harness_ask(&s, "DELETE", path, s.customer, NULL);
    assert_problem(&a, 403, "forbidden");
    a = dashboard_harness_ask(&s, "DELETE", path, s.operator, NULL);
    assert_int_equal(a.status, 200);
    assert_non_null(strstr(a.body, "\"state\":\"cancelled\""));
    while (strstr(a.body, "\"ended_ms\":null") != NULL) /* what was being written is */
        a = dashboard_harness_ask(&s, "GET", path, s.operator, NULL);
    int64_t sent = answer_number(&a, "sent");
    assert_in_range(sent, 1, ORDERS - 1);
    clock_skip(60000);
    a = dashboard_harness_ask(&s, "DELETE", path, s.operator, NULL); /* again: the same */
    assert_int_equal(a.status, 200);
    assert_non_null(strstr(a.body, "\"state\":\"cancelled\""));
    assert_int_equal(answer_number(&a, "sent"), sent);
    assert_int_equal(dashboard_harness_retries(&s, request), sent);
    a = dashboard_harness_ask(&s, "POST", "/api/v1/redrives/preview", s.operator, "{}");
    assert_int_equal(answer_number(&a, "count"), ORDERS - sent); /* the rest is still parked */
    dashboard_harness_close(&s);
}

#define BEFORE(state, at)                                                                       \
    "{\"webhook_id\":\"msg_2\",\"state\":\"" state "\",\"reason\":\"r\",\"confirmed_at\":\"" at \
    "\",\"attempts\":1,\"settled_ms\":5}"

static const char newer[] = "{\"order_id\":\"o1\",\"confirmed_at\":\"2026-11-22T00:00:00Z\"}",
                  older[] = "{\"order_id\":\"o1\",\"confirmed_at\":\"2026-11-20T00:00:00Z\"}";

/* The last outcome is that of the older confirmation (a replay, a forced retry). */
static void a_newer_confirmation_was_delivered_before(void **state)
{
    struct dashboard_harness s;
    (void)state;
    open_and_start(&s);
    dashboard_harness_outcome(
        &s, &(struct outcome){.order = "o1",
                              .state = "delivered",
                              .confirmed_at = "2026-11-20T00:00:00Z",
                              .previous = BEFORE("delivered", "2026-11-22T00:00:00Z")});
    dashboard_harness_await_order(&s, "o1", "delivered");
    struct answer a = sync_order(&s, newer);
    assert_int_equal(a.status, 200);
    assert_non_null(strstr(a.body, "2026-11-22T00:00:00Z"));
    a = dashboard_harness_ask(&s, "GET", SYNC "?order_id=o1&confirmed_at=2026-11-22T00:00:00Z",
                              s.customer, NULL);
    assert_int_equal(a.status, 200);
    assert_non_null(strstr(a.body, "\"status\":\"delivered\""));
    assert_int_equal(sync_order(&s, older).status, 200);
    dashboard_harness_close(&s);
}

static void attempts_that_are_not_known_are_null(void **state)
{
    struct dashboard_harness s;
    (void)state;
    open_and_start(&s);
    dashboard_harness_outcome(
        &s, &(struct outcome){.order = "o1",
                              .state = "delivered",
                              .confirmed_at = "2026-11-20T00:00:00Z",
                              .previous =
                                  "{\"webhook_id\":\"msg_2\",\"state\":\"delivered\","
                                  "\"confirmed_at\":\"2026-11-22T00:00:00Z\",\"settled_ms\":5}"});
    dashboard_harness_await_order(&s, "o1", "delivered");
    struct answer a = sync_order(&s, newer);
    assert_non_null(strstr(a.body, "\"attempts\":null"));
    a = dashboard_harness_ask(&s, "GET", SYNC "?order_id=o1&confirmed_at=2026-11-22T00:00:00Z",
                              s.customer, NULL);
    assert_int_equal(a.status, 200);
    assert_non_null(strstr(a.body, "\"attempts\":null"));
    dashboard_harness_close(&s);
}

static void a_newer_confirmation_was_parked_before(void **state)
{
    struct dashboard_harness s;
    (void)state;
    open_and_start(&s);
    dashboard_harness_outcome(
        &s, &(struct outcome){.order = "o1",
                              .state = "delivered",
                              .confirmed_at = "2026-11-20T00:00:00Z",
                              .previous = BEFORE("parked", "2026-11-22T00:00:00Z")});
    dashboard_harness_await_order(&s, "o1", "delivered");
    struct answer a = sync_order(&s, newer);
    assert_problem(&a, 502, "refused");
    dashboard_harness_close(&s);
}

/* A retry of the older confirmation that the pipeline ended: the order itself is delivered. */
static void a_superseded_retry_leaves_the_order_delivered(void **state)
{
    struct dashboard_harness s;
    (void)state;
    open_and_start(&s);
    dashboard_harness_outcome(
        &s, &(struct outcome){.order = "o1",
                              .state = "superseded",
                              .reason = "superseded",
                              .confirmed_at = "2026-11-20T00:00:00Z",
                              .previous = BEFORE("delivered", "2026-11-22T00:00:00Z")});
    dashboard_harness_await_order(&s, "o1", "delivered");
    struct answer a = sync_order(&s, "{\"order_id\":\"o1\"}");
    assert_int_equal(a.status, 200);
    assert_non_null(strstr(a.body, "2026-11-22T00:00:00Z"));
    assert_int_equal(sync_order(&s, newer).status, 200);
    a = sync_order(&s, older);
    assert_problem(&a, 409, "superseded");
    dashboard_harness_close(&s);
}

/* After the command forget nothing of the order is shown. */
static void a_forgotten_order_is_gone(void **state)
{
    struct dashboard_harness s;
    (void)state;
    open_and_start(&s);
    parked(&s, "o1", "http:422", "refused", 7);
    dashboard_harness_outcome(&s,
                              &(struct outcome){.order = "o1", .state = "forgotten", .offset = 7});
    for (int i = 0;
         dashboard_harness_ask(&s, "GET", "/api/v1/orders/o1", s.operator, NULL).status != 404;
         i++) {
        if (i == 1000)
            fail_msg("still there");
        usleep(10000);
    }
    dashboard_harness_close(&s);
}

/* It was parked before it could be read, sent again, and the rule passes it over. */
static void a_skipped_record_is_no_longer_parked(void **state)
{
    struct dashboard_harness s;
    (void)state;
    open_and_start(&s);
    parked(&s, "orders-0-7", "undecodable", "undecodable", 7);
    dashboard_harness_outcome(
        &s, &(struct outcome){
                .order = "orders-0-7", .state = "skipped", .reason = "not_confirmed", .offset = 7});
    for (int i = 0;; i++) {
        struct answer a =
            dashboard_harness_ask(&s, "GET", "/api/v1/orders/orders-0-7", s.operator, NULL);
        if (a.status == 404)
            break;
        if (i == 1000)
            fail_msg("still there: %s", a.body);
        usleep(10000);
    }
    struct answer a =
        dashboard_harness_ask(&s, "POST", "/api/v1/redrives/preview", s.operator, "{}");
    assert_non_null(strstr(a.body, "\"count\":0"));
    dashboard_harness_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_deleted_record_is_answered_410),
        cmocka_unit_test(an_invalid_order_is_answered_422),
        cmocka_unit_test(a_later_confirmation_supersedes),
        cmocka_unit_test(a_retry_that_is_parked_again_is_answered_502),
        cmocka_unit_test(a_second_call_joins_the_first),
        cmocka_unit_test(a_long_wait_is_answered_with_a_status_url),
        cmocka_unit_test(an_operators_retry_is_refused_with_its_reason),
        cmocka_unit_test(without_brokers_nothing_is_promised),
        cmocka_unit_test(a_cancelled_redrive_sends_no_more),
        cmocka_unit_test(a_newer_confirmation_was_delivered_before),
        cmocka_unit_test(attempts_that_are_not_known_are_null),
        cmocka_unit_test(a_newer_confirmation_was_parked_before),
        cmocka_unit_test(a_superseded_retry_leaves_the_order_delivered),
        cmocka_unit_test(a_skipped_record_is_no_longer_parked),
        cmocka_unit_test(a_forgotten_order_is_gone),
    };
    return pipeline_harness_main("dashboard_answers", tests, sizeof tests / sizeof *tests);
}
