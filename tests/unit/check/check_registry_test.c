/* check_registry_test: what a check says of the registry, its schemas and the webhook. */
#include "unit/check/check_fixture.h"

#include <stdlib.h>

static void expect_url_failure(const struct server_rule *rules, enum error_code code,
                               const char *text)
{
    struct bench b;
    bench_open(&b, rules);
    bench_change(&b, "u", "pending", "confirmed");
    bench_check(&b);
    expect_failure(&b, code, "registry", "url", text);
    expect_finding(&b, "ok", "records", "newest", "1 looked at"); /* it goes on */
    bench_close(&b);
}

static void path_is_missing(void **state)
{
    static const struct server_rule rules[] = {
        {"/apis/ccompat/v7/schemas/types", SERVER_ANSWER_CLOSE, TYPES, 0},
        {NULL, SERVER_ANSWER_CLOSE, NOT_FOUND, 0},
        {0}};
    (void)state;
    expect_url_failure(rules, ERROR_FAILED,
                       " answers, but not as a schema registry (status 404): its path is wrong; "
                       "set registry.url to http://127.0.0.1:");
}

static void no_registry_at_all(void **state)
{
    static const struct server_rule rules[] = {
        {NULL, SERVER_ANSWER_CLOSE, JSON_HEAD "<html>welcome</html>", 0}, {0}};
    (void)state;
    expect_url_failure(rules, ERROR_FAILED,
                       "(status 200): correct host, port and path of registry.url (Apicurio's "
                       "path is /apis/ccompat/v7)");
}

/* One that does not list its types, but knows the schema; or knows that it does not. */
static void older_registry(void **state)
{
    static const struct server_rule knowing[] = {{"/schemas/ids/1", SERVER_ANSWER_CLOSE, SCHEMA, 0},
                                                 {NULL, SERVER_ANSWER_CLOSE, NOT_FOUND, 0},
                                                 {0}};
    static const struct server_rule ignorant[] = {
        {NULL, SERVER_ANSWER_CLOSE,
         "HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n{\"error_code\":40403}", 0},
        {0}};
    const struct server_rule *both[] = {knowing, ignorant};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct bench b;
        bench_open(&b, both[i]);
        bench_check(&b);
        expect_finding(&b, "ok", "registry", "url", " answers in ");
        bench_close(&b);
    }
}

/* Confluent's contexts: as its ContextsResource lists them, its ContextFilter serves them. */
static void schema_in_a_context(void **state)
{
    static const struct server_rule rules[] = {
        {"/schemas/types", SERVER_ANSWER_CLOSE, TYPES, 0},
        {"/contexts/shop/schemas/ids/1", SERVER_ANSWER_CLOSE, SCHEMA, 0},
        {"/contexts", SERVER_ANSWER_CLOSE, JSON_HEAD "[\".\",\".other\",\".shop\"]", 0},
        {NULL, SERVER_ANSWER_CLOSE,
         "HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n{\"error_code\":40403}", 0},
        {0}};
    char hint[128];
    struct bench b;
    (void)state;
    bench_open(&b, rules);
    bench_change(&b, "u", "pending", "confirmed");
    bench_check(&b);
    snprintf(hint, sizeof hint, "set registry.url to http://127.0.0.1:%d/contexts/shop",
             server_port(b.registry));
    expect_failure(&b, ERROR_FAILED, "schema", "form", hint);
    bench_close(&b);
}

/* Of several addresses one is enough to go on by; the others are named. */
static void one_of_several_is_down(void **state)
{
    static const struct server_rule rules[] = {{"/schemas/types", SERVER_ANSWER_CLOSE, TYPES, 0},
                                               {"/schemas/ids/1", SERVER_ANSWER_CLOSE, SCHEMA, 0},
                                               {NULL, SERVER_ANSWER_CLOSE, NOT_FOUND, 0},
                                               {0}};
    char urls[128];
    struct bench b;
    (void)state;
    bench_open(&b, rules);
    snprintf(urls, sizeof urls, "http://127.0.0.1:1,http://127.0.0.1:%d/", server_port(b.registry));
    bench_set(&b, "registry.url", urls);
    bench_change(&b, "u", "pending", "confirmed");
    bench_check(&b);
    expect_finding(&b, "warn", "registry", "url", "http://127.0.0.1:1 does not answer: ");
    expect_finding(&b, "ok", "registry", "url", " answers in ");
    expect_finding(&b, "ok", "schema", "form", "id 1: ");
    bench_close(&b);
}

