/* tail: a bare consumer that notes when it has each record in hand: what the time from the fetch to
 * the request is measured from.
 *
 *   bench_tail BROKERS TOPIC PARTITIONS COUNT      prints "microseconds partition offset" so often
 */
#include "tools/tool.h"

#include <librdkafka/rdkafka.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static long long now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (long long)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int main(int argc, char **argv)
{
    char text[512];
    need(argc == 4, "usage", "bench_tail BROKERS TOPIC PARTITIONS");
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", argv[1], NULL, 0);
    rd_kafka_conf_set(conf, "group.id", "bench-tail", NULL, 0);
    rd_kafka_conf_set(conf, "enable.auto.commit", "false", NULL, 0);
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, sizeof text);
    need(rk != NULL, "consumer", text);
    rd_kafka_poll_set_consumer(rk);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    for (int i = 0; i < atoi(argv[3]); i++)
        rd_kafka_topic_partition_list_add(list, argv[2], i)->offset = RD_KAFKA_OFFSET_BEGINNING;
    need(rd_kafka_assign(rk, list) == RD_KAFKA_RESP_ERR_NO_ERROR, "assign", "refused");
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (;;) {
        rd_kafka_message_t *m = rd_kafka_consumer_poll(rk, 1000);
        if (m == NULL)
            continue;
        if (m->err == RD_KAFKA_RESP_ERR_NO_ERROR)
            printf("%lld %d %lld\n", now_us(), m->partition, (long long)m->offset);
        rd_kafka_message_destroy(m);
    }
}
