/* dashboard_ids_test: order ids of every length and content, through every call that takes or
 * shows one. */
#include "fakes/dashboard_harness.h"

#include "dashboard/view/view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SYNC "/functions/v1/sync-order-elementor"

enum { PATH = 4000 };

static void await_retries(struct dashboard_harness *s, size_t count, char request[64])
{
    for (int i = 0; dashboard_harness_retries(s, request) < count; i++) {
        if (i == 1000)
            fail_msg("no retry record");
        usleep(10000);
    }
}

static void park(struct dashboard_harness *s, const char *order, int64_t offset)
{
    const struct outcome o = {
        .order = order, .state = "parked", .reason = "http:422", .offset = offset};
    dashboard_harness_park(s, &o, "refused");
    dashboard_harness_outcome(s, &o);
}

static void take_order(void *context, const rd_kafka_message_t *m)
{
    rd_kafka_headers_t *headers;
    const void *value;
    size_t size;
    assert_false(rd_kafka_message_headers(m, &headers));
    assert_false(rd_kafka_header_get_last(headers, "elementor-sync.order", &value, &size));
    snprintf(context, PATH, "%.*s", (int)size, (const char *)value);
}

static void await_done(struct dashboard_harness *s)
{
    for (int i = 0;
         strstr(dashboard_harness_ask(s, "GET", "/api/v1/redrives", s->operator, NULL).body,
                "\"state\":\"done\"") == NULL;
         i++) {
        if (i == 1000)
            fail_msg("the redrive does not end");
        usleep(10000);
    }
}

/* A redrive, a retry and a sync of an order whose id has this many bytes. */
static void serves(size_t len)
{
    struct dashboard_harness s;
    char id[VIEW_KEY_MAX + 1], path[PATH], request[64], order[PATH] = "";
    memset(id, 'x', len);
    id[len] = '\0';
    dashboard_harness_open(&s);
    dashboard_harness_set(&s, "dashboard.wait", "0s");
    dashboard_harness_start(&s);
    cluster_produce(&s.cluster, 0, "bytes", 5);
    park(&s, id, 0);
    dashboard_harness_await_order(&s, id, "parked");
    struct answer a =
        dashboard_harness_ask(&s, "POST", "/api/v1/redrives", s.operator, "{\"confirm\":1}");
    assert_int_equal(a.status, 202);
    await_retries(&s, 1, request);
    cluster_read(&s.cluster, "elementor-sync.retry", take_order, order);
    assert_string_equal(order, id);
    await_done(&s);
    dashboard_harness_outcome(
        &s, &(struct outcome){.order = id, .state = "delivered", .request = request, .offset = 0});
    dashboard_harness_await_order(&s, id, "delivered");
    snprintf(path, sizeof path, "/api/v1/orders/%s/retry", id);
    assert_int_equal(dashboard_harness_ask(&s, "POST", path, s.operator, "{\"force\":true}").status,
                     202);
    await_retries(&s, 2, request);
    snprintf(path, sizeof path, "{\"order_id\":\"%s\"}", id);
    a = dashboard_harness_ask(&s, "POST", SYNC, s.customer, path);
    assert_int_equal(a.status, 202);
    assert_non_null(strstr(a.body, "\"status\":\"queued\""));
    snprintf(path, sizeof path, SYNC "?order_id=%s", id);
    assert_int_equal(dashboard_harness_ask(&s, "GET", path, s.customer, NULL).status, 200);
    dashboard_harness_close(&s);
}

static void ids_of_every_length_are_served(void **state)
{
    static const size_t lengths[] = {1, 200, 201, 300, 301, 332, 700, VIEW_KEY_MAX};
    (void)state;
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
        serves(lengths[i]);
}

