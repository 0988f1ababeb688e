/* pipeline_answers: what was answered is never sent again, and what was sent without an answer is
 * sent again slowly, rarely, and not for ever. */
#include "fakes/clock.h"
#include "fakes/pipeline_harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define M "elementor_sync_"
#define ANSWER(status) "HTTP/1.1 " status " Word\r\nContent-Length: 0\r\n\r\n"
#define FINE                               \
    {                                      \
        NULL, SERVER_ANSWER, NO_CONTENT, 0 \
    }

enum { TEXT_MAX = 65536, MINUTE_MS = 60 * 1000 };

static char text[TEXT_MAX];

static void await(struct pipeline_harness *w, const char *format, size_t count)
{
    char metric[96];
    snprintf(metric, sizeof metric, format, count);
    pipeline_harness_await_scrape(w, "/metrics", metric, text, sizeof text);
}

static double metric(struct pipeline_harness *w, const char *name)
{
    pipeline_harness_scrape(w, "/metrics", text, sizeof text);
    return pipeline_harness_metric(text, name);
}

static void confirm(struct pipeline_harness *w, const char *id)
{
    pipeline_harness_produce(w, 0, id, "06", "confirmed");
}

static void end(struct pipeline_harness *w)
{
    server_release(w->webhook);
    pipeline_harness_stop(w);
    assert_true(w->ok);
    pipeline_harness_close(w);
}

/* Some turns of the loop: what it would do at this time is done. */
static void let_turn(struct pipeline_harness *w)
{
    for (int turns = 0; turns < 3; turns++)
        pipeline_harness_scrape(w, "/metrics", text, sizeof text);
}

static void expect_parked(struct pipeline_harness *w, const char *reason, const char *class)
{
    static const char *const names[] = {"elementor-sync.reason", "elementor-sync.class"};
    const char *const wanted[] = {reason, class};
    rd_kafka_headers_t *headers;
    const void *value;
    size_t len;
    rd_kafka_message_t *m = cluster_parked(&w->cluster);
    assert_non_null(m);
    assert_int_equal(rd_kafka_message_headers(m, &headers), RD_KAFKA_RESP_ERR_NO_ERROR);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(rd_kafka_header_get_last(headers, names[i], &value, &len),
                         RD_KAFKA_RESP_ERR_NO_ERROR);
        assert_string_equal(value, wanted[i]);
    }
    cluster_parked_done(m, &w->cluster);
}

/* ---- a status is an answer ---- */

static void a_2xx_is_delivered_whatever_becomes_of_the_body(void **state)
{
    static const struct server_rule webhook[] = {
        {NULL, SERVER_ANSWER_CLOSE,
         "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n"
         "{\"success\":true}\n",
         1},
        {NULL, SERVER_ANSWER_CLOSE,
         "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n{\"success\":true}\r\n", 1},
        {NULL, SERVER_ANSWER, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nab\r\n",
         1},
        {NULL, SERVER_DRIP, "HTTP/1.1 201 Made\r\nContent-Length: 100\r\n\r\nno end", 1},
        {NULL, SERVER_ANSWER, "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nno more", 1},
        {NULL, SERVER_REPEAT, "HTTP/1.1 200 OK\r\nX-Filler: 0123456789\r\n", 1},
        {0}};
    enum { WAYS = sizeof webhook / sizeof *webhook - 1 };
    struct pipeline_harness w;
    (void)state;
    pipeline_harness_open(&w, webhook);
    pipeline_harness_set(&w, "webhook.timeout",
                         "2s"); /* long enough for a status line that drips */
    pipeline_harness_start(&w);
    for (size_t i = 0; i < WAYS; i++) {
        char id[16];
        snprintf(id, sizeof id, "o%zu", i);
        confirm(&w, id);
        await(&w, M "records_delivered_total %zu\n", i + 1);
        assert_int_equal(server_request_count(w.webhook), i + 1);
    }
    assert_true(metric(&w, M "webhook_answers_incomplete_total") == WAYS);
    assert_true(metric(&w, M "webhook_failures_total") == 0);
    end(&w);
}