/* One that only curl refuses: run does not begin with it, whatever the others answer. */
static void one_of_several_is_no_url(void **state)
{
    static const struct server_rule rules[] = {{"/schemas/types", SERVER_ANSWER_CLOSE, TYPES, 0},
                                               {"/schemas/ids/1", SERVER_ANSWER_CLOSE, SCHEMA, 0},
                                               {NULL, SERVER_ANSWER_CLOSE, NOT_FOUND, 0},
                                               {0}};
    char urls[128];
    struct bench b;
    (void)state;
    bench_open(&b, rules);
    snprintf(urls, sizeof urls, "http://127.0.0.1:%d/,http://b:99999", server_port(b.registry));
    bench_set(&b, "registry.url", urls);
    bench_check(&b);
    expect_finding(&b, "ok", "registry", "url", " answers in ");
    expect_failure(&b, ERROR_CONFIG, "registry", "url", "registry.url must be a URL such as ");
    bench_close(&b);
}

static void all_of_several_are_down(void **state)
{
    static const struct server_rule rules[] = {{NULL, SERVER_RESET, "", 0}, {0}};
    char urls[128];
    struct bench b;
    (void)state;
    bench_open(&b, rules);
    snprintf(urls, sizeof urls, "http://127.0.0.1:1,http://127.0.0.1:%d/", server_port(b.registry));
    bench_set(&b, "registry.url", urls);
    bench_check(&b);
    expect_failure(&b, ERROR_UNREACHABLE, "registry", "url", "http://127.0.0.1:1 does not answer");
    bench_close(&b);
}

/* A proxy in front that wants https, or another path. */
static void redirected(void **state)
{
    static const struct server_rule rules[] = {
        {NULL, SERVER_ANSWER_CLOSE,
         "HTTP/1.1 308 Permanent Redirect\r\nConnection: close\r\n"
         "Location: https://registry.example.com/apis/ccompat/v7/schemas/types\r\n\r\n",
         0},
        {0}};
    static const struct server_rule nowhere[] = {
        {NULL, SERVER_ANSWER_CLOSE, "HTTP/1.1 302 Found\r\nConnection: close\r\n\r\n", 0}, {0}};
    (void)state;
    expect_url_failure(rules, ERROR_FAILED,
                       "answers with a redirect (status 308), which is never followed: set "
                       "registry.url to https://registry.example.com/apis/ccompat/v7, where");
    expect_url_failure(nowhere, ERROR_FAILED,
                       "(status 302), which is never followed: set registry.url to where it leads");
}

static void login_is_refused(void **state)
{
    static const struct server_rule rules[] = {
        {NULL, SERVER_ANSWER_CLOSE, "HTTP/1.1 401 Unauthorized\r\nConnection: close\r\n\r\n", 0},
        {0}};
    (void)state;
    expect_url_failure(rules, ERROR_FAILED,
                       "refuses the login (status 401): check registry.user and "
                       "registry.password, or registry.token");
}

/* A gateway's key, Apicurio's group: each request has them, as each of run's has. */
static void every_request_has_the_registrys_headers(void **state)
{
    static const struct server_rule rules[] = {
        {"/apis/ccompat/v7/schemas/types", SERVER_ANSWER_CLOSE, TYPES, 0},
        {"/schemas/ids/1", SERVER_ANSWER_CLOSE, SCHEMA, 0},
        {NULL, SERVER_ANSWER_CLOSE, NOT_FOUND, 0},
        {0}};
    static const char *const paths[] = {"", "/apis/ccompat/v7"};
    (void)state;
    for (size_t p = 0; p < 2; p++) {
        struct bench b;
        bench_open(&b, rules);
        bench_url(&b, "registry.url", b.registry, paths[p]);
        bench_set(&b, "registry.headers.X-Api-Key", CANARY);
        bench_set(&b, "registry.headers.X-Registry-GroupId", "shop");
        bench_change(&b, "u", "pending", "confirmed");
        bench_check(&b);
        size_t count = server_request_count(b.registry);
        assert_true(count >= 3);
        for (size_t i = 0; i < count; i++) {
            const char *head = server_request(b.registry, i)->head;
            if (strstr(head, "\r\nX-Api-Key: " CANARY "\r\n") == NULL ||
                strstr(head, "\r\nX-Registry-GroupId: shop\r\n") == NULL)
                fail_msg("%s", head);
        }
        bench_close(&b);
    }
}

