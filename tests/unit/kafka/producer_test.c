/* producer_test: the topics that it knows, and what becomes of them and of a lent client when it is
 * replaced. */
#include "kafka/producer/producer.h"

#include "fakes/cluster.h"
#include "sys/log.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

enum { PATIENCE_MS = 20000, KNOW_MS = 5000 };

struct setting {
    struct cluster cluster;
    struct config *config;
    int wake_fd;
    struct producer producer;
};

static int set_up(void **state)
{
    static struct setting setting;
    struct error err = {0};
    setting = (struct setting){.wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)};
    log_setup(LOG_ERROR, false);
    cluster_open(&setting.cluster, 1);
    setting.config = config_new();
    assert_true(config_set(setting.config, "kafka.brokers", setting.cluster.brokers, "test", &err));
    assert_true(producer_open(&setting.producer, setting.config, setting.wake_fd, &err));
    *state = &setting;
    return 0;
}

static int tear_down(void **state)
{
    struct setting *s = *state;
    producer_close(&s->producer);
    config_free(s->config);
    cluster_close(&s->cluster);
    close(s->wake_fd);
    return 0;
}

/* Until the brokers have acknowledged it: told by the eventfd, and by an event of the queue. */
static void write_one(struct setting *s, rd_kafka_topic_t *topic)
{
    struct pollfd fd = {.fd = s->wake_fd, .events = POLLIN};
    uint64_t count;
    bool acknowledged = false;
    assert_int_equal(rd_kafka_produce(topic, 0, RD_KAFKA_MSG_F_COPY, "v", 1, "k", 1, NULL), 0);
    while (!acknowledged) {
        assert_int_equal(poll(&fd, 1, PATIENCE_MS), 1);
        (void)!read(s->wake_fd, &count, sizeof count);
        for (rd_kafka_event_t *e; (e = rd_kafka_queue_poll(s->producer.queue, 0)) != NULL;) {
            if (rd_kafka_event_type(e) == RD_KAFKA_EVENT_DR) {
                const rd_kafka_message_t *m = rd_kafka_event_message_next(e);
                assert_int_equal(m->err, RD_KAFKA_RESP_ERR_NO_ERROR);
                acknowledged = true;
            }
            rd_kafka_event_destroy(e);
        }
    }
}

static void known_topics_are_remembered_up_to_the_bound(void **state)
{
    struct setting *s = *state;
    static const char *const names[] = {CLUSTER_TOPIC, CLUSTER_PARKED, "elementor-sync.retry",
                                        "elementor-sync.members", "elementor-sync.deliveries"};
    assert_null(producer_topic(&s->producer, CLUSTER_TOPIC));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        producer_know(&s->producer, names[i], KNOW_MS);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        rd_kafka_topic_t *topic = producer_topic(&s->producer, names[i]);
        if (i < PRODUCER_TOPICS_MAX)
            assert_string_equal(rd_kafka_topic_name(topic), names[i]);
        else
            assert_null(topic);
    }
}

static void record_is_acknowledged(void **state)
{
    struct setting *s = *state;
    producer_know(&s->producer, CLUSTER_TOPIC, KNOW_MS);
    write_one(s, producer_topic(&s->producer, CLUSTER_TOPIC));
}

static void replacement_knows_the_same_topics(void **state)
{
    struct setting *s = *state;
    producer_know(&s->producer, CLUSTER_TOPIC, KNOW_MS);
    rd_kafka_topic_t *before = producer_topic(&s->producer, CLUSTER_TOPIC);
    assert_true(producer_replace(&s->producer));
    rd_kafka_topic_t *after = producer_topic(&s->producer, CLUSTER_TOPIC);
    assert_non_null(after);
    assert_ptr_not_equal(after, before);
    assert_null(s->producer.former);
    write_one(s, after);
}

static void lent_client_outlives_replacements(void **state)
{
    struct setting *s = *state;
    const struct rd_kafka_metadata *metadata;
    rd_kafka_t *lent = producer_lend(&s->producer);
    assert_ptr_equal(lent, s->producer.rk);
    assert_true(producer_replace(&s->producer));
    assert_ptr_not_equal(lent, s->producer.rk);
    assert_true(producer_replace(&s->producer)); /* this one was not lent */
    assert_int_equal(rd_kafka_metadata(lent, 0, NULL, &metadata, PATIENCE_MS),
                     RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_metadata_destroy(metadata);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(known_topics_are_remembered_up_to_the_bound),
        TEST(record_is_acknowledged),
        TEST(replacement_knows_the_same_topics),
        TEST(lent_client_outlives_replacements),
    };
    return cmocka_run_group_tests_name("producer", tests, NULL, NULL);
}
