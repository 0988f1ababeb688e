#include "topics/retry_record.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define PREFIX "elementor-sync."

bool retry_request_new(char ret[RETRY_REQUEST_MAX], struct error *err)
{
    unsigned char bytes[(RETRY_REQUEST_MAX - 1) / 2];
    if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes)
        return error_set(err, ERROR_FAILED, "getrandom failed: %s", strerror(errno));
    for (size_t i = 0; i < sizeof bytes; i++)
        snprintf(ret + 2 * i, 3, "%02x", bytes[i]);
    return true;
}

/* ---- reading a parked record ---- */

static struct slice header(const rd_kafka_headers_t *headers, const char *name)
{
    const void *value;
    size_t size;
    if (rd_kafka_header_get_last(headers, name, &value, &size) != RD_KAFKA_RESP_ERR_NO_ERROR ||
        value == NULL)
        return (struct slice){0};
    return (struct slice){value, size}; /* librdkafka puts a NUL behind every value */
}

static bool number(const rd_kafka_headers_t *headers, const char *name, int64_t max, int64_t *ret)
{
    char *end;
    struct slice text = header(headers, name);
    if (text.len == 0 || text.len > 19 || strspn(text.data, "0123456789") != text.len)
        return false;
    errno = 0;
    *ret = strtoll(text.data, &end, 10);
    return errno == 0 && *ret <= max;
}

static bool is(struct slice text, const char *word)
{
    return text.len == strlen(word) && memcmp(text.data, word, text.len) == 0;
}

static bool was_judged(const rd_kafka_headers_t *headers)
{
    struct slice judged = header(headers, PREFIX "judged"), class = header(headers, PREFIX "class");
    return judged.len > 0 ? is(judged, "yes") : class.len > 0 && !is(class, "undecodable");
}

bool retry_order_of_parked(const rd_kafka_message_t *m, struct retry_order *ret,
                           const char **ret_why)
{
    rd_kafka_headers_t *headers;
    int64_t partition, offset, timestamp_ms;
    *ret_why = "the parked record does not say where it comes from";
    if (rd_kafka_message_headers(m, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return false;
    struct slice topic = header(headers, PREFIX "topic");
    if (topic.len == 0 || strlen(topic.data) != topic.len ||
        !number(headers, PREFIX "partition", INT32_MAX, &partition) ||
        !number(headers, PREFIX "offset", INT64_MAX, &offset))
        return false;
    if (!number(headers, PREFIX "timestamp", INT64_MAX, &timestamp_ms))
        timestamp_ms = -1;
    *ret = (struct retry_order){.topic = topic.data,
                                .partition = (int32_t)partition,
                                .offset = offset,
                                .timestamp_ms = timestamp_ms,
                                .key = {m->key, m->key_len},
                                .value = {m->payload, m->len},
                                .headers = headers,
                                .order = header(headers, PREFIX "order-id"),
                                .judged = was_judged(headers)};
    return true;
}

/* ---- writing ---- */

static void add(rd_kafka_headers_t *headers, const char *name, struct slice value)
{
    if (value.len > 0)
        rd_kafka_header_add(headers, name, -1, value.data, (ssize_t)value.len);
}

static void add_number(rd_kafka_headers_t *headers, const char *name, int64_t value)
{
    char text[24];
    if (value < 0)
        return;
    snprintf(text, sizeof text, "%" PRId64, value);
    add(headers, name, slice_of(text));
}

static rd_kafka_headers_t *originals(const rd_kafka_headers_t *from)
{
    const char *name;
    const void *value;
    size_t size;
    rd_kafka_headers_t *headers = rd_kafka_headers_new(16);
    for (size_t i = 0; from != NULL && rd_kafka_header_get_all(from, i, &name, &value, &size) ==
                                           RD_KAFKA_RESP_ERR_NO_ERROR;
         i++)
        if (strncmp(name, PREFIX, strlen(PREFIX)) != 0)
            rd_kafka_header_add(headers, name, -1, value, (ssize_t)size);
    return headers;
}

bool retry_write(struct publisher *publisher, const struct config *config,
                 const struct retry_order *order, const char *source, const char *request,
                 int64_t deadline_ms, publisher_done *done, void *context, struct error *err)
{
    rd_kafka_headers_t *headers = originals(order->headers);
    add(headers, PREFIX "group", slice_of(config->kafka_group));
    add(headers, PREFIX "topic", slice_of(order->topic));
    add_number(headers, PREFIX "partition", order->partition);
    add_number(headers, PREFIX "offset", order->offset);
    add_number(headers, PREFIX "timestamp", order->timestamp_ms);
    add(headers, PREFIX "source", slice_of(source));
    add(headers, PREFIX "request", slice_of(request));
    add(headers, PREFIX "order", order->order);
    add(headers, PREFIX "judged", slice_of(order->judged ? "yes" : "no"));
    add(headers, PREFIX "forced", slice_of(order->forced ? "yes" : "no"));
    const struct publication publication = {.topic = config->retry_topic,
                                            .partition = order->partition,
                                            .key = order->key.data,
                                            .key_len = order->key.len,
                                            .value = order->value.data,
                                            .value_len = order->value.len,
                                            .headers = headers,
                                            .deadline_ms = deadline_ms};
    if (publisher_put(publisher, &publication, done, context, err))
        return true;
    rd_kafka_headers_destroy(headers);
    return false;
}
