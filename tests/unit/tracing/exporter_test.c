/* exporter_test: batches, what becomes of them, and their bounds; against a scripted collector. */
#include "tracing/exporter.h"

#include "fakes/clock.h"
#include "fakes/net.h"
#include "fakes/server.h"
#include "sys/clock.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { BATCH = 512, ROOM = 8 * BATCH, PATIENCE_MS = 20000 };

#define TAKEN "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
#define LATER "HTTP/1.1 503 Busy\r\nRetry-After: 2\r\nContent-Length: 0\r\n\r\n"
#define MUCH_LATER "HTTP/1.1 429 Slow down\r\nRetry-After: 3600\r\nContent-Length: 0\r\n\r\n"
#define REFUSED "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"
#define HALF_TAKEN                                                                              \
    "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{\"partialSuccess\":{\"rejectedSpans\":\"3\"," \
    "\"errorMessage\":\"too old\"}}"

struct bench {
    struct net net;
    struct server *server;
    struct config *config;
    struct exporter *exporter;
};

static void set(struct bench *b, const char *option, const char *value)
{
    struct error err = {0};
    if (!config_set(b->config, option, value, "test", &err))
        fail_msg("%s", err.text);
}

static void point_at(struct bench *b, const struct server *server)
{
    char url[128];
    snprintf(url, sizeof url, "http://127.0.0.1:%d/v1/traces", server_port(server));
    set(b, "trace.url", url);
}

static void bench_open(struct bench *b, const struct server_rule *rules)
{
    struct error err = {0};
    *b = (struct bench){.server = server_new(rules), .config = config_new()};
    net_open(&b->net);
    point_at(b, b->server);
    set(b, "trace.headers.Authorization", "Bearer t0ken");
    b->exporter = exporter_new(b->net.http, b->config, "shop-1", &err);
    if (b->exporter == NULL)
        fail_msg("%s", err.text);
}

static void bench_close(struct bench *b)
{
    exporter_free(b->exporter);
    net_close(&b->net);
    config_free(b->config);
    server_free(b->server);
}

static void add(struct bench *b, int count)
{
    const struct trace_context context = {"4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7",
                                          1};
    const struct span span = {
        .context = &context, .parent_id = "", .name = {"POST"}, .kind = SPAN_CLIENT};
    for (int i = 0; i < count; i++)
        exporter_add(b->exporter, &span, clock_mono_ms());
}

static void turn(struct bench *b)
{
    exporter_turn(b->exporter, clock_mono_ms());
    int64_t wait = http_turn(b->net.http);
    loop_wait(b->net.loop, wait < 0 || wait > 20 ? 20 : wait);
}

/* Until so many spans are exported or dropped. */
static void await_ends(struct bench *b, uint64_t exported, uint64_t dropped)
{
    const struct exporter_counts *c = exporter_counts(b->exporter);
    int64_t until_ms = clock_mono_ms() + PATIENCE_MS;
    while (c->exported + c->dropped < exported + dropped && clock_mono_ms() < until_ms)
        turn(b);
    assert_int_equal(c->exported, exported);
    assert_int_equal(c->dropped, dropped);
}

static void await_requests(struct bench *b, struct server *server, size_t count)
{
    int64_t until_ms = clock_mono_ms() + PATIENCE_MS;
    while (server_request_count(server) < count && clock_mono_ms() < until_ms)
        turn(b);
    assert_int_equal(server_request_count(server), count);
}

/* Until the request under way has come to its end, and another is waited for, if one is. */
static void await_pause(struct bench *b)
{
    int64_t until_ms = clock_mono_ms() + PATIENCE_MS;
    while (exporter_counts(b->exporter)->queued > 0 && exporter_wait_until(b->exporter) < 0 &&
           clock_mono_ms() < until_ms)
        turn(b);
}

static size_t spans_in(struct server *server, size_t i)
{
    json_t *body = json_loads(server_request(server, i)->body, 0, NULL);
    assert_non_null(body);
    const json_t *scopes =
        json_object_get(json_array_get(json_object_get(body, "resourceSpans"), 0), "scopeSpans");
    size_t count = json_array_size(json_object_get(json_array_get(scopes, 0), "spans"));
    json_decref(body);
    return count;
}

