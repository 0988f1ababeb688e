/* endpoint: a hold that the endpoint asked for outlasts the breaker, and ends with the endpoint. */
#include "pipeline/sending/endpoint.h"

#include "fakes/net.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

enum { HOLD_MS = 600000, FAILURES_MAX = 100 };

struct fixture {
    struct net net;
    struct config *config;
    struct webhook *webhook;
    struct backlog backlog;
    struct now now;
    struct endpoint *endpoint;
};

static int open_fixture(void **state)
{
    static struct fixture f;
    static char url[] = "https://shop.example.com/hooks/0123456789abcdef";
    struct error err = {0};
    f = (struct fixture){.config = config_new(), .now = clock_now()};
    assert_non_null(f.config);
    assert_true(config_set(f.config, "webhook.url", url, "test", &err));
    net_open(&f.net);
    f.webhook = webhook_new(f.net.http, f.config, &err);
    assert_non_null(f.webhook);
    f.endpoint = endpoint_new(f.config, &f.now, f.webhook, &f.backlog, &err);
    assert_non_null(f.endpoint);
    *state = &f;
    return 0;
}

static int close_fixture(void **state)
{
    struct fixture *f = *state;
    endpoint_free(f->endpoint);
    webhook_free(f->webhook);
    net_close(&f->net);
    config_free(f->config);
    return 0;
}

static void answer(struct fixture *f, struct delivery *d, int status, int64_t retry_after_ms)
{
    const struct http_result result = {.status = status,
                                       .body = "",
                                       .failure = "",
                                       .has_retry_after = retry_after_ms >= 0,
                                       .retry_after_ms = retry_after_ms};
    const struct answer_verdict verdict = endpoint_judge(f->endpoint, &result);
    endpoint_learn(f->endpoint, d, &verdict, &result);
}

static struct delivery sent(struct fixture *f)
{
    struct delivery d = {.source = "cdc", .sent_ms = f->now.mono_ms};
    endpoint_begin(f->endpoint, &d, 1);
    return d;
}

static const struct breaker *breaker_of(const struct fixture *f)
{
    return &endpoint_state(f->endpoint)->breaker;
}

/* The probe was under way when an earlier request was answered: both are right. */
static void a_closed_breaker_keeps_the_hold(void **state)
{
    struct fixture *f = *state;
    struct delivery late = sent(f), probe = sent(f);
    for (int i = 0; i < FAILURES_MAX && !breaker_is_open(breaker_of(f)); i++) {
        struct delivery d = sent(f);
        answer(f, &d, 500, -1);
    }
    assert_true(breaker_is_open(breaker_of(f)));
    endpoint_begin_probe(f->endpoint, &probe);
    probe.probe = true;
    answer(f, &late, 503, HOLD_MS);
    answer(f, &probe, 200, -1);
    assert_false(breaker_is_open(breaker_of(f)));
    assert_int_equal(endpoint_ask(f->endpoint, 0), BREAKER_WAIT);
    f->now.mono_ms += HOLD_MS;
    assert_int_equal(endpoint_ask(f->endpoint, 0), BREAKER_SEND);
}

static void another_endpoint_is_not_held(void **state)
{
    struct fixture *f = *state;
    struct delivery d = sent(f);
    answer(f, &d, 503, HOLD_MS);
    assert_int_equal(endpoint_ask(f->endpoint, 0), BREAKER_WAIT);
    endpoint_retarget(f->endpoint);
    assert_int_equal(endpoint_ask(f->endpoint, 0), BREAKER_SEND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_closed_breaker_keeps_the_hold, open_fixture,
                                        close_fixture),
        cmocka_unit_test_setup_teardown(another_endpoint_is_not_held, open_fixture, close_fixture),
    };
    return cmocka_run_group_tests_name("endpoint", tests, NULL, NULL);
}
