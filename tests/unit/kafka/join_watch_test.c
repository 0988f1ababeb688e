/* join_watch_test: when a member must not commit. */
#include "fakes/pipeline_harness.h"
#include "kafka/consumer/join_watch.h"
#include "sys/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

enum { AWAITED_MS = 20000 };

struct member {
    struct cluster cluster;
    struct join_watch watch;
    rd_kafka_t *rk;
    int fd;
};

static void open_member(struct member *m)
{
    char text[256];
    cluster_open(&m->cluster, 2);
    m->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", m->cluster.brokers, text, sizeof text);
    rd_kafka_conf_set(conf, "group.id", "watched", text, sizeof text);
    rd_kafka_conf_set(conf, "partition.assignment.strategy", "cooperative-sticky", text,
                      sizeof text);
    rd_kafka_conf_set(conf, "heartbeat.interval.ms", "100", text, sizeof text);
    join_watch_add(conf, &m->watch, m->fd);
    m->rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, sizeof text);
    assert_non_null(m->rk);
    rd_kafka_poll_set_consumer(m->rk);
}

static void subscribe(struct member *m)
{
    rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(topics, CLUSTER_TOPIC, RD_KAFKA_PARTITION_UA);
    assert_int_equal(rd_kafka_subscribe(m->rk, topics), 0);
    rd_kafka_topic_partition_list_destroy(topics);
}

static void close_member(struct member *m)
{
    rd_kafka_consumer_close(m->rk);
    rd_kafka_destroy(m->rk);
    close(m->fd);
    cluster_close(&m->cluster);
}

static int64_t wait_ms(const struct member *m)
{
    return join_watch_wait_ms(&m->watch, clock_mono_ms());
}

static bool must_be_woken(int64_t ms)
{
    return ms < 0;
}
static bool must_not_wait_for_others(int64_t ms)
{
    return ms >= 0;
}
static bool must_wait_a_little(int64_t ms)
{
    return ms > 0;
}
static bool may_commit(int64_t ms)
{
    return ms == 0;
}

static void await(struct member *m, bool (*is_wanted)(int64_t wait_ms))
{
    for (int64_t deadline = clock_mono_ms() + AWAITED_MS; !is_wanted(wait_ms(m));) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(m->rk, 1);
        if (message != NULL)
            rd_kafka_message_destroy(message);
        assert_true(clock_mono_ms() < deadline);
    }
}

static void a_member_that_joins_does_not_commit(void **state)
{
    struct member m;
    uint64_t count;
    (void)state;
    open_member(&m);
    assert_int_equal(wait_ms(&m), 0);
    subscribe(&m);
    await(&m, must_be_woken);
    assert_int_equal(read(m.fd, &count, sizeof count), -1);
    await(&m, must_not_wait_for_others);
    await(&m, may_commit);
    assert_int_equal(read(m.fd, &count, sizeof count), sizeof count);
    close_member(&m);
}

static void a_heartbeat_may_begin_it(void **state)
{
    struct member m;
    uint64_t count;
    (void)state;
    open_member(&m);
    subscribe(&m);
    await(&m, must_be_woken);
    await(&m, may_commit);
    while (read(m.fd, &count, sizeof count) > 0)
        ;
    await(&m, must_wait_a_little);
    await(&m, may_commit); /* nothing came of it */
    assert_int_equal(read(m.fd, &count, sizeof count), sizeof count);
    close_member(&m);
}

static void so_does_giving_back(void **state)
{
    struct member m;
    (void)state;
    open_member(&m);
    join_watch_expect(&m.watch);
    assert_true(must_wait_a_little(wait_ms(&m)));
    assert_int_equal(join_watch_wait_ms(&m.watch, clock_mono_ms() + 1001), 0); /* not for ever */
    close_member(&m);
}

static void nobody_is_woken_after_the_end(void **state)
{
    struct member m;
    uint64_t count;
    (void)state;
    open_member(&m);
    join_watch_end(&m.watch);
    subscribe(&m);
    await(&m, must_be_woken);
    await(&m, may_commit);
    assert_int_equal(read(m.fd, &count, sizeof count), -1);
    close_member(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_member_that_joins_does_not_commit),
        cmocka_unit_test(a_heartbeat_may_begin_it),
        cmocka_unit_test(so_does_giving_back),
        cmocka_unit_test(nobody_is_woken_after_the_end),
    };
    return pipeline_harness_main("join_watch", tests, sizeof tests / sizeof *tests);
}
