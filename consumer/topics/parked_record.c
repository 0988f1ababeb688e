#include "topics/parked_record.h"

#include <inttypes.h>
#include <stdio.h>

#define PREFIX "elementor-sync."

static void add(rd_kafka_headers_t *headers, const char *name, struct slice value)
{
    if (value.data != NULL && value.len > 0)
        rd_kafka_header_add(headers, name, -1, value.data, (ssize_t)value.len);
}

static void add_number(rd_kafka_headers_t *headers, const char *name, int64_t number)
{
    char text[24];
    if (number < 0)
        return;
    snprintf(text, sizeof text, "%" PRId64, number);
    rd_kafka_header_add(headers, name, -1, text, -1);
}

/* The original headers and ours behind them. */
static rd_kafka_headers_t *headers_of(const struct parked_record *r)
{
    rd_kafka_headers_t *h =
        r->headers != NULL ? rd_kafka_headers_copy(r->headers) : rd_kafka_headers_new(16);
    add(h, PREFIX "reason", slice_of(r->reason));
    add(h, PREFIX "detail", slice_of(r->detail));
    add(h, PREFIX "class", slice_of(r->class));
    add(h, PREFIX "group", slice_of(r->group));
    add(h, PREFIX "judged", slice_of(r->judged ? "yes" : "no"));
    add(h, PREFIX "topic", slice_of(r->topic));
    add_number(h, PREFIX "partition", r->partition);
    add_number(h, PREFIX "offset", r->offset);
    add_number(h, PREFIX "timestamp", r->timestamp_ms);
    add_number(h, PREFIX "schema-id", r->schema_id);
    add(h, PREFIX "order-id", r->order_id);
    add(h, PREFIX "order-number", r->order_number);
    add(h, PREFIX "webhook-id", slice_of(r->webhook_id));
    add(h, PREFIX "source", slice_of(r->source));
    add_number(h, PREFIX "status", r->status > 0 ? r->status : -1);
    add(h, PREFIX "response", r->response);
    add_number(h, PREFIX "attempts", r->attempts);
    add_number(h, PREFIX "first-attempt", r->first_attempt_ms);
    add_number(h, PREFIX "last-attempt", r->last_attempt_ms);
    return h;
}

bool parking_put(struct publisher *publisher, const struct config *config,
                 const struct parked_record *r, publisher_done *done, void *context,
                 struct error *err)
{
    const struct publication publication = {.topic = config->parked_topic,
                                            .partition = RD_KAFKA_PARTITION_UA,
                                            .key = r->key.data,
                                            .key_len = r->key.len,
                                            .value = r->value.data,
                                            .value_len = r->value.len,
                                            .headers = headers_of(r),
                                            .deadline_ms = -1,
                                            .value_optional = true};
    if (publisher_put(publisher, &publication, done, context, err))
        return true;
    rd_kafka_headers_destroy(publication.headers);
    return false;
}
