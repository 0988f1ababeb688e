/* topic_records_test: what is written to the parked and retry topics is read again as it was, and
 * numbers out of range are refused by every reader. */
#include "fakes/cluster.h"
#include "kafka/own_headers.h"
#include "topics/park_order.h"
#include "topics/parked_record.h"
#include "topics/retry_record.h"

#include "config/own_names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct cluster cluster;
static struct config *config;
static char put_topic[64];
static int32_t put_partition;

static void produce(const struct publication *put, rd_kafka_headers_t *headers)
{
    assert_false(rd_kafka_producev(cluster.rk, RD_KAFKA_V_TOPIC(put->topic),
                                   RD_KAFKA_V_PARTITION(0), RD_KAFKA_V_KEY(put->key, put->key_len),
                                   RD_KAFKA_V_VALUE((void *)(uintptr_t)put->value, put->value_len),
                                   RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                                   RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_END));
    assert_false(rd_kafka_flush(cluster.rk, 20000));
}

/* The publisher, swapped at link time: at once, and always into partition 0. */
bool publisher_put(struct publisher *publisher, const struct publication *put, publisher_done *done,
                   void *context, struct error *err)
{
    (void)publisher, (void)done, (void)context, (void)err;
    snprintf(put_topic, sizeof put_topic, "%s", put->topic);
    put_partition = put->partition;
    produce(put, put->headers);
    return true;
}

static int set_up(void **state)
{
    struct error err = {0};
    (void)state;
    cluster_open(&cluster, 1);
    config = config_new();
    assert_true(config_set(config, "kafka.group", "elementor-sync", "test", &err));
    assert_true(config_set(config, "kafka.topic", "orders.public.orders", "test", &err));
    assert_true(own_names_fill(config));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    cluster_close(&cluster);
    config_free(config);
    return 0;
}