static void a_second_makes_a_batch(void **state)
{
    struct bench b;
    (void)state;
    bench_open(&b, (const struct server_rule[]){{NULL, SERVER_ANSWER, TAKEN, 0}, {0}});
    server_listen(b.server);
    assert_int_equal(exporter_wait_until(b.exporter), -1);
    int64_t before_ms = clock_mono_ms();
    add(&b, 3);
    assert_true(exporter_wait_until(b.exporter) >= before_ms + 1000);
    exporter_turn(b.exporter, before_ms + 999);
    assert_true(exporter_wait_until(b.exporter) >= before_ms + 1000); /* none is under way */
    clock_skip(1000);
    await_ends(&b, 3, 0);
    assert_int_equal(server_request_count(b.server), 1);
    assert_int_equal(spans_in(b.server, 0), 3);
    const char *head = server_request(b.server, 0)->head;
    assert_non_null(strstr(head, "POST /v1/traces HTTP/1.1\r\n"));
    assert_non_null(strstr(head, "\r\nContent-Type: application/json\r\n"));
    assert_non_null(strstr(head, "\r\nAuthorization: Bearer t0ken\r\n"));
    bench_close(&b);
}

static void a_full_batch_goes_at_once(void **state)
{
    struct bench b;
    (void)state;
    bench_open(&b, (const struct server_rule[]){{NULL, SERVER_ANSWER, TAKEN, 0}, {0}});
    server_listen(b.server);
    add(&b, BATCH + 1);
    await_ends(&b, BATCH, 0);
    assert_int_equal(spans_in(b.server, 0), BATCH);
    assert_int_equal(exporter_counts(b.exporter)->queued, 1);
    clock_skip(1000);
    await_ends(&b, BATCH + 1, 0);
    bench_close(&b);
}

static void a_busy_collector_is_asked_again(void **state)
{
    struct bench b;
    (void)state;
    bench_open(&b, (const struct server_rule[]){{NULL, SERVER_ANSWER, LATER, 1},
                                                {NULL, SERVER_ANSWER, MUCH_LATER, 1},
                                                {NULL, SERVER_RESET, "", 1},
                                                {NULL, SERVER_ANSWER, TAKEN, 0},
                                                {0}});
    server_listen(b.server);
    add(&b, BATCH);
    const int64_t least_ms[] = {1900, 14900, 1900}, most_ms[] = {2000, 15000, 4000};
    for (size_t i = 0; i < 3; i++) {
        await_requests(&b, b.server, i + 1);
        await_pause(&b);
        int64_t pause_ms = exporter_wait_until(b.exporter) - clock_mono_ms();
        assert_in_range(pause_ms, least_ms[i] - 900, most_ms[i]);
        clock_skip(pause_ms);
    }
    await_ends(&b, BATCH, 0);
    for (size_t i = 1; i < 4; i++)
        assert_string_equal(server_request(b.server, i)->body, server_request(b.server, 0)->body);
    bench_close(&b);
}

static void what_is_refused_is_dropped_at_once(void **state)
{
    struct bench b;
    (void)state;
    bench_open(&b, (const struct server_rule[]){{NULL, SERVER_ANSWER, REFUSED, 1},
                                                {NULL, SERVER_ANSWER_CLOSE, HALF_TAKEN, 1},
                                                {NULL, SERVER_ANSWER, TAKEN, 0},
                                                {0}});
    server_listen(b.server);
    add(&b, BATCH);
    await_ends(&b, 0, BATCH);
    clock_skip(1000);
    add(&b, BATCH);
    await_ends(&b, BATCH - 3, BATCH + 3);
    add(&b, BATCH);
    await_ends(&b, 2 * BATCH - 3, BATCH + 3);
    bench_close(&b);
}

static void a_collector_that_is_away_is_given_up_after_a_minute(void **state)
{
    struct bench b;
    (void)state;
    bench_open(&b, (const struct server_rule[]){{NULL, SERVER_ANSWER, TAKEN, 0}, {0}});
    add(&b, BATCH);
    int64_t began_ms = clock_mono_ms();
    while (exporter_counts(b.exporter)->dropped == 0) {
        turn(&b);
        await_pause(&b);
        int64_t until_ms = exporter_wait_until(b.exporter);
        if (until_ms > clock_mono_ms())
            clock_skip(until_ms - clock_mono_ms());
    }
    assert_int_equal(exporter_counts(b.exporter)->dropped, BATCH);
    assert_in_range(clock_mono_ms() - began_ms, 30000, 70000);
    server_listen(b.server);
    add(&b, BATCH);
    clock_skip(15000);
    await_ends(&b, BATCH, BATCH);
    bench_close(&b);
}

