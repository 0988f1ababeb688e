/* registry_addresses: what is asked for a schema by each of its names, in a context, and of which
 * address of the registry. */
#include "registry/registry.h"

#include "fakes/net.h"
#include "fakes/server.h"
#include "sys/clock.h"
#include "sys/url_list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define JSON_HEAD(status) "HTTP/1.1 " status "\r\nConnection: close\r\n\r\n"
#define INT_SCHEMA JSON_HEAD("200 OK") "{\"schema\":\"\\\"int\\\"\"}"
#define BARE_RECORD \
    "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"f\",\"type\":\"int\"}]}"
#define DOWN JSON_HEAD("503 Service Unavailable") "down"
#define MISSING JSON_HEAD("404 Not Found") "{\"error_code\":40403,\"message\":\"Schema not found\"}"
/* as Apicurio 2.5.11 and 3.3.3 answer GET /apis/registry/v2/ids/globalIds/4711 */
#define NO_GLOBAL_ID(detail) JSON_HEAD("404 Not Found") "{" detail "\"error_code\":404,\"name\":"
#define GUID "\x89\x79\x17\x62\x23\x36\x41\x86\x96\x74\x29\x9b\x90\xa8\x02\xe2"

enum { RETRY_FIRST_MS = 20, MISS_INTERVAL_MS = 200, SERVERS_MAX = 3, URL_LEN = 64 };

struct bench {
    struct net net;
    struct server *servers[SERVERS_MAX];
    struct config config;
    char urls[SERVERS_MAX * URL_LEN];
    int changes;
};

static void count_change(void *context)
{
    ++*(int *)context;
}

/* A server for each list of rules up to NULL; `path` follows each port. */
static void bench_open(struct bench *b, const char *path, const struct server_rule *const *rules)
{
    memset(b, 0, sizeof *b);
    net_open(&b->net);
    for (size_t i = 0; rules[i] != NULL; i++) {
        size_t at = strlen(b->urls);
        b->servers[i] = server_new(rules[i]);
        server_listen(b->servers[i]);
        snprintf(b->urls + at, sizeof b->urls - at, "%shttp://127.0.0.1:%d%s", i > 0 ? ", " : "",
                 server_port(b->servers[i]), path);
    }
    b->config.registry_url = b->urls;
    b->config.registry_timeout = 10000;
    b->net.registry = registry_new(b->net.http, &b->config, count_change, &b->changes, NULL);
    assert_non_null(b->net.registry);
    registry_set_pace(b->net.registry, RETRY_FIRST_MS, MISS_INTERVAL_MS);
}

static void bench_close(struct bench *b)
{
    registry_free(b->net.registry);
    net_close(&b->net);
    for (size_t i = 0; i < SERVERS_MAX; i++)
        server_free(b->servers[i]);
}

static enum registry_answer await(struct bench *b, const struct schema_ref *ref,
                                  const char **ret_schema, struct error *err)
{
    enum registry_answer answer = registry_get(b->net.registry, ref, ret_schema, err);
    if (answer != REGISTRY_PENDING)
        return answer;
    assert_true(net_run(&b->net, &b->changes, b->changes + 1));
    return registry_get(b->net.registry, ref, ret_schema, err);
}

static void expect_schema(struct bench *b, const struct schema_ref *ref, const char *expected)
{
    const char *schema = NULL;
    struct error err = {0};
    if (await(b, ref, &schema, &err) != REGISTRY_HAVE)
        fail_msg("%s", err.text);
    assert_string_equal(schema, expected);
}

static void expect_request(struct bench *b, size_t server, size_t request, const char *line)
{
    const char *head = server_request(b->servers[server], request)->head;
    if (strncmp(head, line, strlen(line)) != 0)
        fail_msg("not \"%s\" but %s", line, head);
}

/* ---- names ---- */

static const struct schema_ref global = {.kind = SCHEMA_REF_GLOBAL, .number = 4711};

static void a_global_id_is_asked_of_apicurios_own_api(void **state)
{
    static const struct server_rule rules[] = {
        {NULL, SERVER_ANSWER_CLOSE, JSON_HEAD("200 OK") BARE_RECORD, 0}, {0}};
    struct bench b;
    (void)state;
    bench_open(&b, "/base/apis/ccompat/v7", (const struct server_rule *[]){rules, NULL});
    expect_schema(&b, &global, BARE_RECORD);
    expect_request(&b, 0, 0, "GET /base/apis/registry/v2/ids/globalIds/4711?dereference=true HTTP");
    assert_int_equal(server_request_count(b.servers[0]), 1);
    bench_close(&b);
}

