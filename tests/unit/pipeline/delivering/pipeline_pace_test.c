/* pipeline_pace: the endpoint asks for less, or for a pause, and the member says so. */
#include "fakes/clock.h"
#include "fakes/pipeline_harness.h"
#include "sys/clock.h"

#include <jansson.h>
#include <stdio.h>
#include <unistd.h>

#define M "elementor_sync_"
#define ASKS "HTTP/1.1 429 Slow\r\nRetry-After: 120\r\nContent-Length: 0\r\n\r\n"

enum { TEXT_MAX = 65536 };

static char text[TEXT_MAX];

static void confirm(struct pipeline_harness *w, int count)
{
    char id[16];
    for (int i = 0; i < count; i++) {
        snprintf(id, sizeof id, "o%d", i);
        pipeline_harness_produce(w, i % HARNESS_PARTITIONS, id, "06", "confirmed");
    }
}

static double metric(struct pipeline_harness *w, const char *name)
{
    pipeline_harness_scrape(w, "/metrics", text, sizeof text);
    return pipeline_harness_metric(text, name);
}

static void await_deliveries(struct pipeline_harness *w, double count)
{
    enum { SECONDS = 600 };
    for (int i = 0; i < SECONDS && metric(w, M "records_delivered_total") < count; i++)
        clock_skip(1000);
    assert_true(pipeline_harness_metric(text, M "records_delivered_total") == count);
}

static void end(struct pipeline_harness *w)
{
    pipeline_harness_stop(w);
    assert_true(w->ok);
    pipeline_harness_close(w);
}

static void note_hold(void *context, const rd_kafka_message_t *m)
{
    json_int_t *until_ms = context;
    json_t *state = m->payload != NULL ? json_loadb(m->payload, m->len, 0, NULL) : NULL;
    json_t *hold = json_object_get(json_object_get(state, "pace"), "hold_until_ms");
    if (json_is_integer(hold))
        *until_ms = json_integer_value(hold);
    json_decref(state);
}

static void a_hold_is_said_until_it_is_over(void **state)
{
    static const struct server_rule webhook[] = {
        {NULL, SERVER_ANSWER, ASKS, 1}, {NULL, SERVER_ANSWER, NO_CONTENT, 0}, {0}};
    struct pipeline_harness w;
    json_int_t until_ms = 0;
    (void)state;
    pipeline_harness_open(&w, webhook);
    confirm(&w, 1);
    int64_t before_ms = clock_wall_ms();
    pipeline_harness_log_open(&w);
    pipeline_harness_start(&w);
    pipeline_harness_await_log(&w, "event=\"endpoint asks to wait\"");
    assert_true(metric(&w, M "webhook_hold_seconds") > 60);
    int64_t deadline = clock_mono_ms() + HARNESS_PATIENCE_MS;
    while (until_ms == 0 && clock_mono_ms() < deadline) /* the topic comes to its end each time */
        cluster_read(&w.cluster, "elementor-sync.members", note_hold, &until_ms);
    assert_in_range(until_ms, before_ms + 119000, clock_wall_ms() + 121000);
    assert_int_equal(server_request_count(w.webhook), 1);
    clock_skip(121000);
    await_deliveries(&w, 1);
    assert_true(pipeline_harness_metric(text, M "webhook_hold_seconds") == 0);
    end(&w);
}

/* Eight refusals in a row, behind a delivery. */
static void a_pace_opens_no_breaker(const char *refusal)
{
    enum { ORDERS = 12 };
    const struct server_rule webhook[] = {{NULL, SERVER_ANSWER, NO_CONTENT, 1},
                                          {NULL, SERVER_ANSWER, refusal, 8},
                                          {NULL, SERVER_ANSWER, NO_CONTENT, 0},
                                          {0}};
    struct pipeline_harness w;
    pipeline_harness_open(&w, webhook);
    confirm(&w, ORDERS);
    pipeline_harness_start(&w);
    pipeline_harness_await_scrape(&w, "/metrics", M "records_delivered_total 12\n", text,
                                  sizeof text);
    assert_true(pipeline_harness_metric(text, M "breaker_opened_total") == 0);
    assert_true(pipeline_harness_metric(text, M "webhook_slowed_total") > 0);
    assert_true(pipeline_harness_metric(text, M "records_parked_total") == 0);
    assert_int_equal(server_request_count(w.webhook), ORDERS + 8);
    end(&w);
}

static void too_many_requests_open_no_breaker(void **state)
{
    (void)state;
    a_pace_opens_no_breaker("HTTP/1.1 429 Slow\r\nContent-Length: 0\r\n\r\n");
}

static void too_much_at_a_time_opens_no_breaker(void **state)
{
    (void)state;
    a_pace_opens_no_breaker(BUSY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hold_is_said_until_it_is_over),
        cmocka_unit_test(too_many_requests_open_no_breaker),
        cmocka_unit_test(too_much_at_a_time_opens_no_breaker),
    };
    return pipeline_harness_main("pipeline_pace", tests, sizeof tests / sizeof *tests);
}
