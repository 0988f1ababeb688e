/* source_test: the group's member alone, on librdkafka's mock cluster. */
#include "edge/clock.h"
#include "edge/source.h"
#include "fakes/cluster.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

enum { AWAITED_MS = 20000, READ_MAX = 64 };

struct member {
    struct cluster cluster;
    struct config *config;
    struct source *source;
    int fd;
    bool assigned, lost, fatal;
    struct error err;
    int64_t offsets[READ_MAX];
    size_t read;
};

static void assigned(void *context, int32_t slot, int64_t position, const char *metadata)
{
    struct member *m = context;
    (void)position, (void)metadata;
    m->assigned |= slot == slot_of(0, false);
}

static void release(void *context, int32_t slot)
{
    struct member *m = context;
    source_release(m->source, slot);
}

static void lost(void *context, int32_t slot)
{
    struct member *m = context;
    m->lost |= slot == slot_of(0, false);
}

static void note_slot(void *context, int32_t slot)
{
    (void)context, (void)slot;
}

static void note_commit(void *context, int32_t slot, int64_t offset, bool ok, const char *error)
{
    (void)context, (void)slot, (void)offset, (void)ok, (void)error;
}

static void note_done(void *context)
{
    (void)context;
}

static void trouble(void *context, const struct error *err, bool fatal)
{
    struct member *m = context;
    if (!fatal || m->fatal)
        return;
    m->fatal = true;
    m->err = *err;
}

static void set(struct member *m, const char *name, const char *value)
{
    struct error err = {0};
    assert_true(config_set(m->config, name, value, "test", &err));
}

static void open_member(struct member *m)
{
    struct error err = {0};
    *m = (struct member){.fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)};
    cluster_open(&m->cluster, 1);
    m->config = config_new();
    set(m, "kafka.brokers", m->cluster.brokers);
    set(m, "kafka.topic", CLUSTER_TOPIC);
    set(m, "kafka.group", "alone");
    set(m, "kafka.start", "earliest");
    set(m, "kafka.properties.heartbeat.interval.ms", "100");
    const struct source_events events = {.context = m,
                                         .assigned = assigned,
                                         .revoking = release,
                                         .lost = lost,
                                         .committed = note_commit,
                                         .commit_done = note_done,
                                         .at_end = note_slot,
                                         .trouble = trouble};
    m->source = source_new(m->config, &events, m->fd, &err);
    assert_non_null(m->source);
    assert_true(source_subscribe(m->source, &err));
}

static void turn_until(struct member *m, const bool *what)
{
    for (int64_t deadline = clock_mono_ms() + AWAITED_MS; !*what; usleep(1000)) {
        source_turn(m->source);
        assert_true(clock_mono_ms() < deadline);
    }
}

static void close_member(struct member *m)
{
    source_close(m->source);
    for (int64_t deadline = clock_mono_ms() + AWAITED_MS; !source_closed(m->source); usleep(1000)) {
        source_turn(m->source);
        assert_true(clock_mono_ms() < deadline);
    }
    source_free(m->source);
    config_free(m->config);
    close(m->fd);
    cluster_close(&m->cluster);
}

static void read_until(struct member *m, size_t count)
{
    rd_kafka_message_t *messages[READ_MAX];
    for (int64_t deadline = clock_mono_ms() + AWAITED_MS; m->read < count; usleep(1000)) {
        source_turn(m->source);
        size_t got = source_read(m->source, slot_of(0, false), messages, READ_MAX - m->read);
        for (size_t i = 0; i < got; i++) {
            m->offsets[m->read++] = messages[i]->offset;
            rd_kafka_message_destroy(messages[i]);
        }
        assert_true(clock_mono_ms() < deadline);
    }
}

static void produce(struct member *m, size_t count)
{
    for (size_t i = 0; i < count; i++)
        cluster_produce(&m->cluster, 0, "x", 1);
}

/* As after librdkafka made the partition another object: what is fetched from here on comes by the
 * consumer's own queue. */
static void misdirect(struct member *m)
{
    rd_kafka_t *rk = source_client(m->source);
    rd_kafka_queue_t *own = rd_kafka_queue_get_partition(rk, CLUSTER_TOPIC, 0);
    rd_kafka_queue_t *consumers = rd_kafka_queue_get_consumer(rk);
    rd_kafka_queue_forward(own, consumers);
    rd_kafka_queue_destroy(consumers);
    rd_kafka_queue_destroy(own);
}

static void what_comes_by_the_wrong_queue_is_read_in_its_turn(void **state)
{
    enum { EACH = 5, ROUNDS = 4 };
    struct member m;
    (void)state;
    open_member(&m);
    turn_until(&m, &m.assigned);
    for (size_t round = 1; round <= ROUNDS; round++) {
        produce(&m, EACH);
        misdirect(&m);
        produce(&m, EACH);
        read_until(&m, round * 2 * EACH);
    }
    for (size_t i = 0; i < m.read; i++)
        assert_int_equal(m.offsets[i], i);
    close_member(&m);
}

/* Whatever librdkafka calls fatal, not only what this program knows. */
static void every_fatal_error_is_the_end(void **state)
{
    struct member m;
    (void)state;
    open_member(&m);
    turn_until(&m, &m.assigned);
    rd_kafka_test_fatal_error(source_client(m.source), RD_KAFKA_RESP_ERR__INCONSISTENT, "a test");
    turn_until(&m, &m.fatal);
    assert_int_equal(m.err.code, ERROR_FAILED);
    assert_true(m.lost);
    assert_false(source_joined(m.source));
    close_member(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_comes_by_the_wrong_queue_is_read_in_its_turn),
        cmocka_unit_test(every_fatal_error_is_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
