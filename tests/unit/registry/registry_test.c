/* registry_test: a scripted schema registry on loopback. */
#include "registry/registry.h"

#include "fakes/net.h"
#include "fakes/server.h"
#include "sys/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define JSON_HEAD(status) "HTTP/1.1 " status "\r\nConnection: close\r\n\r\n"
#define INT_SCHEMA JSON_HEAD("200 OK") "{\"schema\":\"\\\"int\\\"\"}"
#define KEPT_INT_SCHEMA "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{\"schema\":\"\\\"int\\\"\"}"
#define MISSING JSON_HEAD("404 Not Found") "{\"error_code\":40403,\"message\":\"Schema not found\"}"

enum { RETRY_FIRST_MS = 20, MISS_INTERVAL_MS = 200 };

struct bench {
    struct net net;
    struct server *server;
    struct config config; /* zeroed; what the registry reads is set */
    char url[128];
    int changes;
};

static void count_change(void *context)
{
    ++*(int *)context;
}

/* The server does not listen yet. `path` follows the port in registry.url. */
static void bench_open(struct bench *bench, const struct server_rule *rules, const char *path)
{
    memset(bench, 0, sizeof *bench);
    bench->server = server_new(rules);
    net_open(&bench->net);
    snprintf(bench->url, sizeof bench->url, "http://127.0.0.1:%d%s", server_port(bench->server),
             path);
    bench->config.registry_url = bench->url;
    bench->config.registry_timeout = 10000;
}

static void bench_start(struct bench *bench)
{
    bench->net.registry =
        registry_new(bench->net.http, &bench->config, count_change, &bench->changes, NULL);
    assert_non_null(bench->net.registry);
    registry_set_pace(bench->net.registry, RETRY_FIRST_MS, MISS_INTERVAL_MS);
}

static void bench_close(struct bench *bench)
{
    registry_free(bench->net.registry);
    net_close(&bench->net);
    server_free(bench->server);
}

static enum registry_answer get(struct bench *bench, int32_t id, const char **ret_schema,
                                struct error *err)
{
    const struct schema_ref ref = schema_ref_id(id);
    return registry_get(bench->net.registry, &ref, ret_schema, err);
}

/* Asks, waits for the first change, and expects this schema. */
static void expect_schema(struct bench *bench, int32_t id, const char *expected)
{
    const char *schema = NULL;
    struct error err = {0};
    assert_int_equal(get(bench, id, &schema, &err), REGISTRY_PENDING);
    assert_null(schema);
    assert_true(net_run(&bench->net, &bench->changes, bench->changes + 1));
    if (get(bench, id, &schema, &err) != REGISTRY_HAVE)
        fail_msg("%s", err.text);
    assert_string_equal(schema, expected);
}

static void expect_refusal(struct bench *bench, int32_t id, enum registry_answer answer,
                           const char *why)
{
    const char *schema = NULL;
    struct error err = {0};
    assert_int_equal(get(bench, id, &schema, &err), REGISTRY_PENDING);
    assert_true(net_run(&bench->net, &bench->changes, bench->changes + 1));
    assert_int_equal(get(bench, id, &schema, &err), answer);
    assert_null(schema);
    assert_int_equal(err.code, ERROR_UNDECODABLE);
    if (strstr(err.text, why) == NULL)
        fail_msg("\"%s\" is not in \"%s\"", why, err.text);
}

static void expect_failure(struct bench *bench, int32_t id, const char *why)
{
    expect_refusal(bench, id, REGISTRY_FAILED, why);
}

static bool asked(struct bench *bench, size_t i, const char *text)
{
    return strstr(server_request(bench->server, i)->head, text) != NULL;
}

/* --- requests -------------------------------------------------------------------------- */

static void asked_once_then_cached(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench,
               (const struct server_rule[]){{NULL, SERVER_ANSWER_CLOSE, INT_SCHEMA, 0}, {0}}, "");
    server_listen(bench.server);
    bench_start(&bench);
    const char *schema;
    for (int i = 0; i < 3; i++) /* asking again while it is under way starts nothing */
        assert_int_equal(get(&bench, 7, &schema, NULL), REGISTRY_PENDING);
    expect_schema(&bench, 7, "\"int\"");
    expect_schema(&bench, 8, "\"int\"");
    assert_int_equal(get(&bench, 7, &schema, NULL), REGISTRY_HAVE);
    assert_int_equal(server_request_count(bench.server), 2);
    assert_true(asked(&bench, 0, "GET /schemas/ids/7 HTTP/1.1\r\n"));
    assert_true(asked(&bench, 0,
                      "\r\nAccept: application/vnd.schemaregistry.v1+json, "
                      "application/json\r\n"));
    assert_false(asked(&bench, 0, "Authorization"));
    bench_close(&bench);
}

