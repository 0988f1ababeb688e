/* pipeline_understood: a 2xx whose body shows that the order was not understood is not a delivery.
 */
#include "fakes/clock.h"
#include "fakes/pipeline_harness.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define M "elementor_sync_"
#define PAGE(head, body) "HTTP/1.1 " head "\r\nConnection: close\r\n\r\n" body
#define HTML PAGE("200 OK\r\nContent-Type: text/html", "\n<!DOCTYPE html><title>Shop</title>")
#define CAPTCHA PAGE("202 Accepted\r\nSG-Captcha: challenge", "wait")
#define FAILED PAGE("200 OK", "{\"success\":false,\"data\":{\"message\":\"not stored\"}}")
#define DELIVERIES "elementor-sync.deliveries"

enum { TEXT_MAX = 65536, MINUTE_MS = 60 * 1000 };

static char text[TEXT_MAX];

static void await(struct pipeline_harness *w, const char *format, size_t count)
{
    char metric[96];
    snprintf(metric, sizeof metric, format, count);
    pipeline_harness_await_scrape(w, "/metrics", metric, text, sizeof text);
}

static void confirm(struct pipeline_harness *w, const char *id)
{
    pipeline_harness_produce(w, 0, id, "0612345678", "confirmed");
}

static void end(struct pipeline_harness *w)
{
    pipeline_harness_stop(w);
    assert_true(w->ok);
    pipeline_harness_close(w);
}

static void let_turn(struct pipeline_harness *w)
{
    for (int turns = 0; turns < 3; turns++)
        pipeline_harness_scrape(w, "/metrics", text, sizeof text);
}

static void expect_id(struct pipeline_harness *w, size_t request, const char *expected)
{
    char id[128];
    pipeline_harness_header(w, request, "webhook-id", id, sizeof id);
    assert_string_equal(id, expected);
}

static void take_reason(void *context, const rd_kafka_message_t *m)
{
    json_t *record = json_loadb(m->payload, m->len, JSON_REJECT_DUPLICATES, NULL);
    const char **wanted = context, *reason = json_string_value(json_object_get(record, "reason"));
    if (*wanted != NULL && reason != NULL && strcmp(reason, *wanted) == 0)
        *wanted = NULL; /* seen */
    json_decref(record);
}

/* One order finds out, at the pace of unknown results, though others wait that were never sent. */
static void one_order_probes_slowly(const char *answer, const char *rule, const char *reason)
{
    const struct server_rule webhook[] = {
        {NULL, SERVER_ANSWER_CLOSE, answer, 3},
        {NULL, SERVER_ANSWER_CLOSE, PAGE("200 OK", "{\"id\":7,\"success\":true}"), 0},
        {0}};
    struct pipeline_harness w;
    char first[128];
    pipeline_harness_open(&w, webhook);
    pipeline_harness_set(&w, "webhook.concurrency", "1");
    pipeline_harness_set(&w, "outcome.success", rule);
    pipeline_harness_start(&w);
    confirm(&w, "o1");
    confirm(&w, "o2");
    confirm(&w, "o3");
    await(&w, M "webhook_failures_total %zu\n", 1);
    pipeline_harness_header(&w, 0, "webhook-id", first, sizeof first);
    clock_skip(MINUTE_MS - 10000);
    let_turn(&w);
    assert_int_equal(server_request_count(w.webhook), 1);
    clock_skip(10000);
    await(&w, M "webhook_failures_total %zu\n", 2);
    expect_id(&w, 1, first);
    clock_skip(2 * MINUTE_MS - 10000);
    let_turn(&w);
    assert_int_equal(server_request_count(w.webhook), 2);
    clock_skip(10000);
    await(&w, M "webhook_failures_total %zu\n", 3);
    expect_id(&w, 2, first);
    pipeline_harness_scrape(&w, "/readyz", text, sizeof text);
    clock_skip(4 * MINUTE_MS);
    await(&w, M "records_delivered_total %zu\n", 3);
    expect_id(&w, 3, first);
    assert_int_equal(server_request_count(w.webhook), 6);
    pipeline_harness_stop(&w);
    assert_true(w.ok);
    cluster_read(&w.cluster, DELIVERIES, take_reason, &reason);
    assert_null(reason);
    pipeline_harness_close(&w);
}