static void a_global_id_that_apicurio_does_not_know_is_missing(void **state)
{
    static const char *const answers[] = {
        NO_GLOBAL_ID("\"message\":\"No artifact with ID '4711' in group 'null' "
                     "was found.\",") "\"ArtifactNotFoundException\"}",
        NO_GLOBAL_ID("\"message\":\"No version '4711' found for artifact with "
                     "ID 'null'.\",") "\"VersionNotFoundException\"}"};
    (void)state;
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        const struct server_rule rules[] = {{NULL, SERVER_ANSWER_CLOSE, answers[i], 0}, {0}};
        const char *schema = NULL;
        struct error err = {0};
        struct bench b;
        bench_open(&b, "/apis/ccompat/v7", (const struct server_rule *[]){rules, NULL});
        assert_int_equal(await(&b, &global, &schema, &err), REGISTRY_MISSING);
        assert_non_null(strstr(err.text, "schema globalId 4711: "));
        bench_close(&b);
    }
}

static void a_global_id_is_nothing_to_another_registry(void **state)
{
    static const struct server_rule rules[] = {{NULL, SERVER_ANSWER_CLOSE, INT_SCHEMA, 0}, {0}};
    const char *schema = NULL;
    struct error err = {0};
    struct bench b;
    (void)state;
    bench_open(&b, "", (const struct server_rule *[]){rules, NULL});
    assert_int_equal(await(&b, &global, &schema, &err), REGISTRY_FAILED);
    assert_int_equal(err.code, ERROR_CONFIG);
    assert_int_equal(server_request_count(b.servers[0]), 0);
    bench_close(&b);
}

/* Two schemas: neither is taken for the other. */
static void a_global_id_is_not_the_content_id_of_its_number(void **state)
{
    static const struct server_rule rules[] = {
        {"/apis/ccompat/v7/schemas/ids/4711", SERVER_ANSWER_CLOSE, INT_SCHEMA, 0},
        {NULL, SERVER_ANSWER_CLOSE, JSON_HEAD("200 OK") BARE_RECORD, 0},
        {0}};
    const struct schema_ref content = schema_ref_id(4711);
    struct bench b;
    (void)state;
    bench_open(&b, "/apis/ccompat/v7", (const struct server_rule *[]){rules, NULL});
    expect_schema(&b, &content, "\"int\"");
    expect_schema(&b, &global, BARE_RECORD);
    expect_schema(&b, &content, "\"int\"");
    assert_int_equal(server_request_count(b.servers[0]), 2);
    bench_close(&b);
}

static void a_guid_is_asked_for_by_its_text(void **state)
{
    static const struct server_rule rules[] = {{NULL, SERVER_ANSWER_CLOSE, INT_SCHEMA, 0}, {0}};
    struct schema_ref guid = {.kind = SCHEMA_REF_GUID};
    struct bench b;
    (void)state;
    memcpy(guid.guid, GUID, sizeof guid.guid);
    bench_open(&b, "", (const struct server_rule *[]){rules, NULL});
    expect_schema(&b, &guid, "\"int\"");
    expect_request(&b, 0, 0, "GET /schemas/guids/89791762-2336-4186-9674-299b90a802e2 HTTP");
    bench_close(&b);
}

/* ---- contexts (ContextFilter of Confluent's registry: what is below /contexts/NAME is its) ----
 */

static void a_context_is_part_of_the_url(void **state)
{
    static const struct server_rule rules[] = {
        {"/contexts/shop/schemas/ids/7", SERVER_ANSWER_CLOSE,
         JSON_HEAD("200 OK") "{\"schema\":\"{\\\"type\\\":\\\"record\\\",\\\"name\\\":\\\"R\\\","
                             "\\\"fields\\\":[{\\\"name\\\":\\\"f\\\",\\\"type\\\":\\\"A\\\"}]}\","
                             "\"references\":[{\"name\":\"A\",\"subject\":\":.shop:a\","
                             "\"version\":2}]}",
         0},
        {"/contexts/shop/subjects/%3A.shop%3Aa/versions/2", SERVER_ANSWER_CLOSE,
         JSON_HEAD("200 OK") "{\"schema\":\"{\\\"type\\\":\\\"fixed\\\",\\\"name\\\":\\\"A\\\","
                             "\\\"size\\\":2}\"}",
         0},
        {NULL, SERVER_ANSWER_CLOSE, JSON_HEAD("422 No") "{\"error_code\":42201}", 0},
        {0}};
    const struct schema_ref ref = schema_ref_id(7);
    struct bench b;
    (void)state;
    bench_open(&b, "/contexts/shop/", (const struct server_rule *[]){rules, NULL});
    expect_schema(&b, &ref,
                  "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"f\",\"type\":"
                  "{\"type\":\"fixed\",\"name\":\"A\",\"size\":2,\"namespace\":\"\"}}]}");
    bench_close(&b);
}