static void base_path_and_slashes(void **state)
{
    (void)state;
    static const char *const paths[] = {"/apis/ccompat/v7", "/apis/ccompat/v7/",
                                        "/apis/ccompat/v7//"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        struct bench bench;
        bench_open(&bench,
                   (const struct server_rule[]){{NULL, SERVER_ANSWER_CLOSE, INT_SCHEMA, 0}, {0}},
                   paths[i]);
        server_listen(bench.server);
        bench_start(&bench);
        expect_schema(&bench, 1, "\"int\"");
        assert_true(asked(&bench, 0, "GET /apis/ccompat/v7/schemas/ids/1 HTTP/1.1\r\n"));
        bench_close(&bench);
    }
}

static void credentials(void **state)
{
    (void)state;
    for (int bearer = 0; bearer <= 1; bearer++) {
        struct bench bench;
        char user[] = "ann", password[] = "pw", token[] = "t0k3n";
        bench_open(&bench,
                   (const struct server_rule[]){{NULL, SERVER_ANSWER_CLOSE, INT_SCHEMA, 0}, {0}},
                   "");
        server_listen(bench.server);
        bench.config.registry_user = bearer ? NULL : user;
        bench.config.registry_password = bearer ? NULL : password;
        bench.config.registry_token = bearer ? token : NULL;
        bench_start(&bench);
        expect_schema(&bench, 1, "\"int\"");
        assert_true(asked(&bench, 0,
                          bearer ? "\r\nAuthorization: Bearer t0k3n\r\n"
                                 : "\r\nAuthorization: Basic YW5uOnB3\r\n"));
        bench_close(&bench);
    }
}

static void url_is_required(void **state)
{
    (void)state;
    static const char *const urls[] = {NULL, "", "registry:8081/x", "ftp://registry/"};
    struct net net;
    net_open(&net);
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        struct config config = {0};
        char url[64];
        struct error err = {0};
        if (urls[i] != NULL) {
            snprintf(url, sizeof url, "%s", urls[i]);
            config.registry_url = url;
        }
        assert_null(registry_new(net.http, &config, count_change, NULL, &err));
        assert_int_equal(err.code, ERROR_CONFIG);
    }
    net_close(&net);
}

/* --- references ------------------------------------------------------------------------ */

#define REFERENCE(subject, version) \
    "{\"name\":\"x\",\"subject\":\"" subject "\",\"version\":" version "}"
#define RECORD_OF(name, type)                                                                   \
    "{\\\"type\\\":\\\"record\\\",\\\"name\\\":\\\"" name "\\\",\\\"fields\\\":[{\\\"name\\\":" \
    "\\\"f\\\",\\\"type\\\":\\\"" type "\\\"}]}"
#define SCHEMA_WITH(schema, references) \
    JSON_HEAD("200 OK") "{\"schema\":\"" schema "\",\"references\":[" references "]}"

/* clang-format off */
#define RESOLVED "?format=resolved&dereference=true"
#define NOT_OFFERED JSON_HEAD("422 No") "{\"error_code\":42201}"
#define NINE_REFERENCES                                                                            \
    REFERENCE("a", "1") "," REFERENCE("a", "2") "," REFERENCE("a", "3") ","                        \
    REFERENCE("a", "4") "," REFERENCE("a", "5") "," REFERENCE("a", "6") ","                        \
    REFERENCE("a", "7") "," REFERENCE("a", "8") "," REFERENCE("a", "9")
/* clang-format on */

