/* pipeline: the real one, on librdkafka's mock cluster, with a scripted registry and webhook. */
#include "pipeline.h"

#include "edge/clock.h"
#include "edge/log.h"
#include "fakes/cluster.h"
#include "fakes/server.h"

#include <jansson.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

#define SCHEMA_FIELD(name) "{\\\"name\\\":\\\"" name "\\\",\\\"type\\\":\\\"string\\\"}"
#define SCHEMA_ANSWER                                                                         \
    "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{\"schema\":\"{\\\"type\\\":\\\"record\\\"," \
    "\\\"name\\\":\\\"Row\\\",\\\"fields\\\":[" SCHEMA_FIELD("id") "," SCHEMA_FIELD(          \
        "order_"                                                                              \
        "number") "," SCHEMA_FIELD("client_name") "," SCHEMA_FIELD("client_phone") "," SCHEMA_FIELD("product_name") "," SCHEMA_FIELD("quantity") "," SCHEMA_FIELD("unit_price") "," SCHEMA_FIELD("total_amount") "," SCHEMA_FIELD("status") "]}\"}"
#define NO_CONTENT "HTTP/1.1 204 No Content\r\n\r\n"
#define BUSY "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"
#define REGISTRY_RULE                                           \
    {                                                           \
        "/schemas/ids/1", SERVER_ANSWER_CLOSE, SCHEMA_ANSWER, 0 \
    }

enum { PARTITIONS = 3, PATIENCE_MS = 20000 };

struct world {
    struct cluster cluster;
    struct server *registry, *webhook;
    struct config *config;
    int stop_fd;
    pthread_t thread; /* while the pipeline runs in one */
    bool ok;
    struct error err;
};

static void set(struct world *w, const char *name, const char *value)
{
    struct error err = {0};
    if (!config_set(w->config, name, value, "test", &err))
        fail_msg("%s", err.text);
}

static void set_url(struct world *w, const char *name, const struct server *server,
                    const char *path)
{
    char url[128];
    snprintf(url, sizeof url, "http://127.0.0.1:%d%s", server_port(server), path);
    set(w, name, url);
}

static void world_open(struct world *w, const struct server_rule *webhook)
{
    static const struct server_rule registry[] = {REGISTRY_RULE, {0}};
    memset(w, 0, sizeof *w);
    log_setup(LOG_ERROR, false);
    cluster_open(&w->cluster, PARTITIONS);
    w->registry = server_new(registry);
    w->webhook = server_new(webhook);
    server_listen(w->webhook);
    w->stop_fd = eventfd(0, EFD_NONBLOCK);
    w->config = config_new();
    assert_non_null(w->config);
    set(w, "kafka.brokers", w->cluster.brokers);
    set(w, "kafka.topic", CLUSTER_TOPIC);
    set(w, "kafka.group", "shop");
    set(w, "kafka.start", "earliest");
    set(w, "rule.assume_op", "u");
    set(w, "retry.base", "1ms");
    set(w, "retry.cap", "50ms");
    set_url(w, "registry.url", w->registry, "");
    set_url(w, "webhook.url", w->webhook, "/hook");
}

static void world_close(struct world *w)
{
    config_free(w->config);
    server_free(w->webhook);
    server_free(w->registry);
    cluster_close(&w->cluster);
    close(w->stop_fd);
}

/* One row in the Confluent wire format; every column a string. */
static void produce(struct world *w, int32_t partition, const char *id, const char *phone,
                    const char *status)
{
    const char *columns[] = {id, "CMD-1", "Amina", phone, "Watch", "1", "2.50", "2.50", status};
    unsigned char bytes[512] = {0, 0, 0, 0, 1};
    size_t at = 5;
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
        size_t len = strlen(columns[i]);
        bytes[at++] = (unsigned char)(len * 2);
        memcpy(bytes + at, columns[i], len);
        at += len;
    }
    cluster_produce(&w->cluster, partition, bytes, at);
}

/* An order's life: pending, confirmed, edited. */
static void confirm(struct world *w, int32_t partition, const char *id)
{
    produce(w, partition, id, "06", "pending");
    produce(w, partition, id, "06", "confirmed");
    produce(w, partition, id, "07", "confirmed");
}

static bool run(struct world *w, bool until_end)
{
    const struct pipeline_options options = {
        .until_end = until_end, .timeout_ms = until_end ? PATIENCE_MS : -1, .stop_fd = w->stop_fd};
    struct pipeline *p = pipeline_new(w->config, &w->err);
    bool ok = p != NULL && pipeline_run(p, &options, &w->err);
    pipeline_free(p);
    return ok;
}

static void run_to_end(struct world *w)
{
    w->err = (struct error){0};
    if (!run(w, true))
        fail_msg("%s", w->err.text);
}

static void *run_thread(void *context)
{
    struct world *w = context;
    w->ok = run(w, false);
    return NULL;
}

static void start(struct world *w)
{
    assert_int_equal(pthread_create(&w->thread, NULL, run_thread, w), 0);
}