/* Seen by ASan where an id is copied into too little room. */
static void a_redrive_takes_ids_of_every_length(void **state)
{
    static const size_t lengths[] = {299, 300, 301, 332, 700, VIEW_KEY_MAX};
    enum { COUNT = sizeof lengths / sizeof *lengths };
    struct dashboard_harness s;
    char id[VIEW_KEY_MAX + 1], request[64];
    (void)state;
    dashboard_harness_open(&s);
    dashboard_harness_set(&s, "dashboard.redrive_rate", "1000");
    dashboard_harness_start(&s);
    for (size_t i = 0; i < COUNT; i++) {
        memset(id, 'x', lengths[i]);
        id[lengths[i]] = '\0';
        cluster_produce(&s.cluster, 0, "bytes", 5);
        park(&s, id, (int64_t)i);
    }
    while (
        strstr(dashboard_harness_ask(&s, "POST", "/api/v1/redrives/preview", s.operator, "{}").body,
               "\"count\":6,") == NULL)
        usleep(10000);
    assert_int_equal(
        dashboard_harness_ask(&s, "POST", "/api/v1/redrives", s.operator, "{\"confirm\":6}").status,
        202);
    await_done(&s);
    assert_int_equal(dashboard_harness_retries(&s, request), COUNT);
    dashboard_harness_close(&s);
}

static void every_byte_may_be_percent_encoded(void **state)
{
    struct dashboard_harness s;
    char path[PATH] = "/api/v1/orders/", body[2 * PATH];
    (void)state;
    dashboard_harness_open(&s);
    dashboard_harness_set(&s, "dashboard.wait", "0s");
    dashboard_harness_start(&s);
    char id[VIEW_KEY_MAX + 1] = "";
    for (size_t at = 0; at + 4 <= VIEW_KEY_MAX; at += 4) /* U+1F600, in 4 bytes */
        strcat(id, "\xf0\x9f\x98\x80");
    for (const char *c = id; *c != '\0'; c++)
        snprintf(path + strlen(path), 4, "%%%02X", (unsigned char)*c);
    cluster_produce(&s.cluster, 0, "bytes", 5);
    park(&s, id, 0);
    for (int i = 0; dashboard_harness_ask(&s, "GET", path, s.operator, NULL).status != 200; i++) {
        if (i == 1000)
            fail_msg("it is not seen");
        usleep(10000);
    }
    snprintf(body, sizeof body, "{\"order_id\":\"%s\"}", id);
    struct answer a = dashboard_harness_ask(&s, "POST", SYNC, s.operator, body);
    assert_int_equal(a.status, 202);
    assert_int_equal(strlen(strstr(a.text, "Location: ") + 10) > 3 * VIEW_KEY_MAX, 1);
    dashboard_harness_close(&s);
}

static void write_key(struct dashboard_harness *s, const char *topic, const void *key, size_t len)
{
    static const char value[] = "{\"version\":1,\"state\":\"parked\",\"order_id\":\"x\"}";
    assert_false(rd_kafka_producev(s->cluster.rk, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(0),
                                   RD_KAFKA_V_KEY(key, len),
                                   RD_KAFKA_V_VALUE((void *)(uintptr_t)value, sizeof value - 1),
                                   RD_KAFKA_V_HEADER("elementor-sync.order", key, (ssize_t)len),
                                   RD_KAFKA_V_HEADER("elementor-sync.request", "r", 1),
                                   RD_KAFKA_V_HEADER("elementor-sync.topic", CLUSTER_TOPIC, -1),
                                   RD_KAFKA_V_HEADER("elementor-sync.partition", "0", 1),
                                   RD_KAFKA_V_HEADER("elementor-sync.offset", "0", 1),
                                   RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END));
}

