/* pipeline_retry: what the retry topic asks for; and a group with an eager assignor. */
#include "fakes/pipeline_harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RETRIES "elementor-sync.retry"
enum { TEXT_MAX = 65536 };

static const struct server_rule accepting[] = {{NULL, SERVER_ANSWER, NO_CONTENT, 0}, {0}};

/* One row in the world's schema. */
static size_t row(unsigned char bytes[512], const char *id, const char *status)
{
    const char *columns[] = {id, "CMD-7", "Amina", "06", "Watch", "1", "2.50", "2.50", status};
    size_t at = 5;
    memcpy(bytes, "\0\0\0\0\1", 5);
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
        size_t len = strlen(columns[i]);
        bytes[at++] = (unsigned char)(len * 2);
        memcpy(bytes + at, columns[i], len);
        at += len;
    }
    return at;
}

/* A record of the retry topic; what is NULL is left out. */
struct ask {
    int32_t partition; /* of the retry topic */
    const char *id, *status, *group, *topic, *at, *offset, *request, *judged, *forced;
};

/* A row whose status is not a transition now, judged when it was one. */
static struct ask usual(int32_t partition, const char *id)
{
    return (struct ask){.partition = partition,
                        .id = id,
                        .status = "shipped",
                        .group = "shop",
                        .topic = CLUSTER_TOPIC,
                        .at = "2",
                        .offset = "4711",
                        .request = "r-1",
                        .judged = "yes",
                        .forced = "no"};
}

static void write_retry(struct pipeline_harness *w, const struct ask *ask)
{
    const char *const pairs[][2] = {{"group", ask->group},     {"topic", ask->topic},
                                    {"partition", ask->at},    {"offset", ask->offset},
                                    {"request", ask->request}, {"judged", ask->judged},
                                    {"forced", ask->forced}};
    unsigned char bytes[512];
    char name[64];
    size_t len = row(bytes, ask->id, ask->status);
    rd_kafka_headers_t *headers = rd_kafka_headers_new(8);
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        snprintf(name, sizeof name, "elementor-sync.%s", pairs[i][0]);
        if (pairs[i][1] != NULL)
            rd_kafka_header_add(headers, name, -1, pairs[i][1], -1);
    }
    rd_kafka_header_add(headers, "elementor-sync.timestamp", -1, "1795564800000", -1);
    assert_int_equal(rd_kafka_producev(w->cluster.rk, RD_KAFKA_V_TOPIC(RETRIES),
                                       RD_KAFKA_V_PARTITION(ask->partition),
                                       RD_KAFKA_V_KEY("key", 3), RD_KAFKA_V_VALUE(bytes, len),
                                       RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                                       RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_END),
                     RD_KAFKA_RESP_ERR_NO_ERROR);
    assert_int_equal(rd_kafka_flush(w->cluster.rk, HARNESS_PATIENCE_MS),
                     RD_KAFKA_RESP_ERR_NO_ERROR);
}

static void ask_for_retry(struct pipeline_harness *w, int32_t partition, const char *id)
{
    const struct ask ask = usual(partition, id);
    write_retry(w, &ask);
}

static void note_outcome(void *context, const rd_kafka_message_t *m)
{
    snprintf(context, TEXT_MAX, "%.*s", (int)m->len, (const char *)m->payload);
}

/* Every row is sent, whatever its status; from where it was first, and marked. */
static void a_retry_is_delivered(void **state)
{
    static char text[TEXT_MAX];
    struct pipeline_harness w;
    char value[64];
    (void)state;
    pipeline_harness_open(&w, accepting);
    ask_for_retry(&w, 2, "o9");
    pipeline_harness_run_to_end(&w);
    assert_int_equal(server_request_count(w.webhook), 1);
    pipeline_harness_header(&w, 0, "webhook-source", value, sizeof value);
    assert_string_equal(value, "retry");
    cluster_read(&w.cluster, "elementor-sync.deliveries", note_outcome, text);
    assert_non_null(strstr(text, "\"source\":\"retry\""));
    assert_non_null(strstr(text, "\"request\":\"r-1\""));
    assert_non_null(
        strstr(text, "\"topic\":\"" CLUSTER_TOPIC "\",\"partition\":2,\"offset\":4711"));
    pipeline_harness_close(&w);
}

