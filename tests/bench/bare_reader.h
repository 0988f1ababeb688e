/* bare_reader: a consumer as elementor-sync has it, and nothing else: a queue for each partition,
 * batches without waiting. */
#ifndef BENCH_BARE_READER_H
#define BENCH_BARE_READER_H

#include "bench/clock.h"
#include "tools/tool.h"

#include <librdkafka/rdkafka.h>
#include <stdint.h>
#include <sys/eventfd.h>

enum { BARE_PARTITIONS_MAX = 64, BARE_BATCH = 500 };

struct bare_reader {
    rd_kafka_t *rk;
    rd_kafka_queue_t *queues[BARE_PARTITIONS_MAX];
    int queue_count, next_queue;
    int wake;        /* an eventfd: something came */
    double began_ms; /* when partitions were assigned */
};

static inline void bare_wake_by(struct bare_reader *r, rd_kafka_queue_t *queue)
{
    static const uint64_t one = 1;
    rd_kafka_queue_io_event_enable(queue, r->wake, &one, sizeof one);
}

static inline void bare_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t err,
                                  rd_kafka_topic_partition_list_t *list, void *opaque)
{
    struct bare_reader *r = opaque;
    if (err != RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
        rd_kafka_error_destroy(rd_kafka_incremental_unassign(rk, list));
        return;
    }
    for (int i = 0; i < list->cnt; i++) {
        rd_kafka_queue_t *q =
            rd_kafka_queue_get_partition(rk, list->elems[i].topic, list->elems[i].partition);
        rd_kafka_queue_forward(q, NULL);
        bare_wake_by(r, q);
        list->elems[i].offset = RD_KAFKA_OFFSET_BEGINNING;
        r->queues[r->queue_count++] = q;
    }
    r->began_ms = now_ms();
    rd_kafka_error_destroy(rd_kafka_incremental_assign(rk, list));
}

static inline rd_kafka_t *bare_consumer(struct bare_reader *r, const char *brokers,
                                        const char *group)
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
        need(rd_kafka_conf_set(conf, settings[i][0], settings[i][1], text, sizeof text) ==
                 RD_KAFKA_CONF_OK,
             "configuration", text);
    rd_kafka_conf_set_rebalance_cb(conf, bare_rebalance);
    rd_kafka_conf_set_opaque(conf, r);
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, sizeof text);
    need(rk != NULL, "consumer", text);
    return rk;
}

/* idle_topic: NULL, or one that is empty. Waiting for its records keeps librdkafka 2.0.2 awake,
 * which otherwise sleeps for up to a second where a full queue has room again. */
static inline void bare_subscribe(struct bare_reader *r, const char *brokers, const char *group,
                                  const char *topic, const char *idle_topic)
{
    *r = (struct bare_reader){.wake = eventfd(0, EFD_NONBLOCK)};
    r->rk = bare_consumer(r, brokers, group);
    rd_kafka_poll_set_consumer(r->rk);
    bare_wake_by(r, rd_kafka_queue_get_consumer(r->rk));
    rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(topics, topic, RD_KAFKA_PARTITION_UA);
    if (idle_topic != NULL)
        rd_kafka_topic_partition_list_add(topics, idle_topic, RD_KAFKA_PARTITION_UA);
    rd_kafka_subscribe(r->rk, topics);
    rd_kafka_topic_partition_list_destroy(topics);
}

/* Serves the group: partitions come by this. */
static inline void bare_serve(struct bare_reader *r)
{
    rd_kafka_message_t *m = rd_kafka_consumer_poll(r->rk, 0);
    if (m != NULL)
        rd_kafka_message_destroy(m);
}

/* Reads from the next queue that holds records. Returns their number (the caller destroys them); 0
 * when all queues are empty. */
static inline size_t bare_read(struct bare_reader *r, rd_kafka_message_t *batch[BARE_BATCH])
{
    for (int tried = 0; tried < r->queue_count; tried++) {
        rd_kafka_queue_t *queue = r->queues[r->next_queue++ % r->queue_count];
        ssize_t got = rd_kafka_consume_batch_queue(queue, 0, batch, BARE_BATCH);
        if (got > 0)
            return (size_t)got;
    }
    return 0;
}

#endif