/* Keys that no call can have are neither shown nor mistaken for another order. */
static void keys_that_cannot_be_are_passed_over(void **state)
{
    enum { LONG = 60000 };
    struct dashboard_harness s;
    char *huge = malloc(LONG), request[64];
    (void)state;
    memset(huge, 'y', LONG);
    dashboard_harness_open(&s);
    dashboard_harness_start(&s);
    park(&s, "o1", 0);
    dashboard_harness_await_order(&s, "o1", "parked");
    static const char *const topics[] = {"elementor-sync.deliveries", "elementor-sync.retry"};
    for (size_t i = 0; i < 2; i++) {
        write_key(&s, topics[i], "o1\0", 3);
        write_key(&s, topics[i], "o1\0other", 8);
        write_key(&s, topics[i], "\xff\xfe", 2);
        write_key(&s, topics[i], "\xed\xa0\x80", 3);
        write_key(&s, topics[i], huge, VIEW_KEY_MAX + 1);
        write_key(&s, topics[i], huge, LONG);
    }
    park(&s, "o2", 1);
    dashboard_harness_await_order(&s, "o2", "parked");
    struct answer a = dashboard_harness_ask(&s, "GET", "/api/v1/orders", s.operator, NULL);
    assert_null(strstr(a.body, "null,\"order_id\""));
    assert_null(strstr(a.body, "yyyy"));
    a = dashboard_harness_ask(&s, "POST", "/api/v1/redrives/preview", s.operator, "{}");
    assert_non_null(strstr(a.body, "\"count\":2,"));
    a = dashboard_harness_ask(&s, "POST", "/api/v1/redrives", s.operator, "{\"confirm\":2}");
    assert_int_equal(a.status, 202);
    await_done(&s);
    (void)dashboard_harness_retries(&s, request);
    free(huge);
    dashboard_harness_close(&s);
}

/* Invalid coordinates: nothing is read for them, and no other record is sent. */
static void an_outcome_without_coordinates_sends_nothing(void **state)
{
    static const char *const coordinates[] = {
        "\"topic\":null,\"partition\":null,\"offset\":null",
        "\"topic\":\"" CLUSTER_TOPIC "\",\"partition\":null,\"offset\":null",
        "\"topic\":\"" CLUSTER_TOPIC "\",\"partition\":-1,\"offset\":0",
        "\"topic\":\"" CLUSTER_TOPIC "\",\"partition\":4294967296,\"offset\":0",
        "\"topic\":\"" CLUSTER_TOPIC "\",\"partition\":0,\"offset\":-2",
        "\"topic\":\"\",\"partition\":0,\"offset\":0",
        "\"topic\":\"" CLUSTER_TOPIC "\",\"partition\":0,\"offset\":0,\"timestamp_ms\":7",
    };
    enum { CASES = sizeof coordinates / sizeof *coordinates };
    struct dashboard_harness s;
    char text[512], order[16], path[64], request[64];
    (void)state;
    dashboard_harness_open(&s);
    dashboard_harness_start(&s);
    cluster_produce(&s.cluster, 0, "bytes", 5);
    for (int i = 0; i < CASES; i++) {
        int len = snprintf(text, sizeof text, "{\"version\":1,\"state\":\"delivered\",%s}",
                           coordinates[i]);
        snprintf(order, sizeof order, "o%d", i);
        assert_false(rd_kafka_producev(
            s.cluster.rk, RD_KAFKA_V_TOPIC("elementor-sync.deliveries"), RD_KAFKA_V_PARTITION(0),
            RD_KAFKA_V_KEY(order, strlen(order)), RD_KAFKA_V_VALUE(text, (size_t)len),
            RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END));
    }
    dashboard_harness_await_order(&s, order, "delivered");
    for (int i = 0; i < CASES; i++) {
        snprintf(path, sizeof path, "/api/v1/orders/o%d/retry", i);
        struct answer a = dashboard_harness_ask(&s, "POST", path, s.operator, "{\"force\":true}");
        if (a.status != 410)
            fail_msg("%s: %d %s", coordinates[i], a.status, a.body);
    }
    assert_int_equal(dashboard_harness_retries(&s, request), 0);
    dashboard_harness_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_of_every_length_are_served),
        cmocka_unit_test(a_redrive_takes_ids_of_every_length),
        cmocka_unit_test(every_byte_may_be_percent_encoded),
        cmocka_unit_test(keys_that_cannot_be_are_passed_over),
        cmocka_unit_test(an_outcome_without_coordinates_sends_nothing),
    };
    return pipeline_harness_main("dashboard_ids", tests, sizeof tests / sizeof *tests);
}
