#include "topics/park_order.h"

#include "base/utf8.h"
#include "kafka/header.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX "elementor-sync."
#define UNTIL PREFIX "park-until"

/* A header as text; NULL: none, or no text. librdkafka puts a NUL behind every value. */
static const char *text(const rd_kafka_message_t *m, const char *name)
{
    struct slice value = kafka_header(m, name);
    bool is_text =
        value.len > 0 && strlen(value.data) == value.len && utf8_is_valid(value.data, value.len);
    return is_text ? value.data : NULL;
}

static bool number(const rd_kafka_message_t *m, const char *name, int64_t max, int64_t *ret)
{
    const char *digits = text(m, name);
    if (digits == NULL || digits[strspn(digits, "0123456789")] != '\0')
        return false;
    errno = 0;
    *ret = strtoll(digits, NULL, 10);
    return errno == 0 && *ret <= max;
}

bool park_order_is(const rd_kafka_message_t *m)
{
    return kafka_has_header(m, UNTIL);
}

bool park_order_read(const rd_kafka_message_t *m, struct park_order *ret)
{
    int64_t partition;
    const char *reason = text(m, PREFIX "park-reason"), *request = text(m, PREFIX "request");
    *ret = (struct park_order){.topic = text(m, PREFIX "topic"),
                               .reason = reason != NULL ? reason : "",
                               .request = request != NULL ? request : ""};
    if (ret->topic == NULL || !number(m, PREFIX "partition", INT32_MAX, &partition) ||
        !number(m, PREFIX "offset", INT64_MAX, &ret->from) ||
        !number(m, UNTIL, INT64_MAX, &ret->until))
        return false;
    ret->partition = (int32_t)partition;
    return ret->from < ret->until;
}

static void add(rd_kafka_headers_t *headers, const char *name, const char *value)
{
    rd_kafka_header_add(headers, name, -1, value, -1);
}

static void add_number(rd_kafka_headers_t *headers, const char *name, int64_t value)
{
    char digits[24];
    snprintf(digits, sizeof digits, "%" PRId64, value);
    add(headers, name, digits);
}

bool park_order_write(struct publisher *publisher, const struct config *config,
                      const struct park_order *order, int64_t deadline_ms, publisher_done *done,
                      void *context, struct error *err)
{
    static const char value[] = "park"; /* one without a value would be a tombstone */
    rd_kafka_headers_t *headers = rd_kafka_headers_new(8);
    add(headers, PREFIX "group", config->kafka_group);
    add(headers, PREFIX "topic", order->topic);
    add_number(headers, PREFIX "partition", order->partition);
    add_number(headers, PREFIX "offset", order->from);
    add_number(headers, UNTIL, order->until);
    add(headers, PREFIX "park-reason", order->reason);
    add(headers, PREFIX "request", order->request);
    const struct publication publication = {.topic = config->retry_topic,
                                            .partition = order->partition,
                                            .value = value,
                                            .value_len = sizeof value - 1,
                                            .headers = headers,
                                            .deadline_ms = deadline_ms};
    if (publisher_put(publisher, &publication, done, context, err))
        return true;
    rd_kafka_headers_destroy(headers);
    return false;
}