static void nested_references(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench,
               (const struct server_rule[]){
                   {"/schemas/ids/5", SERVER_ANSWER_CLOSE,
                    SCHEMA_WITH(RECORD_OF("a.Order", "a.Line"), REFERENCE("li/ne", "2")), 1},
                   {"/schemas/ids/5" RESOLVED, SERVER_ANSWER_CLOSE,
                    SCHEMA_WITH(RECORD_OF("a.Order", "a.Line"), REFERENCE("li/ne", "2")), 1},
                   {"/subjects/li%2Fne/versions/2", SERVER_ANSWER_CLOSE, JSON_HEAD("503 Busy"), 1},
                   {"/subjects/li%2Fne/versions/2", SERVER_ANSWER_CLOSE,
                    SCHEMA_WITH(RECORD_OF("a.Line", "Item"),
                                REFERENCE("item", "1") "," REFERENCE("li/ne", "2")),
                    1},
                   {"/subjects/item/versions/1", SERVER_ANSWER_CLOSE,
                    SCHEMA_WITH(RECORD_OF("a.Item", "int"), REFERENCE("li/ne", "2")), 1},
                   {0}},
               "");
    server_listen(bench.server);
    bench_start(&bench);
    expect_schema(
        &bench, 5,
        "{\"type\":\"record\",\"name\":\"a.Order\",\"fields\":[{\"name\":\"f\",\"type\":"
        "{\"type\":\"record\",\"name\":\"a.Line\",\"fields\":[{\"name\":\"f\",\"type\":"
        "{\"type\":\"record\",\"name\":\"a.Item\",\"fields\":[{\"name\":\"f\",\"type\":\"int\"}]}"
        "}]}}]}");
    assert_int_equal(server_request_count(bench.server), 5); /* cycles are asked for once */
    bench_close(&bench);
}

static void reference_chain_too_long(void **state)
{
    (void)state;
    enum { LONG = 20, TEXT_MAX = 512 };
    static char paths[LONG][64], texts[LONG][TEXT_MAX];
    struct server_rule rules[LONG + 2] = {{0}};
    for (int i = 0; i < LONG; i++) {
        if (i == 0)
            snprintf(paths[i], sizeof paths[i], "/schemas/ids/5");
        else
            snprintf(paths[i], sizeof paths[i], "/subjects/s%d/versions/1", i);
        snprintf(texts[i], sizeof texts[i],
                 JSON_HEAD("200 OK") "{\"schema\":\"" RECORD_OF(
                     "a.R%d", "int") "\",\"references\":[" REFERENCE("s%d", "1") "]}",
                 i, i + 1);
        rules[i] = (struct server_rule){paths[i], SERVER_ANSWER_CLOSE, texts[i], 0};
    }
    rules[LONG] = (struct server_rule){NULL, SERVER_ANSWER_CLOSE, NOT_OFFERED, 0};
    struct bench bench;
    bench_open(&bench, rules, "");
    server_listen(bench.server);
    bench_start(&bench);
    expect_failure(&bench, 5, "more than 16 deep");
    assert_int_equal(server_request_count(bench.server), 18);
    bench_close(&bench);
}

/* More references than may be in flight; one of them cannot be used, while others are under way. */
static void many_references_one_bad(void **state)
{
    (void)state;
    static const char text[] =
        SCHEMA_WITH("x", NINE_REFERENCES "," REFERENCE("bad", "1")); /* 1 and 2 are answered */
    struct bench bench;
    bench_open(&bench,
               (const struct server_rule[]){
                   {"/schemas/ids/5", SERVER_ANSWER_CLOSE, text, 1},
                   {"/schemas/ids/6", SERVER_ANSWER_CLOSE, text, 1},
                   {"/schemas/ids/7", SERVER_ANSWER_CLOSE, INT_SCHEMA, 1},
                   {"/schemas/ids/5" RESOLVED, SERVER_ANSWER_CLOSE, NOT_OFFERED, 1},
                   {"/schemas/ids/6" RESOLVED, SERVER_ANSWER_CLOSE, NOT_OFFERED, 1},
                   {"/subjects/a/versions/1", SERVER_ANSWER_CLOSE, INT_SCHEMA, 0},
                   {"/subjects/a/versions/2", SERVER_ANSWER_CLOSE, INT_SCHEMA, 0},
                   {"/subjects/bad/versions/1", SERVER_ANSWER_CLOSE,
                    JSON_HEAD("200 OK") "{\"schema\":\"{}\",\"schemaType\":\"JSON\"}", 0},
                   {NULL, SERVER_HANG, NULL, 0},
                   {0}},
               "");
    server_listen(bench.server);
    bench_start(&bench);
    expect_failure(&bench, 5, "type JSON");
    expect_failure(&bench, 6, "type JSON"); /* what was in flight for 5 is no longer counted */
    expect_schema(&bench, 7, "\"int\"");
    bench_close(&bench);
}

