#include "kafka/batch.h"

enum { ENDS_COUNT_SINCE = 0x02020000 };

static size_t one_by_one(rd_kafka_queue_t *queue, rd_kafka_message_t **messages, size_t max)
{
    size_t count = 0;
    while (count < max && (messages[count] = rd_kafka_consume_queue(queue, 0)) != NULL)
        count++;
    return count;
}

size_t kafka_batch(rd_kafka_queue_t *queue, rd_kafka_message_t **messages, size_t max)
{
    if (rd_kafka_version() >= ENDS_COUNT_SINCE)
        return one_by_one(queue, messages, max);
    ssize_t got = rd_kafka_consume_batch_queue(queue, 0, messages, max);
    return got > 0 ? (size_t)got : 0;
}
