/* webhook_test: the endpoint's checks, its public name, and what it receives. */
#include "delivery/webhook.h"
#include "fakes/net.h"
#include "fakes/server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct {
    const char *url;
    bool allow_http, ok;
} url_cases[] = {
    {"https://hooks.example.com/wp-json/secret?key=1", false, true},
    {"HTTPS://hooks.example.com:8443/secret", false, true},
    {"https://[2001:db8::1]/secret", false, true},
    {"https://hooks.example.com", false, true},
    {"http://hooks.example.com/secret", false, false},
    {"http://hooks.example.com/secret", true, true},
    {"http://localhost:9000/secret", false, true},
    {"http://LOCALHOST/secret", false, true},
    {"http://127.0.0.1:9000/secret", false, true},
    {"http://127.8.9.10/secret", false, true},
    {"http://[::1]:9000/secret", false, true},
    {"http://[::2]/secret", false, false},
    {"http://128.0.0.1/secret", false, false},
    {"http://127.0.0.1.example.com/secret", false, false},
    {"http://localhost.example.com/secret", false, false},
    {"http://example.com#@127.0.0.1/secret", false, false},
    {"https://user:secret@hooks.example.com/", false, false},
    {"https://secret@hooks.example.com/", false, false},
    {"https://@hooks.example.com/secret", false, false},
    {"https:///secret", false, false},
    {"https://", false, false},
    {"https:/secret", false, false},
    {"https:secret", false, false},
    {"https://?secret", false, false},
    {"https://#secret", false, false},
    {"https:\\\\secret/", false, false},
    {"hooks.example.com/secret", false, false},
    {"/secret", false, false},
    {"", false, false},
    {"ftp://hooks.example.com/secret", true, false},
    {"file:///secret", true, false},
    {"javascript:secret", true, false},
    {"https://hooks.example.com/secret ", false, false},
    {" https://hooks.example.com/secret", false, false},
    {"https://hooks.example.com/sec ret", false, false},
    {"https://hooks.example.com/secret\r\nX: y", false, false},
    {"https://hooks.example.com/secret\n", false, false},
    {"https://hooks.example.com/sec\tret", false, false},
    {"https://hooks.example.com/secret\x7f", false, false},
    {"https://hooks.example.com:99999/secret", false, false},
};

static void urls(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof url_cases / sizeof *url_cases; i++) {
        struct error err = {0};
        bool ok = webhook_url_check(url_cases[i].url, url_cases[i].allow_http, &err);
        if (ok != url_cases[i].ok)
            fail_msg("%s: %s", url_cases[i].url, ok ? "accepted" : err.text);
        assert_int_equal(err.code, ok ? ERROR_NONE : ERROR_CONFIG);
        assert_null(strstr(err.text, "secret"));
    }
}

/* The fingerprints are Python's (fingerprint_test); of a path that can be guessed there is none. */
static void name_shows_host_and_fingerprint(void **state)
{
    (void)state;
    static const struct {
        const char *url, *name;
    } cases[] = {
        {"https://hooks.example.com/wp-json/secret?key=1", "hooks.example.com#668e7989"},
        {"https://hooks.example.com:8443/secret-path-1", "hooks.example.com#2caf1eee"},
        {"https://hooks.example.com/secret", "hooks.example.com#--------"},
        {"https://hooks.example.com", "hooks.example.com#--------"},
    };
    struct net net;
    net_open(&net);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char url[128];
        struct config config = {.webhook_url = url};
        snprintf(url, sizeof url, "%s", cases[i].url);
        struct webhook *webhook = webhook_new(net.http, &config, NULL);
        assert_non_null(webhook);
        assert_string_equal(webhook_name(webhook), cases[i].name);
        webhook_free(webhook);
    }
    net_close(&net);
}

static void needs_a_usable_url(void **state)
{
    (void)state;
    struct net net;
    net_open(&net);
    char url[] = "http://hooks.example.com/secret";
    struct config config = {0};
    struct error none = {0}, plain_http = {0};
    assert_null(webhook_new(net.http, &config, &none));
    assert_int_equal(none.code, ERROR_CONFIG);
    config.webhook_url = url;
    assert_null(webhook_new(net.http, &config, &plain_http));
    assert_int_equal(plain_http.code, ERROR_CONFIG);
    config.webhook_allow_http = true;
    struct webhook *webhook = webhook_new(net.http, &config, NULL);
    assert_non_null(webhook);
    webhook_free(webhook);
    webhook_free(NULL);
    net_close(&net);
}

/* --- attempts -------------------------------------------------------------------------- */

struct outcome {
    int calls, status;
    size_t body_len;
    bool body_cut;
};

static void note(void *context, const struct http_result *result)
{
    struct outcome *outcome = context;
    outcome->calls++;
    outcome->status = result->status;
    outcome->body_len = result->body_len;
    outcome->body_cut = result->body_cut;
}

struct bench {
    struct net net;
    struct server *server;
    struct webhook *webhook;
    struct config config;
    char url[128];
};

static void bench_open(struct bench *bench, const struct server_rule *rules)
{
    memset(bench, 0, sizeof *bench);
    bench->server = server_new(rules);
    server_listen(bench->server);
    net_open(&bench->net);
    snprintf(bench->url, sizeof bench->url, "http://127.0.0.1:%d/wp-json/secret?key=1",
             server_port(bench->server));
    bench->config.webhook_url = bench->url;
    bench->config.webhook_timeout = 10000;
    bench->config.webhook_response_max = 16;
    bench->config.webhook_concurrency = 4;
    bench->webhook = webhook_new(bench->net.http, &bench->config, NULL);
    assert_non_null(bench->webhook);
}

