/* retry_writer_test: what is written is what the pipeline reads. */
#include "topics/retry_record.h"

#include "config/own_names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static struct {
    char *topic, *value;
    int32_t partition;
    rd_kafka_headers_t *headers;
} put;

/* The publisher, swapped at link time. */
bool publisher_put(struct publisher *publisher, const struct publication *publication,
                   publisher_done *done, void *context, struct error *err)
{
    (void)publisher, (void)done, (void)context, (void)err;
    put.topic = strdup(publication->topic);
    put.value = strndup(publication->value, publication->value_len);
    put.partition = publication->partition;
    put.headers = publication->headers;
    return true;
}

static const char *text_of(const char *name)
{
    const void *value;
    size_t size;
    if (rd_kafka_header_get_last(put.headers, name, &value, &size) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return NULL;
    return value;
}

static void the_record_says_where_it_lay(void **state)
{
    (void)state;
    struct error err = {0};
    struct config *config = config_new();
    assert_true(config_set(config, "kafka.group", "elementor-sync", "test", &err));
    assert_true(own_names_fill(config));
    rd_kafka_headers_t *original = rd_kafka_headers_new(4);
    rd_kafka_header_add(original, "__debezium.newkey", -1, "k", -1);
    rd_kafka_header_add(original, "elementor-sync.reason", -1, "http:422", -1);
    const struct retry_order order = {.topic = "orders.public.orders",
                                      .partition = 4,
                                      .offset = 77,
                                      .timestamp_ms = -1,
                                      .key = slice_of("k"),
                                      .value = slice_of("bytes"),
                                      .headers = original,
                                      .order = slice_of("o-1")};
    assert_true(retry_write(NULL, config, &order, "redrive", "r1", -1, NULL, NULL, &err));
    assert_string_equal(put.topic, "elementor-sync.retry");
    assert_string_equal(put.value, "bytes");
    assert_int_equal(put.partition, 4);
    assert_string_equal(text_of("elementor-sync.topic"), "orders.public.orders");
    assert_string_equal(text_of("elementor-sync.partition"), "4");
    assert_string_equal(text_of("elementor-sync.offset"), "77");
    assert_null(text_of("elementor-sync.timestamp"));
    assert_string_equal(text_of("elementor-sync.source"), "redrive");
    assert_string_equal(text_of("elementor-sync.request"), "r1");
    assert_string_equal(text_of("elementor-sync.order"), "o-1");
    assert_string_equal(text_of("__debezium.newkey"), "k");
    assert_null(text_of("elementor-sync.reason"));
    rd_kafka_headers_destroy(put.headers);
    rd_kafka_headers_destroy(original);
    free(put.topic);
    free(put.value);
    config_free(config);
}

static void requests_differ(void **state)
{
    (void)state;
    char one[RETRY_REQUEST_MAX], two[RETRY_REQUEST_MAX];
    assert_true(retry_request_new(one, NULL) && retry_request_new(two, NULL));
    assert_int_equal(strlen(one), RETRY_REQUEST_MAX - 1);
    assert_string_not_equal(one, two);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_record_says_where_it_lay),
        cmocka_unit_test(requests_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
