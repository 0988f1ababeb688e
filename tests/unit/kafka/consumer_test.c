/* consumer_test: the group's member alone, on librdkafka's mock cluster. */
#include "fakes/pipeline_harness.h"
#include "kafka/consumer/consumer_internal.h"
#include "sys/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

enum { AWAITED_MS = 60000, READ_MAX = 64, SLOTS = 4, REFUSED_MAX = 1000 };

struct member {
    struct cluster cluster;
    struct config *config;
    struct consumer *source;
    int fd;
    bool assigned, lost, fatal, holds, revoked, restarted, stopped, committed;
    int32_t held; /* the slot that is revoked and not released yet */
    size_t owned; /* by now */
    int64_t positions[SLOTS];
    struct error err;
    int64_t offsets[READ_MAX];
    size_t read;
};

static void assigned(void *context, int32_t slot, int64_t position, const char *metadata)
{
    struct member *m = context;
    (void)metadata;
    m->owned++;
    m->assigned |= slot == slot_of(0, false);
    m->positions[slot] = position;
}

static void release(void *context, int32_t slot)
{
    struct member *m = context;
    m->revoked = true;
    m->owned--;
    m->held = slot;
    if (!m->holds)
        consumer_release(m->source, slot);
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

static void restarted(void *context, int32_t slot, int64_t position)
{
    struct member *m = context;
    (void)slot, (void)position;
    m->restarted = true;
}

static void stopped(void *context, int32_t slot, const char *why)
{
    struct member *m = context;
    (void)slot, (void)why;
    m->stopped = true;
}

static void note_commit(void *context, int32_t slot, int64_t offset, bool ok, const char *error)
{
    struct member *m = context;
    (void)slot, (void)offset, (void)error;
    m->committed |= ok;
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

static void open_alone(struct member *m, int partitions)
{
    *m = (struct member){.fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)};
    cluster_open(&m->cluster, partitions);
    m->config = config_new();
    set(m, "kafka.brokers", m->cluster.brokers);
    set(m, "kafka.topic", CLUSTER_TOPIC);
    set(m, "kafka.group", "alone");
    set(m, "kafka.start", "earliest");
    set(m, "retry.topic", "elementor-sync.retry");
}

static void join(struct member *m)
{
    struct error err = {0};
    const struct consumer_events events = {.context = m,
                                           .assigned = assigned,
                                           .revoking = release,
                                           .lost = lost,
                                           .committed = note_commit,
                                           .commit_done = note_done,
                                           .at_end = note_slot,
                                           .restarted = restarted,
                                           .stopped = stopped,
                                           .trouble = trouble};
    m->source = consumer_new(m->config, &events, m->fd, &err);
    assert_non_null(m->source);
    assert_true(consumer_subscribe(m->source, &err));
}

static void open_member(struct member *m)
{
    open_alone(m, 1);
    set(m, "kafka.properties.heartbeat.interval.ms", "100");
    join(m);
}

static void turn_until(struct member *m, const bool *what)
{
    for (int64_t deadline = clock_mono_ms() + AWAITED_MS; !*what; usleep(1000)) {
        consumer_turn(m->source);
        assert_true(clock_mono_ms() < deadline);
    }
}

static void close_member(struct member *m)
{
    consumer_close(m->source);
    for (int64_t deadline = clock_mono_ms() + AWAITED_MS; !consumer_closed(m->source);
         usleep(1000)) {
        consumer_turn(m->source);
        assert_true(clock_mono_ms() < deadline);
    }
    consumer_free(m->source);
    config_free(m->config);
    close(m->fd);
    cluster_close(&m->cluster);
}

static void read_until(struct member *m, size_t count)
{
    rd_kafka_message_t *messages[READ_MAX];
    for (int64_t deadline = clock_mono_ms() + AWAITED_MS; m->read < count; usleep(1000)) {
        consumer_turn(m->source);
        size_t got = consumer_read(m->source, slot_of(0, false), messages, READ_MAX - m->read);
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
    rd_kafka_t *rk = consumer_client(m->source);
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

/* Every error that librdkafka calls fatal ends it, those too that this program does not know. */
static void every_fatal_error_is_the_end(void **state)
{
    struct member m;
    (void)state;
    open_member(&m);
    turn_until(&m, &m.assigned);
    rd_kafka_test_fatal_error(consumer_client(m.source), RD_KAFKA_RESP_ERR__INCONSISTENT, "a test");
    turn_until(&m, &m.fatal);
    assert_int_equal(m.err.code, ERROR_FAILED);
    assert_true(m.lost);
    assert_false(consumer_joined(m.source));
    close_member(&m);
}

static void produce_retry(struct member *m)
{
    assert_false(rd_kafka_producev(m->cluster.rk, RD_KAFKA_V_TOPIC("elementor-sync.retry"),
                                   RD_KAFKA_V_PARTITION(0), RD_KAFKA_V_VALUE("x", 1),
                                   RD_KAFKA_V_END));
    assert_false(rd_kafka_flush(m->cluster.rk, AWAITED_MS));
}

/* The retry topic's waiting records were asked of an earlier group of this name. */
static void a_group_that_begins_has_asked_for_no_retries(void **state)
{
    struct member m;
    (void)state;
    open_alone(&m, 1);
    set(&m, "kafka.start", "latest");
    produce(&m, 2);
    produce_retry(&m);
    join(&m);
    consumer_use_retry(m.source, 1);
    turn_until(&m, &m.assigned);
    assert_int_equal(m.positions[slot_of(0, false)], 2);
    assert_int_equal(m.positions[slot_of(0, true)], 1);
    close_member(&m);
}

/* A group that began at the topic's end (".n1") or not: a retry that it has not read is to be done.
 */
static void a_group_that_is_known_reads_its_retries_from_their_beginning(void **state)
{
    static const char *const metadata[] = {"", "1.2..n1"};
    (void)state;
    for (size_t i = 0; i < sizeof metadata / sizeof *metadata; i++) {
        struct member m;
        open_alone(&m, 1);
        set(&m, "kafka.start", "latest");
        produce(&m, 2);
        produce_retry(&m);
        cluster_commit(&m.cluster, "alone", 0, 2, metadata[i]);
        join(&m);
        consumer_use_retry(m.source, 1);
        turn_until(&m, &m.assigned);
        assert_int_equal(m.positions[slot_of(0, false)], 2);
        assert_int_equal(m.positions[slot_of(0, true)], 0);
        close_member(&m);
    }
}

/* The topic was made again, and is read from its beginning; then an offset of the former one is
 * told as lost, while the group has commits in the new one. */
static void what_is_told_late_of_a_former_topic_stops_nothing(void **state)
{
    enum { RECORDS = 5, FAR = 9, LOOKS_MS = 4000 };
    struct member m;
    struct error err = {0};
    (void)state;
    open_member(&m);
    turn_until(&m, &m.assigned);
    produce(&m, RECORDS);
    read_until(&m, RECORDS);
    out_of_range_note(&m.source->lost, slot_of(0, false), RECORDS);
    for (int64_t deadline = clock_mono_ms() + AWAITED_MS; !m.restarted; usleep(1000)) {
        out_of_range_look(&m.source->lost, slot_of(0, false));
        consumer_turn(m.source);
        assert_true(clock_mono_ms() < deadline);
    }
    read_until(&m, 2 * RECORDS);
    const struct consumer_offset commit = {slot_of(0, false), RECORDS, ""};
    assert_true(consumer_commit(m.source, &commit, 1, &err));
    turn_until(&m, &m.committed);
    out_of_range_note(&m.source->lost, slot_of(0, false), FAR);
    for (int64_t end_ms = clock_mono_ms() + LOOKS_MS; clock_mono_ms() < end_ms; usleep(1000)) {
        out_of_range_look(&m.source->lost, slot_of(0, false));
        consumer_turn(m.source);
    }
    assert_false(m.stopped);
    produce(&m, 1);
    read_until(&m, 2 * RECORDS + 1);
    assert_int_equal(m.offsets[2 * RECORDS], RECORDS);
    close_member(&m);
}

/* ---- another member takes some ---- */

static rd_kafka_t *join_as_well(struct member *m)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", m->cluster.brokers, NULL, 0);
    rd_kafka_conf_set(conf, "group.id", "alone", NULL, 0);
    rd_kafka_conf_set(conf, "partition.assignment.strategy", "cooperative-sticky", NULL, 0);
    rd_kafka_conf_set(conf, "session.timeout.ms", "6000", NULL, 0);
    rd_kafka_conf_set(conf, "heartbeat.interval.ms", "100", NULL, 0);
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, NULL, 0);
    rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(topics, CLUSTER_TOPIC, RD_KAFKA_PARTITION_UA);
    assert_int_equal(rd_kafka_subscribe(rk, topics), RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_topic_partition_list_destroy(topics);
    rd_kafka_poll_set_consumer(rk);
    return rk;
}

static void read_and_drop(struct member *m, int32_t slot)
{
    rd_kafka_message_t *messages[READ_MAX];
    for (size_t i = consumer_read(m->source, slot, messages, READ_MAX); i > 0; i--)
        rd_kafka_message_destroy(messages[i - 1]);
}

static void turn_for(struct member *m, int ms)
{
    for (int64_t end_ms = clock_mono_ms() + ms; clock_mono_ms() < end_ms; usleep(1000)) {
        consumer_turn(m->source);
        for (int32_t partition = 0; partition < 2; partition++)
            read_and_drop(m, slot_of(partition, false));
    }
}

static size_t count_of(rd_kafka_t *rk)
{
    rd_kafka_topic_partition_list_t *list;
    assert_int_equal(rd_kafka_assignment(rk, &list), RD_KAFKA_RESP_ERR_NO_ERROR);
    size_t count = (size_t)list->cnt;
    rd_kafka_topic_partition_list_destroy(list);
    return count;
}

/* Once it has a partition: librdkafka before 2.3 aborts where a cooperative member ends that never
 * was given an assignment (#4312). */
static void leave(struct member *m, rd_kafka_t *rk)
{
    m->holds = false;
    for (int64_t deadline = clock_mono_ms() + AWAITED_MS; count_of(rk) == 0;) {
        turn_for(m, 1);
        assert_true(clock_mono_ms() < deadline);
    }
    rd_kafka_consumer_close(rk);
    rd_kafka_destroy(rk);
}

static void read_until_true(struct member *m, const bool *what)
{
    for (int64_t deadline = clock_mono_ms() + AWAITED_MS; !*what; turn_for(m, 1))
        assert_true(clock_mono_ms() < deadline);
}

/* Heartbeats are rare here, so that nothing but the unassignment keeps a commit back. */
static void what_is_given_back_keeps_commits_back(void **state)
{
    enum { QUIET_MS = 300 };
    struct member m;
    (void)state;
    open_alone(&m, 2);
    set(&m, "kafka.properties.session.timeout.ms", "6000");
    set(&m, "kafka.properties.heartbeat.interval.ms", "1500");
    m.holds = true;
    join(&m);
    turn_until(&m, &m.assigned);
    rd_kafka_t *other = join_as_well(&m);
    turn_until(&m, &m.revoked);
    turn_for(&m, QUIET_MS);
    for (int64_t deadline = clock_mono_ms() + AWAITED_MS;
         consumer_commit_wait_ms(m.source, clock_mono_ms()) != 0; turn_for(&m, 1))
        assert_true(clock_mono_ms() < deadline);
    int64_t before_ms = clock_mono_ms();
    consumer_release(m.source, m.held);
    consumer_turn(m.source);
    assert_int_not_equal(consumer_commit_wait_ms(m.source, before_ms), 0);
    leave(&m, other);
    close_member(&m);
}

static void refuse(struct member *m, int16_t question, rd_kafka_resp_err_t code, size_t count)
{
    rd_kafka_resp_err_t codes[REFUSED_MAX];
    for (size_t i = 0; i < count; i++)
        codes[i] = code;
    cluster_settle(&m->cluster);
    rd_kafka_mock_push_request_errors_array(m->cluster.mock, question, count, codes);
    cluster_settle(&m->cluster);
}

/* The broker learns of a topic that was made a moment ago after its clients, as a loaded Kafka 4.1
 * does. */
static void ends_are_asked_for_again(void **state)
{
    enum { IN_MS = 20000 };
    struct member m;
    struct error err = {0};
    int64_t *ends = NULL;
    size_t count = 0;
    (void)state;
    open_alone(&m, 2);
    join(&m);
    turn_until(&m, &m.assigned);
    m.source->assignment.partitions = 2; /* as consumer_start finds */
    refuse(&m, CLUSTER_LIST_OFFSETS, RD_KAFKA_RESP_ERR_UNKNOWN_LEADER_EPOCH, 2);
    if (!consumer_end_offsets(m.source, IN_MS, &ends, &count, &err))
        fail_msg("%s", err.text);
    assert_int_equal(count, 4); /* the retry topic's partitions, too */
    free(ends);
    close_member(&m);
}

/* Of both partitions the next offset is not in the topic, and what it holds is not known before the
 * group takes one of them back. To read on elsewhere, the other is taken away and given again,
 * which librdkafka would take for the answer to the revoke. */
static void nothing_moves_while_a_revoke_waits(void **state)
{
    enum { FETCH = 1, QUIET_MS = 2500 /* two looks at the topic */ };
    struct member m;
    (void)state;
    open_alone(&m, 2);
    set(&m, "kafka.lost_offsets", "earliest");
    set(&m, "kafka.properties.session.timeout.ms", "6000");
    set(&m, "kafka.properties.heartbeat.interval.ms", "100");
    m.holds = true;
    join(&m);
    turn_until(&m, &m.assigned);
    assert_int_equal(m.owned, 2);
    refuse(&m, CLUSTER_LIST_OFFSETS, RD_KAFKA_RESP_ERR_UNKNOWN, REFUSED_MAX);
    refuse(&m, FETCH, RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE, REFUSED_MAX);
    for (int32_t partition = 0; partition < 2; partition++)
        read_until_true(&m, &m.source->assignment.slots[slot_of(partition, false)].lost);
    rd_kafka_mock_clear_request_errors(m.cluster.mock,
                                       FETCH); /* a fetch may have had one of them */
    rd_kafka_t *other = join_as_well(&m);
    read_until_true(&m, &m.revoked);
    assert_false(m.restarted);
    cluster_settle(&m.cluster);
    rd_kafka_mock_clear_request_errors(m.cluster.mock, CLUSTER_LIST_OFFSETS);
    turn_for(&m, QUIET_MS);
    assert_false(m.restarted);
    assert_int_equal(count_of(other), 0);
    consumer_release(m.source, m.held);
    read_until_true(&m, &m.restarted);
    assert_int_equal(m.owned, 1);
    leave(&m, other);
    close_member(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_comes_by_the_wrong_queue_is_read_in_its_turn),
        cmocka_unit_test(every_fatal_error_is_the_end),
        cmocka_unit_test(a_group_that_begins_has_asked_for_no_retries),
        cmocka_unit_test(a_group_that_is_known_reads_its_retries_from_their_beginning),
        cmocka_unit_test(what_is_told_late_of_a_former_topic_stops_nothing),
        cmocka_unit_test(what_is_given_back_keeps_commits_back),
        cmocka_unit_test(ends_are_asked_for_again),
        cmocka_unit_test(nothing_moves_while_a_revoke_waits),
    };
    return pipeline_harness_main("consumer", tests, sizeof tests / sizeof *tests);
}