static void bench_close(struct bench *bench)
{
    webhook_free(bench->webhook);
    net_close(&bench->net);
    server_free(bench->server);
}

#define GIVEN "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
#define OWN "00-7d4e5a76eae6d8c165410ac19fe67565-21ba86ed96752d01-01"

static void what_the_endpoint_receives(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, (const struct server_rule[]){
                           {NULL, SERVER_ANSWER, "HTTP/1.1 204 No Content\r\n\r\n", 0}, {0}});
    char expected[512];
    for (int attempt = 1; attempt <= 2; attempt++) {
        struct outcome outcome = {0};
        const struct webhook_message message = {.id = "evt_1",
                                                .attempt = attempt,
                                                .timestamp_s = 1795424711,
                                                .traceparent = slice_of(attempt == 1 ? "" : GIVEN),
                                                .body = "{\"a\":1}",
                                                .body_len = 7};
        assert_non_null(webhook_post(bench.webhook, &message, note, &outcome, NULL));
        assert_int_equal(outcome.calls, 0);
        assert_true(net_run(&bench.net, &outcome.calls, 1));
        assert_int_equal(outcome.status, 204);
        const struct server_request *got = server_request(bench.server, (size_t)attempt - 1);
        snprintf(expected, sizeof expected,
                 "POST /wp-json/secret?key=1 HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n"
                 "User-Agent: elementor-sync/" ELEMENTOR_SYNC_VERSION "\r\nAccept: */*\r\n"
                 "Content-Type: application/json\r\nwebhook-id: evt_1\r\n"
                 "Idempotency-Key: evt_1\r\nwebhook-timestamp: 1795424711\r\nwebhook-attempt: "
                 "%d\r\ntraceparent: %s\r\nContent-Length: 7\r\n\r\n",
                 server_port(bench.server), attempt, attempt == 1 ? OWN : GIVEN);
        assert_string_equal(got->head, expected);
        assert_string_equal(got->body, "{\"a\":1}");
    }
    bench_close(&bench);
}

static void a_long_response_ends_early(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, (const struct server_rule[]){
                           {NULL, SERVER_ENDLESS, "HTTP/1.1 500 Oops\r\n\r\n", 0}, {0}});
    struct outcome outcome = {0};
    const struct webhook_message message = {
        .id = "evt_1", .attempt = 1, .body = "{}", .body_len = 2};
    assert_non_null(webhook_post(bench.webhook, &message, note, &outcome, NULL));
    assert_true(net_run(&bench.net, &outcome.calls, 1));
    assert_int_equal(outcome.status, 500);
    assert_true(outcome.body_cut);
    assert_true(outcome.body_len <= 16);
    bench_close(&bench);
}

static void ids_that_cannot_be_sent(void **state)
{
    (void)state;
    static char long_id[1024];
    memset(long_id, 'x', sizeof long_id - 1);
    const char *ids[] = {"evt\r\nX-Injected: 1", "evt\n", long_id};
    struct bench bench;
    bench_open(&bench, (const struct server_rule[]){{0}});
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        struct outcome outcome = {0};
        struct error err = {0};
        const struct webhook_message message = {
            .id = ids[i], .attempt = 1, .body = "{}", .body_len = 2};
        assert_null(webhook_post(bench.webhook, &message, note, &outcome, &err));
        assert_int_equal(err.code, ERROR_FAILED);
        http_turn(bench.net.http);
        assert_int_equal(outcome.calls, 0);
    }
    assert_int_equal(server_request_count(bench.server), 0);
    bench_close(&bench);
}

/* An endpoint verifies with these keys, and its error page may show them. */
static void signing_keys_are_secrets_too(void **state)
{
    (void)state;
    struct error err = {0};
    struct net net;
    struct redact redact = {0};
    struct buf text;
    struct config *config = config_new();
    assert_true(config_set(config, "webhook.url", "https://hooks.example.com/a", "test", &err));
    assert_true(config_set(config, "webhook.signing_keys",
                           "whsec_Zmlyc3QtZmlyc3QtZmlyc3QtZmlyc3QtZiE= "
                           "whsec_c2Vjb25kLXNlY29uZC1zZWNvbmQtc2Vjb24=",
                           "test", &err));
    net_open(&net);
    struct webhook *webhook = webhook_new(net.http, config, &err);
    assert_non_null(webhook);
    webhook_add_secrets(webhook, &redact);
    buf_init(&text, REDACT_OUT_MAX);
    redact_apply(&redact,
                 slice_of("tried Zmlyc3QtZmlyc3QtZmlyc3QtZmlyc3QtZiE= and "
                          "c2Vjb25kLXNlY29uZC1zZWNvbmQtc2Vjb24"),
                 &text);
    assert_string_equal(buf_text(&text), "tried [redacted]= and [redacted]");
    buf_done(&text);
    webhook_free(webhook);
    config_free(config);
    net_close(&net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls),
        cmocka_unit_test(name_shows_host_and_fingerprint),
        cmocka_unit_test(needs_a_usable_url),
        cmocka_unit_test(what_the_endpoint_receives),
        cmocka_unit_test(a_long_response_ends_early),
        cmocka_unit_test(signing_keys_are_secrets_too),
        cmocka_unit_test(ids_that_cannot_be_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