/* ---- several addresses ---- */

static const struct server_rule well[] = {{NULL, SERVER_ANSWER_CLOSE, INT_SCHEMA, 0}, {0}};
static const struct server_rule down[] = {{NULL, SERVER_ANSWER_CLOSE, DOWN, 0}, {0}};
static const struct server_rule dead[] = {{NULL, SERVER_RESET, "", 0}, {0}};

/* At once: a wait would be a round of retries. */
static void the_next_address_is_asked_and_stays_in_use(void **state)
{
    const struct server_rule *const bad[] = {down, dead};
    const struct schema_ref seven = schema_ref_id(7), eight = schema_ref_id(8);
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct bench b;
        bench_open(&b, "", (const struct server_rule *[]){bad[i], bad[i], well, NULL});
        registry_set_pace(b.net.registry, 3600 * 1000, MISS_INTERVAL_MS);
        expect_schema(&b, &seven, "\"int\"");
        expect_schema(&b, &eight, "\"int\"");
        assert_int_equal(server_request_count(b.servers[0]), 1);
        assert_int_equal(server_request_count(b.servers[1]), 1);
        assert_int_equal(server_request_count(b.servers[2]), 2);
        bench_close(&b);
    }
}

static void several_in_flight_change_the_address_once(void **state)
{
    struct bench b;
    const char *schema;
    (void)state;
    bench_open(&b, "", (const struct server_rule *[]){down, well, NULL});
    registry_set_pace(b.net.registry, 3600 * 1000, MISS_INTERVAL_MS);
    for (int id = 1; id <= 6; id++) {
        const struct schema_ref ref = schema_ref_id(id);
        assert_int_equal(registry_get(b.net.registry, &ref, &schema, NULL), REGISTRY_PENDING);
    }
    assert_true(net_run(&b.net, &b.changes, 6));
    assert_int_equal(server_request_count(b.servers[0]), 6);
    assert_int_equal(server_request_count(b.servers[1]), 6);
    bench_close(&b);
}

/* Several documents of one schema fail there, and each but the last before another one was asked:
 * that is one address in trouble, not all of them. */
static void documents_that_fail_at_one_address_are_asked_of_the_next(void **state)
{
#define FIXED(name)     \
    JSON_HEAD("200 OK") \
    "{\"schema\":\"{\\\"type\\\":\\\"fixed\\\",\\\"name\\\":\\\"" name "\\\",\\\"size\\\":2}\"}"
#define FIELD(name, type) "{\\\"name\\\":\\\"" name "\\\",\\\"type\\\":\\\"" type "\\\"}"
#define REFERENCE(name) "{\"name\":\"" name "\",\"subject\":\"" name "\",\"version\":1}"
    static const struct server_rule half[] = {
        {"/schemas/ids/7", SERVER_ANSWER_CLOSE,
         JSON_HEAD(
             "200 OK") "{\"schema\":\"{\\\"type\\\":\\\"record\\\",\\\"name\\\":\\\"R\\\","
                       "\\\"fields\\\":[" FIELD("a", "A") "," FIELD("b", "B") "," FIELD(
                           "c",
                           "C") "]}\",\"references\":[" REFERENCE("A") "," REFERENCE("B") "," REFERENCE("C") "]}",
         0},
        {"/schemas/ids/7?format=resolved&dereference=true", SERVER_ANSWER_CLOSE,
         JSON_HEAD("422 No") "{\"error_code\":42201}", 0},
        {NULL, SERVER_ANSWER_CLOSE, DOWN, 0},
        {0}};
    static const struct server_rule whole[] = {
        {"/subjects/A/versions/1", SERVER_ANSWER_CLOSE, FIXED("A"), 0},
        {"/subjects/B/versions/1", SERVER_ANSWER_CLOSE, FIXED("B"), 0},
        {"/subjects/C/versions/1", SERVER_ANSWER_CLOSE, FIXED("C"), 0},
        {0}};
    const struct schema_ref ref = schema_ref_id(7);
    const char *schema = NULL;
    struct error err = {0};
    struct bench b;
    (void)state;
    bench_open(&b, "", (const struct server_rule *[]){half, whole, NULL});
    registry_set_pace(b.net.registry, 3600 * 1000, MISS_INTERVAL_MS);
    if (await(&b, &ref, &schema, &err) != REGISTRY_HAVE)
        fail_msg("%s", err.text);
    assert_int_equal(server_request_count(b.servers[0]), 5);
    assert_int_equal(server_request_count(b.servers[1]), 3);
    bench_close(&b);
}

