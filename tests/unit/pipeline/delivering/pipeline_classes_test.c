/* pipeline_classes: what becomes of an order for each line of the outcome classes, answered on a
 * real socket. (How each answer is read: outcome_socket; what a minute's answers add up to:
 * breaker.) */
#include "fakes/clock.h"
#include "fakes/pipeline_harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define M "elementor_sync_"
#define ANSWER(status) "HTTP/1.1 " status " Word\r\nLocation: /there\r\nContent-Length: 0\r\n\r\n"
#define ONCE(status)                           \
    {                                          \
        NULL, SERVER_ANSWER, ANSWER(status), 1 \
    }
#define FINE                               \
    {                                      \
        NULL, SERVER_ANSWER, NO_CONTENT, 1 \
    }
#define FINE_FOR_EVER                      \
    {                                      \
        NULL, SERVER_ANSWER, NO_CONTENT, 0 \
    }

enum { TEXT_MAX = 65536, PROBE_MS = 61000 /* the longest wait between two probes, and a bit */ };

static char text[TEXT_MAX];

static void await(struct pipeline_harness *w, const char *format, size_t count)
{
    char metric[96];
    snprintf(metric, sizeof metric, format, count);
    pipeline_harness_await_scrape(w, "/metrics", metric, text, sizeof text);
}

static double metric(const char *name)
{
    return pipeline_harness_metric(text, name);
}

static void confirm(struct pipeline_harness *w, size_t i)
{
    char id[16];
    snprintf(id, sizeof id, "o%zu", i);
    pipeline_harness_produce(w, (int32_t)(i % HARNESS_PARTITIONS), id, "06", "confirmed");
}

static void end(struct pipeline_harness *w)
{
    server_release(w->webhook);
    pipeline_harness_stop(w);
    assert_true(w->ok);
    pipeline_harness_close(w);
}

/* ---- the record may be fine, and so may the endpoint: again, after a moment ---- */

static void transient(void **state)
{
    static const struct server_rule webhook[] = {ONCE("408"),
                                                 FINE,
                                                 ONCE("425"),
                                                 FINE,
                                                 ONCE("429"),
                                                 FINE,
                                                 ONCE("500"),
                                                 FINE,
                                                 ONCE("502"),
                                                 FINE,
                                                 ONCE("503"),
                                                 FINE,
                                                 ONCE("504"),
                                                 FINE,
                                                 ONCE("507"),
                                                 FINE,
                                                 ONCE("599"),
                                                 FINE,
                                                 {NULL, SERVER_RESET, NULL, 1},
                                                 FINE,
                                                 {NULL, SERVER_CLOSE, NULL, 1},
                                                 FINE,
                                                 {NULL, SERVER_ANSWER_CLOSE, "hello\r\n\r\n", 1},
                                                 FINE,
                                                 {0}};
    enum { WAYS = (sizeof webhook / sizeof *webhook - 1) / 2 };
    struct pipeline_harness w;
    (void)state;
    pipeline_harness_open(&w, webhook);
    pipeline_harness_set(&w, "webhook.timeout", "2s");
    pipeline_harness_set(&w, "breaker.failures_min",
                         "1000"); /* half of these answers are failures */
    pipeline_harness_start(&w);
    for (size_t i = 0; i < WAYS; i++) {
        confirm(&w, i);
        await(&w, M "records_delivered_total %zu\n", i + 1);
        assert_int_equal(server_request_count(w.webhook), 2 * (i + 1));
    }
    assert_true(metric(M "records_parked_total") == 0);
    assert_true(metric(M "breaker_opened_total") == 0);
    end(&w);
}

/* Seconds, a date, and more than is honoured. Other deliveries that are ready wait too. */
static void retry_after(void **state)
{
    static const struct server_rule webhook[] = {
        {NULL, SERVER_ANSWER, "HTTP/1.1 429 Slow\r\nRetry-After: 120\r\nContent-Length: 0\r\n\r\n",
         1},
        FINE,
        FINE,
        FINE,
        {NULL, SERVER_ANSWER,
         "HTTP/1.1 503 Busy\r\nRetry-After: Fri, 31 Dec 2038 23:59:59 GMT\r\n"
         "Content-Length: 0\r\n\r\n",
         1},
        FINE_FOR_EVER,
        {0}};
    static const struct {
        int64_t early_ms, rest_ms;
    } waits[] = {{118000, 3000}, {15 * 60000 - 3000, 4000}};
    struct pipeline_harness w;
    (void)state;
    pipeline_harness_open(&w, webhook);
    pipeline_harness_set(&w, "webhook.concurrency", "1");
    pipeline_harness_start(&w);
    for (size_t round = 0; round < 2; round++) {
        size_t requests = 4 * round + 1;
        for (size_t i = 0; i < 3; i++)
            confirm(&w, 3 * round + i);
        await(&w, M "webhook_failures_total %zu\n", round + 1);
        await(&w, M "records_in_flight %zu\n", 3);
        clock_skip(waits[round].early_ms);
        for (int turns = 0; turns < 3; turns++)
            pipeline_harness_scrape(&w, "/metrics", text, sizeof text);
        assert_int_equal(server_request_count(w.webhook), requests);
        clock_skip(waits[round].rest_ms);
        await(&w, M "records_delivered_total %zu\n", 3 * round + 3);
    }
    end(&w);
}

