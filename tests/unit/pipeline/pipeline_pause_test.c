/* pipeline_pause: an operator's word in the control topic stops and starts deliveries, and nothing
 * is lost, sent twice or given up for it. */
#include "fakes/clock.h"
#include "fakes/pipeline_harness.h"

#include "topics/control_watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define M "elementor_sync_"

enum { TEXT_MAX = 65536, ORDERS = 60 };

static const struct server_rule accepting[] = {{NULL, SERVER_ANSWER, NO_CONTENT, 0}, {0}};
static const struct server_rule holding[] = {{NULL, SERVER_HOLD, NO_CONTENT, 0}, {0}};
static const struct server_rule busy[] = {{NULL, SERVER_ANSWER, BUSY, 0}, {0}};

static char text[TEXT_MAX];
static bool unreadable; /* the member never gets to read the control topic */

bool __real_control_watch_begin(struct control_watch *w, int timeout_ms, struct error *err);
bool __wrap_control_watch_begin(struct control_watch *w, int timeout_ms, struct error *err);
bool __wrap_control_watch_begin(struct control_watch *w, int timeout_ms, struct error *err)
{
    return unreadable || __real_control_watch_begin(w, timeout_ms, err);
}

static void say(struct pipeline_harness *w, const char *group, const char *word)
{
    assert_false(rd_kafka_producev(w->cluster.rk, RD_KAFKA_V_TOPIC(CLUSTER_CONTROL),
                                   RD_KAFKA_V_PARTITION(0), RD_KAFKA_V_KEY(group, strlen(group)),
                                   RD_KAFKA_V_VALUE((void *)(uintptr_t)word, strlen(word)),
                                   RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END));
    assert_false(rd_kafka_flush(w->cluster.rk, HARNESS_PATIENCE_MS));
}

static void pause_all(struct pipeline_harness *w)
{
    say(w, "shop",
        "{\"version\":1,\"paused\":true,\"at_ms\":1,\"by\":\"amina\",\"reason\":\"stock\"}");
}

static void resume_all(struct pipeline_harness *w)
{
    say(w, "shop", "{\"version\":1,\"paused\":false,\"at_ms\":2,\"by\":\"amina\",\"reason\":\"\"}");
}

static void await(struct pipeline_harness *w, const char *metric)
{
    pipeline_harness_await_scrape(w, "/metrics", metric, text, sizeof text);
}

static double metric(const char *name)
{
    return pipeline_harness_metric(text, name);
}

static void confirm_orders(struct pipeline_harness *w, int count)
{
    char id[16];
    for (int i = 0; i < count; i++) {
        snprintf(id, sizeof id, "o%d", i);
        pipeline_harness_confirm(w, i % HARNESS_PARTITIONS, id);
    }
}

static void await_delivered(struct pipeline_harness *w, int count)
{
    char wanted[64];
    snprintf(wanted, sizeof wanted, M "records_delivered_total %d\n", count);
    await(w, wanted);
}

static void end(struct pipeline_harness *w)
{
    pipeline_harness_stop(w);
    assert_true(w->ok);
    pipeline_harness_close(w);
}

/* The member starts after the word was said. The orders are ready, and wait; what lies before the
 * first of them is all that may be committed. */
static void nothing_is_sent_before_the_word_that_resumes(void **state)
{
    struct pipeline_harness w;
    (void)state;
    pipeline_harness_open(&w, accepting);
    resume_all(&w);
    pause_all(&w);
    confirm_orders(&w, ORDERS);
    pipeline_harness_start(&w);
    await(&w, M "deliveries_paused 1\n");
    await(&w, M "partition_committed{topic=\"orders\",partition=\"0\"} 1\n");
    while (metric(M "deliveries{state=\"ready\"}") < 1)
        await(&w, M "control_known 1\n");
    assert_int_equal(server_request_count(w.webhook), 0);
    assert_true(metric(M "partition_committed{topic=\"orders\",partition=\"0\"}") == 1);
    resume_all(&w);
    await_delivered(&w, ORDERS);
    assert_true(metric(M "deliveries_paused") == 0);
    assert_int_equal(server_request_count(w.webhook), ORDERS);
    end(&w);
}

static void what_is_under_way_ends_and_nothing_follows(void **state)
{
    struct pipeline_harness w;
    (void)state;
    pipeline_harness_open(&w, holding);
    confirm_orders(&w, ORDERS);
    pipeline_harness_start(&w);
    pipeline_harness_await_requests(&w, 1);
    pause_all(&w);
    await(&w, M "deliveries_paused 1\n");
    size_t sent = (size_t)metric(M "webhook_attempts_total");
    assert_true(sent < ORDERS);
    server_release(w.webhook);
    await_delivered(&w, (int)sent);
    assert_true(metric(M "webhook_requests") == 0);
    assert_int_equal(server_request_count(w.webhook), sent);
    resume_all(&w);
    await_delivered(&w, ORDERS);
    assert_int_equal(server_request_count(w.webhook), ORDERS);
    end(&w);
}

/* Brokers answer a fetch that has nothing to bring only after fetch.wait.max.ms: no member waits
 * for that before its first order. */
static void the_last_word_is_known_before_an_empty_answer(void **state)
{
    struct pipeline_harness w;
    (void)state;
    for (int words = 0; words < 2; words++) {
        pipeline_harness_open(&w, accepting);
        pipeline_harness_set(&w, "kafka.properties.fetch.wait.max.ms", "250000");
        pipeline_harness_set(&w, "kafka.properties.socket.timeout.ms", "300000");
        if (words > 0)
            pause_all(&w);
        pipeline_harness_start(&w);
        await(&w, M "control_known 1\n");
        assert_true(metric(M "deliveries_paused") == words);
        end(&w);
    }
}