#define ORDER_WITH_LINE SCHEMA_WITH(RECORD_OF("a.Order", "a.Line"), REFERENCE("line", "2"))
#define LINE SCHEMA_WITH(RECORD_OF("a.Line", "int"), "")
#define INLINED                                                                       \
    "{\"type\":\"record\",\"name\":\"a.Order\",\"fields\":[{\"name\":\"f\",\"type\":" \
    "{\"type\":\"record\",\"name\":\"a.Line\",\"fields\":[{\"name\":\"f\",\"type\":\"int\"}]}}]}"

/* The registry knows which group its references lie in; their subjects alone do not. */
static void references_resolved_by_the_registry(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench,
               (const struct server_rule[]){
                   {"/apis/ccompat/v7/schemas/ids/5", SERVER_ANSWER_CLOSE, ORDER_WITH_LINE, 1},
                   {"/apis/ccompat/v7/schemas/ids/5" RESOLVED, SERVER_ANSWER_CLOSE,
                    SCHEMA_WITH(RECORD_OF("a.Order", "int"), REFERENCE("line", "2")), 1},
                   {0}},
               "/apis/ccompat/v7");
    server_listen(bench.server);
    bench_start(&bench);
    expect_schema(&bench, 5,
                  "{\"type\":\"record\",\"name\":\"a.Order\",\"fields\":[{\"name\":\"f\",\"type\":"
                  "\"int\"}]}");
    assert_int_equal(server_request_count(bench.server), 2);
    bench_close(&bench);
}

/* Without a group the subject would be looked for in "default", where another one may lie. */
static void a_reference_is_not_taken_from_another_group(void **state)
{
    (void)state;
    struct bench bench;
    const char *schema;
    bench_open(
        &bench,
        (const struct server_rule[]){
            {"/apis/ccompat/v7/schemas/ids/5", SERVER_ANSWER_CLOSE, ORDER_WITH_LINE, 0},
            {"/apis/ccompat/v7/schemas/ids/5" RESOLVED, SERVER_ANSWER_CLOSE, ORDER_WITH_LINE, 0},
            {NULL, SERVER_ANSWER_CLOSE, LINE, 0},
            {0}},
        "/apis/ccompat/v7");
    server_listen(bench.server);
    bench_start(&bench);
    assert_int_equal(get(&bench, 5, &schema, NULL), REGISTRY_PENDING);
    assert_true(net_await_requests(&bench.net, bench.server, 6));
    assert_int_equal(get(&bench, 5, &schema, NULL), REGISTRY_PENDING);
    for (size_t i = 0; i < 6; i++)
        assert_false(asked(&bench, i, "/subjects/"));
    bench_close(&bench);
}

/* Each wait is twice the one before, whatever of the schema was answered in between: these five
 * take 1 + 2 + 4 + 8 times the first. */
static void references_that_cannot_be_followed_are_asked_for_ever_more_rarely(void **state)
{
    enum { ROUNDS = 5 };
    (void)state;
    struct bench bench;
    const char *schema;
    bench_open(
        &bench,
        (const struct server_rule[]){
            {"/apis/ccompat/v7/schemas/ids/5", SERVER_ANSWER_CLOSE, ORDER_WITH_LINE, 0},
            {"/apis/ccompat/v7/schemas/ids/5" RESOLVED, SERVER_ANSWER_CLOSE, ORDER_WITH_LINE, 0},
            {0}},
        "/apis/ccompat/v7");
    server_listen(bench.server);
    bench_start(&bench);
    int64_t begun_ms = clock_mono_ms();
    assert_int_equal(get(&bench, 5, &schema, NULL), REGISTRY_PENDING);
    assert_true(net_await_requests(&bench.net, bench.server, 2 * ROUNDS));
    assert_true(clock_mono_ms() - begun_ms >= (1 + 2 + 4 + 8) * RETRY_FIRST_MS);
    bench_close(&bench);
}

static void references_in_a_group_of_their_own(void **state)
{
    (void)state;
    struct bench bench;
    char name[] = "X-Registry-GroupId", value[] = "shop";
    struct config_pair header = {name, value};
    bench_open(
        &bench,
        (const struct server_rule[]){
            {"/apis/ccompat/v7/schemas/ids/5", SERVER_ANSWER_CLOSE, ORDER_WITH_LINE, 1},
            {"/apis/ccompat/v7/schemas/ids/5" RESOLVED, SERVER_ANSWER_CLOSE, ORDER_WITH_LINE, 1},
            {"/apis/ccompat/v7/subjects/line/versions/2", SERVER_ANSWER_CLOSE, LINE, 1},
            {0}},
        "/apis/ccompat/v7");
    bench.config.registry_headers = &header;
    bench.config.registry_header_count = 1;
    server_listen(bench.server);
    bench_start(&bench);
    expect_schema(&bench, 5, INLINED);
    assert_true(asked(&bench, 2, "\r\nX-Registry-GroupId: shop\r\n"));
    bench_close(&bench);
}

