/* dashboard_notify_test: one of several dashboards sends the messages, over HTTP. */
#include "fakes/dashboard_harness.h"

#include "dashboard/notify/notifier.h"
#include "fakes/server.h"
#include "sys/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    LOOK_US = 20000,
    PATIENCE = 3000 /* a minute: a session of the group may have to end */,
    SECRET_PATH_MAX = 128
};

static const char ok[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
static const char busy[] = "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n";

static struct server *receiver(const struct server_rule *rules)
{
    struct server *server = server_new(rules);
    server_listen(server);
    return server;
}

static void open_with(struct dashboard_harness *s, struct server *server)
{
    char url[SECRET_PATH_MAX];
    snprintf(url, sizeof url, "http://127.0.0.1:%d/T0KEN", server_port(server));
    dashboard_harness_open(s);
    dashboard_harness_set(s, "notify.url", url);
    dashboard_harness_set(s, "notify.after", "1s");
    dashboard_harness_set(s, "notify.digest", "1s");
}

static void report(struct dashboard_harness *s, const char *breaker)
{
    char text[512];
    long long now_ms = clock_wall_ms();
    int len = snprintf(text, sizeof text,
                       "{\"version\":1,\"member\":\"m\",\"group\":\"elementor-sync\","
                       "\"at_ms\":%lld,\"partitions\":[],\"breaker\":{\"state\":\"%s\","
                       "\"reason\":\"several failures in a row; the last answer: http:503\","
                       "\"since_ms\":%lld,\"next_probe_ms\":null}}",
                       now_ms, breaker, now_ms);
    assert_false(rd_kafka_producev(s->cluster.rk, RD_KAFKA_V_TOPIC("elementor-sync.members"),
                                   RD_KAFKA_V_PARTITION(0), RD_KAFKA_V_KEY("m", 1),
                                   RD_KAFKA_V_VALUE(text, (size_t)len),
                                   RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END));
}

/* The member's breaker stays as it is until the receiver has this many requests. */
static const char *await_notice(struct dashboard_harness *s, struct server *server, size_t count,
                                const char *breaker)
{
    for (int i = 0; server_request_count(server) < count; i++) {
        if (i == PATIENCE)
            fail_msg("notice %zu does not come", count);
        if (i % 100 == 0)
            report(s, breaker);
        usleep(LOOK_US);
    }
    return server_request(server, count - 1)->body;
}

static void assert_event(const char *body, const char *event)
{
    char text[64];
    snprintf(text, sizeof text, "\"event\":\"%s\"", event);
    if (strstr(body, text) == NULL)
        fail_msg("no %s in %s", text, body);
}

/* The third would be another one if there were more than two; a request that is refused is made
 * again. */
static void an_outage_is_two_messages(void **state)
{
    const struct server_rule rules[] = {
        {NULL, SERVER_ANSWER, busy, 1}, {NULL, SERVER_ANSWER, ok, 0}, {0}};
    struct server *server = receiver(rules);
    struct dashboard_harness s;
    (void)state;
    open_with(&s, server);
    dashboard_harness_start(&s);
    assert_event(await_notice(&s, server, 1, "open"), "trouble");
    const char *body = await_notice(&s, server, 2, "open");
    assert_event(body, "trouble");
    assert_non_null(strstr(body, "\"text\":\"orders: trouble for "));
    assert_non_null(strstr(body, "\"content\":\"orders: trouble for "));
    assert_non_null(strstr(server_request(server, 1)->head, "POST /T0KEN "));
    assert_event(await_notice(&s, server, 3, "closed"), "over");
    dashboard_harness_outcome(&s, &(struct outcome){.order = "order-7", .state = "parked"});
    body = await_notice(&s, server, 4, "closed");
    assert_event(body, "parked");
    assert_non_null(strstr(body, "\"parked_new\":1,"));
    assert_null(strstr(body, "order-7"));
    assert_null(strstr(body, "CMD-1"));
    dashboard_harness_close(&s);
    server_free(server);
}

/* The page and the API do not wait for a receiver that never answers, nor does the end. */
static void a_receiver_that_hangs_holds_up_nothing(void **state)
{
    const struct server_rule rules[] = {{NULL, SERVER_HANG, "", 0}, {0}};
    struct server *server = receiver(rules);
    struct dashboard_harness s;
    (void)state;
    open_with(&s, server);
    dashboard_harness_start(&s);
    (void)await_notice(&s, server, 1, "open");
    for (int i = 0; i < 20; i++) {
        struct answer a = dashboard_harness_ask(&s, "GET", "/api/v1/status", s.operator, NULL);
        assert_int_equal(a.status, 200);
    }
    dashboard_harness_outcome(&s, &(struct outcome){.order = "o1", .state = "delivered"});
    dashboard_harness_await_order(&s, "o1", "delivered");
    assert_int_equal(server_request_count(server), 1);
    dashboard_harness_close(&s);
    server_free(server);
}

static void see(struct notifier *n, bool bad, int64_t parked)
{
    int64_t now_ms = clock_wall_ms();
    notifier_see(n,
                 &(struct notifier_facts){.now_ms = now_ms,
                                          .seen_ms = clock_mono_ms(),
                                          .state = bad ? VERDICT_TROUBLE : VERDICT_ALL_WELL,
                                          .code = bad ? VERDICT_BREAKER_OPEN : VERDICT_CODE_COUNT,
                                          .waiting = 5,
                                          .parked = parked,
                                          .parked_new = parked,
                                          .parked_newest_ms = parked > 0 ? now_ms : -1});
}

static const char *await_seen(struct notifier *one, struct notifier *two, struct server *server,
                              size_t count, bool bad, int64_t parked)
{
    for (int i = 0; server_request_count(server) < count; i++) {
        if (i == PATIENCE)
            fail_msg("notice %zu does not come", count);
        see(one, bad, parked);
        see(two, bad, parked);
        usleep(LOOK_US);
    }
    return server_request(server, count - 1)->body;
}

/* One of two tells; the other goes on from where it was when that one has gone. It repeats at most
 * the one whose answer that one did not live to see. */
static void takeover(int who_ends)
{
    const struct server_rule rules[] = {{NULL, SERVER_ANSWER, ok, 0}, {0}};
    struct server *server = receiver(rules);
    struct dashboard_harness s;
    open_with(&s, server);
    report(&s, "closed"); /* the topic is there */
    assert_false(rd_kafka_flush(s.cluster.rk, 10000));
    struct notifier *two[] = {notifier_new(s.config, &s.err), notifier_new(s.config, &s.err)};
    assert_non_null(two[0]);
    assert_non_null(two[1]);
    size_t count = 1;
    assert_event(await_seen(two[0], two[1], server, count, true, 0), "trouble");
    notifier_free(two[who_ends]);
    two[who_ends] = NULL;
    const char *body = await_seen(two[0], two[1], server, ++count, false, 0);
    if (strstr(body, "\"event\":\"trouble\"") != NULL)
        body = await_seen(two[0], two[1], server, ++count, false, 0);
    assert_event(body, "over");
    assert_event(await_seen(two[0], two[1], server, ++count, false, 1), "parked");
    notifier_free(two[!who_ends]);
    dashboard_harness_close(&s);
    server_free(server);
}

static void of_two_dashboards_one_tells(void **state)
{
    (void)state;
    takeover(0);
    takeover(1);
}

/* ---- the kept state ---- */

/* The metadata of the commit of <kafka.group>.notify; "" for none. Owned by the caller. */
static char *kept(struct dashboard_harness *s)
{
    char group[128];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    snprintf(group, sizeof group, "%s.notify", s->config->kafka_group);
    rd_kafka_conf_set(conf, "bootstrap.servers", s->cluster.brokers, NULL, 0);
    rd_kafka_conf_set(conf, "group.id", group, NULL, 0);
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, NULL, 0);
    assert_non_null(rk);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, s->config->members_topic, 0);
    assert_false(rd_kafka_committed(rk, list, 10000));
    char *text = list->elems[0].metadata_size > 0
                     ? strndup(list->elems[0].metadata, list->elems[0].metadata_size)
                     : strdup("");
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_destroy(rk);
    return text;
}

