/* check_fixture: a check of a mock cluster and a scripted registry, and what it reports. */
#ifndef CHECK_FIXTURE_H
#define CHECK_FIXTURE_H

#include "check/check.h"
#include "fakes/pipeline_harness.h"
#include "fakes/server.h"
#include "sys/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define CANARY "hunter2-canary"
#define JSON_HEAD "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
#define NOT_FOUND "HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n<html>"
#define TYPES JSON_HEAD "[\"JSON\",\"AVRO\"]"
#define TEXT_FIELD(name) "{\\\"name\\\":\\\"" name "\\\",\\\"type\\\":\\\"string\\\"}"
/* Debezium's envelope around a row of texts. */
/* clang-format off */
#define ENVELOPE \
    "{\\\"type\\\":\\\"record\\\",\\\"name\\\":\\\"Envelope\\\",\\\"namespace\\\":\\\"shop\\\",\\\"fields\\\":[" \
    "{\\\"name\\\":\\\"before\\\",\\\"type\\\":[\\\"null\\\",{\\\"type\\\":\\\"record\\\"," \
    "\\\"name\\\":\\\"Value\\\",\\\"fields\\\":[" \
    TEXT_FIELD("id") "," TEXT_FIELD("order_number") "," TEXT_FIELD("client_name") "," \
    TEXT_FIELD("client_phone") "," TEXT_FIELD("product_name") "," TEXT_FIELD("quantity") "," \
    TEXT_FIELD("unit_price") "," TEXT_FIELD("total_amount") "," TEXT_FIELD("status") "]}]}," \
    "{\\\"name\\\":\\\"after\\\",\\\"type\\\":[\\\"null\\\",\\\"Value\\\"]}," TEXT_FIELD("op") "]}"
/* clang-format on */
#define SCHEMA JSON_HEAD "{\"schema\":\"" ENVELOPE "\"}"

struct bench {
    struct cluster cluster;
    struct server *registry, *webhook;
    struct config *config;
    struct check_options options;
    struct error verdict;
    struct buf text, json;
};

static inline void bench_set(struct bench *b, const char *name, const char *value)
{
    struct error err = {0};
    if (!config_set(b->config, name, value, "test", &err))
        fail_msg("%s", err.text);
}

static inline void bench_url(struct bench *b, const char *option, const struct server *server,
                             const char *path)
{
    char url[160];
    snprintf(url, sizeof url, "http://127.0.0.1:%d%s", server_port(server), path);
    bench_set(b, option, url);
}

static inline void bench_open(struct bench *b, const struct server_rule *registry)
{
    static const struct server_rule webhook[] = {
        {NULL, SERVER_ANSWER, "HTTP/1.1 204 No Content\r\n\r\n", 0}, {0}};
    memset(b, 0, sizeof *b);
    log_setup(LOG_ERROR, false);
    cluster_open(&b->cluster, 2);
    b->registry = server_new(registry);
    b->webhook = server_new(webhook);
    server_listen(b->registry);
    server_listen(b->webhook);
    b->config = config_new();
    assert_non_null(b->config);
    bench_set(b, "kafka.brokers", b->cluster.brokers);
    bench_set(b, "kafka.topic", CLUSTER_TOPIC);
    bench_set(b, "parked.topic", CLUSTER_PARKED);
    bench_set(b, "deliveries.topic", "elementor-sync.deliveries");
    bench_set(b, "retry.topic", "elementor-sync.retry");
    bench_set(b, "members.topic", "elementor-sync.members");
    bench_set(b, "control.topic", CLUSTER_CONTROL);
    bench_set(b, "kafka.start", "latest");
    bench_url(b, "registry.url", b->registry, "");
    bench_url(b, "webhook.url", b->webhook, "/" CANARY);
    buf_init(&b->text, 1024 * 1024);
    buf_init(&b->json, 1024 * 1024);
}

static inline void bench_close(struct bench *b)
{
    config_free(b->config);
    server_free(b->webhook);
    server_free(b->registry);
    cluster_close(&b->cluster);
    buf_done(&b->text);
    buf_done(&b->json);
}

/* The secret is in neither form of any report. */
static inline void bench_check(struct bench *b)
{
    struct report *report = report_new();
    assert_non_null(report);
    buf_reset(&b->text);
    buf_reset(&b->json);
    b->verdict = (struct error){0};
    check_run(b->config, &b->options, report);
    report_text(report, 108, &terminal_plain, &b->text);
    report_json(report, "0", &b->json);
    (void)!report_verdict(report, &b->verdict);
    report_free(report);
    assert_null(strstr(buf_text(&b->text), CANARY));
    assert_null(strstr(buf_text(&b->json), CANARY));
}

/* The JSON has a finding that begins like this and holds `text`, parts of which are `*`'s. */
static inline void expect_finding(struct bench *b, const char *level, const char *area,
                                  const char *name, const char *text)
{
    char head[256];
    snprintf(head, sizeof head, "{\"level\":\"%s\",\"area\":\"%s\",\"name\":\"%s\"", level, area,
             name);
    for (const char *at = buf_text(&b->json); (at = strstr(at, head)) != NULL; at += strlen(head)) {
        const char *end = strchr(at, '}');
        const char *found = strstr(at, text);
        if (end != NULL && found != NULL && found < end)
            return;
    }
    fail_msg("no %s %s %s \"%s\" in:\n%s", level, area, name, text, buf_text(&b->text));
}

static inline void expect_failure(struct bench *b, enum error_code code, const char *area,
                                  const char *name, const char *text)
{
    expect_finding(b, "fail", area, name, text);
    assert_int_equal(b->verdict.code, code);
}

/* One change event: op, the client's name, and the status before (NULL: the event shows none) and
 * after. */
static inline void bench_change_of(struct bench *b, const char *name, const char *op,
                                   const char *before, const char *after)
{
    unsigned char bytes[512] = {0, 0, 0, 0, 1};
    const char *states[] = {before, after};
    size_t at = 5;
    for (size_t s = 0; s < 2; s++) {
        const char *columns[] = {"o1", "CMD-1", name,   "06",     "Watch",
                                 "1",  "2.50",  "2.50", states[s]};
        bytes[at++] = states[s] != NULL ? 2 : 0; /* the union's branch */
        for (size_t i = 0; states[s] != NULL && i < sizeof columns / sizeof *columns; i++) {
            size_t len = strlen(columns[i]);
            bytes[at++] = (unsigned char)(len * 2);
            memcpy(bytes + at, columns[i], len);
            at += len;
        }
    }
    bytes[at++] = 2;
    bytes[at++] = (unsigned char)*op;
    cluster_produce(&b->cluster, 0, bytes, at);
}

static inline void bench_change(struct bench *b, const char *op, const char *before,
                                const char *after)
{
    bench_change_of(b, "Amina", op, before, after);
}

#endif