/* The schema that refers to it is there: it says nothing about the record. */
static void a_missing_reference_is_waited_for(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench,
               (const struct server_rule[]){
                   {"/schemas/ids/5", SERVER_ANSWER_CLOSE, ORDER_WITH_LINE, 0},
                   {"/schemas/ids/5" RESOLVED, SERVER_ANSWER_CLOSE, NOT_OFFERED, 0},
                   {"/subjects/line/versions/2", SERVER_ANSWER_CLOSE, MISSING, 5},
                   {"/subjects/line/versions/2", SERVER_ANSWER_CLOSE, LINE, 0},
                   {0}},
               "");
    server_listen(bench.server);
    bench_start(&bench);
    registry_set_pace(bench.net.registry, RETRY_FIRST_MS, 1);
    expect_schema(&bench, 5, INLINED);
    assert_int_equal(bench.changes, 1);
    bench_close(&bench);
}

/* --- trouble --------------------------------------------------------------------------- */

static void trouble_then_recovery(void **state)
{
    (void)state;
    static const struct {
        enum server_action action;
        const char *text;
    } troubles[] = {
        {SERVER_ANSWER_CLOSE, JSON_HEAD("200 OK") "<html>log in</html>"},
        {SERVER_ANSWER_CLOSE, JSON_HEAD("404 Not Found") "<html>not here</html>"},
        {SERVER_ANSWER_CLOSE,
         JSON_HEAD("404 Not Found") "{\"error_code\":404,\"message\":\"Not Found\"}"},
        {SERVER_ANSWER_CLOSE,
         JSON_HEAD("404 Not Found") "{\"message\":\"no Route matched with those values\"}"},
        {SERVER_ANSWER_CLOSE,
         JSON_HEAD("404 Not Found") "{\"status\":404,\"name\":\"NotFoundException\"}"},
        {SERVER_ANSWER_CLOSE, JSON_HEAD("401 Unauthorized") "{\"error_code\":401}"},
        {SERVER_ANSWER_CLOSE, JSON_HEAD("500 Oops")},
        {SERVER_ENDLESS, JSON_HEAD("200 OK")},
        {SERVER_CLOSE, NULL},
        {SERVER_RESET, NULL},
    };
    for (size_t i = 0; i < sizeof troubles / sizeof *troubles; i++) {
        struct bench bench;
        bench_open(&bench,
                   (const struct server_rule[]){{NULL, troubles[i].action, troubles[i].text, 2},
                                                {NULL, SERVER_ANSWER_CLOSE, INT_SCHEMA, 0},
                                                {0}},
                   "");
        server_listen(bench.server);
        bench_start(&bench);
        expect_schema(&bench, 1, "\"int\"");
        assert_int_equal(server_request_count(bench.server), 3);
        assert_int_equal(bench.changes, 1);
        bench_close(&bench);
    }
}

static void down_at_start(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench,
               (const struct server_rule[]){{NULL, SERVER_ANSWER_CLOSE, INT_SCHEMA, 0}, {0}}, "");
    bench_start(&bench);
    const char *schema;
    assert_int_equal(get(&bench, 1, &schema, NULL), REGISTRY_PENDING);
    /* refused at least once: from then on there is a time at which it asks again */
    for (int turns = 0; registry_turn(bench.net.registry, 0) < 0; turns++) {
        assert_true(turns < 2000);
        http_turn(bench.net.http);
        loop_wait(bench.net.loop, 10);
    }
    server_listen(bench.server);
    expect_schema(&bench, 1, "\"int\"");
    bench_close(&bench);
}

/* --- final answers --------------------------------------------------------------------- */