static void nobody_answers(void **state)
{
    static const struct server_rule rules[] = {{NULL, SERVER_CLOSE, "", 0}, {0}};
    (void)state;
    expect_url_failure(rules, ERROR_UNREACHABLE, "does not answer: ");
}

static void expect_schema_failure(const char *answer, const char *text)
{
    const struct server_rule rules[] = {{"/schemas/types", SERVER_ANSWER_CLOSE, TYPES, 0},
                                        {"/schemas/ids/1", SERVER_ANSWER_CLOSE, answer, 0},
                                        {0}};
    struct bench b;
    bench_open(&b, rules);
    bench_change(&b, "u", "pending", "confirmed");
    bench_check(&b);
    expect_failure(&b, ERROR_FAILED, "schema", "form", text);
    bench_close(&b);
}

static void schema_is_another_registrys(void **state)
{
    (void)state;
    expect_schema_failure("HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n"
                          "{\"error_code\":40403,\"message\":\"Schema not found\"}",
                          "schema 1 of the newest record: the registry has no such schema");
}

static void schema_is_no_avro(void **state)
{
    (void)state;
    expect_schema_failure(JSON_HEAD "{\"schemaType\":\"PROTOBUF\",\"schema\":\"x\"}",
                          "schema 1 of the newest record: the schema is of type PROTOBUF, not "
                          "AVRO");
}

static void row_without_the_column(void **state)
{
    (void)state;
    expect_schema_failure(JSON_HEAD "{\"schema\":\"{\\\"type\\\":\\\"record\\\",\\\"name\\\":"
                                    "\\\"Row\\\",\\\"fields\\\":[" TEXT_FIELD("id") "]}\"}",
                          "has no column \\\"status\\\" (rule.column)");
}

/* Without it orders are sent all the same: a warning, with what it means. */
static void owner_column(void **state)
{
    static const struct server_rule rules[] = {{"/schemas/types", SERVER_ANSWER_CLOSE, TYPES, 0},
                                               {"/schemas/ids/1", SERVER_ANSWER_CLOSE, SCHEMA, 0},
                                               {NULL, SERVER_ANSWER_CLOSE, NOT_FOUND, 0},
                                               {0}};
    struct bench b;
    (void)state;
    bench_open(&b, rules);
    bench_change(&b, "u", "pending", "confirmed");
    bench_check(&b);
    assert_null(strstr(buf_text(&b.json), "auth.owner_column"));
    bench_set(&b, "auth.owner_column", "user_id");
    bench_check(&b);
    expect_finding(&b, "warn", "fields", "auth.owner_column",
                   "no such column: no customer sees or syncs an order");
    bench_set(&b, "auth.owner_column", "client_name");
    bench_check(&b);
    expect_finding(&b, "ok", "fields", "auth.owner_column", "compared with a token's sub");
    bench_close(&b);
}

#define LOCAL_TIME \
    "{\\\"type\\\":\\\"long\\\",\\\"connect.name\\\":\\\"io.debezium.time.MicroTimestamp\\\"}"
#define LOCAL_ROW                                                                          \
    JSON_HEAD "{\"schema\":\"{\\\"type\\\":\\\"record\\\",\\\"name\\\":\\\"Row\\\","       \
              "\\\"fields\\\":[" TEXT_FIELD("id") "," TEXT_FIELD("status") "," TEXT_FIELD( \
                  "__op") ","                                                              \
                          "{\\\"name\\\":\\\"confirmed_at\\\",\\\"type\\\":" LOCAL_TIME "}]}\"}"

