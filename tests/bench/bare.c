/* bare: the best bare librdkafka loop we know: a queue for each partition, batches without waiting,
 * epoll between; no decoding, no commits. What elementor-sync's reading is measured against.
 *
 *   bench_bare BROKERS TOPIC GROUP RECORDS      reads so many; prints records and milliseconds
 *
 * It counts records instead of awaiting the partitions' ends: those come half a second late. */
#include "tools/tool.h"

#include <librdkafka/rdkafka.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum { PARTITIONS_MAX = 64, BATCH = 500 };

static rd_kafka_queue_t *queues[PARTITIONS_MAX];
static int queue_count, wake;
static double began_ms;

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t err,
                      rd_kafka_topic_partition_list_t *list, void *opaque)
{
    static const uint64_t one = 1;
    (void)opaque;
    if (err != RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
        rd_kafka_error_destroy(rd_kafka_incremental_unassign(rk, list));
        return;
    }
    for (int i = 0; i < list->cnt; i++) {
        rd_kafka_queue_t *q =
            rd_kafka_queue_get_partition(rk, list->elems[i].topic, list->elems[i].partition);
        rd_kafka_queue_forward(q, NULL);
        rd_kafka_queue_io_event_enable(q, wake, &one, sizeof one);
        list->elems[i].offset = RD_KAFKA_OFFSET_BEGINNING;
        queues[queue_count++] = q;
    }
    began_ms = now_ms();
    rd_kafka_error_destroy(rd_kafka_incremental_assign(rk, list));
}

static rd_kafka_t *consumer(const char *brokers, const char *group)
{
    const char *const settings[][2] = {{"bootstrap.servers", brokers},
                                       {"group.id", group},
                                       {"enable.auto.commit", "false"},
                                       {"enable.auto.offset.store", "false"},
                                       {"partition.assignment.strategy", "cooperative-sticky"},
                                       {"queued.max.messages.kbytes", "2560"},
                                       {"fetch.message.max.bytes", "1100000"},
                                       {"fetch.wait.max.ms", "25"}};
    char text[512];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        if (rd_kafka_conf_set(conf, settings[i][0], settings[i][1], text, sizeof text))
            die("configuration", text);
    rd_kafka_conf_set_rebalance_cb(conf, rebalance);
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, sizeof text);
    if (rk == NULL)
        die("consumer", text);
    rd_kafka_poll_set_consumer(rk);
    return rk;
}

/* Everything one queue holds now; how many records. */
static long drain(rd_kafka_queue_t *queue)
{
    rd_kafka_message_t *batch[BATCH];
    long records = 0;
    ssize_t got = rd_kafka_consume_batch_queue(queue, 0, batch, BATCH);
    for (ssize_t i = 0; i < got; i++) {
        records += batch[i]->err == RD_KAFKA_RESP_ERR_NO_ERROR;
        rd_kafka_message_destroy(batch[i]);
    }
    return records;
}

static void wait_for_more(void)
{
    struct pollfd fd = {wake, POLLIN, 0};
    uint64_t count;
    if (poll(&fd, 1, 1000) > 0 && read(wake, &count, sizeof count) < 0)
        die("eventfd", "none");
}

int main(int argc, char **argv)
{
    static const uint64_t one = 1;
    if (argc != 5)
        die("usage", "bench_bare BROKERS TOPIC GROUP RECORDS");
    wake = eventfd(0, EFD_NONBLOCK);
    rd_kafka_t *rk = consumer(argv[1], argv[3]);
    rd_kafka_queue_t *main_queue = rd_kafka_queue_get_consumer(rk);
    rd_kafka_queue_io_event_enable(main_queue, wake, &one, sizeof one);
    rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(topics, argv[2], RD_KAFKA_PARTITION_UA);
    rd_kafka_subscribe(rk, topics);
    long records = 0, wanted = atol(argv[4]);
    while (records < wanted) {
        rd_kafka_message_t *m = rd_kafka_consumer_poll(rk, 0);
        if (m != NULL)
            rd_kafka_message_destroy(m);
        long before = records;
        for (int i = 0; i < queue_count; i++)
            records += drain(queues[i]);
        if (records == before)
            wait_for_more();
    }
    printf("%ld %.3f\n", records, now_ms() - began_ms);
    fflush(stdout);
    _exit(0); /* what leaving the group costs is not measured */
}