/* As whole ones do: parked at once, tried again, and held for Retry-After. */
static void other_statuses_count_without_their_body_too(void **state)
{
    static const struct server_rule webhook[] = {
        {NULL, SERVER_ANSWER_CLOSE, "HTTP/1.1 422 No\r\nContent-Length: 9\r\n\r\nno", 1},
        {NULL, SERVER_ANSWER_CLOSE,
         "HTTP/1.1 503 Busy\r\nRetry-After: 120\r\nContent-Length: 9\r\n\r\nno", 1},
        FINE,
        {0}};
    struct pipeline_harness w;
    (void)state;
    pipeline_harness_open(&w, webhook);
    pipeline_harness_start(&w);
    confirm(&w, "o1");
    await(&w, M "records_parked_total %zu\n", 1);
    assert_int_equal(server_request_count(w.webhook), 1);
    expect_parked(&w, "http:422", "refused");
    confirm(&w, "o2");
    await(&w, M "webhook_failures_total %zu\n", 2);
    clock_skip(118000);
    let_turn(&w);
    assert_int_equal(server_request_count(w.webhook), 2);
    clock_skip(3000);
    await(&w, M "records_delivered_total %zu\n", 1);
    end(&w);
}

static void the_receiver_has_it_already(void **state)
{
    static const struct server_rule webhook[] = {{NULL, SERVER_ANSWER, ANSWER("409"), 0}, {0}};
    struct pipeline_harness w;
    (void)state;
    pipeline_harness_open(&w, webhook);
    pipeline_harness_set(&w, "outcome.delivered", "409,418");
    pipeline_harness_start(&w);
    confirm(&w, "o1");
    await(&w, M "records_delivered_total %zu\n", 1);
    assert_true(metric(&w, M "records_parked_total") == 0);
    end(&w);
}

/* ---- no answer at all ---- */

/* The others are answered within it, on a busy machine too. */
#define TIMEOUT "2s"

/* A minute after the first, two after the second, …; and only deliveries of others make it count.
 */
static void a_time_out_comes_again_slowly_and_not_for_ever(void **state)
{
    static const struct server_rule webhook[] = {{"\"lost\"", SERVER_HANG, NULL, 0}, FINE, {0}};
    static const int64_t waits[] = {1, 2, 4, 8, 16};
    struct pipeline_harness w;
    (void)state;
    pipeline_harness_open(&w, webhook);
    pipeline_harness_set(&w, "webhook.timeout", TIMEOUT);
    pipeline_harness_start(&w);
    confirm(&w, "lost");
    for (size_t i = 0; i < sizeof waits / sizeof *waits; i++) {
        char id[16];
        snprintf(id, sizeof id, "o%zu", i);
        await(&w, M "webhook_failures_total %zu\n", i + 1);
        confirm(&w, id);
        await(&w, M "records_delivered_total %zu\n", i + 1);
        size_t requests = server_request_count(w.webhook);
        clock_skip(waits[i] * MINUTE_MS - 5000);
        let_turn(&w);
        assert_int_equal(server_request_count(w.webhook), requests);
        assert_true(metric(&w, M "records_parked_total") == 0);
        clock_skip(5000);
    }
    await(&w, M "records_parked_total %zu\n", 1);
    assert_true(metric(&w, M "webhook_unknown_results_total") == 6);
    expect_parked(&w, "unknown_result", "unknown_result");
    end(&w);
}

/* The usual backoff, and the same small count: where a connection was new, it may have been taken.
 */
static void closed_on_a_new_connection_counts_as_unknown(void **state)
{
    static const struct server_rule webhook[] = {
        {"\"lost\"", SERVER_CLOSE, NULL, 0},
        {NULL, SERVER_ANSWER_CLOSE, "HTTP/1.1 204 Fine\r\nConnection: close\r\n\r\n", 0},
        {0}};
    struct pipeline_harness w;
    (void)state;
    pipeline_harness_open(&w, webhook);
    pipeline_harness_set(&w, "breaker.failures_in_row", "1000");
    pipeline_harness_set(&w, "breaker.failures_min", "1000");
    pipeline_harness_start(&w);
    confirm(&w, "lost");
    for (size_t others = 0; metric(&w, M "records_parked_total") == 0; others++) {
        char id[16];
        snprintf(id, sizeof id, "o%zu", others);
        confirm(&w, id);
        await(&w, M "records_delivered_total %zu\n", others + 1);
        assert_true(others < 200);
    }
    expect_parked(&w, "unknown_result", "unknown_result");
    end(&w);
}