/* Brokers that answer, and refuse the commit, are not away: nothing is told that could be lost. */
static void what_is_owed_is_kept_before_it_is_told(void **state)
{
    const struct server_rule rules[] = {{NULL, SERVER_ANSWER, ok, 0}, {0}};
    const rd_kafka_resp_err_t no = RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED;
    struct server *server = receiver(rules);
    struct dashboard_harness s;
    (void)state;
    open_with(&s, server);
    report(&s, "closed");
    assert_false(rd_kafka_flush(s.cluster.rk, 10000));
    rd_kafka_mock_push_request_errors(s.cluster.mock, CLUSTER_OFFSET_COMMIT, 3, no, no, no);
    struct notifier *n = notifier_new(s.config, &s.err);
    assert_non_null(n);
    assert_event(await_seen(n, NULL, server, 1, true, 0), "trouble");
    char *text = kept(&s);
    if (strstr(text, "\"phase\":1,") == NULL && strstr(text, "\"phase\":2,") == NULL)
        fail_msg("told, and not kept: \"%s\"", text);
    free(text);
    notifier_free(n);
    dashboard_harness_close(&s);
    server_free(server);
}

static void see_kafka(struct notifier *n, bool away)
{
    int64_t now_ms = clock_wall_ms();
    notifier_see(n, &(struct notifier_facts){.now_ms = now_ms,
                                             .seen_ms = clock_mono_ms(),
                                             .state = away ? VERDICT_BLIND : VERDICT_ALL_WELL,
                                             .code = away ? VERDICT_KAFKA_AWAY : VERDICT_CODE_COUNT,
                                             .waiting = VERDICT_UNKNOWN,
                                             .parked_newest_ms = VERDICT_NONE});
}

