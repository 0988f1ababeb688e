/* dashboard_keys_test: the keys that verify tokens, by URL: fetched, changed, gone, hostile. */
#include "fakes/dashboard_harness.h"

#include "base/buf.h"
#include "dashboard/auth/token.h"

#include <cjose/cjose.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ASK_EVERY_MS = 10000, REFRESH_MS = 600000, WAITS_MAX = 32 }; /* as sign_in.c has them */

#define OK_HEAD "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
#define CLAIMS "{\"exp\":4000000000,\"sub\":\"u-1\",\"role\":\"service_role\"}"

static cjose_jwk_t *new_key(char kind, const char *kid)
{
    cjose_jwk_t *key =
        kind == 'E' ? cjose_jwk_create_EC_random(CJOSE_JWK_EC_P_256, NULL)
                    : cjose_jwk_create_RSA_random(2048, (const uint8_t *)"\x01\x00\x01", 3, NULL);
    assert_non_null(key);
    assert_true(cjose_jwk_set_kid(key, kid, strlen(kid), NULL));
    return key;
}

/* The answer with these keys; static. */
static char *set_of(cjose_jwk_t *a, cjose_jwk_t *b)
{
    static char texts[4][8192];
    static size_t used;
    char keys[4096], *text = texts[used++ % 4], *first = cjose_jwk_to_json(a, false, NULL),
                     *second = b != NULL ? cjose_jwk_to_json(b, false, NULL) : NULL;
    int len = snprintf(keys, sizeof keys, "{\"keys\":[%s%s%s]}", first, b != NULL ? "," : "",
                       b != NULL ? second : "");
    snprintf(text, sizeof texts[0], "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len, keys);
    free(first);
    free(second);
    return text;
}

/* The header that signs in with this key. */
static const char *signed_by(cjose_jwk_t *key, const char *algorithm, const char *kid)
{
    static char text[4096];
    const char *compact;
    cjose_header_t *header = cjose_header_new(NULL);
    cjose_header_set(header, "alg", algorithm, NULL);
    cjose_header_set(header, "kid", kid, NULL);
    cjose_jws_t *jws = cjose_jws_sign(key, header, (const uint8_t *)CLAIMS, strlen(CLAIMS), NULL);
    assert_non_null(jws);
    assert_true(cjose_jws_export(jws, &compact, NULL));
    snprintf(text, sizeof text, "Authorization: Bearer %s\r\n", compact);
    cjose_jws_release(jws);
    cjose_header_release(header);
    return text;
}

static int status_of(struct dashboard_harness *s, const char *headers)
{
    return dashboard_harness_ask(s, "GET", "/api/v1/status", headers, NULL).status;
}

static void await_fetches(struct server *server, size_t count)
{
    for (int i = 0; server_request_count(server) < count; i++) {
        if (i == 20000)
            fail_msg("%zu requests instead of %zu", server_request_count(server), count);
        usleep(1000);
    }
}

static void await_status(struct dashboard_harness *s, const char *headers, int status)
{
    for (int i = 0; status_of(s, headers) != status; i++) {
        if (i == 5000)
            fail_msg("not %d", status);
        usleep(1000);
    }
}

/* The dashboard takes its keys from this server, which does not listen yet. */
static void start_with(struct dashboard_harness *s, struct server *server)
{
    char url[64];
    snprintf(url, sizeof url, "http://127.0.0.1:%d/keys", server_port(server));
    dashboard_harness_open(s);
    dashboard_harness_set(s, "auth.jwks_url", url);
    dashboard_harness_start(s);
}

static struct server *open_with(struct dashboard_harness *s, const struct server_rule *rules)
{
    struct server *server = server_new(rules);
    server_listen(server);
    start_with(s, server);
    return server;
}

static void close_with(struct dashboard_harness *s, struct server *server, cjose_jwk_t *a,
                       cjose_jwk_t *b)
{
    dashboard_harness_close(s);
    server_free(server);
    cjose_jwk_release(a);
    if (b != NULL)
        cjose_jwk_release(b);
}

static void both_kinds_of_keys_sign_in(void **state)
{
    struct dashboard_harness s;
    cjose_jwk_t *ec = new_key('E', "e1"), *rsa = new_key('R', "r1"), *other = new_key('E', "e1");
    const struct server_rule rules[] = {{"/keys", SERVER_ANSWER_CLOSE, set_of(ec, rsa), 0}, {0}};
    struct server *server = open_with(&s, rules);
    (void)state;
    await_status(&s, signed_by(ec, "ES256", "e1"), 200);
    assert_int_equal(status_of(&s, signed_by(rsa, "RS256", "r1")), 200);
    assert_int_equal(status_of(&s, signed_by(rsa, "RS512", "r1")), 401);
    assert_int_equal(status_of(&s, signed_by(other, "ES256", "e1")), 401);
    assert_int_equal(status_of(&s, s.operator), 200); /* the secret is taken as well */
    assert_non_null(strstr(server_request(server, 0)->head, "GET /keys HTTP/1.1\r\n"));
    assert_null(strstr(server_request(server, 0)->head, "Authorization"));
    close_with(&s, server, ec, rsa);
    cjose_jwk_release(other);
}

/* A call with a new key waits until the set is read again, at most every ten seconds for all
 * callers. */
static void a_new_key_is_asked_for_at_a_bounded_rate(void **state)
{
    struct dashboard_harness s;
    cjose_jwk_t *old = new_key('E', "k1"), *fresh = new_key('R', "k2");
    const struct server_rule rules[] = {{"/keys", SERVER_ANSWER_CLOSE, set_of(old, NULL), 1},
                                        {"/keys", SERVER_ANSWER_CLOSE, set_of(old, fresh), 0},
                                        {0}};
    struct server *server = open_with(&s, rules);
    (void)state;
    await_status(&s, signed_by(old, "ES256", "k1"), 200);
    for (int i = 0; i < 20; i++)
        assert_int_equal(status_of(&s, signed_by(fresh, "RS256", "k2")), 401);
    assert_int_equal(server_request_count(server), 1);
    dashboard_harness_skip(&s, ASK_EVERY_MS);
    assert_int_equal(status_of(&s, signed_by(fresh, "RS256", "k2")), 200);
    assert_int_equal(status_of(&s, signed_by(old, "ES256", "k1")), 200);
    assert_int_equal(server_request_count(server), 2);
    dashboard_harness_skip(&s, ASK_EVERY_MS);
    for (int i = 0; i < 20; i++) /* invented keys lead to one request */
        assert_int_equal(status_of(&s, signed_by(old, "ES256", "made-up")), 401);
    assert_int_equal(server_request_count(server), 3);
    close_with(&s, server, old, fresh);
}

/* Calls wait for the one fetch that is under way, and are all answered by it. */
static void many_callers_wait_for_one_fetch(void **state)
{
    enum { CALLERS = 20 };
    struct dashboard_harness s;
    cjose_jwk_t *old = new_key('E', "k1"), *fresh = new_key('E', "k2");
    const struct server_rule rules[] = {{"/keys", SERVER_ANSWER_CLOSE, set_of(old, NULL), 1},
                                        {"/keys", SERVER_HOLD, set_of(fresh, NULL), 1},
                                        {0}};
    struct server *server = open_with(&s, rules);
    int fds[CALLERS];
    (void)state;
    await_status(&s, signed_by(old, "ES256", "k1"), 200);
    dashboard_harness_skip(&s, ASK_EVERY_MS);
    for (int i = 0; i < CALLERS; i++)
        fds[i] = dashboard_harness_send(
            &s, "GET", "/api/v1/status",
            signed_by(i % 2 == 0 ? fresh : old, "ES256", i % 2 == 0 ? "k2" : "k3"), NULL);
    await_fetches(server, 2);
    close(fds[0]);                                                       /* one does not wait */
    assert_int_equal(status_of(&s, signed_by(old, "ES256", "k1")), 200); /* nor does a known key */
    server_release(server);
    for (int i = 1; i < CALLERS; i++)
        assert_int_equal(dashboard_harness_receive(fds[i]).status, i % 2 == 0 ? 200 : 401);
    assert_int_equal(server_request_count(server), 2);
    close_with(&s, server, old, fresh);
}

static size_t count_answered(struct pollfd *fds, size_t count)
{
    size_t answered = 0;
    poll(fds, count, 0);
    for (size_t i = 0; i < count; i++)
        answered += (fds[i].revents & POLLIN) != 0;
    return answered;
}

/* While the server of the keys hangs, calls beyond the bound get a Retry-After, and calls with
 * known keys are served. */
static void waiting_calls_are_bounded(void **state)
{
    enum { MORE = 8, CALLERS = WAITS_MAX + MORE, PATIENCE_MS = 20000 };
    struct dashboard_harness s;
    cjose_jwk_t *old = new_key('E', "k1"), *fresh = new_key('E', "k2");
    const struct server_rule rules[] = {{"/keys", SERVER_ANSWER_CLOSE, set_of(old, NULL), 1},
                                        {"/keys", SERVER_HOLD, set_of(old, fresh), 1},
                                        {0}};
    struct server *server = open_with(&s, rules);
    struct pollfd fds[CALLERS];
    bool refused[CALLERS] = {false};
    (void)state;
    await_status(&s, signed_by(old, "ES256", "k1"), 200);
    dashboard_harness_skip(&s, ASK_EVERY_MS);
    for (int i = 0; i < CALLERS; i++)
        fds[i] =
            (struct pollfd){.fd = dashboard_harness_send(&s, "GET", "/api/v1/status",
                                                         signed_by(fresh, "ES256", "k2"), NULL),
                            .events = POLLIN};
    for (int i = 0; count_answered(fds, CALLERS) < MORE; i++) {
        assert_true(i < PATIENCE_MS);
        usleep(1000);
    }
    assert_int_equal(status_of(&s, signed_by(old, "ES256", "k1")), 200);
    assert_int_equal(count_answered(fds, CALLERS), MORE);
    for (int i = 0; i < CALLERS; i++)
        refused[i] = (fds[i].revents & POLLIN) != 0;
    for (int i = 0; i < CALLERS; i++)
        if (refused[i]) {
            struct answer a = dashboard_harness_receive(fds[i].fd);
            assert_int_equal(a.status, 503);
            assert_string_not_equal(answer_header(&a, "Retry-After"), "");
        }
    server_release(server);
    for (int i = 0; i < CALLERS; i++)
        if (!refused[i])
            assert_int_equal(dashboard_harness_receive(fds[i].fd).status, 200);
    assert_int_equal(server_request_count(server), 2);
    close_with(&s, server, old, fresh);
}

static void a_key_that_is_taken_back_ends(void **state)
{
    struct dashboard_harness s;
    cjose_jwk_t *old = new_key('E', "k1"), *fresh = new_key('E', "k2");
    const struct server_rule rules[] = {{"/keys", SERVER_ANSWER_CLOSE, set_of(old, NULL), 1},
                                        {"/keys", SERVER_ANSWER_CLOSE, set_of(fresh, NULL), 0},
                                        {0}};
    struct server *server = open_with(&s, rules);
    (void)state;
    await_status(&s, signed_by(old, "ES256", "k1"), 200);
    dashboard_harness_skip(&s, REFRESH_MS);
    await_status(&s, signed_by(old, "ES256", "k1"), 401);
    assert_int_equal(status_of(&s, signed_by(fresh, "ES256", "k2")), 200);
    close_with(&s, server, old, fresh);
}

static void a_server_that_is_down_is_asked_again(void **state)
{
    struct dashboard_harness s;
    cjose_jwk_t *key = new_key('E', "k1");
    const struct server_rule rules[] = {{"/keys", SERVER_ANSWER_CLOSE, set_of(key, NULL), 0}, {0}};
    struct server *server = server_new(rules); /* does not listen */
    (void)state;
    start_with(&s, server);
    assert_int_equal(status_of(&s, signed_by(key, "ES256", "k1")), 401);
    assert_int_equal(status_of(&s, s.operator), 200);
    server_listen(server);
    dashboard_harness_skip(&s, ASK_EVERY_MS);
    assert_int_equal(status_of(&s, signed_by(key, "ES256", "k1")), 200);
    close_with(&s, server, key, NULL);
}

/* The good key stays valid after each hostile set. */
static void keeps_its_key(const struct server_rule *then)
{
    struct dashboard_harness s;
    cjose_jwk_t *key = new_key('E', "k1");
    const struct server_rule rules[] = {
        {"/keys", SERVER_ANSWER_CLOSE, set_of(key, NULL), 1}, *then, {0}};
    struct server *server = open_with(&s, rules);
    await_status(&s, signed_by(key, "ES256", "k1"), 200);
    dashboard_harness_skip(&s, REFRESH_MS);
    assert_int_equal(status_of(&s, signed_by(key, "ES256", "unknown")),
                     401); /* has waited for it */
    assert_int_equal(server_request_count(server), 2);
    assert_int_equal(status_of(&s, signed_by(key, "ES256", "k1")), 200);
    close_with(&s, server, key, NULL);
}

#define KEEPS(name, action, text)                                             \
    static void keeps_its_key_after_##name(void **state)                      \
    {                                                                         \
        (void)state;                                                          \
        keeps_its_key(&(const struct server_rule){"/keys", action, text, 0}); \
    }

KEEPS(an_error, SERVER_ANSWER_CLOSE, "HTTP/1.1 500 No\r\nContent-Length: 2\r\n\r\n{}")
KEEPS(another_place, SERVER_ANSWER_CLOSE,
      "HTTP/1.1 302 Found\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n")
KEEPS(no_answer, SERVER_RESET, "")
KEEPS(a_page, SERVER_ANSWER_CLOSE, OK_HEAD "<!doctype html><title>Sign in</title>")
KEEPS(an_endless_answer, SERVER_ENDLESS, OK_HEAD "{\"keys\":[")
KEEPS(a_set_without_keys, SERVER_ANSWER_CLOSE, OK_HEAD "{\"keys\":[]}")
KEEPS(a_secret_alone, SERVER_ANSWER_CLOSE,
      OK_HEAD
      "{\"keys\":[{\"kty\":\"oct\",\"alg\":\"HS256\",\"kid\":\"unknown\",\"k\":\"c2VjcmV0\"}]}")

/* Keys from plain HTTP, or from a misleading URL, are not used. */
static void key_urls_are_checked_at_start(void **state)
{
    static const char *const bad[] = {"http://keys.test/k",
                                      "http://127.0.0.1:80@keys.test/k",
                                      "http://localhost.keys.test/k",
                                      "https://me:word@keys.test/k",
                                      "file:///keys.test/k",
                                      "ftp://keys.test/k",
                                      "keys.test/k",
                                      "https://"};
    struct dashboard_harness s;
    (void)state;
    dashboard_harness_open(&s);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        s.err = (struct error){0};
        dashboard_harness_set(&s, "auth.jwks_url", bad[i]);
        if (dashboard_new(s.config, &s.err) != NULL)
            fail_msg("taken: %s", bad[i]);
        assert_int_equal(s.err.code, ERROR_CONFIG);
        assert_non_null(strstr(s.err.text, "auth.jwks_url: "));
        assert_null(strstr(s.err.text, "keys.test"));
    }
    dashboard_harness_set(&s, "auth.jwks_url", "https://keys.test/@k?a=@");
    s.err = (struct error){0};
    s.dashboard = dashboard_new(s.config, &s.err);
    if (s.dashboard == NULL)
        fail_msg("%s", s.err.text);
    dashboard_harness_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(key_urls_are_checked_at_start),
        cmocka_unit_test(both_kinds_of_keys_sign_in),
        cmocka_unit_test(a_new_key_is_asked_for_at_a_bounded_rate),
        cmocka_unit_test(many_callers_wait_for_one_fetch),
        cmocka_unit_test(waiting_calls_are_bounded),
        cmocka_unit_test(a_key_that_is_taken_back_ends),
        cmocka_unit_test(a_server_that_is_down_is_asked_again),
        cmocka_unit_test(keeps_its_key_after_an_error),
        cmocka_unit_test(keeps_its_key_after_another_place),
        cmocka_unit_test(keeps_its_key_after_no_answer),
        cmocka_unit_test(keeps_its_key_after_a_page),
        cmocka_unit_test(keeps_its_key_after_an_endless_answer),
        cmocka_unit_test(keeps_its_key_after_a_set_without_keys),
        cmocka_unit_test(keeps_its_key_after_a_secret_alone),
    };
    return pipeline_harness_main("dashboard_keys", tests, sizeof tests / sizeof *tests);
}