static void all_addresses_down_wait_and_are_asked_again(void **state)
{
    static const struct server_rule mended[] = {
        {NULL, SERVER_ANSWER_CLOSE, DOWN, 2}, {NULL, SERVER_ANSWER_CLOSE, INT_SCHEMA, 0}, {0}};
    const struct schema_ref ref = schema_ref_id(7);
    struct bench b;
    (void)state;
    bench_open(&b, "", (const struct server_rule *[]){down, mended, NULL});
    int64_t begun = clock_mono_ms();
    expect_schema(&b, &ref, "\"int\"");
    assert_true(clock_mono_ms() - begun >= RETRY_FIRST_MS + 2 * RETRY_FIRST_MS);
    assert_int_equal(server_request_count(b.servers[0]), 3);
    assert_int_equal(server_request_count(b.servers[1]), 3);
    bench_close(&b);
}

/* The registry's own word: another address is the same registry. */
static void a_missing_schema_is_no_trouble_of_its_address(void **state)
{
    static const struct server_rule missing[] = {{NULL, SERVER_ANSWER_CLOSE, MISSING, 0}, {0}};
    const struct schema_ref ref = schema_ref_id(7);
    const char *schema = NULL;
    struct error err = {0};
    struct bench b;
    (void)state;
    bench_open(&b, "", (const struct server_rule *[]){missing, well, NULL});
    assert_int_equal(await(&b, &ref, &schema, &err), REGISTRY_MISSING);
    assert_int_equal(server_request_count(b.servers[1]), 0);
    bench_close(&b);
}

static void lists_are_split_at_commas(void **state)
{
    static const struct {
        const char *list;
        size_t count;
        const char *urls[3];
    } cases[] = {{"http://a", 1, {"http://a"}},
                 {" http://a/ ,\thttp://b//,", 2, {"http://a", "http://b"}},
                 {"http://a/x,http://b/y/,http://c", 3, {"http://a/x", "http://b/y", "http://c"}},
                 {"", 0, {0}},
                 {" , ,", 0, {0}},
                 {"1,2,3,4,5,6,7,8,9,10", 10, {"1", "2", "3"}}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct slice urls[URL_LIST_MAX];
        assert_int_equal(url_list_split(cases[i].list, urls), cases[i].count);
        for (size_t k = 0; k < 3 && cases[i].urls[k] != NULL; k++) {
            assert_int_equal(urls[k].len, strlen(cases[i].urls[k]));
            assert_memory_equal(urls[k].data, cases[i].urls[k], urls[k].len);
        }
    }
}

static void only_this_machine_is_loopback(void **state)
{
    static const char *const here[] = {"localhost",          "LocalHost:80", "127.0.0.1/a",
                                       "127.1.2.3:1",        "[::1]:8080",   "[::1]",
                                       "localhost, http://b"};
    static const char *const elsewhere[] = {"",
                                            ":80",
                                            "localhost.example.com",
                                            "127.0.0.1.example.com:80",
                                            "127.0.0.1@b",
                                            "10.0.0.1",
                                            "[::1].example.com",
                                            "[::1",
                                            "[::2]:80",
                                            "0.0.0.0:80"};
    (void)state;
    for (size_t i = 0; i < sizeof here / sizeof *here; i++)
        assert_true(url_is_loopback(here[i]));
    for (size_t i = 0; i < sizeof elsewhere / sizeof *elsewhere; i++)
        assert_false(url_is_loopback(elsewhere[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_global_id_is_asked_of_apicurios_own_api),
        cmocka_unit_test(a_global_id_that_apicurio_does_not_know_is_missing),
        cmocka_unit_test(a_global_id_is_nothing_to_another_registry),
        cmocka_unit_test(a_global_id_is_not_the_content_id_of_its_number),
        cmocka_unit_test(a_guid_is_asked_for_by_its_text),
        cmocka_unit_test(a_context_is_part_of_the_url),
        cmocka_unit_test(the_next_address_is_asked_and_stays_in_use),
        cmocka_unit_test(several_in_flight_change_the_address_once),
        cmocka_unit_test(documents_that_fail_at_one_address_are_asked_of_the_next),
        cmocka_unit_test(all_addresses_down_wait_and_are_asked_again),
        cmocka_unit_test(a_missing_schema_is_no_trouble_of_its_address),
        cmocka_unit_test(lists_are_split_at_commas),
        cmocka_unit_test(only_this_machine_is_loopback),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
