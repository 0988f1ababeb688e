#include "topics/park_order.h"

#include "kafka/message.h"
#include "kafka/own_headers.h"

bool park_order_is(const rd_kafka_message_t *m)
{
    return own_header_there(kafka_headers(m), OWN_PARK_UNTIL);
}

bool park_order_read(const rd_kafka_message_t *m, struct park_order *ret)
{
    const rd_kafka_headers_t *headers = kafka_headers(m);
    const char *reason = own_header_text(headers, OWN_PARK_REASON),
               *request = own_header_text(headers, OWN_REQUEST);
    int64_t partition;
    *ret = (struct park_order){.topic = own_header_text(headers, OWN_TOPIC),
                               .reason = reason != NULL ? reason : "",
                               .request = request != NULL ? request : ""};
    if (ret->topic == NULL || !own_header_number(headers, OWN_PARTITION, INT32_MAX, &partition) ||
        !own_header_number(headers, OWN_OFFSET, INT64_MAX, &ret->from) ||
        !own_header_number(headers, OWN_PARK_UNTIL, INT64_MAX, &ret->until))
        return false;
    ret->partition = (int32_t)partition;
    return ret->from < ret->until;
}

bool park_order_write(struct publisher *publisher, const struct config *config,
                      const struct park_order *order, int64_t deadline_ms, publisher_done *done,
                      void *context, struct error *err)
{
    static const char value[] = "park"; /* one without a value would be a tombstone */
    rd_kafka_headers_t *headers = rd_kafka_headers_new(8);
    own_header_add(headers, OWN_GROUP, slice_of(config->kafka_group));
    own_header_add(headers, OWN_TOPIC, slice_of(order->topic));
    own_header_add_number(headers, OWN_PARTITION, order->partition);
    own_header_add_number(headers, OWN_OFFSET, order->from);
    own_header_add_number(headers, OWN_PARK_UNTIL, order->until);
    own_header_add(headers, OWN_PARK_REASON, slice_of(order->reason));
    own_header_add(headers, OWN_REQUEST, slice_of(order->request));
    const struct publication publication = {.topic = config->retry_topic,
                                            .partition = order->partition,
                                            .value = value,
                                            .value_len = sizeof value - 1,
                                            .headers = headers,
                                            .deadline_ms = deadline_ms};
    return publisher_put(publisher, &publication, done, context, err);
}