static void the_queue_has_a_bound(void **state)
{
    struct bench b;
    (void)state;
    bench_open(&b, (const struct server_rule[]){
                       {NULL, SERVER_HOLD, TAKEN, 1}, {NULL, SERVER_ANSWER, TAKEN, 0}, {0}});
    server_listen(b.server);
    add(&b, ROOM + 10);
    assert_int_equal(exporter_counts(b.exporter)->queued, ROOM);
    assert_int_equal(exporter_counts(b.exporter)->dropped, 10);
    await_requests(&b, b.server, 1);
    add(&b, 1);
    assert_int_equal(exporter_counts(b.exporter)->dropped, 11);
    server_release(b.server);
    await_ends(&b, ROOM, 11);
    bench_close(&b);
}

static void another_collector_gets_what_waits(void **state)
{
    struct bench b;
    struct collector collector;
    struct error err = {0};
    (void)state;
    struct server *other =
        server_new((const struct server_rule[]){{NULL, SERVER_ANSWER, TAKEN, 0}, {0}});
    server_listen(other);
    bench_open(&b, (const struct server_rule[]){{NULL, SERVER_HANG, "", 0}, {0}});
    server_listen(b.server);
    add(&b, BATCH);
    await_requests(&b, b.server, 1);
    point_at(&b, other);
    assert_true(collector_init(&collector, b.config, &err));
    exporter_reload(b.exporter, &collector);
    await_ends(&b, BATCH, 0);
    assert_int_equal(spans_in(other, 0), BATCH);
    add(&b, 5);
    exporter_reload(b.exporter, &(struct collector){0}); /* no trace.url any more */
    await_ends(&b, BATCH, 5);
    add(&b, 1);
    assert_int_equal(exporter_counts(b.exporter)->queued, 0);
    bench_close(&b);
    server_free(other);
}

static void the_end_waits_for_a_second(void **state)
{
    struct bench b;
    (void)state;
    bench_open(&b, (const struct server_rule[]){
                       {NULL, SERVER_ANSWER, TAKEN, 1}, {NULL, SERVER_HANG, "", 0}, {0}});
    server_listen(b.server);
    add(&b, 3);
    exporter_finish(b.exporter, b.net.loop); /* before its second is over */
    assert_int_equal(exporter_counts(b.exporter)->exported, 3);
    add(&b, 4);
    int64_t began_ms = clock_mono_ms();
    exporter_finish(b.exporter, b.net.loop);
    assert_true(clock_mono_ms() - began_ms < PATIENCE_MS);
    assert_int_equal(exporter_counts(b.exporter)->exported, 3);
    assert_int_equal(exporter_counts(b.exporter)->dropped, 4);
    assert_int_equal(exporter_counts(b.exporter)->queued, 0);
    bench_close(&b);
}

static void what_cannot_be_used_is_said(void **state)
{
    static const struct {
        const char *option, *value, *other, *other_value, *why;
    } rows[] = {
        {"trace.url", "localhost:4318", NULL, NULL, "trace.url must begin with http"},
        {"trace.url", "https://me:s3cr3t@host/", NULL, NULL, "use trace.headers"},
        {"trace.url", "http://host/", "trace.ca_file", "/ca.pem", "trace.ca_file is set"},
        {"trace.url", "http://host/", "trace.cert_file", "/c.pem", "trace.cert_file is set"},
        {"trace.url", "https://host/", "trace.key_file", "/k.pem", "go together"},
        {"trace.url", "https://ho st/", NULL, NULL, "trace.url"},
        {"trace.sample", "1.5", NULL, NULL, "trace.sample is not a share"},
        {"trace.sample", "half", NULL, NULL, "trace.sample is not a share"},
        {"trace.sample", "nan", NULL, NULL, "trace.sample is not a share"},
        {"trace.sample", "-0", NULL, NULL, "trace.sample is not a share"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct collector collector;
        struct error err = {0};
        struct config *config = config_new();
        assert_true(config_set(config, rows[i].option, rows[i].value, "test", &err));
        if (rows[i].other != NULL)
            assert_true(config_set(config, rows[i].other, rows[i].other_value, "test", &err));
        assert_false(collector_init(&collector, config, &err));
        assert_int_equal(err.code, ERROR_CONFIG);
        if (strstr(err.text, rows[i].why) == NULL || strstr(err.text, "s3cr3t") != NULL)
            fail_msg("%s", err.text);
        config_free(config);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_second_makes_a_batch),
        cmocka_unit_test(a_full_batch_goes_at_once),
        cmocka_unit_test(a_busy_collector_is_asked_again),
        cmocka_unit_test(what_is_refused_is_dropped_at_once),
        cmocka_unit_test(a_collector_that_is_away_is_given_up_after_a_minute),
        cmocka_unit_test(the_queue_has_a_bound),
        cmocka_unit_test(another_collector_gets_what_waits),
        cmocka_unit_test(the_end_waits_for_a_second),
        cmocka_unit_test(what_cannot_be_used_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