static void stop(struct world *w)
{
    static const uint64_t one = 1;
    assert_int_equal(write(w->stop_fd, &one, sizeof one), sizeof one);
    pthread_join(w->thread, NULL);
}

/* Bounded polling: the events are in other threads. */
static void await_requests(struct world *w, size_t count)
{
    int64_t deadline = clock_mono_ms() + PATIENCE_MS;
    while (server_request_count(w->webhook) < count) {
        if (clock_mono_ms() > deadline)
            fail_msg("%zu requests instead of %zu", server_request_count(w->webhook), count);
        usleep(1000);
    }
}

static void header_of(struct world *w, size_t request, const char *name, char *ret_value,
                      size_t size)
{
    const char *at = strstr(server_request(w->webhook, request)->head, name);
    assert_non_null(at);
    at += strlen(name) + 2;
    size_t len = strcspn(at, "\r");
    snprintf(ret_value, size, "%.*s", (int)len, at);
}

static void transitions_are_sent_and_committed(void **state)
{
    static const struct server_rule webhook[] = {{NULL, SERVER_ANSWER, NO_CONTENT, 0}, {0}};
    struct world w;
    (void)state;
    world_open(&w, webhook);
    server_listen(w.registry);
    for (int32_t p = 0; p < PARTITIONS; p++) {
        char id[16];
        for (int i = 0; i < 20; i++) {
            snprintf(id, sizeof id, "o%d-%d", (int)p, i);
            confirm(&w, p, id);
        }
        cluster_produce(&w.cluster, p, NULL, 0);
    }
    run_to_end(&w);
    assert_int_equal(server_request_count(w.webhook), 20 * PARTITIONS);
    assert_non_null(strstr(server_request(w.webhook, 0)->body, "\"unit_price\":2.50"));
    for (int32_t p = 0; p < PARTITIONS; p++)
        assert_int_equal(cluster_committed(&w.cluster, "shop", p), 61);
    /* That a second run sends nothing is asked of a real broker (e2e): the mock of 2.0.2 answers no
     * JoinGroup in a group that its last member has just left. */
    world_close(&w);
}

static void failures_are_retried_with_one_identity(void **state)
{
    static const struct server_rule webhook[] = {{NULL, SERVER_ANSWER, BUSY, 2},
                                                 {NULL, SERVER_RESET, "", 1},
                                                 {NULL, SERVER_ANSWER, NO_CONTENT, 0},
                                                 {0}};
    struct world w;
    char id[64], first[64], attempt[16];
    (void)state;
    world_open(&w, webhook);
    server_listen(w.registry);
    confirm(&w, 1, "o1");
    run_to_end(&w);
    assert_int_equal(server_request_count(w.webhook), 4);
    header_of(&w, 0, "webhook-id", first, sizeof first);
    for (size_t i = 0; i < 4; i++) {
        header_of(&w, i, "webhook-id", id, sizeof id);
        header_of(&w, i, "webhook-attempt", attempt, sizeof attempt);
        assert_string_equal(id, first);
        assert_int_equal(atoi(attempt), i + 1);
    }
    assert_int_equal(cluster_committed(&w.cluster, "shop", 1), 3);
    world_close(&w);
}

static void what_can_never_be_sent_is_parked(void **state)
{
    static const struct server_rule webhook[] = {{NULL, SERVER_ANSWER, NO_CONTENT, 0}, {0}};
    struct world w;
    rd_kafka_headers_t *headers;
    const void *reason;
    size_t len;
    (void)state;
    world_open(&w, webhook);
    server_listen(w.registry);
    produce(&w, 0, "o1", "  ", "confirmed");
    cluster_produce(&w.cluster, 1, "{\"json\":1}", 10);
    run_to_end(&w);
    assert_int_equal(server_request_count(w.webhook), 0);
    assert_int_equal(cluster_committed(&w.cluster, "shop", 0), 1);
    rd_kafka_message_t *m = cluster_parked(&w.cluster);
    assert_non_null(m);
    assert_int_equal(rd_kafka_message_headers(m, &headers), RD_KAFKA_RESP_ERR_NO_ERROR);
    assert_int_equal(rd_kafka_header_get_last(headers, "elementor-sync.reason", &reason, &len),
                     RD_KAFKA_RESP_ERR_NO_ERROR);
    assert_true(strcmp(reason, "missing:client_phone") == 0 || strcmp(reason, "undecodable") == 0);
    assert_int_equal(m->key_len, 3);
    cluster_parked_done(m, &w.cluster);
    world_close(&w);
}

/* The brokers take the offset commits but no parked record: nothing of it may be committed, and the
 * stop must not wait for it. */
