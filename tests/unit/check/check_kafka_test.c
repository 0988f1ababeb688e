/* check_kafka_test: what a check says of brokers, topics, groups and records. */
#include "unit/check/check_fixture.h"

#include <stdlib.h>

static const struct server_rule registry[] = {{"/schemas/types", SERVER_ANSWER_CLOSE, TYPES, 0},
                                              {"/schemas/ids/1", SERVER_ANSWER_CLOSE, SCHEMA, 0},
                                              {NULL, SERVER_ANSWER_CLOSE, NOT_FOUND, 0},
                                              {0}};

static void all_is_fine(void **state)
{
    struct bench b;
    (void)state;
    bench_open(&b, registry);
    bench_change(&b, "c", NULL, "pending");
    bench_change(&b, "u", "pending", "confirmed");
    bench_change(&b, "u", "confirmed", "shipped");
    bench_set(&b, "registry.user", "shop");
    bench_set(&b, "registry.password", CANARY);
    bench_set(&b, "auth.hs256_secret", CANARY CANARY CANARY);
    bench_set(&b, "webhook.headers.authorization", "Bearer " CANARY);
    bench_check(&b);
    if (b.verdict.code != ERROR_NONE)
        fail_msg("%s", buf_text(&b.text));
    expect_finding(&b, "ok", "kafka", "topic", "orders: 2 partitions");
    expect_finding(&b, "ok", "kafka", "group", "elementor-sync.orders");
    expect_finding(&b, "note", "kafka", "kafka.start",
                   "latest; the group has committed nothing here yet");
    expect_finding(&b, "note", "records", "earliest",
                   "kafka.start=earliest would read 3 records, from 20");
    expect_finding(&b, "ok", "records", "before", "all 2 updates have a before image");
    expect_finding(&b, "ok", "records", "rule",
                   "1 have status = \\\"confirmed\\\"; 1 are transitions to it and would be sent");
    expect_finding(&b, "ok", "schema", "form", "shop.Envelope, id 1: Debezium's envelope");
    expect_finding(&b, "ok", "fields", "order_id",
                   "\"column\":\"id\",\"type\":\"string\",\"text\":\"text\"");
    expect_finding(&b, "warn", "fields", "client_city", "no such column: always \\\"\\\"");
    expect_finding(&b, "detail", "configuration", "webhook.timeout", "30s");
    expect_finding(&b, "note", "configuration", "webhook.url", "127.0.0.1#");
    /* what people can think of has no fingerprint */
    expect_finding(&b, "note", "configuration", "auth.hs256_secret", "\"(set) #");
    expect_finding(&b, "note", "configuration", "registry.password", "\"(set)\"");
    expect_finding(&b, "note", "configuration", "webhook.headers.authorization", "\"(set)\"");
    expect_finding(&b, "note", "webhook", "ping", "nothing was sent");
    assert_int_equal(server_request_count(b.webhook), 0);
    bench_close(&b);
}

static void missing_before_is_warned_of(void **state)
{
    struct bench b;
    (void)state;
    bench_open(&b, registry);
    bench_change(&b, "c", NULL, "pending");
    bench_change(&b, "u", NULL, "Confirmed ");
    bench_change(&b, "u", "pending", "shipped");
    bench_check(&b);
    assert_int_equal(b.verdict.code, ERROR_NONE);
    expect_finding(&b, "warn", "records", "before",
                   "1 of 2 updates have no before image: ALTER TABLE … REPLICA IDENTITY "
                   "FULL");
    expect_finding(&b, "warn", "records", "rule", "differs from \\\"confirmed\\\" only in case");
    expect_finding(&b, "note", "records", "rule", "none of them has status = \\\"confirmed\\\"");
    bench_close(&b);
}

static void no_broker_at_the_port(void **state)
{
    struct bench b;
    (void)state;
    bench_open(&b, registry);
    bench_set(&b, "kafka.brokers", "127.0.0.1:1");
    bench_check(&b);
    expect_failure(&b, ERROR_UNREACHABLE, "kafka", "brokers",
                   "in state CONNECT); nothing listens at this "
                   "address: correct the host and port in kafka.brokers, or start the broker");
    bench_close(&b);
}

/* The registry's port in place of the broker's: a web server says that it does not understand, or
 * hangs up. */