/* An order's own confirmation and its retry are never under way at the same time. */
static void a_retry_waits_for_its_order(void **state)
{
    static const struct server_rule webhook[] = {
        {NULL, SERVER_HOLD, NO_CONTENT, 1}, {NULL, SERVER_ANSWER, NO_CONTENT, 0}, {0}};
    static char text[TEXT_MAX];
    struct pipeline_harness w;
    (void)state;
    pipeline_harness_open(&w, webhook);
    pipeline_harness_confirm(&w, 2, "o9");
    pipeline_harness_start(&w);
    pipeline_harness_await_requests(&w, 1);
    ask_for_retry(&w, 2, "o9");
    pipeline_harness_await_scrape(
        &w, "/metrics", "elementor_sync_deliveries{state=\"waiting\"} 1\n", text, sizeof text);
    assert_int_equal(server_request_count(w.webhook), 1);
    server_release(w.webhook);
    pipeline_harness_await_requests(&w, 2);
    pipeline_harness_stop(&w);
    assert_true(w.ok);
    pipeline_harness_close(&w);
}

static void a_retry_that_says_nothing_is_parked(void **state)
{
    struct pipeline_harness w;
    rd_kafka_headers_t *headers;
    const void *reason;
    size_t len;
    (void)state;
    pipeline_harness_open(&w, accepting);
    const struct ask nothing = {.id = "o9", .status = "shipped"};
    write_retry(&w, &nothing);
    pipeline_harness_run_to_end(&w);
    assert_int_equal(server_request_count(w.webhook), 0);
    rd_kafka_message_t *m = cluster_parked(&w.cluster);
    assert_non_null(m);
    assert_int_equal(rd_kafka_message_headers(m, &headers), RD_KAFKA_RESP_ERR_NO_ERROR);
    assert_int_equal(rd_kafka_header_get_last(headers, "elementor-sync.reason", &reason, &len),
                     RD_KAFKA_RESP_ERR_NO_ERROR);
    assert_string_equal(reason, "undecodable");
    cluster_parked_done(m, &w.cluster);
    pipeline_harness_close(&w);
}

/* ---- retries of other groups ---- */

static void awaits_metric(struct pipeline_harness *w, const char *line)
{
    static char text[TEXT_MAX];
    pipeline_harness_await_scrape(w, "/metrics", line, text, sizeof text);
}

/* One partition each, and one of ours behind each: it is passed over, and committed. */
static void others_retries_are_never_sent(void **state)
{
    struct pipeline_harness w;
    (void)state;
    pipeline_harness_open(&w, accepting);
    struct ask topic = usual(0, "stranger-1"), group = usual(1, "stranger-2"),
               former = usual(2, "stranger-3");
    topic.topic = "another.shop.orders";
    group.group = "staging";
    former.group = NULL; /* "elementor-sync.retry" is not the default of the group "shop" */
    write_retry(&w, &topic);
    write_retry(&w, &group);
    write_retry(&w, &former);
    for (int32_t p = 0; p < HARNESS_PARTITIONS; p++)
        ask_for_retry(&w, p, "o9");
    pipeline_harness_start(&w);
    awaits_metric(&w, "elementor_sync_records_skipped_total{reason=\"others_retry\"} 3\n");
    pipeline_harness_await_requests(&w, 1);
    pipeline_harness_stop(&w);
    for (size_t i = 0; i < server_request_count(w.webhook); i++)
        assert_null(strstr(server_request(w.webhook, i)->body, "stranger"));
    pipeline_harness_close(&w);
}

static void former_retries_are_for_the_group_of_that_name(void **state)
{
    struct pipeline_harness w;
    struct ask former = usual(0, "o9");
    (void)state;
    pipeline_harness_open(&w, accepting);
    pipeline_harness_set(&w, "kafka.group", "elementor-sync");
    former.group = former.judged = former.forced = NULL;
    former.status = "confirmed"; /* it goes through the rule: nothing says that it was judged */
    write_retry(&w, &former);
    pipeline_harness_run_to_end(&w);
    assert_int_equal(server_request_count(w.webhook), 1);
    pipeline_harness_close(&w);
}