/* Alone behind an open breaker it keeps its minute, though probes are due; another order that fails
 * probes meanwhile, and its probe that gets through lets both go. */
static void an_open_breaker_does_not_hurry_it(void **state)
{
    static const struct server_rule webhook[] = {
        {"\"lost\"", SERVER_HANG, NULL, 1}, {"\"o1\"", SERVER_ANSWER, BUSY, 2}, FINE, {0}};
    struct pipeline_harness w;
    (void)state;
    pipeline_harness_open(&w, webhook);
    pipeline_harness_set(&w, "webhook.timeout", TIMEOUT);
    pipeline_harness_set(&w, "breaker.failures_in_row", "1");
    pipeline_harness_start(&w);
    confirm(&w, "lost");
    await(&w, M "breaker_open %zu\n", 1);
    clock_skip(20000); /* its probes would be due: the first after 5 s */
    let_turn(&w);
    assert_int_equal(server_request_count(w.webhook), 1);
    confirm(&w, "o1"); /* never sent, so it probes */
    await(&w, M "webhook_failures_total %zu\n", 2);
    clock_skip(12000); /* the next probe, and 32 s since the time-out */
    await(&w, M "webhook_failures_total %zu\n", 3);
    assert_non_null(strstr(server_request(w.webhook, 2)->body, "\"o1\""));
    clock_skip(30000); /* both are due by now; one gets through and closes it */
    await(&w, M "records_delivered_total %zu\n", 2);
    end(&w);
}

/* ---- Retry-After, and an open breaker's own pace ---- */

/* In an answer that blames the record it delays no other order. */
static void retry_after_of_a_refusal_holds_nothing(void **state)
{
    static const struct server_rule webhook[] = {
        {NULL, SERVER_ANSWER, "HTTP/1.1 422 No\r\nRetry-After: 600\r\nContent-Length: 0\r\n\r\n",
         1},
        FINE,
        {0}};
    struct pipeline_harness w;
    (void)state;
    pipeline_harness_open(&w, webhook);
    pipeline_harness_start(&w);
    confirm(&w, "o1");
    await(&w, M "records_parked_total %zu\n", 1);
    confirm(&w, "o2");
    await(&w, M "records_delivered_total %zu\n", 1);
    end(&w);
}

/* Two fail together and open it. Once a probe of one gets through, the other one goes at once: it
 * has not begun a rest of its own behind the open breaker. */
static void behind_an_open_breaker_nothing_rests(void **state)
{
    static const struct server_rule webhook[] = {{NULL, SERVER_HOLD, BUSY, 2}, FINE, {0}};
    struct pipeline_harness w;
    (void)state;
    pipeline_harness_open(&w, webhook);
    pipeline_harness_set(&w, "breaker.failures_in_row", "1");
    pipeline_harness_set(&w, "retry.base", "1h");
    pipeline_harness_set(&w, "retry.cap", "24h");
    pipeline_harness_start(&w);
    confirm(&w, "o1");
    confirm(&w, "o2");
    pipeline_harness_await_requests(&w, 2);
    server_release(w.webhook);
    await(&w, M "webhook_failures_total %zu\n", 2);
    clock_skip(6000);
    await(&w, M "records_delivered_total %zu\n", 2);
    end(&w);
}

/* ---- the guard against refusals ---- */

