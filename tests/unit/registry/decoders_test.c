/* plans: what is remembered of each schema id, and what is asked for again. */
#include "registry/decoders.h"

#include "registry/schema_title.h"

#include "fakes/net.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define HEAD(status) "HTTP/1.1 " status "\r\nConnection: close\r\n\r\n"
#define MISSING HEAD("404 Not Found") "{\"error_code\":40403,\"message\":\"Schema not found\"}"
#define FIELD(name) "{\\\"name\\\":\\\"" name "\\\",\\\"type\\\":\\\"string\\\"}"
#define ROW                                                                                       \
    HEAD("200 OK")                                                                                \
    "{\"schema\":\"{\\\"type\\\":\\\"record\\\",\\\"name\\\":\\\"Row\\\",\\\"fields\\\":[" FIELD( \
        "id") "," FIELD("status") "]}\"}"

#define ROW_WITHOUT_STATUS                                                                        \
    HEAD("200 OK")                                                                                \
    "{\"schema\":\"{\\\"type\\\":\\\"record\\\",\\\"name\\\":\\\"Row\\\",\\\"fields\\\":[" FIELD( \
        "id") "]}\"}"

enum { RETRY_FIRST_MS = 20, MISS_INTERVAL_MS = 200, LOOK_MS = 10, LOOKS_MAX = 2000 };
static const struct schema_ref schema = {.kind = SCHEMA_REF_ID, .number = 9};

struct bench {
    struct net net;
    struct server *server;
    struct config *config;
    struct decoders *decoders;
    int changes;
};

static void count_change(void *context)
{
    ++*(int *)context;
}

static void bench_open(struct bench *b, const struct server_rule *rules)
{
    char url[64];
    struct error err = {0};
    memset(b, 0, sizeof *b);
    b->server = server_new(rules);
    server_listen(b->server);
    net_open(&b->net);
    b->config = config_new();
    snprintf(url, sizeof url, "http://127.0.0.1:%d", server_port(b->server));
    assert_true(config_set(b->config, "registry.url", url, "test", &err));
    assert_true(config_set(b->config, "rule.assume_op", "u", "test", &err));
    b->net.registry = registry_new(b->net.http, b->config, count_change, &b->changes, &err);
    assert_non_null(b->net.registry);
    registry_set_pace(b->net.registry, RETRY_FIRST_MS, MISS_INTERVAL_MS);
    b->decoders = decoders_new(b->config, b->net.registry);
    assert_non_null(b->decoders);
}

static void bench_close(struct bench *b)
{
    decoders_free(b->decoders);
    registry_free(b->net.registry);
    net_close(&b->net);
    server_free(b->server);
    config_free(b->config);
}

/* Asks, and again once the registry has answered. */
static enum decoders_answer get(struct bench *b)
{
    const struct plan *plan;
    const char *why;
    enum decoders_answer answer;
    while ((answer = decoders_get(b->decoders, &schema, &plan, &why)) == DECODERS_PENDING)
        assert_true(net_run(&b->net, &b->changes, b->changes + 1));
    return answer;
}

static void a_schema_is_asked_for_once(void **state)
{
    struct bench b;
    (void)state;
    bench_open(&b, (const struct server_rule[]){{NULL, SERVER_ANSWER_CLOSE, ROW, 0}, {0}});
    assert_int_equal(get(&b), DECODERS_HAVE);
    assert_int_equal(get(&b), DECODERS_HAVE);
    assert_int_equal(server_request_count(b.server), 1);
    bench_close(&b);
}

/* A registry that is restored late: records are parked until then, and no longer. */
static void one_that_was_missing_is_asked_for_again(void **state)
{
    struct bench b;
    enum decoders_answer answer;
    (void)state;
    bench_open(&b, (const struct server_rule[]){{NULL, SERVER_ANSWER_CLOSE, MISSING, 2},
                                                {NULL, SERVER_ANSWER_CLOSE, ROW, 0},
                                                {0}});
    assert_int_equal(get(&b), DECODERS_MISSING);
    for (int looks = 0; (answer = get(&b)) == DECODERS_MISSING; looks++) {
        assert_true(looks < LOOKS_MAX);
        loop_wait(b.net.loop, LOOK_MS);
    }
    assert_int_equal(answer, DECODERS_HAVE);
    bench_close(&b);
}