/* ---- the endpoint's fault: nothing is parked, everything waits, one at a time probes ---- */

static void endpoint(void **state)
{
    static const struct server_rule webhook[] = {
        ONCE("401"), FINE,        ONCE("403"), FINE,        ONCE("404"), FINE,        ONCE("410"),
        FINE,        ONCE("501"), FINE,        ONCE("505"), FINE,        ONCE("300"), FINE,
        ONCE("301"), FINE,        ONCE("302"), FINE,        ONCE("303"), FINE,        ONCE("307"),
        FINE,        ONCE("308"), FINE,        {0}};
    enum { WAYS = (sizeof webhook / sizeof *webhook - 1) / 2 };
    struct pipeline_harness w;
    (void)state;
    pipeline_harness_open(&w, webhook);
    pipeline_harness_start(&w);
    for (size_t i = 0; i < WAYS; i++) {
        confirm(&w, i);
        await(&w, M "breaker_opened_total %zu\n", i + 1);
        assert_int_equal(server_request_count(w.webhook), 2 * i + 1);
        clock_skip(PROBE_MS);
        await(&w, M "records_delivered_total %zu\n", i + 1);
        await(&w, M "breaker_open %zu\n", 0);
    }
    assert_true(metric(M "records_parked_total") == 0);
    for (size_t i = 0; i < 2 * WAYS; i++) /* redirects were not followed */
        assert_int_equal(strncmp(server_request(w.webhook, i)->head, "POST /hook ", 11), 0);
    end(&w);
}

/* ---- the record's fault ---- */

static void refused(void **state)
{
    static const struct server_rule webhook[] = {ONCE("400"), ONCE("402"), ONCE("405"), ONCE("409"),
                                                 ONCE("413"), ONCE("415"), ONCE("418"), ONCE("422"),
                                                 ONCE("451"), FINE,        {0}};
    enum { WAYS = sizeof webhook / sizeof *webhook - 2 };
    struct pipeline_harness w;
    (void)state;
    pipeline_harness_open(&w, webhook);
    pipeline_harness_start(&w);
    for (size_t i = 0; i < WAYS; i++) {
        confirm(&w, i);
        await(&w, M "records_parked_total %zu\n", i + 1);
        assert_int_equal(server_request_count(w.webhook), i + 1);
    }
    confirm(&w, WAYS);
    await(&w, M "records_delivered_total %zu\n", 1);
    assert_true(metric(M "breaker_opened_total") == 0);
    end(&w);
}

/* ---- one order that fails while others get through ---- */

static const char *reason_of(struct pipeline_harness *w, rd_kafka_message_t **ret_message)
{
    rd_kafka_headers_t *headers;
    const void *reason;
    size_t len;
    *ret_message = cluster_parked(&w->cluster);
    assert_non_null(*ret_message);
    assert_int_equal(rd_kafka_message_headers(*ret_message, &headers), RD_KAFKA_RESP_ERR_NO_ERROR);
    assert_int_equal(rd_kafka_header_get_last(headers, "elementor-sync.reason", &reason, &len),
                     RD_KAFKA_RESP_ERR_NO_ERROR);
    return reason;
}

/* Any order may probe: after some probes the others have had their turn. */
static void let_probe_until_delivered(struct pipeline_harness *w, size_t count)
{
    enum { PROBES_MAX = 5000 };
    for (int probes = 0; metric(M "records_delivered_total") < (double)count; probes++) {
        assert_true(probes < PROBES_MAX);
        clock_skip(PROBE_MS);
        pipeline_harness_scrape(w, "/metrics", text, sizeof text);
    }
}

/* Only what lies between two deliveries of others counts: it takes that many of them. */
static void alone_at_fault(const char *answer, size_t others_least, const char *reason)
{
    const struct server_rule webhook[] = {{"\"o0\"", SERVER_ANSWER, answer, 0}, FINE_FOR_EVER, {0}};
    struct pipeline_harness w;
    rd_kafka_message_t *m;
    size_t others = 0;
    pipeline_harness_open(&w, webhook);
    pipeline_harness_set(&w, "retry.give_up", "365d");
    pipeline_harness_start(&w);
    confirm(&w, 0);
    await(&w, M "breaker_open %zu\n", 1);
    for (double parked = 0; parked == 0; parked = metric(M "records_parked_total")) {
        confirm(&w, ++others);
        let_probe_until_delivered(&w, others);
        assert_true(others < 100);
    }
    assert_true(others >= others_least);
    assert_string_equal(reason_of(&w, &m), reason);
    cluster_parked_done(m, &w.cluster);
    end(&w);
}