static void no_kafka_at_the_port(void **state)
{
    static const struct {
        const char *answer, *text;
    } cases[] = {
        {"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
         "what answers there is not Kafka"},
        {"", "not a broker at all"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct server_rule refuses[] = {{NULL, SERVER_REFUSE, cases[i].answer, 0}, {0}};
        struct server *web = server_new(refuses);
        struct bench b;
        char brokers[64];
        bench_open(&b, registry);
        server_listen(web);
        snprintf(brokers, sizeof brokers, "127.0.0.1:%d", server_port(web));
        bench_set(&b, "kafka.brokers", brokers);
        bench_check(&b);
        expect_failure(&b, ERROR_UNREACHABLE, "kafka", "brokers", cases[i].text);
        bench_close(&b);
        server_free(web);
    }
}

static void mistyped_topic(void **state)
{
    struct bench b;
    (void)state;
    bench_open(&b, registry);
    rd_kafka_mock_topic_set_error(b.cluster.mock, "ordres",
                                  RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
    rd_kafka_mock_topic_set_error(b.cluster.mock, "something.else",
                                  RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
    bench_set(&b, "kafka.topic", "ordres");
    bench_check(&b);
    expect_failure(&b, ERROR_FAILED, "kafka", "topic",
                   "topic \\\"ordres\\\" does not exist on this cluster; did you mean "
                   "\\\"orders\\\"?");
    bench_set(&b, "kafka.topic", "something.else");
    bench_check(&b);
    expect_failure(&b, ERROR_FAILED, "kafka", "topic", "topics that this user can see: orders");
    bench_close(&b);
}

/* The mock tells the partitions of a topic that it refuses, which no broker does, and librdkafka
 * 2.8 ends with a segmentation fault on that. There the real broker's ACL alone tests it
 * (tests/e2e/newcomer.py, login_rights_and_tls). */
static void forbidden_topic(void **state)
{
    enum { CRASHES_FROM = 0x02030000 };
    struct bench b;
    (void)state;
    if (rd_kafka_version() >= CRASHES_FROM) {
        print_message("forbidden_topic: skipped, librdkafka %s and its mock do not go together\n",
                      rd_kafka_version_str());
        skip();
    }
    bench_open(&b, registry);
    rd_kafka_mock_topic_set_error(b.cluster.mock, CLUSTER_TOPIC,
                                  RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
    bench_check(&b);
    expect_failure(&b, ERROR_FAILED, "kafka", "topic",
                   "Topic authorization failed; let the program's user read and describe "
                   "kafka.topic");
    bench_close(&b);
}

static void forbidden_group(void **state)
{
    enum { OFFSET_FETCH = 9 };
    struct bench b;
    (void)state;
    bench_open(&b, registry);
    rd_kafka_mock_push_request_errors(b.cluster.mock, OFFSET_FETCH, 1,
                                      RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED);
    bench_check(&b);
    expect_failure(&b, ERROR_FAILED, "kafka", "group",
                   "Group authorization failed; let the program's user read and describe the "
                   "group kafka.group");
    bench_close(&b);
}

/* A cluster that has just started, or lost a broker: the group's coordinator is not there yet. */
static void coordinator_comes_later(void **state)
{
    enum { OFFSET_FETCH = 9 };
    struct bench b;
    (void)state;
    bench_open(&b, registry);
    rd_kafka_mock_push_request_errors(b.cluster.mock, OFFSET_FETCH, 2,
                                      RD_KAFKA_RESP_ERR_NOT_COORDINATOR,
                                      RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS);
    bench_check(&b);
    expect_finding(&b, "ok", "kafka", "group", "elementor-sync");
    bench_close(&b);
}

static void json_records(void **state)
{
    static const char json[] = "{\"before\":null,\"after\":{\"id\":\"" CANARY "\"}}";
    struct bench b;
    (void)state;
    bench_open(&b, registry);
    cluster_produce(&b.cluster, 1, json, strlen(json));
    bench_check(&b);
    expect_failure(&b, ERROR_FAILED, "records", "form",
                   "1 of the 1 newest records: the record is JSON, not Avro: set the connector's "
                   "key.converter and value.converter to an Avro converter");
    bench_change(&b, "u", "pending", "confirmed");
    bench_check(&b);
    assert_int_equal(b.verdict.code, ERROR_NONE);
    expect_finding(&b, "warn", "records", "form", "1 of the 2 newest records: the record is JSON");
    bench_close(&b);
}

static void records_of_something_else(void **state)
{
    struct bench b;
    (void)state;
    bench_open(&b, registry);
    cluster_produce(&b.cluster, 1, CANARY, strlen(CANARY));
    bench_check(&b);
    expect_failure(&b, ERROR_FAILED, "records", "form",
                   "begins with byte 0x68, not with the magic byte 0x00 of the Confluent wire "
                   "format");
    bench_close(&b);
}

static void produce_with_header(struct bench *b, const char *name, const char *id)
{
    static const char row[] = "\0\0\0\x09\x02row";
    assert_false(rd_kafka_producev(
        b->cluster.rk, RD_KAFKA_V_TOPIC(CLUSTER_TOPIC), RD_KAFKA_V_PARTITION(0),
        RD_KAFKA_V_KEY("k", 1), RD_KAFKA_V_VALUE((void *)(uintptr_t)row, sizeof row - 1),
        RD_KAFKA_V_HEADER(name, id, 8), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END));
    assert_false(rd_kafka_flush(b->cluster.rk, 10000));
}

/* The bytes look like an id of another schema: it is the header's that is shown. */
static void id_in_a_header(void **state)
{
    struct bench b;
    (void)state;
    bench_open(&b, registry);
    produce_with_header(&b, "apicurio.value.contentId", "\0\0\0\0\0\0\0\x01");
    bench_check(&b);
    expect_finding(&b, "ok", "schema", "form", "id 1: Debezium's envelope");
    bench_close(&b);
}

/* The default of Apicurio 2's converter, and the registry is another's. */
static void global_id_without_apicurio(void **state)
{
    struct bench b;
    (void)state;
    bench_open(&b, registry);
    produce_with_header(&b, "apicurio.value.globalId", "\0\0\0\0\0\0\0\x07");
    bench_check(&b);
    expect_failure(&b, ERROR_FAILED, "schema", "form",
                   "schema globalId 7 of the newest record: a global id is Apicurio's, and "
                   "registry.url is not Apicurio's: write its address with the path "
                   "/apis/ccompat/v7");
    bench_close(&b);
}

static void empty_topic(void **state)
{
    struct bench b;
    (void)state;
    bench_open(&b, registry);
    bench_check(&b);
    assert_int_equal(b.verdict.code, ERROR_NONE);
    expect_finding(&b, "warn", "records", "newest", "the topic is empty");
    expect_finding(&b, "note", "schema", "form",
                   "no Avro record and no subject \\\"orders-value\\\" yet");
    bench_close(&b);
}

/* Nothing hides anything else: each thing that is missing is named, and what can be looked at is.
 */
static void nothing_is_configured(void **state)
{
    struct bench b;
    (void)state;
    bench_open(&b, registry);
    config_free(b.config);
    b.config = config_new();
    bench_check(&b);
    assert_int_equal(b.verdict.code, ERROR_CONFIG);
    expect_finding(&b, "fail", "configuration", "missing", "kafka.brokers is required");
    expect_finding(&b, "fail", "configuration", "missing", "kafka.topic is required");
    expect_finding(&b, "fail", "configuration", "missing", "kafka.start is required");
    expect_finding(&b, "fail", "configuration", "missing", "registry.url is required");
    expect_finding(&b, "fail", "configuration", "missing", "webhook.url is required");
    bench_set(&b, "kafka.brokers", b.cluster.brokers);
    bench_check(&b);
    expect_finding(&b, "note", "kafka", "topic", "topics that this user can see: orders");
    bench_close(&b);
}

/* Each contradiction, and what is missing besides. */
static void all_that_is_wrong(void **state)
{
    struct bench b;
    (void)state;
    bench_open(&b, registry);
    config_free(b.config);
    b.config = config_new();
    bench_set(&b, "kafka.brokers", "http://kafka.example.com");
    bench_set(&b, "registry.url", "kafka.example.com:8081");
    bench_set(&b, "registry.user", "shop");
    bench_set(&b, "retry.base", "2m");
    bench_check(&b);
    assert_int_equal(b.verdict.code, ERROR_CONFIG);
    expect_finding(&b, "fail", "configuration", "contradiction", "is a URL; Kafka's brokers are");
    expect_finding(&b, "fail", "configuration", "contradiction",
                   "does not begin with http:// or https://");
    expect_finding(&b, "fail", "configuration", "contradiction", "without registry.password");
    expect_finding(&b, "fail", "configuration", "contradiction", "retry.base (2m) is longer than");
    expect_finding(&b, "fail", "configuration", "missing", "kafka.topic is required");
    expect_finding(&b, "fail", "configuration", "missing", "webhook.url is required");
    bench_close(&b);
}

static void create(struct bench *b, const char *topic)
{
    cluster_settle(&b->cluster);
    assert_false(rd_kafka_mock_topic_create(b->cluster.mock, topic, 1, 1));
}

/* publish_via_partition_root=false: one topic for each partition of the table. */
static void partitioned_table(void **state)
{
    struct bench b;
    (void)state;
    bench_open(&b, registry);
    create(&b, "shop.public.orders_2025");
    create(&b, "shop.public.orders_2026");
    create(&b, "shop.public.order_items");
    bench_set(&b, "kafka.topic", "shop.public.orders_2026");
    bench_check(&b);
    expect_finding(&b, "warn", "kafka", "partitioned",
                   "shop.public.orders_2025 may be partitions of the same table; orders in them "
                   "are not read. ALTER PUBLICATION … SET (publish_via_partition_root = true)");
    expect_finding(&b, "warn", "kafka", "partitioned", "set kafka.topic to shop.public.orders");
    assert_null(strstr(buf_text(&b.json), "order_items may"));
    rd_kafka_mock_topic_set_error(b.cluster.mock, "shop.public.orders",
                                  RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
    bench_set(&b, "kafka.topic", "shop.public.orders");
    bench_check(&b);
    expect_failure(&b, ERROR_FAILED, "kafka", "topic",
                   "shop.public.orders_2025, shop.public.orders_2026 look like partitions of that "
                   "table, each published under its own name: ALTER PUBLICATION");
    bench_close(&b);
}

/* The mock cannot describe a topic: that is said, not taken for good. */
static void settings_are_not_known(void **state)
{
    struct bench b;
    (void)state;
    bench_open(&b, registry);
    bench_check(&b);
    expect_finding(&b, "note", "kafka", "retention", "not known (");
    assert_null(strstr(buf_text(&b.json), "partitioned"));
    bench_close(&b);
}

/* Every transition would be parked: that is not ready to run. */
static void all_are_parked(void **state)
{
    struct bench b;
    (void)state;
    bench_open(&b, registry);
    for (int i = 0; i < 20; i++)
        bench_change_of(&b, " ", "u", "pending", "confirmed");
    bench_check(&b);
    expect_failure(&b, ERROR_FAILED, "records", "parked",
                   "20 of 20 that would be sent are parked instead: missing:client_name (20)");
    bench_change(&b, "u", "pending", "confirmed");
    bench_check(&b);
    assert_int_equal(b.verdict.code, ERROR_NONE);
    expect_finding(&b, "warn", "records", "parked", "20 of 21 that would be sent");
    bench_close(&b);
}

/* A mistake in the mapping hides neither the columns, nor what the records hold. */
static void mapping_is_wrong(void **state)
{
    struct bench b;
    (void)state;
    bench_open(&b, registry);
    bench_change(&b, "c", NULL, "pending");
    bench_change(&b, "u", NULL,
                 "CONFIRM\xc3\x89"
                 "E");
    bench_set(&b, "rule.column", "etat");
    bench_set(&b, "payload.fields.order_id", "order_key");
    bench_set(&b, "payload.fields.client_name", "nom");
    bench_check(&b);
    expect_failure(&b, ERROR_FAILED, "schema", "form", "has no column \\\"etat\\\" (rule.column)");
    expect_finding(&b, "fail", "fields", "rule.column",
                   "no order is ever sent; set rule.column=status?");
    expect_finding(&b, "fail", "fields", "order_id", "no such column");
    expect_finding(&b, "fail", "fields", "client_name",
                   "set payload.fields.client_name=client_name?");
    expect_finding(&b, "note", "fields", "absent columns",
                   "the records show: id string, order_number");
    expect_finding(&b, "note", "fields", "absent columns", "published from PostgreSQL 18 on");
    expect_finding(&b, "warn", "records", "unread", "2 of them cannot be read by run");
    expect_finding(&b, "note", "records", "values",
                   "of column status: \\\"pending\\\" (1), \\\"CONFIRM\xc3\x89"
                   "E\\\" (1)");
    expect_finding(&b, "warn", "records", "before", "1 of 1 updates have no before image");
    expect_finding(&b, "warn", "records", "rule", "accents");
    bench_close(&b);
}

/* Values of a column that holds no status are counted, and not shown. */
static void values_of_another_column(void **state)
{
    struct bench b;
    char name[32];
    (void)state;
    bench_open(&b, registry);
    for (int i = 0; i < 15; i++) {
        snprintf(name, sizeof name, "Amina " CANARY " %d", i);
        bench_change_of(&b, name, "c", NULL, "pending");
    }
    bench_set(&b, "rule.column", "client_name");
    bench_check(&b); /* looks for the canary */
    expect_finding(&b, "warn", "records", "values",
                   "column client_name holds more than 12 different values in 15 rows, which are "
                   "not shown: is it the status? If not, correct rule.column");
    bench_close(&b);
}

static void rows_of_a_snapshot(void **state)
{
    struct bench b;
    (void)state;
    bench_open(&b, registry);
    bench_change(&b, "r", NULL, "confirmed");
    bench_change(&b, "r", NULL, "pending");
    bench_change(&b, "r", NULL, "confirmed");
    bench_check(&b);
    expect_finding(&b, "warn", "records", "snapshot",
                   "2 rows with status = \\\"confirmed\\\" come from a snapshot and are not sent "
                   "(partition:offset 0:0, 0:2)");
    bench_set(&b, "rule.snapshot", "deliver");
    bench_check(&b);
    assert_null(strstr(buf_text(&b.json), "come from a snapshot"));
    bench_close(&b);
}

static void write_own(struct bench *b, const char *topic, const char *value)
{
    assert_false(rd_kafka_producev(b->cluster.rk, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(0),
                                   RD_KAFKA_V_KEY("k", 1),
                                   RD_KAFKA_V_VALUE((void *)(uintptr_t)value, strlen(value)),
                                   RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END));
    assert_false(rd_kafka_flush(b->cluster.rk, 10000));
}

/* Two shops, or two groups, that write to the same topics. */
static void own_topics_are_shared(void **state)
{
    struct bench b;
    (void)state;
    bench_open(&b, registry);
    bench_set(&b, "kafka.group", "prod");
    write_own(&b, "elementor-sync.deliveries", "{\"topic\":\"" CLUSTER_TOPIC "\"}");
    write_own(&b, "elementor-sync.members", "{\"topic\":\"" CLUSTER_TOPIC "\",\"group\":\"prod\"}");
    bench_check(&b);
    assert_null(strstr(buf_text(&b.json), "is shared"));
    write_own(&b, "elementor-sync.deliveries", "{\"topic\":\"shop_b.public.orders\"}");
    write_own(&b, "elementor-sync.members",
              "{\"topic\":\"" CLUSTER_TOPIC "\",\"group\":\"staging\"}");
    write_own(&b, "elementor-sync.members", "no JSON");
    bench_check(&b);
    expect_finding(
        &b, "warn", "own topics", "deliveries.topic",
        "is shared: among its newest records are those of topic shop_b.public.orders (1)");
    expect_finding(&b, "warn", "own topics", "members.topic", "those of group staging (1)");
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_is_fine),
        cmocka_unit_test(missing_before_is_warned_of),
        cmocka_unit_test(no_broker_at_the_port),
        cmocka_unit_test(no_kafka_at_the_port),
        cmocka_unit_test(mistyped_topic),
        cmocka_unit_test(forbidden_topic),
        cmocka_unit_test(forbidden_group),
        cmocka_unit_test(coordinator_comes_later),
        cmocka_unit_test(json_records),
        cmocka_unit_test(records_of_something_else),
        cmocka_unit_test(id_in_a_header),
        cmocka_unit_test(global_id_without_apicurio),
        cmocka_unit_test(empty_topic),
        cmocka_unit_test(nothing_is_configured),
        cmocka_unit_test(all_that_is_wrong),
        cmocka_unit_test(own_topics_are_shared),
        cmocka_unit_test(all_are_parked),
        cmocka_unit_test(mapping_is_wrong),
        cmocka_unit_test(values_of_another_column),
        cmocka_unit_test(rows_of_a_snapshot),
        cmocka_unit_test(partitioned_table),
        cmocka_unit_test(settings_are_not_known),
    };
    return pipeline_harness_main("check_kafka", tests, sizeof tests / sizeof *tests);
}