/* A column without a time zone: what is assumed is said, and how to say otherwise. */
static void time_without_zone(void **state)
{
    static const struct server_rule rules[] = {
        {"/schemas/types", SERVER_ANSWER_CLOSE, TYPES, 0},
        {"/schemas/ids/1", SERVER_ANSWER_CLOSE, LOCAL_ROW, 0},
        {0}};
    struct bench b;
    (void)state;
    bench_open(&b, rules);
    bench_change(&b, "u", "pending", "confirmed");
    bench_check(&b);
    expect_finding(&b, "warn", "fields", "time zone",
                   "column confirmed_at has none; its times are taken for those of "
                   "payload.time_zone = UTC: set it to the zone");
    bench_set(&b, "payload.time_zone", "Africa/Algiers");
    bench_check(&b);
    expect_finding(&b, "ok", "fields", "time zone", "payload.time_zone = Africa/Algiers");
    bench_close(&b);
}

/* An empty topic, and a schema under its usual subject. */
static void schema_by_subject(void **state)
{
    static const struct server_rule rules[] = {
        {"/schemas/types", SERVER_ANSWER_CLOSE, TYPES, 0},
        {"/subjects/orders-value/versions/latest", SERVER_ANSWER_CLOSE,
         JSON_HEAD "{\"subject\":\"orders-value\",\"id\":1,\"version\":1,\"schema\":\"x\"}", 0},
        {"/schemas/ids/1", SERVER_ANSWER_CLOSE, SCHEMA, 0},
        {0}};
    struct bench b;
    (void)state;
    bench_open(&b, rules);
    bench_check(&b);
    expect_finding(&b, "ok", "schema", "form", "shop.Envelope, id 1");
    bench_close(&b);
}

static const struct server_rule fine[] = {{"/schemas/types", SERVER_ANSWER_CLOSE, TYPES, 0}, {0}};

static void ping_only_when_asked(void **state)
{
    struct bench b;
    (void)state;
    bench_open(&b, fine);
    bench_check(&b);
    assert_int_equal(server_request_count(b.webhook), 0);
    b.options.ping_webhook = true;
    bench_check(&b);
    expect_finding(&b, "ok", "webhook", "ping", "answered 204 in ");
    assert_int_equal(server_request_count(b.webhook), 1);
    assert_string_equal(server_request(b.webhook, 0)->body,
                        "{\"form_name\":\"elementor_sync_ping\",\"fields\":{}}");
    bench_set(&b, "webhook.url", "http://127.0.0.1:1/" CANARY);
    bench_check(&b);
    expect_failure(&b, ERROR_UNREACHABLE, "webhook", "ping", "no answer: ");
    bench_close(&b);
}