static void missing_twice(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench,
               (const struct server_rule[]){{"/schemas/ids/9", SERVER_ANSWER_CLOSE, MISSING, 3},
                                            {NULL, SERVER_ANSWER_CLOSE, INT_SCHEMA, 0},
                                            {0}},
               "");
    server_listen(bench.server);
    bench_start(&bench);
    expect_refusal(&bench, 9, REGISTRY_MISSING,
                   "schema 9: the registry has no such schema (error code 40403)");
    assert_int_equal(server_request_count(bench.server), 2);
    expect_schema(&bench, 8, "\"int\"");
    /* "Missing" is not for ever: after the interval one more answer decides, at once. */
    const char *schema;
    for (int turns = 0; get(&bench, 9, &schema, NULL) == REGISTRY_MISSING; turns++) {
        assert_true(turns < 2000);
        loop_wait(bench.net.loop, 10);
    }
    assert_true(net_run(&bench.net, &bench.changes, bench.changes + 1));
    assert_int_equal(get(&bench, 9, &schema, NULL), REGISTRY_MISSING);
    assert_int_equal(server_request_count(bench.server), 4);
    registry_set_pace(bench.net.registry, RETRY_FIRST_MS, 0);
    expect_schema(&bench, 9, "\"int\"");
    bench_close(&bench);
}

static void missing_once(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench,
               (const struct server_rule[]){{NULL, SERVER_ANSWER_CLOSE, MISSING, 1},
                                            {NULL, SERVER_ANSWER_CLOSE, INT_SCHEMA, 0},
                                            {0}},
               "");
    server_listen(bench.server);
    bench_start(&bench);
    expect_schema(&bench, 9, "\"int\"");
    assert_int_equal(server_request_count(bench.server), 2);
    bench_close(&bench);
}

static void no_avro(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench,
               (const struct server_rule[]){
                   {NULL, SERVER_ANSWER_CLOSE,
                    JSON_HEAD("200 OK") "{\"schema\":\"{}\",\"schemaType\":\"JSON\"}", 0},
                   {0}},
               "");
    server_listen(bench.server);
    bench_start(&bench);
    expect_failure(&bench, 3, "type JSON, not AVRO");
    assert_int_equal(server_request_count(bench.server), 1);
    bench_close(&bench);
}

static void many_ids(void **state)
{
    (void)state;
    enum { MANY = 40 };
    struct bench bench;
    bench_open(&bench, (const struct server_rule[]){{NULL, SERVER_HOLD, KEPT_INT_SCHEMA, 0}, {0}},
               "");
    server_listen(bench.server);
    bench_start(&bench);
    const char *schema;
    for (int32_t id = 0; id < MANY; id++)
        assert_int_equal(get(&bench, id, &schema, NULL), REGISTRY_PENDING);
    assert_true(net_await_requests(&bench.net, bench.server, 8));
    assert_int_equal(server_request_count(bench.server), 8); /* the rest wait their turn */
    assert_int_equal(bench.changes, 0);
    server_release(bench.server);
    assert_true(net_run(&bench.net, &bench.changes, MANY));
    for (int32_t id = 0; id < MANY; id++)
        assert_int_equal(get(&bench, id, &schema, NULL), REGISTRY_HAVE);
    assert_int_equal(server_request_count(bench.server), MANY);
    bench_close(&bench);
}

static void freed_in_flight(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, (const struct server_rule[]){{NULL, SERVER_HANG, NULL, 0}, {0}}, "");
    server_listen(bench.server);
    bench_start(&bench);
    const char *schema;
    get(&bench, 1, &schema, NULL);
    assert_true(net_await_requests(&bench.net, bench.server, 1));
    get(&bench, 2, &schema, NULL); /* started, not yet sent */
    bench_close(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(asked_once_then_cached),
        cmocka_unit_test(base_path_and_slashes),
        cmocka_unit_test(credentials),
        cmocka_unit_test(url_is_required),
        cmocka_unit_test(nested_references),
        cmocka_unit_test(reference_chain_too_long),
        cmocka_unit_test(many_references_one_bad),
        cmocka_unit_test(references_resolved_by_the_registry),
        cmocka_unit_test(a_reference_is_not_taken_from_another_group),
        cmocka_unit_test(references_that_cannot_be_followed_are_asked_for_ever_more_rarely),
        cmocka_unit_test(references_in_a_group_of_their_own),
        cmocka_unit_test(a_missing_reference_is_waited_for),
        cmocka_unit_test(trouble_then_recovery),
        cmocka_unit_test(down_at_start),
        cmocka_unit_test(missing_twice),
        cmocka_unit_test(missing_once),
        cmocka_unit_test(no_avro),
        cmocka_unit_test(many_ids),
        cmocka_unit_test(freed_in_flight),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