static void what_cannot_be_parked_is_not_committed(void **state)
{
    enum { PRODUCE = 0 };
    static const struct server_rule webhook[] = {{NULL, SERVER_ANSWER, NO_CONTENT, 0}, {0}};
    struct world w;
    (void)state;
    world_open(&w, webhook);
    server_listen(w.registry);
    set(&w, "drain.timeout", "100ms");
    produce(&w, 0, "o1", "  ", "confirmed");
    confirm(&w, 1, "o2");
    for (int i = 0; i < 100; i++)
        rd_kafka_mock_push_request_errors(w.cluster.mock, PRODUCE, 1,
                                          RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS);
    start(&w);
    await_requests(&w, 1);
    stop(&w);
    assert_true(w.ok);
    rd_kafka_mock_clear_request_errors(w.cluster.mock, PRODUCE);
    assert_true(cluster_committed(&w.cluster, "shop", 0) <= 0);
    assert_int_equal(cluster_committed(&w.cluster, "shop", 1), 3);
    world_close(&w);
}

static void commit_errors_are_retried(void **state)
{
    enum { OFFSET_COMMIT = 8 };
    static const struct server_rule webhook[] = {{NULL, SERVER_ANSWER, NO_CONTENT, 0}, {0}};
    struct world w;
    (void)state;
    world_open(&w, webhook);
    server_listen(w.registry);
    confirm(&w, 2, "o1");
    rd_kafka_mock_push_request_errors(w.cluster.mock, OFFSET_COMMIT, 2,
                                      RD_KAFKA_RESP_ERR_OFFSET_METADATA_TOO_LARGE,
                                      RD_KAFKA_RESP_ERR_OFFSET_METADATA_TOO_LARGE);
    run_to_end(&w);
    assert_int_equal(cluster_committed(&w.cluster, "shop", 2), 3);
    assert_int_equal(server_request_count(w.webhook), 1);
    world_close(&w);
}

static void a_slow_order_holds_nobody_up(void **state)
{
    static const struct server_rule webhook[] = {
        {NULL, SERVER_HOLD, NO_CONTENT, 1}, {NULL, SERVER_ANSWER, NO_CONTENT, 0}, {0}};
    struct world w;
    (void)state;
    world_open(&w, webhook);
    server_listen(w.registry);
    confirm(&w, 0, "slow");
    for (int i = 0; i < 30; i++) {
        char id[16];
        snprintf(id, sizeof id, "o%d", i);
        confirm(&w, 0, id);
    }
    start(&w);
    await_requests(&w, 31);
    assert_int_equal(cluster_committed(&w.cluster, "shop", 0), 1); /* not past the slow one */
    server_release(w.webhook);
    stop(&w);
    assert_true(w.ok);
    assert_int_equal(cluster_committed(&w.cluster, "shop", 0), 93);
    world_close(&w);
}

static void a_hung_webhook_does_not_stop_the_stop(void **state)
{
    static const struct server_rule webhook[] = {{NULL, SERVER_HANG, "", 0}, {0}};
    struct world w;
    (void)state;
    world_open(&w, webhook);
    server_listen(w.registry);
    set(&w, "drain.timeout", "100ms");
    confirm(&w, 0, "o1");
    start(&w);
    await_requests(&w, 1);
    stop(&w);
    assert_true(w.ok);
    assert_true(cluster_committed(&w.cluster, "shop", 0) <= 1);
    world_close(&w);
}

static void a_registry_that_comes_late_is_waited_for(void **state)
{
    static const struct server_rule webhook[] = {{NULL, SERVER_ANSWER, NO_CONTENT, 0}, {0}};
    struct world w;
    (void)state;
    world_open(&w, webhook);
    confirm(&w, 0, "o1");
    start(&w);
    usleep(50000); /* it is asked in vain meanwhile; were it not, the test would pass as well */
    server_listen(w.registry);
    await_requests(&w, 1);
    stop(&w);
    assert_true(w.ok);
    assert_int_equal(cluster_committed(&w.cluster, "shop", 0), 3);
    world_close(&w);
}

static void a_broker_that_comes_late_is_waited_for(void **state)
{
    static const struct server_rule webhook[] = {{NULL, SERVER_ANSWER, NO_CONTENT, 0}, {0}};
    struct world w;
    (void)state;
    world_open(&w, webhook);
    server_listen(w.registry);
    confirm(&w, 0, "o1");
    rd_kafka_mock_broker_set_down(w.cluster.mock, 1);
    start(&w);
    usleep(50000);
    rd_kafka_mock_broker_set_up(w.cluster.mock, 1);
    await_requests(&w, 1);
    stop(&w);
    assert_true(w.ok);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(transitions_are_sent_and_committed),
        cmocka_unit_test(failures_are_retried_with_one_identity),
        cmocka_unit_test(what_can_never_be_sent_is_parked),
        cmocka_unit_test(what_cannot_be_parked_is_not_committed),
        cmocka_unit_test(commit_errors_are_retried),
        cmocka_unit_test(a_slow_order_holds_nobody_up),
        cmocka_unit_test(a_hung_webhook_does_not_stop_the_stop),
        cmocka_unit_test(a_registry_that_comes_late_is_waited_for),
        cmocka_unit_test(a_broker_that_comes_late_is_waited_for),
    };
    return cmocka_run_group_tests_name("pipeline", tests, NULL, NULL);
}