/* As `run` takes it: the status is the answer. */
static void ping_is_answered_and_no_more(void **state)
{
    static const struct server_rule short_body[] = {
        {NULL, SERVER_ANSWER_CLOSE, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort", 0}, {0}};
    struct server *receiver = server_new(short_body);
    struct bench b;
    (void)state;
    server_listen(receiver);
    bench_open(&b, fine);
    bench_url(&b, "webhook.url", receiver, "/" CANARY);
    b.options.ping_webhook = true;
    bench_check(&b);
    expect_finding(&b, "warn", "webhook", "ping", "answered 200, then the answer broke off");
    bench_close(&b);
    server_free(receiver);
}

/* Type, server and first line of an answer; a 2xx that run would not take for a delivery fails. */
static void ping_reports_the_answer(void **state)
{
    static const struct {
        const char *answer, *level, *text;
    } cases[] = {
        {"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nServer: shop/1\r\n\r\n\n thanks " CANARY
         "\nmore",
         "ok", " ms (text/plain, server shop/1): thanks [redacted]"},
        {"HTTP/1.1 200 OK\r\n\r\nok", "ok", " ms (no type): ok"},
        {"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<!doctype html>\n<p>", "fail",
         "outcome.success=status (text/html): <!doctype html>"},
        {"HTTP/1.1 202 OK\r\nSG-Captcha: challenge\r\n\r\nx", "fail", "a bot check"},
        {"HTTP/1.1 200 OK\r\n\r\n{\"success\":false}", "fail", "success:false"},
        {"HTTP/1.1 404 No\r\nServer: s\r\n\r\nNo route", "fail", "(no type, server s): No route"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct server_rule answers[] = {{NULL, SERVER_ANSWER_CLOSE, cases[i].answer, 0}, {0}};
        struct server *receiver = server_new(answers);
        struct bench b;
        server_listen(receiver);
        bench_open(&b, fine);
        bench_url(&b, "webhook.url", receiver, "/" CANARY);
        b.options.ping_webhook = true;
        bench_check(&b);
        if (strcmp(cases[i].level, "ok") == 0)
            expect_finding(&b, "ok", "webhook", "ping", cases[i].text);
        else
            expect_failure(&b, ERROR_FAILED, "webhook", "ping", cases[i].text);
        bench_close(&b);
        server_free(receiver);
    }
}

/* Only a slash: named without the path. */
static void ping_names_a_small_difference(void **state)
{
    struct bench b;
    char answer[256];
    struct server_rule redirects[] = {{NULL, SERVER_ANSWER_CLOSE, answer, 0}, {0}};
    struct server *receiver = server_new(redirects);
    (void)state;
    snprintf(answer, sizeof answer,
             "HTTP/1.1 301 Moved\r\nLocation: http://127.0.0.1:%d/" CANARY "/?q=1\r\n\r\n",
             server_port(receiver));
    server_listen(receiver);
    bench_open(&b, fine);
    bench_url(&b, "webhook.url", receiver, "/" CANARY "?q=1");
    b.options.ping_webhook = true;
    bench_check(&b);
    expect_failure(&b, ERROR_FAILED, "webhook", "ping", "only a slash at the end differs");
    assert_null(strstr(buf_text(&b.json), CANARY));
    bench_close(&b);
    snprintf(answer, sizeof answer,
             "HTTP/1.1 301 Moved\r\nLocation: https://127.0.0.1:%d/" CANARY "\r\n\r\n",
             server_port(receiver));
    bench_open(&b, fine);
    bench_url(&b, "webhook.url", receiver, "/" CANARY);
    b.options.ping_webhook = true;
    bench_check(&b);
    expect_failure(&b, ERROR_FAILED, "webhook", "ping", "only http and https differ");
    bench_close(&b);
    server_free(receiver);
}

static void ping_has_the_orders_shape(void **state)
{
    struct bench b;
    (void)state;
    bench_open(&b, fine);
    bench_set(&b, "payload.shape", "elementor");
    b.options.ping_webhook = true;
    bench_check(&b);
    assert_string_equal(server_request(b.webhook, 0)->body,
                        "form_id=ping&form_name=elementor_sync_ping");
    assert_non_null(strstr(server_request(b.webhook, 0)->head,
                           "Content-Type: application/x-www-form-urlencoded\r\n"));
    bench_close(&b);
}

/* A refusal is reported in words; a redirect by its host alone. */
static void ping_is_refused(void **state)
{
    static const struct {
        const char *answer, *text;
    } cases[] = {
        {"HTTP/1.1 301 Moved\r\nLocation: https://www.example.com/" CANARY "\r\n"
         "Content-Length: 0\r\n\r\n",
         "a redirect to https://www.example.com, which is never followed"},
        {"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n", "302: a redirect, which is never"},
        {"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "copy webhook.url again"},
        {"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", "a login or a firewall"},
        {"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", "see its own log"},
        {"HTTP/1.1 422 No\r\nContent-Length: 0\r\n\r\n", "it may refuse only pings"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct server_rule refuses[] = {{NULL, SERVER_ANSWER, cases[i].answer, 0}, {0}};
        struct server *receiver = server_new(refuses);
        struct bench b;
        server_listen(receiver);
        bench_open(&b, fine);
        bench_url(&b, "webhook.url", receiver, "/" CANARY);
        b.options.ping_webhook = true;
        bench_check(&b);
        expect_failure(&b, ERROR_FAILED, "webhook", "ping", cases[i].text);
        bench_close(&b);
        server_free(receiver);
    }
}

/* An unusable webhook.url, by its message. */
static void unsafe_urls(void **state)
{
    static const struct {
        const char *url, *text;
    } cases[] = {
        {"shop.example.com/" CANARY, "webhook.url does not begin with https://"},
        {"http://shop.example.com/" CANARY, "webhook.url must begin with https://"},
        {"https://user:" CANARY "@shop.example.com/", "must not hold a user or a password"},
        {"file:///" CANARY, "webhook.url"},
    };
    struct bench b;
    (void)state;
    bench_open(&b, fine);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bench_set(&b, "webhook.url", cases[i].url);
        bench_check(&b);
        assert_int_equal(b.verdict.code, ERROR_CONFIG);
        assert_non_null(strstr(buf_text(&b.json), cases[i].text));
    }
    bench_close(&b);
}

/* ---- traces ---- */

static void expect_collector(const struct server_rule *rules, const char *level, const char *text)
{
    static const struct server_rule registry[] = {{NULL, SERVER_ANSWER_CLOSE, NOT_FOUND, 0}, {0}};
    struct bench b;
    struct server *collector = server_new(rules);
    bench_open(&b, registry);
    bench_url(&b, "trace.url", collector, "/v1/traces");
    bench_set(&b, "trace.headers.X-Api-Key", CANARY);
    if (rules[0].action != SERVER_NO_RULE)
        server_listen(collector);
    bench_check(&b);
    expect_finding(&b, level, "traces", "url", text);
    if (server_request_count(collector) > 0)
        assert_string_equal(server_request(collector, 0)->body, "{\"resourceSpans\":[]}");
    bench_close(&b);
    server_free(collector);
}

static void the_collector_is_asked(void **state)
{
    (void)state;
    expect_collector(
        (const struct server_rule[]){{NULL, SERVER_ANSWER_CLOSE, JSON_HEAD "{}", 0}, {0}}, "ok",
        " answered 200 in ");
    expect_collector((const struct server_rule[]){{NULL, SERVER_ANSWER_CLOSE, NOT_FOUND, 0}, {0}},
                     "warn", " answered 404: spans would be dropped; trace.url needs");
    expect_collector((const struct server_rule[]){{0}}, "warn", "connection refused");
}

static void a_share_must_be_one(void **state)
{
    static const struct server_rule registry[] = {{NULL, SERVER_ANSWER_CLOSE, NOT_FOUND, 0}, {0}};
    struct bench b;
    (void)state;
    bench_open(&b, registry);
    bench_set(&b, "trace.sample", "10%");
    bench_check(&b);
    expect_failure(&b, ERROR_CONFIG, "configuration", "trace.sample",
                   "trace.sample is not a share");
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(path_is_missing),
        cmocka_unit_test(the_collector_is_asked),
        cmocka_unit_test(a_share_must_be_one),
        cmocka_unit_test(no_registry_at_all),
        cmocka_unit_test(older_registry),
        cmocka_unit_test(schema_in_a_context),
        cmocka_unit_test(one_of_several_is_down),
        cmocka_unit_test(one_of_several_is_no_url),
        cmocka_unit_test(all_of_several_are_down),
        cmocka_unit_test(login_is_refused),
        cmocka_unit_test(nobody_answers),
        cmocka_unit_test(every_request_has_the_registrys_headers),
        cmocka_unit_test(schema_is_another_registrys),
        cmocka_unit_test(schema_is_no_avro),
        cmocka_unit_test(row_without_the_column),
        cmocka_unit_test(owner_column),
        cmocka_unit_test(schema_by_subject),
        cmocka_unit_test(ping_only_when_asked),
        cmocka_unit_test(ping_is_answered_and_no_more),
        cmocka_unit_test(unsafe_urls),
        cmocka_unit_test(redirected),
        cmocka_unit_test(time_without_zone),
        cmocka_unit_test(ping_is_refused),
        cmocka_unit_test(ping_reports_the_answer),
        cmocka_unit_test(ping_names_a_small_difference),
        cmocka_unit_test(ping_has_the_orders_shape),
    };
    return pipeline_harness_main("check_registry", tests, sizeof tests / sizeof *tests);
}
