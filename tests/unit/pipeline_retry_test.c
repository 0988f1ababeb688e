/* pipeline_retry: what the retry topic asks for; and a group with an eager assignor. */
#include "world/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RETRIES "elementor-sync.retry"
enum { TEXT_MAX = 65536 };

static const struct server_rule accepting[] = {{NULL, SERVER_ANSWER, NO_CONTENT, 0}, {0}};

/* One row whose status is no transition of any kind. */
static size_t row(unsigned char bytes[512], const char *id)
{
    const char *columns[] = {id, "CMD-7", "Amina", "06", "Watch", "1", "2.50", "2.50", "shipped"};
    size_t at = 5;
    memcpy(bytes, "\0\0\0\0\1", 5);
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
        size_t len = strlen(columns[i]);
        bytes[at++] = (unsigned char)(len * 2);
        memcpy(bytes + at, columns[i], len);
        at += len;
    }
    return at;
}

static void ask_for_retry(struct world *w, int32_t partition, const char *id, bool with_headers)
{
    unsigned char bytes[512];
    size_t len = row(bytes, id);
    rd_kafka_headers_t *headers = rd_kafka_headers_new(8);
    if (with_headers) {
        rd_kafka_header_add(headers, "elementor-sync.topic", -1, CLUSTER_TOPIC, -1);
        rd_kafka_header_add(headers, "elementor-sync.partition", -1, "2", -1);
        rd_kafka_header_add(headers, "elementor-sync.offset", -1, "4711", -1);
        rd_kafka_header_add(headers, "elementor-sync.timestamp", -1, "1795564800000", -1);
        rd_kafka_header_add(headers, "elementor-sync.request", -1, "r-1", -1);
    }
    assert_int_equal(rd_kafka_producev(w->cluster.rk, RD_KAFKA_V_TOPIC(RETRIES),
                                       RD_KAFKA_V_PARTITION(partition), RD_KAFKA_V_KEY("key", 3),
                                       RD_KAFKA_V_VALUE(bytes, len),
                                       RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                                       RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_END),
                     RD_KAFKA_RESP_ERR_NO_ERROR);
    assert_int_equal(rd_kafka_flush(w->cluster.rk, WORLD_PATIENCE_MS), RD_KAFKA_RESP_ERR_NO_ERROR);
}

static void note_outcome(void *context, const rd_kafka_message_t *m)
{
    snprintf(context, TEXT_MAX, "%.*s", (int)m->len, (const char *)m->payload);
}

/* Every row is sent, whatever its status; from where it was first, and marked. */
static void a_retry_is_delivered(void **state)
{
    static char text[TEXT_MAX];
    struct world w;
    char value[64];
    (void)state;
    world_open(&w, accepting);
    ask_for_retry(&w, 2, "o9", true);
    world_run_to_end(&w);
    assert_int_equal(server_request_count(w.webhook), 1);
    world_header(&w, 0, "webhook-source", value, sizeof value);
    assert_string_equal(value, "retry");
    cluster_read(&w.cluster, "elementor-sync.deliveries", note_outcome, text);
    assert_non_null(strstr(text, "\"source\":\"retry\""));
    assert_non_null(strstr(text, "\"request\":\"r-1\""));
    assert_non_null(
        strstr(text, "\"topic\":\"" CLUSTER_TOPIC "\",\"partition\":2,\"offset\":4711"));
    world_close(&w);
}

/* An order's own confirmation and its retry are never under way at the same time. */
static void a_retry_waits_for_its_order(void **state)
{
    static const struct server_rule webhook[] = {
        {NULL, SERVER_HOLD, NO_CONTENT, 1}, {NULL, SERVER_ANSWER, NO_CONTENT, 0}, {0}};
    static char text[TEXT_MAX];
    struct world w;
    (void)state;
    world_open(&w, webhook);
    world_confirm(&w, 2, "o9");
    world_start(&w);
    world_await_requests(&w, 1);
    ask_for_retry(&w, 2, "o9", true);
    world_await_scrape(&w, "/metrics", "elementor_sync_deliveries{state=\"waiting\"} 1\n", text,
                       sizeof text);
    assert_int_equal(server_request_count(w.webhook), 1);
    server_release(w.webhook);
    world_await_requests(&w, 2);
    world_stop(&w);
    assert_true(w.ok);
    world_close(&w);
}

static void a_retry_that_says_nothing_is_parked(void **state)
{
    struct world w;
    rd_kafka_headers_t *headers;
    const void *reason;
    size_t len;
    (void)state;
    world_open(&w, accepting);
    ask_for_retry(&w, 0, "o9", false);
    world_run_to_end(&w);
    assert_int_equal(server_request_count(w.webhook), 0);
    rd_kafka_message_t *m = cluster_parked(&w.cluster);
    assert_non_null(m);
    assert_int_equal(rd_kafka_message_headers(m, &headers), RD_KAFKA_RESP_ERR_NO_ERROR);
    assert_int_equal(rd_kafka_header_get_last(headers, "elementor-sync.reason", &reason, &len),
                     RD_KAFKA_RESP_ERR_NO_ERROR);
    assert_string_equal(reason, "undecodable");
    cluster_parked_done(m, &w.cluster);
    world_close(&w);
}

static void too_few_retry_partitions_are_refused(void **state)
{
    struct world w;
    (void)state;
    world_open(&w, accepting);
    assert_int_equal(rd_kafka_mock_topic_create(w.cluster.mock, "few", 2, 1),
                     RD_KAFKA_RESP_ERR_NO_ERROR);
    world_set(&w, "retry.topic", "few");
    world_set(&w, "topics.create", "false");
    assert_false(world_try_to_end(&w));
    assert_int_equal(w.err.code, ERROR_FAILED);
    assert_non_null(strstr(w.err.text, "--alter --topic few --partitions 3"));
    world_close(&w);
}

static void an_eager_assignor_works_too(void **state)
{
    struct world w;
    (void)state;
    world_open(&w, accepting);
    world_set(&w, "kafka.properties.partition.assignment.strategy", "range");
    for (int32_t p = 0; p < WORLD_PARTITIONS; p++) {
        char id[16];
        snprintf(id, sizeof id, "o%d", (int)p);
        world_confirm(&w, p, id);
    }
    ask_for_retry(&w, 1, "o9", true);
    world_run_to_end(&w);
    assert_int_equal(server_request_count(w.webhook), WORLD_PARTITIONS + 1);
    for (int32_t p = 0; p < WORLD_PARTITIONS; p++)
        assert_int_equal(cluster_committed(&w.cluster, "shop", p), 3);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_retry_is_delivered),
        cmocka_unit_test(a_retry_waits_for_its_order),
        cmocka_unit_test(a_retry_that_says_nothing_is_parked),
        cmocka_unit_test(too_few_retry_partitions_are_refused),
        cmocka_unit_test(an_eager_assignor_works_too),
    };
    return world_main("pipeline_retry", tests, sizeof tests / sizeof *tests);
}
