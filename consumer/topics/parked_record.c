#include "topics/parked_record.h"

#include "kafka/message.h"
#include "kafka/own_headers.h"

#include <stddef.h>

struct field {
    enum own_header header;
    size_t at; /* in struct parked_record */
};

static const struct field texts[] = {
    {OWN_REASON, offsetof(struct parked_record, reason)},
    {OWN_DETAIL, offsetof(struct parked_record, detail)},
    {OWN_CLASS, offsetof(struct parked_record, class)},
    {OWN_SCHEMA_ID, offsetof(struct parked_record, schema)},
    {OWN_GROUP, offsetof(struct parked_record, group)},
    {OWN_ORDER_ID, offsetof(struct parked_record, order_id)},
    {OWN_ORDER_NUMBER, offsetof(struct parked_record, order_number)},
    {OWN_WEBHOOK_ID, offsetof(struct parked_record, webhook_id)},
    {OWN_SOURCE, offsetof(struct parked_record, source)},
    {OWN_RESPONSE, offsetof(struct parked_record, response)},
};

static const struct field numbers[] = {
    {OWN_TIMESTAMP, offsetof(struct parked_record, timestamp_ms)},
    {OWN_STATUS, offsetof(struct parked_record, status)},
    {OWN_ATTEMPTS, offsetof(struct parked_record, attempts)},
    {OWN_FIRST_ATTEMPT, offsetof(struct parked_record, first_attempt_ms)},
    {OWN_LAST_ATTEMPT, offsetof(struct parked_record, last_attempt_ms)},
};

enum { TEXTS = sizeof texts / sizeof *texts, NUMBERS = sizeof numbers / sizeof *numbers };

/* ---- writing ---- */

/* The original headers and ours behind them. */
static rd_kafka_headers_t *headers_of(const struct parked_record *r)
{
    const char *base = (const char *)r;
    rd_kafka_headers_t *h =
        r->headers != NULL ? rd_kafka_headers_copy(r->headers) : rd_kafka_headers_new(16);
    own_header_add(h, OWN_TOPIC, slice_of(r->topic));
    own_header_add_number(h, OWN_PARTITION, r->partition);
    own_header_add_number(h, OWN_OFFSET, r->offset);
    own_header_add(h, OWN_JUDGED, slice_of(r->judged ? "yes" : "no"));
    for (size_t i = 0; i < TEXTS; i++)
        own_header_add(h, texts[i].header, *(const struct slice *)(base + texts[i].at));
    for (size_t i = 0; i < NUMBERS; i++)
        own_header_add_number(h, numbers[i].header, *(const int64_t *)(base + numbers[i].at));
    return h;
}

bool parked_record_write(struct publisher *publisher, const struct config *config,
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
    return publisher_put(publisher, &publication, done, context, err);
}

/* ---- reading ---- */

static bool was_judged(const rd_kafka_headers_t *headers)
{
    struct slice judged = own_header_bytes(headers, OWN_JUDGED),
                 class = own_header_bytes(headers, OWN_CLASS);
    return judged.len > 0 ? slice_is(judged, "yes")
                          : class.len > 0 && !slice_is(class, "undecodable");
}

bool parked_record_read(const rd_kafka_message_t *m, struct parked_record *ret,
                        const char **ret_why)
{
    const rd_kafka_headers_t *headers = kafka_headers(m);
    const char *topic = own_header_text(headers, OWN_TOPIC);
    int64_t partition, offset;
    *ret_why = "the parked record does not say where it comes from";
    if (topic == NULL || !own_header_number(headers, OWN_PARTITION, INT32_MAX, &partition) ||
        !own_header_number(headers, OWN_OFFSET, INT64_MAX, &offset))
        return false;
    *ret = (struct parked_record){.judged = was_judged(headers),
                                  .topic = topic,
                                  .partition = (int32_t)partition,
                                  .offset = offset,
                                  .key = {m->key, m->key_len},
                                  .value = {m->payload, m->len},
                                  .headers = headers};
    for (size_t i = 0; i < TEXTS; i++)
        *(struct slice *)((char *)ret + texts[i].at) = own_header_bytes(headers, texts[i].header);
    for (size_t i = 0; i < NUMBERS; i++) {
        int64_t *number = (int64_t *)((char *)ret + numbers[i].at);
        if (!own_header_number(headers, numbers[i].header, INT64_MAX, number))
            *number = -1;
    }
    return true;
}

bool parked_record_is_ours(const struct config *config, const struct parked_record *r)
{
    return strcmp(r->topic, config->kafka_topic) == 0 &&
           (r->group.len == 0 || slice_is(r->group, config->kafka_group));
}

struct slice parked_record_order_id(const rd_kafka_message_t *m)
{
    return own_header_bytes(kafka_headers(m), OWN_ORDER_ID);
}