/* Paused for longer than retry.give_up; only the time after it counts. */
static void no_order_is_given_up_for_a_pause(void **state)
{
    enum { HOUR_MS = 3600000, MORE = 3 };
    struct pipeline_harness w;
    (void)state;
    pipeline_harness_open(&w, busy);
    pipeline_harness_set(&w, "retry.give_up", "30m");
    pipeline_harness_set(&w, "breaker.failures_in_row", "1000");
    pipeline_harness_set(&w, "breaker.failures_min", "1000");
    pipeline_harness_produce(&w, 0, "o1", "06", "confirmed");
    pipeline_harness_start(&w);
    pipeline_harness_await_requests(&w, 1);
    pause_all(&w);
    await(&w, M "deliveries_paused 1\n");
    await(&w, M "webhook_requests 0\n");
    size_t before = server_request_count(w.webhook);
    clock_skip(HOUR_MS);
    resume_all(&w);
    pipeline_harness_await_requests(&w, before + MORE);
    await(&w, M "deliveries_paused 0\n");
    assert_true(metric(M "records_parked_total") == 0);
    clock_skip(HOUR_MS);
    await(&w, M "records_parked_total 1\n");
    end(&w);
}

/* An open breaker is not probed. */
static void a_pause_holds_probes_back(void **state)
{
    enum { PROBES_MS = 600000 };
    struct pipeline_harness w;
    (void)state;
    pipeline_harness_open(&w, busy);
    confirm_orders(&w, ORDERS);
    pipeline_harness_start(&w);
    await(&w, M "breaker_open 1\n");
    pause_all(&w);
    await(&w, M "deliveries_paused 1\n");
    await(&w, M "webhook_requests 0\n");
    size_t before = server_request_count(w.webhook);
    clock_skip(PROBES_MS);
    confirm_orders(&w, 1);
    await(&w, M "partition_end{topic=\"orders\",partition=\"0\"} 63\n");
    assert_int_equal(server_request_count(w.webhook), before);
    resume_all(&w);
    pipeline_harness_await_requests(&w, before + 1);
    end(&w);
}

/* The word is in Kafka: a member that comes back knows it; one that stops while paused has nothing
 * to drain. */
static void a_paused_member_stops_at_once_and_comes_back_paused(void **state)
{
    struct pipeline_harness w;
    (void)state;
    pipeline_harness_open(&w, accepting);
    pipeline_harness_set(&w, "drain.timeout", "5m");
    pause_all(&w);
    confirm_orders(&w, ORDERS);
    for (int life = 0; life < 2; life++) {
        w.ops_port = 0;
        pipeline_harness_start(&w);
        await(&w, M "deliveries_paused 1\n");
        await(&w, M "partition_committed{topic=\"orders\",partition=\"0\"} 1\n");
        pipeline_harness_stop(&w);
        assert_true(w.ok);
    }
    assert_int_equal(server_request_count(w.webhook), 0);
    resume_all(&w);
    pipeline_harness_run_to_end(&w);
    assert_int_equal(server_request_count(w.webhook), ORDERS);
    pipeline_harness_close(&w);
}

/* Groups may share a topic; and not every record is one that this release can read. */
static void only_words_to_this_group_count(void **state)
{
    struct pipeline_harness w;
    (void)state;
    pipeline_harness_open(&w, accepting);
    say(&w, "another", "{\"paused\":true}");
    pipeline_harness_confirm(&w, 0, "o1");
    pipeline_harness_start(&w);
    await_delivered(&w, 1);
    say(&w, "shop", "{\"paused\":\"perhaps\"}");
    await(&w, M "deliveries_paused 1\n");
    resume_all(&w);
    await(&w, M "deliveries_paused 0\n");
    end(&w);
}

static void a_member_that_cannot_hear_does_not_send(void **state)
{
    enum { LONG_MS = 60000 };
    struct pipeline_harness w;
    (void)state;
    unreadable = true;
    pipeline_harness_open(&w, accepting);
    confirm_orders(&w, ORDERS);
    pipeline_harness_log_open(&w);
    pipeline_harness_start(&w);
    await(&w, M "partition_committed{topic=\"orders\",partition=\"0\"} 1\n");
    assert_true(metric(M "control_known") == 0);
    clock_skip(LONG_MS);
    pipeline_harness_await_log(&w, "event=\"control topic unread\"");
    pipeline_harness_scrape(&w, "/readyz", text, sizeof text);
    assert_string_equal(text, "");
    assert_int_equal(server_request_count(w.webhook), 0);
    end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_sent_before_the_word_that_resumes),
        cmocka_unit_test(what_is_under_way_ends_and_nothing_follows),
        cmocka_unit_test(the_last_word_is_known_before_an_empty_answer),
        cmocka_unit_test(no_order_is_given_up_for_a_pause),
        cmocka_unit_test(a_pause_holds_probes_back),
        cmocka_unit_test(a_paused_member_stops_at_once_and_comes_back_paused),
        cmocka_unit_test(only_words_to_this_group_count),
        cmocka_unit_test(a_member_that_cannot_hear_does_not_send),
    };
    return pipeline_harness_main("pipeline_pause", tests, sizeof tests / sizeof *tests);
}