/* Its commits are lost, or it was recreated under the same name: "from now on" is meant. */
static void a_group_that_begins_at_the_end_serves_no_old_retries(void **state)
{
    struct pipeline_harness w;
    (void)state;
    pipeline_harness_open(&w, accepting);
    pipeline_harness_set(&w, "kafka.start", "latest");
    ask_for_retry(&w, 1, "o1");
    pipeline_harness_run_to_end(&w);
    assert_int_equal(server_request_count(w.webhook), 0);
    pipeline_harness_close(&w);
}

/* ---- parked before it was judged ---- */

struct found { /* among the outcomes, by key */
    const char *key;
    char text[TEXT_MAX];
};

static void find_outcome(void *context, const rd_kafka_message_t *m)
{
    struct found *f = context;
    if (m->key_len == strlen(f->key) && memcmp(m->key, f->key, m->key_len) == 0)
        snprintf(f->text, sizeof f->text, "%.*s", (int)m->len, (const char *)m->payload);
}

static const char *last_outcome(struct pipeline_harness *w, const char *key)
{
    static struct found f;
    f = (struct found){.key = key};
    cluster_read(&w->cluster, "elementor-sync.deliveries", find_outcome, &f);
    return f.text;
}

/* Its outcome was keyed by its coordinates; whatever becomes of it, that one ends. */
static void unjudged_retry_goes_through_the_rule(void **state)
{
    struct pipeline_harness w;
    struct ask pending = usual(0, "o1"), confirmed = usual(0, "o2");
    (void)state;
    pipeline_harness_open(&w, accepting);
    pending.judged = confirmed.judged = "no";
    pending.status = "pending";
    pending.request = "r-2";
    confirmed.status = "confirmed";
    confirmed.offset = "4712";
    write_retry(&w, &pending);
    write_retry(&w, &confirmed);
    pipeline_harness_run_to_end(&w);
    assert_int_equal(server_request_count(w.webhook), 1);
    assert_non_null(strstr(server_request(w.webhook, 0)->body, "\"order_id\":\"o2\""));
    const char *text = last_outcome(&w, CLUSTER_TOPIC "-2-4711");
    assert_non_null(strstr(text, "\"state\":\"skipped\",\"reason\":\"not_confirmed\""));
    assert_non_null(strstr(text, "\"request\":\"r-2\""));
    text = last_outcome(&w, CLUSTER_TOPIC "-2-4712");
    assert_non_null(strstr(text, "\"state\":\"skipped\",\"reason\":\"has_order_id\""));
    assert_non_null(strstr(last_outcome(&w, "o2"), "\"state\":\"delivered\""));
    pipeline_harness_close(&w);
}

/* The rule's memory is that of the orders' own sequence: a retry neither asks nor teaches it. */
static void a_judged_again_record_teaches_the_memory_nothing(void **state)
{
    struct pipeline_harness w;
    struct ask again = usual(2, "o1");
    (void)state;
    pipeline_harness_open(&w, accepting);
    again.judged = "no";
    again.status = "pending";
    pipeline_harness_produce(&w, 2, "o1", "06", "confirmed");
    pipeline_harness_start(&w);
    pipeline_harness_await_requests(&w, 1);
    write_retry(&w, &again);
    awaits_metric(&w, "elementor_sync_records_skipped_total{reason=\"not_confirmed\"} 1\n");
    pipeline_harness_produce(&w, 2, "o1", "07", "confirmed"); /* an edit: no transition */
    awaits_metric(&w, "elementor_sync_records_skipped_total{reason=\"already_confirmed\"} 1\n");
    pipeline_harness_stop(&w);
    assert_int_equal(server_request_count(w.webhook), 1);
    pipeline_harness_close(&w);
}

/* ---- too late ---- */