static bool has(const rd_kafka_headers_t *headers, const char *name)
{
    const void *value;
    size_t size;
    return rd_kafka_header_get_last(headers, name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR;
}

static rd_kafka_headers_t *original(void)
{
    rd_kafka_headers_t *headers = rd_kafka_headers_new(4);
    rd_kafka_header_add(headers, "__debezium.newkey", -1, "k", -1);
    rd_kafka_header_add(headers, "elementor-sync.reason", -1, "http:422", -1);
    return headers;
}

/* ---- the parked topic ---- */

static const struct parked_record parked = {.group = {"elementor-sync", 14},
                                            .judged = true,
                                            .topic = "orders.public.orders",
                                            .partition = INT32_MAX,
                                            .offset = INT64_MAX,
                                            .timestamp_ms = 0,
                                            .key = {"k", 1},
                                            .value = {"bytes", 5},
                                            .reason = {"http:422", 8},
                                            .detail = {"d\xc3\xa9tail", 7},
                                            .class = {"refused", 7},
                                            .schema = {"1", 1},
                                            .order_id = {"o\0id", 4},
                                            .order_number = {"CMD-1", 5},
                                            .response = {"\xff", 1},
                                            .webhook_id = {"msg_1", 5},
                                            .source = {"cdc", 3},
                                            .status = 422,
                                            .attempts = 3,
                                            .first_attempt_ms = 1795564800000,
                                            .last_attempt_ms = 1795564800001};

static void same_text(struct slice a, struct slice b)
{
    assert_int_equal(a.len, b.len);
    if (a.len > 0)
        assert_memory_equal(a.data, b.data, a.len);
}

static void same_parked(const struct parked_record *a, const struct parked_record *b)
{
    assert_string_equal(a->topic, b->topic);
    const struct slice texts[][2] = {{a->group, b->group},       {a->key, b->key},
                                     {a->value, b->value},       {a->reason, b->reason},
                                     {a->detail, b->detail},     {a->class, b->class},
                                     {a->order_id, b->order_id}, {a->order_number, b->order_number},
                                     {a->response, b->response}, {a->webhook_id, b->webhook_id},
                                     {a->source, b->source},     {a->schema, b->schema}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        same_text(texts[i][0], texts[i][1]);
    const int64_t numbers[][2] = {{a->partition, b->partition},
                                  {a->offset, b->offset},
                                  {a->timestamp_ms, b->timestamp_ms},

                                  {a->status, b->status},
                                  {a->attempts, b->attempts},
                                  {a->first_attempt_ms, b->first_attempt_ms},
                                  {a->last_attempt_ms, b->last_attempt_ms},
                                  {a->judged, b->judged}};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        assert_int_equal(numbers[i][0], numbers[i][1]);
}

static void read_parked(void *context, const rd_kafka_message_t *m)
{
    struct parked_record found;
    const char *why;
    assert_true(parked_record_read(m, &found, &why));
    same_parked(&found, context);
    assert_true(parked_record_is_ours(config, &found));
    same_text(parked_record_order_id(m), found.order_id);
    struct retry_record retry = retry_record_of_parked(&found);
    assert_string_equal(retry.topic, found.topic);
    assert_int_equal(retry.partition, found.partition);
    assert_int_equal(retry.offset, found.offset);
    assert_int_equal(retry.judged, found.judged);
    same_text(retry.order, found.order_id);
    same_text(retry.value, found.value);
}

static void parked_record_is_read_as_written(void **state)
{
    struct error err = {0};
    struct parked_record full = parked;
    (void)state;
    rd_kafka_headers_t *headers = rd_kafka_headers_new(1);
    rd_kafka_header_add(headers, "__debezium.newkey", -1, "k", -1);
    full.headers = headers;
    assert_true(parked_record_write(NULL, config, &full, NULL, NULL, &err));
    assert_string_equal(put_topic, "elementor-sync.parked");
    assert_int_equal(cluster_read(&cluster, put_topic, read_parked, &full), 1);
    rd_kafka_headers_destroy(headers);
}

static void unknown_fields_of_a_parked_record_are_left_out(void **state)
{
    struct error err = {0};
    struct parked_record bare = {.topic = "orders.public.orders",
                                 .timestamp_ms = -1,

                                 .status = -1,
                                 .attempts = -1,
                                 .first_attempt_ms = -1,
                                 .last_attempt_ms = -1};
    (void)state;
    assert_true(parked_record_write(NULL, config, &bare, NULL, NULL, &err));
    assert_int_equal(cluster_read(&cluster, put_topic, read_parked, &bare), 1);
}

/* ---- the retry topic ---- */

static void read_retry(void *context, const rd_kafka_message_t *m)
{
    const struct retry_record *written = context;
    struct retry_record found;
    const char *why;
    assert_true(retry_record_is_ours(config, m, &why));
    assert_true(retry_record_read(m, &found, &why));
    assert_false(park_order_is(m));
    assert_string_equal(found.topic, written->topic);
    assert_int_equal(found.partition, written->partition);
    assert_int_equal(found.offset, written->offset);
    assert_int_equal(found.timestamp_ms, written->timestamp_ms);
    assert_string_equal(found.source, written->source);
    assert_string_equal(found.request, written->request);
    assert_string_equal(found.by, written->by);
    same_text(found.order, written->order);
    assert_int_equal(found.judged, written->judged);
    assert_int_equal(found.forced, written->forced);
    same_text(found.key, written->key);
    same_text(found.value, written->value);
    assert_true(has(found.headers, "__debezium.newkey"));
    assert_false(has(found.headers, "elementor-sync.reason")); /* of the parked record */
}

static void retry_record_is_read_as_written(void **state)
{
    struct error err = {0};
    rd_kafka_headers_t *headers = original();
    struct retry_record record = {.topic = "orders.public.orders",
                                  .partition = 4,
                                  .offset = INT64_MAX,
                                  .timestamp_ms = -1,
                                  .source = "redrive",
                                  .request = "r1",
                                  .by = "olga",
                                  .order = slice_of("o-1"),
                                  .judged = true,
                                  .key = slice_of("k"),
                                  .value = slice_of("bytes"),
                                  .headers = headers};
    (void)state;
    assert_true(retry_record_write(NULL, config, &record, -1, NULL, NULL, &err));
    assert_string_equal(put_topic, "elementor-sync.retry");
    assert_int_equal(put_partition, 4);
    assert_int_equal(cluster_read(&cluster, put_topic, read_retry, &record), 1);
    rd_kafka_headers_destroy(headers);
}

static void read_order(void *context, const rd_kafka_message_t *m)
{
    const struct park_order *written = context;
    struct park_order found;
    const char *why;
    assert_true(park_order_is(m) && park_order_read(m, &found));
    assert_true(retry_record_is_ours(config, m, &why));
    assert_string_equal(found.topic, written->topic);
    assert_string_equal(found.reason, written->reason);
    assert_string_equal(found.request, written->request);
    assert_int_equal(found.partition, written->partition);
    assert_int_equal(found.from, written->from);
    assert_int_equal(found.until, written->until);
}

static void park_order_is_read_as_written(void **state)
{
    struct error err = {0};
    struct park_order order = {.topic = "orders.public.orders",
                               .reason = "broken export",
                               .request = "r2",
                               .partition = 3,
                               .from = 0,
                               .until = INT64_MAX};
    (void)state;
    assert_true(park_order_write(NULL, config, &order, -1, NULL, NULL, &err));
    assert_int_equal(put_partition, 3);
    assert_int_equal(cluster_read(&cluster, put_topic, read_order, &order), 1);
}

/* ---- damaged records ---- */

struct damage {
    const char *partition, *offset, *until;
};

static void write_damaged(const struct damage *d)
{
    rd_kafka_headers_t *headers = rd_kafka_headers_new(4);
    const struct publication put = {.topic = "damaged", .value = "v", .value_len = 1};
    own_header_add(headers, OWN_TOPIC, slice_of("orders.public.orders"));
    own_header_add(headers, OWN_PARTITION, slice_of(d->partition));
    own_header_add(headers, OWN_OFFSET, slice_of(d->offset));
    own_header_add(headers, OWN_PARK_UNTIL, slice_of(d->until));
    own_header_add(headers, OWN_TIMESTAMP, slice_of(d->until));
    produce(&put, headers);
}

/* The first record is good. */
static void refuse(void *context, const rd_kafka_message_t *m)
{
    struct parked_record record;
    struct retry_record retry;
    struct park_order order;
    const char *why;
    bool good = m->offset == 0, only_until = m->offset % 3 == 0;
    (void)context;
    assert_int_equal(parked_record_read(m, &record, &why), only_until);
    assert_int_equal(retry_record_read(m, &retry, &why), only_until);
    assert_int_equal(park_order_read(m, &order), good);
    if (only_until) { /* the time, which is out of range too, is unknown */
        assert_int_equal(record.timestamp_ms, good ? 2 : -1);
        assert_int_equal(retry.timestamp_ms, good ? 2 : -1);
    }
}

static void numbers_out_of_range_are_refused(void **state)
{
    static const char *const bad[] = {"9999999999999999999",
                                      "9223372036854775808",
                                      "00000000000000000001",
                                      "-1",
                                      "+1",
                                      " 1",
                                      "1 ",
                                      "1.5",
                                      "0x1",
                                      "one"};
    size_t written = 1;
    (void)state;
    write_damaged(&(struct damage){"0", "1", "2"});
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++, written += 3) {
        write_damaged(&(struct damage){bad[i], "1", "2"});
        write_damaged(&(struct damage){"0", bad[i], "2"});
        write_damaged(&(struct damage){"0", "1", bad[i]});
    }
    write_damaged(&(struct damage){"2147483648", "1", "2"}); /* no partition's number */
    assert_int_equal(cluster_read(&cluster, "damaged", refuse, NULL), written + 1);
}

static void requests_differ(void **state)
{
    (void)state;
    char one[RETRY_REQUEST_MAX], two[RETRY_REQUEST_MAX];
    assert_true(retry_request_new(one, NULL) && retry_request_new(two, NULL));
    assert_int_equal(strlen(one), RETRY_REQUEST_MAX - 1);
    assert_string_not_equal(one, two);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(parked_record_is_read_as_written),
        TEST(unknown_fields_of_a_parked_record_are_left_out),
        TEST(retry_record_is_read_as_written),
        TEST(park_order_is_read_as_written),
        TEST(numbers_out_of_range_are_refused),
        cmocka_unit_test(requests_differ),
    };
    return cmocka_run_group_tests_name("topic_records", tests, NULL, NULL);
}