static const char *await_kafka(struct notifier *n, struct server *server, size_t count, bool away)
{
    for (int i = 0; server_request_count(server) < count; i++) {
        if (i == PATIENCE)
            fail_msg("notice %zu does not come", count);
        see_kafka(n, away);
        usleep(LOOK_US);
    }
    return server_request(server, count - 1)->body;
}

/* One that starts meanwhile cannot hear who tells, and tells too. */
static void kafka_itself_is_away(void **state)
{
    const struct server_rule rules[] = {{NULL, SERVER_ANSWER, ok, 0}, {0}};
    struct server *server = receiver(rules);
    struct dashboard_harness s;
    (void)state;
    open_with(&s, server);
    report(&s, "closed");
    assert_false(rd_kafka_flush(s.cluster.rk, 10000));
    rd_kafka_mock_broker_set_down(s.cluster.mock, 1);
    struct notifier *n = notifier_new(s.config, &s.err);
    assert_non_null(n);
    const char *body = await_kafka(n, server, 1, true);
    assert_event(body, "trouble");
    assert_null(strstr(body, "Nothing is lost"));
    rd_kafka_mock_broker_set_up(s.cluster.mock, 1);
    assert_event(await_kafka(n, server, 2, false), "over");
    notifier_free(n);
    assert_int_equal(server_request_count(server), 2);
    dashboard_harness_close(&s);
    server_free(server);
}

/* ---- the heartbeat ---- */

/* Silence says that something is wrong. */
static void the_heartbeat_says_that_all_is_well(void **state)
{
    const struct server_rule rules[] = {{NULL, SERVER_ANSWER, ok, 0}, {0}};
    struct server *server = receiver(rules);
    struct dashboard_harness s;
    char url[SECRET_PATH_MAX];
    (void)state;
    snprintf(url, sizeof url, "http://127.0.0.1:%d/ping", server_port(server));
    dashboard_harness_open(&s);
    dashboard_harness_set(&s, "notify.heartbeat_url", url);
    dashboard_harness_start(&s);
    (void)await_notice(&s, server, 1, "closed");
    assert_non_null(strstr(server_request(server, 0)->head, "GET /ping "));
    dashboard_harness_close(&s);
    server_free(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_outage_is_two_messages),
        cmocka_unit_test(a_receiver_that_hangs_holds_up_nothing),
        cmocka_unit_test(of_two_dashboards_one_tells),
        cmocka_unit_test(what_is_owed_is_kept_before_it_is_told),
        cmocka_unit_test(kafka_itself_is_away),
        cmocka_unit_test(the_heartbeat_says_that_all_is_well),
    };
    return pipeline_harness_main("dashboard_notify", tests, sizeof tests / sizeof *tests);
}