/* The schema, or the registry, was mended. */
static void one_that_is_forgotten_is_asked_for_again(void **state)
{
    struct bench b;
    (void)state;
    bench_open(&b, (const struct server_rule[]){{NULL, SERVER_ANSWER_CLOSE, ROW_WITHOUT_STATUS, 1},
                                                {NULL, SERVER_ANSWER_CLOSE, ROW, 0},
                                                {0}});
    assert_int_equal(get(&b), DECODERS_STOP);
    assert_int_equal(get(&b), DECODERS_STOP);
    assert_null(decoders_proof(b.decoders, &schema));
    decoders_forget(b.decoders, &schema);
    assert_int_equal(get(&b), DECODERS_HAVE);
    assert_non_null(decoders_proof(b.decoders, &schema));
    assert_string_equal(decoders_title(b.decoders, &schema), "Row");
    bench_close(&b);
}

static void the_first_records_and_a_sample_are_read_to_their_end(void **state)
{
    struct schema_proof proof = {0};
    size_t whole = 0;
    (void)state;
    for (int i = 0; i < 1000; i++) { /* while none fits, each is */
        assert_true(schema_proof_wants_whole(&proof));
        schema_proof_note(&proof, false);
    }
    proof = (struct schema_proof){0};
    for (int i = 0; i < 64 + 256 * 10; i++) {
        bool wanted = schema_proof_wants_whole(&proof);
        assert_true(wanted || i >= 64);
        whole += wanted;
        schema_proof_note(&proof, wanted);
    }
    assert_int_equal(whole, 64 + 10);
}

static void a_title_fits_its_topic(void **state)
{
    static const struct {
        const char *title, *topic;
        bool fits;
    } titles[] = {{"shop.public.orders.Envelope", "shop.public.orders", true},
                  {"shop.public.orders.Value", "eu.shop.public.orders", true}, /* MirrorMaker */
                  {"my_shop.public.orders.Envelope", "my-shop.public.orders", true},
                  {"shop.public.payments.Envelope", "shop.public.orders", false},
                  {"public.orders.Envelope", "shoppublic.orders", false},
                  {"shop.public.orders.Envelope", "orders", false},
                  {"io.debezium.connector.common.Heartbeat", "orders", true},
                  {"Row", "orders", true},
                  {"", "orders", true}};
    (void)state;
    for (size_t i = 0; i < sizeof titles / sizeof *titles; i++)
        assert_int_equal(schema_title_fits(titles[i].title, titles[i].topic), titles[i].fits);
}

static void a_title_is_the_records_full_name(void **state)
{
    static const struct {
        const char *schema, *title;
    } schemas[] = {
        {"{\"type\":\"record\",\"name\":\"Value\",\"namespace\":\"a.b\",\"fields\":[]}",
         "a.b.Value"},
        {"{\"type\":\"record\",\"name\":\"c.Value\",\"namespace\":\"a.b\",\"doc\":\"\\u0000\"}",
         "c.Value"},
        {"[\"null\",{\"type\":\"record\",\"name\":\"V\",\"namespace\":\"a\"}]", "a.V"},
        {"{\"type\":\"record\",\"name\":\"V\",\"namespace\":\"a\",\"doc\":\"\\ud800\","
         "\"fields\":[{\"name\":\"x\",\"type\":\"double\",\"default\":1e999}]}",
         "a.V"},
        {"\"string\"", ""},
        {"no JSON", ""},
        {"[]", ""}};
    char title[SCHEMA_TITLE_MAX];
    (void)state;
    for (size_t i = 0; i < sizeof schemas / sizeof *schemas; i++) {
        schema_title(schemas[i].schema, title);
        assert_string_equal(title, schemas[i].title);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_schema_is_asked_for_once),
        cmocka_unit_test(one_that_was_missing_is_asked_for_again),
        cmocka_unit_test(one_that_is_forgotten_is_asked_for_again),
        cmocka_unit_test(the_first_records_and_a_sample_are_read_to_their_end),
        cmocka_unit_test(a_title_fits_its_topic),
        cmocka_unit_test(a_title_is_the_records_full_name),
    };
    return cmocka_run_group_tests_name("plans", tests, NULL, NULL);
}