static void redrive(struct pipeline_harness *w, int number)
{
    char id[16], offset[16];
    snprintf(id, sizeof id, "r%d", number);
    snprintf(offset, sizeof offset, "%d", number);
    const char *columns[] = {id, "CMD-1", "Amina", "06", "Watch", "1", "2.50", "2.50", "confirmed"};
    unsigned char bytes[256] = {0, 0, 0, 0, 1};
    size_t at = 5;
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
        size_t len = strlen(columns[i]);
        bytes[at++] = (unsigned char)(len * 2);
        memcpy(bytes + at, columns[i], len);
        at += len;
    }
    const char *const headers[][2] = {
        {"elementor-sync.topic", CLUSTER_TOPIC}, {"elementor-sync.partition", "0"},
        {"elementor-sync.offset", offset},       {"elementor-sync.group", "shop"},
        {"elementor-sync.source", "redrive"},    {"elementor-sync.class", "refused"},
        {"elementor-sync.reason", "http:422"},   {"elementor-sync.timestamp", "1795564800000"},
        {"elementor-sync.request", offset}};
    rd_kafka_headers_t *list = rd_kafka_headers_new(8);
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
        rd_kafka_header_add(list, headers[i][0], -1, headers[i][1], -1);
    assert_int_equal(rd_kafka_producev(w->cluster.rk, RD_KAFKA_V_TOPIC(w->config->retry_topic),
                                       RD_KAFKA_V_PARTITION(0), RD_KAFKA_V_KEY("key", 3),
                                       RD_KAFKA_V_VALUE(bytes, at),
                                       RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                                       RD_KAFKA_V_HEADERS(list), RD_KAFKA_V_END),
                     RD_KAFKA_RESP_ERR_NO_ERROR);
    assert_int_equal(rd_kafka_flush(w->cluster.rk, HARNESS_PATIENCE_MS),
                     RD_KAFKA_RESP_ERR_NO_ERROR);
}

/* They are refused again by nature: a receiver that refuses them all works all the same. */
static void redrives_do_not_open_the_guard(void **state)
{
    enum { REDRIVES = 30 };
    static const struct server_rule webhook[] = {{NULL, SERVER_ANSWER, ANSWER("422"), 0}, {0}};
    struct pipeline_harness w;
    (void)state;
    pipeline_harness_open(&w, webhook);
    pipeline_harness_set(&w, "retry.topic", "elementor-sync.retry");
    pipeline_harness_start(&w);
    for (int i = 0; i < REDRIVES; i++)
        redrive(&w, i);
    await(&w, M "records_parked_total %zu\n", REDRIVES);
    assert_int_equal(server_request_count(w.webhook), REDRIVES);
    assert_true(metric(&w, M "breaker_opened_total") == 0);
    end(&w);
}

/* ---- a pace ---- */

/* Second by second: how fast it goes is not the point. A group forms in real time, though. */
static void await_deliveries(struct pipeline_harness *w, double count)
{
    enum { SECONDS = 3600 };
    pipeline_harness_await_requests(w, 1);
    for (int i = 0; i < SECONDS; i++) {
        if (metric(w, M "records_delivered_total") >= count)
            return;
        clock_skip(1000);
    }
    fail_msg("%.0f deliveries instead of %.0f", metric(w, M "records_delivered_total"), count);
}

/* 429 as often as it likes, with others delivered in between: the order waits and is delivered. */
static void a_pace_parks_nothing(void **state)
{
    enum { TIMES = 30 };
    static const struct server_rule webhook[] = {
        {"\"slow\"", SERVER_ANSWER, ANSWER("429"), TIMES}, FINE, {0}};
    struct pipeline_harness w;
    (void)state;
    pipeline_harness_open(&w, webhook);
    pipeline_harness_set(&w, "breaker.failures_in_row", "1000");
    pipeline_harness_set(&w, "breaker.failures_min", "1000");
    pipeline_harness_start(&w);
    confirm(&w, "slow");
    for (int others = 0; others < TIMES + 5; others++) {
        char id[16];
        snprintf(id, sizeof id, "o%d", others);
        confirm(&w, id);
        await_deliveries(&w, others + 1);
    }
    await_deliveries(&w, TIMES + 6);
    assert_true(metric(&w, M "records_parked_total") == 0);
    end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_2xx_is_delivered_whatever_becomes_of_the_body),
        cmocka_unit_test(other_statuses_count_without_their_body_too),
        cmocka_unit_test(the_receiver_has_it_already),
        cmocka_unit_test(a_time_out_comes_again_slowly_and_not_for_ever),
        cmocka_unit_test(closed_on_a_new_connection_counts_as_unknown),
        cmocka_unit_test(an_open_breaker_does_not_hurry_it),
        cmocka_unit_test(retry_after_of_a_refusal_holds_nothing),
        cmocka_unit_test(behind_an_open_breaker_nothing_rests),
        cmocka_unit_test(redrives_do_not_open_the_guard),
        cmocka_unit_test(a_pace_parks_nothing),
    };
    return pipeline_harness_main("pipeline_answers", tests, sizeof tests / sizeof *tests);
}