static void a_page_blames_the_endpoint(void **state)
{
    (void)state;
    one_order_probes_slowly(HTML, "auto", "answer_html");
}

static void a_captcha_blames_the_endpoint(void **state)
{
    (void)state;
    one_order_probes_slowly(CAPTCHA, "auto", "answer_captcha");
}

static void cloudflares_header_too(void **state)
{
    (void)state;
    one_order_probes_slowly(PAGE("200 OK\r\nCF-Mitigated: challenge", "x"), "auto",
                            "answer_captcha");
}

/* By json only an object that says so is a delivery: neither "ok" nor another word of success. */
static void by_json_an_unclear_answer_blames_the_endpoint(void **state)
{
    (void)state;
    one_order_probes_slowly(PAGE("200 OK", "{\"status\":\"success\"}"), "json", "answer_unclear");
}

/* Others go on, and it is parked as one that fails by itself. */
static void a_failure_counts_against_its_order(void **state)
{
    static const struct server_rule webhook[] = {
        {"\"order_id\":\"bad\"", SERVER_ANSWER_CLOSE, FAILED, 0},
        {NULL, SERVER_ANSWER, NO_CONTENT, 0},
        {0}};
    struct pipeline_harness w;
    rd_kafka_headers_t *headers;
    const void *value;
    size_t len;
    (void)state;
    pipeline_harness_open(&w, webhook);
    pipeline_harness_set(&w, "retry.attempts", "2");
    pipeline_harness_set(&w, "retry.base", "1ms");
    pipeline_harness_set(&w, "retry.cap", "1ms");
    pipeline_harness_start(&w);
    confirm(&w, "bad");
    for (int i = 0; i < 8; i++) {
        char id[16];
        snprintf(id, sizeof id, "o%d", i);
        confirm(&w, id);
        await(&w, M "records_delivered_total %zu\n", (size_t)i + 1);
        clock_skip(1000);
    }
    await(&w, M "records_parked_total %zu\n", 1);
    rd_kafka_message_t *m = cluster_parked(&w.cluster);
    assert_non_null(m);
    assert_int_equal(rd_kafka_message_headers(m, &headers), RD_KAFKA_RESP_ERR_NO_ERROR);
    assert_int_equal(rd_kafka_header_get_last(headers, "elementor-sync.reason", &value, &len),
                     RD_KAFKA_RESP_ERR_NO_ERROR);
    assert_string_equal(value, "exhausted:answer_failure");
    assert_int_equal(rd_kafka_header_get_last(headers, "elementor-sync.detail", &value, &len),
                     RD_KAFKA_RESP_ERR_NO_ERROR);
    assert_non_null(strstr(value, "outcome.success=status"));
    cluster_parked_done(m, &w.cluster);
    end(&w);
}

static void the_status_alone_may_count(void **state)
{
    static const struct server_rule webhook[] = {{NULL, SERVER_ANSWER_CLOSE, HTML, 1},
                                                 {NULL, SERVER_ANSWER_CLOSE, CAPTCHA, 1},
                                                 {NULL, SERVER_ANSWER_CLOSE, FAILED, 0},
                                                 {0}};
    struct pipeline_harness w;
    (void)state;
    pipeline_harness_open(&w, webhook);
    pipeline_harness_set(&w, "outcome.success", "status");
    pipeline_harness_start(&w);
    confirm(&w, "o1");
    confirm(&w, "o2");
    confirm(&w, "o3");
    await(&w, M "records_delivered_total %zu\n", 3);
    assert_int_equal(server_request_count(w.webhook), 3);
    end(&w);
}

static void plain_text_called_html_is_fine(void **state)
{
    static const struct server_rule webhook[] = {
        {NULL, SERVER_ANSWER_CLOSE, PAGE("200 OK\r\nContent-Type: text/html", "ok"), 0}, {0}};
    struct pipeline_harness w;
    (void)state;
    pipeline_harness_open(&w, webhook);
    pipeline_harness_start(&w);
    confirm(&w, "o1");
    await(&w, M "records_delivered_total %zu\n", 1);
    end(&w);
}

