#include "kafka/message.h"

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

rd_kafka_headers_t *kafka_headers(const rd_kafka_message_t *message)
{
    rd_kafka_headers_t *headers;
    return rd_kafka_message_headers(message, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR ? headers
                                                                                     : NULL;
}

static bool find(const rd_kafka_headers_t *headers, const char *name, struct slice *ret)
{
    const void *value;
    size_t len;
    if (headers == NULL ||
        rd_kafka_header_get_last(headers, name, &value, &len) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return false;
    *ret = (struct slice){value, len};
    return true;
}

struct slice kafka_header_in(const rd_kafka_headers_t *headers, const char *name)
{
    struct slice value = {0};
    (void)find(headers, name, &value);
    return value;
}

struct slice kafka_header(const void *message, const char *name)
{
    return kafka_header_in(kafka_headers(message), name);
}

bool kafka_has_header(const void *message, const char *name)
{
    struct slice value;
    return find(kafka_headers(message), name, &value);
}
