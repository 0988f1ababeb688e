/* pipeline_probe: orders that fail for good must not keep an open breaker from finding out that the
 * others would get through. */
#include "fakes/clock.h"
#include "fakes/pipeline_harness.h"

#include <stdio.h>

#define M "elementor_sync_"
#define BAD_PHONE "0666"

enum {
    TEXT_MAX = 65536,
    PROBE_MS = 61000, /* the longest wait between two probes, and a bit */
    PROBES_MAX = 5000 /* they are fast here, and a record takes its time from the broker */
};

static const struct server_rule some_fail[] = {
    {BAD_PHONE, SERVER_ANSWER, BUSY, 0}, {NULL, SERVER_ANSWER, NO_CONTENT, 0}, {0}};

static char text[TEXT_MAX];

static void confirm_bad(struct pipeline_harness *w, int count)
{
    char id[16];
    for (int i = 0; i < count; i++) {
        snprintf(id, sizeof id, "bad%d", i);
        pipeline_harness_produce(w, 0, id, BAD_PHONE, "confirmed");
    }
}

/* One probe after the other, until one gets through. */
static void let_probe(struct pipeline_harness *w)
{
    for (int probes = 0; probes < PROBES_MAX; probes++) {
        clock_skip(PROBE_MS);
        pipeline_harness_scrape(w, "/metrics", text, sizeof text);
        if (pipeline_harness_metric(text, M "records_delivered_total") > 0)
            return;
    }
    fail_msg("%d probes, and none of an order that gets through", PROBES_MAX);
}

static void end(struct pipeline_harness *w)
{
    pipeline_harness_stop(w);
    assert_true(w->ok);
    pipeline_harness_close(w);
}

/* As many as are read behind an open breaker, all of them bad; then comes a good one. */
static void fill_the_waiting_room(const char *concurrency, int bad)
{
    struct pipeline_harness w;
    pipeline_harness_open(&w, some_fail);
    pipeline_harness_set(&w, "webhook.concurrency", concurrency);
    pipeline_harness_set(&w, "retry.give_up", "365d");
    confirm_bad(&w, bad);
    pipeline_harness_start(&w);
    pipeline_harness_await_scrape(&w, "/metrics", M "breaker_open 1\n", text, sizeof text);
    pipeline_harness_produce(&w, 1, "good", "06", "confirmed");
    let_probe(&w);
    assert_true(pipeline_harness_metric(text, M "records_parked_total") == 0);
    end(&w);
}

static void many_bad_orders_leave_room_for_a_good_one(void **state)
{
    (void)state;
    fill_the_waiting_room("16", 110);
}

static void few_bad_orders_leave_room_where_few_are_read(void **state)
{
    (void)state;
    fill_the_waiting_room("1", 6);
}

/* Orders that a crash may send again are among them: the bound must not shut the others out. */
static void bad_orders_do_not_use_up_the_bound(void **state)
{
    enum { BAD = 4 };
    struct pipeline_harness w;
    (void)state;
    pipeline_harness_open(&w, some_fail);
    pipeline_harness_set(&w, "webhook.uncommitted_max", "4");
    pipeline_harness_set(&w, "retry.give_up", "365d");
    pipeline_harness_set(&w, "breaker.failures_in_row", "4");
    confirm_bad(&w, BAD);
    pipeline_harness_start(&w);
    pipeline_harness_await_scrape(&w, "/metrics", M "breaker_open 1\n", text, sizeof text);
    pipeline_harness_produce(&w, 1, "good", "06", "confirmed");
    let_probe(&w);
    end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_bad_orders_leave_room_for_a_good_one),
        cmocka_unit_test(few_bad_orders_leave_room_where_few_are_read),
        cmocka_unit_test(bad_orders_do_not_use_up_the_bound),
    };
    return pipeline_harness_main("pipeline_probe", tests, sizeof tests / sizeof *tests);
}