struct answers {
    char of[8][300];
    size_t count;
};

static void take(void *context, const rd_kafka_message_t *m)
{
    struct answers *a = context;
    json_t *record = json_loadb(m->payload, m->len, JSON_REJECT_DUPLICATES, NULL);
    const char *answer = json_string_value(json_object_get(record, "response"));
    assert_true(a->count < 8);
    snprintf(a->of[a->count++], sizeof a->of[0], "%s", answer != NULL ? answer : "(none)");
    json_decref(record);
}

/* Delivered or parked: its first 256 bytes, without the customer's data. */
static void the_last_answer_is_in_the_outcome(void **state)
{
    static const struct server_rule webhook[] = {
        {NULL, SERVER_ANSWER_CLOSE, PAGE("200 OK", "{\"ok\":true,\"for\":\"Amina 0612345678\"}"),
         1},
        {NULL, SERVER_ANSWER_CLOSE, PAGE("422 No", "no such thing"), 1},
        {NULL, SERVER_ANSWER, NO_CONTENT, 0},
        {0}};
    struct pipeline_harness w;
    struct answers a = {0};
    (void)state;
    pipeline_harness_open(&w, webhook);
    confirm(&w, "o1");
    confirm(&w, "o2");
    confirm(&w, "o3");
    pipeline_harness_set(&w, "webhook.concurrency", "1");
    pipeline_harness_run_to_end(&w);
    cluster_read(&w.cluster, DELIVERIES, take, &a);
    size_t first = 0, second = 0, none = 0;
    for (size_t i = 0; i < a.count; i++) {
        first += strcmp(a.of[i], "{\"ok\":true,\"for\":\"[redacted] [redacted]\"}") == 0;
        second += strcmp(a.of[i], "no such thing") == 0;
        none += strcmp(a.of[i], "(none)") == 0;
    }
    assert_int_equal(first, 1);
    assert_int_equal(second, 1);
    assert_int_equal(none, 1);
    pipeline_harness_close(&w);
}

static void log_of(const char *answer, const char *wanted)
{
    const struct server_rule webhook[] = {
        {NULL, SERVER_ANSWER_CLOSE, answer, 1}, {NULL, SERVER_ANSWER, NO_CONTENT, 0}, {0}};
    struct pipeline_harness w;
    pipeline_harness_open(&w, webhook);
    confirm(&w, "one");
    pipeline_harness_log_open(&w);
    pipeline_harness_start(&w);
    pipeline_harness_await_log(&w, wanted);
    end(&w);
}

/* A redirect's path may be a secret; its host is what an operator needs. */
static void the_log_says_where_a_redirect_leads(void **state)
{
    (void)state;
    log_of(PAGE("301 Moved\r\nLocation: https://www.example.com/hook", ""),
           "error=\"a redirect to https://www.example.com, which is never followed;");
}

static void the_log_says_which_order_is_parked(void **state)
{
    (void)state;
    log_of(PAGE("422 No", ""),
           "event=\"parked\" reason=http:422 class=refused detail=\"\" order=one webhook_id=msg_");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_page_blames_the_endpoint),
        cmocka_unit_test(a_captcha_blames_the_endpoint),
        cmocka_unit_test(cloudflares_header_too),
        cmocka_unit_test(by_json_an_unclear_answer_blames_the_endpoint),
        cmocka_unit_test(a_failure_counts_against_its_order),
        cmocka_unit_test(the_status_alone_may_count),
        cmocka_unit_test(plain_text_called_html_is_fine),
        cmocka_unit_test(the_last_answer_is_in_the_outcome),
        cmocka_unit_test(the_log_says_where_a_redirect_leads),
        cmocka_unit_test(the_log_says_which_order_is_parked),
    };
    return pipeline_harness_main("pipeline_understood", tests, sizeof tests / sizeof *tests);
}
