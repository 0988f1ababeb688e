/* publisher_test: what becomes of records that a topic does not take as they are. */
#include "kafka/producer/publisher.h"

#include "fakes/cluster.h"
#include "sys/clock.h"
#include "sys/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

enum { LARGE = 5000, PATIENCE_MS = 20000 };

struct bench {
    struct cluster cluster;
    struct config *config;
    struct publisher *publisher;
    int wake_fd;
    bool called, acknowledged;
};

/* A thousand bytes a record, no more. */
static void open_bench(struct bench *b)
{
    struct error err = {0};
    memset(b, 0, sizeof *b);
    log_setup(LOG_ERROR, false);
    cluster_open(&b->cluster, 1);
    b->config = config_new();
    b->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    assert_true(config_set(b->config, "kafka.brokers", b->cluster.brokers, "test", &err));
    assert_true(config_set(b->config, "kafka.properties.message.max.bytes", "1000", "test", &err));
    b->publisher = publisher_new(b->config, b->wake_fd, &err);
    assert_non_null(b->publisher);
}

static void close_bench(struct bench *b)
{
    publisher_free(b->publisher);
    config_free(b->config);
    cluster_close(&b->cluster);
    close(b->wake_fd);
}

static void note(void *context, bool acknowledged)
{
    struct bench *b = context;
    b->called = true;
    b->acknowledged = acknowledged;
}

/* Long texts of our own, too: what is left says where the record lies, and why it is there. */
static void a_record_whose_own_headers_are_too_long_is_published(void **state)
{
    static char large[LARGE + 1];
    static const char *const names[] = {"elementor-sync.response", "elementor-sync.order-id",
                                        "elementor-sync.detail", "anybodys"};
    struct bench b;
    struct error err = {0};
    (void)state;
    open_bench(&b);
    memset(large, 'x', LARGE);
    rd_kafka_headers_t *headers = rd_kafka_headers_new(8);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        rd_kafka_header_add(headers, names[i], -1, large, LARGE);
    rd_kafka_header_add(headers, "elementor-sync.reason", -1, "http:422", -1);
    rd_kafka_header_add(headers, "elementor-sync.offset", -1, "4711", -1);
    rd_kafka_header_add(headers, "elementor-sync.webhook-id", -1, "msg_1", -1);
    const struct publication publication = {.topic = CLUSTER_TOPIC,
                                            .partition = 0,
                                            .key = large,
                                            .key_len = LARGE,
                                            .value = large,
                                            .value_len = LARGE,
                                            .headers = headers,
                                            .deadline_ms = -1,
                                            .value_optional = true};
    assert_true(publisher_put(b.publisher, &publication, note, &b, &err));
    int64_t deadline_ms = clock_mono_ms() + PATIENCE_MS;
    while (!b.called) {
        assert_true(clock_mono_ms() < deadline_ms);
        publisher_turn(b.publisher, clock_mono_ms());
        usleep(1000);
    }
    assert_true(b.acknowledged);
    close_bench(&b);
}

/* The next one of its kind says more by then. */
static void what_nobody_waits_for_is_not_tried_again(void **state)
{
    static char large[LARGE];
    struct bench b;
    struct error err = {0};
    (void)state;
    open_bench(&b);
    const struct publication publication = {.topic = CLUSTER_TOPIC,
                                            .partition = 0,
                                            .value = large,
                                            .value_len = LARGE,
                                            .deadline_ms = -1};
    assert_true(publisher_put(b.publisher, &publication, NULL, NULL, &err));
    assert_int_equal(publisher_turn(b.publisher, clock_mono_ms()), -1);
    assert_true(publisher_put(b.publisher, &publication, note, &b, &err)); /* this one is */
    assert_true(publisher_turn(b.publisher, clock_mono_ms()) >= 0);
    close_bench(&b);
    assert_true(b.called && !b.acknowledged);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_whose_own_headers_are_too_long_is_published),
        cmocka_unit_test(what_nobody_waits_for_is_not_tried_again),
    };
    return cmocka_run_group_tests_name("publisher", tests, NULL, NULL);
}