/* Confirmed, and confirmed again; then a retry of the first one comes. */
static void an_overtaken_retry_is_superseded(void **state)
{
    struct pipeline_harness w;
    struct ask old = usual(2, "o1");
    (void)state;
    pipeline_harness_open(&w, accepting);
    pipeline_harness_produce(&w, 2, "o1", "06", "confirmed");
    pipeline_harness_produce(&w, 2, "o1", "06", "pending");
    pipeline_harness_produce(&w, 2, "o1", "0777", "confirmed");
    pipeline_harness_start(&w);
    pipeline_harness_await_requests(&w, 2);
    old.offset = "0";
    old.forced = "yes"; /* even so: it would be the order's last word */
    write_retry(&w, &old);
    awaits_metric(&w, "elementor_sync_records_skipped_total{reason=\"superseded\"} 1\n");
    pipeline_harness_stop(&w);
    assert_int_equal(server_request_count(w.webhook), 2);
    const char *text = last_outcome(&w, "o1");
    assert_non_null(strstr(text, "\"state\":\"superseded\",\"reason\":\"superseded\""));
    assert_non_null(strstr(text, "\"request\":\"r-1\""));
    assert_non_null(strstr(text, "\"previous\":[{\"state\":\"delivered\""));
    pipeline_harness_close(&w);
}

/* Two requests for one parked order deliver it once; who wants it again says so. */
static void delivered_once_unless_it_is_forced(void **state)
{
    struct pipeline_harness w;
    struct ask ask = usual(2, "o1");
    (void)state;
    pipeline_harness_open(&w, accepting);
    write_retry(&w, &ask);
    ask.request = "r-2";
    write_retry(&w, &ask);
    pipeline_harness_start(&w);
    awaits_metric(&w, "elementor_sync_records_skipped_total{reason=\"superseded\"} 1\n");
    assert_int_equal(server_request_count(w.webhook), 1);
    ask.request = "r-3";
    ask.forced = "yes";
    write_retry(&w, &ask);
    pipeline_harness_await_requests(&w, 2);
    pipeline_harness_stop(&w);
    pipeline_harness_close(&w);
}

/* ---- the group ---- */

static void too_few_retry_partitions_are_refused(void **state)
{
    struct pipeline_harness w;
    (void)state;
    pipeline_harness_open(&w, accepting);
    assert_int_equal(rd_kafka_mock_topic_create(w.cluster.mock, "few", 2, 1),
                     RD_KAFKA_RESP_ERR_NO_ERROR);
    pipeline_harness_set(&w, "retry.topic", "few");
    pipeline_harness_set(&w, "topics.create", "false");
    assert_false(pipeline_harness_try_to_end(&w));
    assert_int_equal(w.err.code, ERROR_FAILED);
    assert_non_null(strstr(w.err.text, "--alter --topic few --partitions 3"));
    pipeline_harness_close(&w);
}

static void an_eager_assignor_works_too(void **state)
{
    struct pipeline_harness w;
    (void)state;
    pipeline_harness_open(&w, accepting);
    pipeline_harness_set(&w, "kafka.properties.partition.assignment.strategy", "range");
    for (int32_t p = 0; p < HARNESS_PARTITIONS; p++) {
        char id[16];
        snprintf(id, sizeof id, "o%d", (int)p);
        pipeline_harness_confirm(&w, p, id);
    }
    ask_for_retry(&w, 1, "o9");
    pipeline_harness_run_to_end(&w);
    assert_int_equal(server_request_count(w.webhook), HARNESS_PARTITIONS + 1);
    for (int32_t p = 0; p < HARNESS_PARTITIONS; p++)
        assert_int_equal(cluster_committed(&w.cluster, "shop", p), 3);
    pipeline_harness_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_retry_is_delivered),
        cmocka_unit_test(a_retry_waits_for_its_order),
        cmocka_unit_test(a_retry_that_says_nothing_is_parked),
        cmocka_unit_test(others_retries_are_never_sent),
        cmocka_unit_test(former_retries_are_for_the_group_of_that_name),
        cmocka_unit_test(a_group_that_begins_at_the_end_serves_no_old_retries),
        cmocka_unit_test(unjudged_retry_goes_through_the_rule),
        cmocka_unit_test(a_judged_again_record_teaches_the_memory_nothing),
        cmocka_unit_test(an_overtaken_retry_is_superseded),
        cmocka_unit_test(delivered_once_unless_it_is_forced),
        cmocka_unit_test(too_few_retry_partitions_are_refused),
        cmocka_unit_test(an_eager_assignor_works_too),
    };
    return pipeline_harness_main("pipeline_retry", tests, sizeof tests / sizeof *tests);
}