static void turned_away_alone(void **state)
{
    (void)state;
    alone_at_fault(ANSWER("403"), 3, "endpoint:http:403");
}

static void failing_alone(void **state)
{
    (void)state;
    alone_at_fault(ANSWER("500"), 8, "exhausted:http:500");
}

/* There is no other order to compare it with: it waits, however long the outage, and is delivered
 * when that is over. */
static void failing_for_days(void **state)
{
    enum { HOURS = 72, FIRST = 5 };
    static const struct server_rule webhook[] = {
        {NULL, SERVER_ANSWER, BUSY, FIRST + HOURS}, FINE_FOR_EVER, {0}};
    struct pipeline_harness w;
    (void)state;
    pipeline_harness_open(&w, webhook);
    pipeline_harness_start(&w);
    confirm(&w, 0);
    await(&w, M "breaker_open %zu\n", 1);
    for (size_t hour = 0, failures = FIRST; hour < HOURS; hour++) {
        clock_skip(3600 * 1000);
        await(&w, M "webhook_failures_total %zu\n", ++failures);
    }
    clock_skip(3600 * 1000);
    await(&w, M "records_delivered_total %zu\n", 1);
    assert_true(metric(M "records_parked_total") == 0);
    end(&w);
}

/* The breaker closed: then its time passes. */
static void failing_for_a_day(void **state)
{
    static const struct server_rule webhook[] = {{NULL, SERVER_ANSWER, BUSY, 0}, {0}};
    struct pipeline_harness w;
    rd_kafka_message_t *m;
    (void)state;
    pipeline_harness_open(&w, webhook);
    pipeline_harness_set(&w, "breaker.failures_in_row", "1000000");
    pipeline_harness_set(&w, "breaker.failures_min", "1000000");
    pipeline_harness_set(&w, "retry.base", "1h");
    pipeline_harness_set(&w, "retry.cap", "1h");
    pipeline_harness_start(&w);
    confirm(&w, 0);
    await(&w, M "webhook_failures_total %zu\n", 1);
    for (size_t hour = 0; hour < 23; hour++) {
        size_t requests = server_request_count(w.webhook);
        clock_skip(3600 * 1000);
        pipeline_harness_await_requests(&w, requests + 1);
        await(&w, M "webhook_requests %zu\n", 0);
    }
    assert_true(metric(M "records_parked_total") == 0);
    clock_skip(3600 * 1000);
    await(&w, M "records_parked_total %zu\n", 1);
    assert_string_equal(reason_of(&w, &m), "exhausted:http:503");
    cluster_parked_done(m, &w.cluster);
    end(&w);
}

/* ---- a receiver that refuses everything must not drain the topic into the dead letters ---- */

static void the_parking_guard(void **state)
{
    enum { ORDERS = 40, GUARD = 20 };
    static const struct server_rule webhook[] = {
        {NULL, SERVER_ANSWER, ANSWER("422"), GUARD + 2}, FINE_FOR_EVER, {0}};
    struct pipeline_harness w;
    (void)state;
    pipeline_harness_open(&w, webhook);
    pipeline_harness_set(&w, "webhook.concurrency", "1");
    for (size_t i = 0; i < ORDERS; i++)
        confirm(&w, i);
    pipeline_harness_start(&w);
    await(&w, M "breaker_open %zu\n", 1);
    for (size_t probes = 1; probes <= 2; probes++) { /* refused, and not parked */
        clock_skip(PROBE_MS);
        await(&w, M "webhook_failures_total %zu\n", GUARD + probes);
        assert_true(metric(M "breaker_open") == 1);
    }
    clock_skip(PROBE_MS);
    await(&w, M "records_in_flight %zu\n", 0);
    size_t parked = (size_t)metric(M "records_parked_total");
    assert_in_range(parked, GUARD - 1, GUARD);
    assert_true(metric(M "records_delivered_total") == (double)(ORDERS - parked));
    end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(transient),         cmocka_unit_test(retry_after),
        cmocka_unit_test(endpoint),          cmocka_unit_test(refused),
        cmocka_unit_test(turned_away_alone), cmocka_unit_test(failing_alone),
        cmocka_unit_test(failing_for_a_day), cmocka_unit_test(failing_for_days),
        cmocka_unit_test(the_parking_guard),
    };
    return pipeline_harness_main("pipeline_classes", tests, sizeof tests / sizeof *tests);
}
