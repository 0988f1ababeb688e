#include "topics/retry_record.h"

#include "config/own_names.h"
#include "kafka/message.h"
#include "kafka/own_headers.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

bool retry_request_new(char ret[RETRY_REQUEST_MAX], struct error *err)
{
    unsigned char bytes[(RETRY_REQUEST_MAX - 1) / 2];
    if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes)
        return error_set(err, ERROR_FAILED, "getrandom failed: %s", strerror(errno));
    for (size_t i = 0; i < sizeof bytes; i++)
        snprintf(ret + 2 * i, 3, "%02x", bytes[i]);
    return true;
}

struct retry_record retry_record_of_parked(const struct parked_record *parked)
{
    return (struct retry_record){.topic = parked->topic,
                                 .partition = parked->partition,
                                 .offset = parked->offset,
                                 .timestamp_ms = parked->timestamp_ms,
                                 .order = parked->order_id,
                                 .judged = parked->judged,
                                 .key = parked->key,
                                 .value = parked->value,
                                 .headers = parked->headers};
}

struct retry_record retry_record_of_original(const rd_kafka_message_t *m)
{
    return (struct retry_record){.topic = rd_kafka_topic_name(m->rkt),
                                 .partition = m->partition,
                                 .offset = m->offset,
                                 .timestamp_ms = rd_kafka_message_timestamp(m, NULL),
                                 .key = {m->key, m->key_len},
                                 .value = {m->payload, m->len},
                                 .headers = kafka_headers(m)};
}

bool retry_record_is_original(const rd_kafka_message_t *m, int64_t timestamp_ms)
{
    int64_t at_ms = rd_kafka_message_timestamp(m, NULL);
    return m->payload != NULL && (at_ms < 0 || timestamp_ms < 0 || at_ms == timestamp_ms);
}

/* ---- writing ---- */

bool retry_record_write(struct publisher *publisher, const struct config *config,
                        const struct retry_record *record, int64_t deadline_ms,
                        publisher_done *done, void *context, struct error *err)
{
    rd_kafka_headers_t *headers = own_headers_without(record->headers);
    own_header_add(headers, OWN_GROUP, slice_of(config->kafka_group));
    own_header_add(headers, OWN_TOPIC, slice_of(record->topic));
    own_header_add_number(headers, OWN_PARTITION, record->partition);
    own_header_add_number(headers, OWN_OFFSET, record->offset);
    own_header_add_number(headers, OWN_TIMESTAMP, record->timestamp_ms);
    own_header_add(headers, OWN_SOURCE, slice_of(record->source));
    own_header_add(headers, OWN_REQUEST, slice_of(record->request));
    own_header_add(headers, OWN_BY, slice_of(record->by));
    own_header_add(headers, OWN_ORDER, record->order);
    own_header_add(headers, OWN_JUDGED, slice_of(record->judged ? "yes" : "no"));
    own_header_add(headers, OWN_FORCED, slice_of(record->forced ? "yes" : "no"));
    const struct publication publication = {.topic = config->retry_topic,
                                            .partition = record->partition,
                                            .key = record->key.data,
                                            .key_len = record->key.len,
                                            .value = record->value.data,
                                            .value_len = record->value.len,
                                            .headers = headers,
                                            .deadline_ms = deadline_ms};
    return publisher_put(publisher, &publication, done, context, err);
}

/* ---- reading ---- */

static bool is(const rd_kafka_headers_t *headers, enum own_header header, const char *word)
{
    const char *text = own_header_text(headers, header);
    return text != NULL && strcmp(text, word) == 0;
}

/* Former releases wrote no group: theirs are for the group whose name the topic has by default. */
bool retry_record_is_ours(const struct config *config, const rd_kafka_message_t *m,
                          const char **ret_why)
{
    const struct own_name retry = {"retry.topic", "retry", offsetof(struct config, retry_topic)};
    const rd_kafka_headers_t *headers = kafka_headers(m);
    if (headers == NULL)
        return true; /* of which nothing can be said but that it cannot be read */
    const char *group = own_header_text(headers, OWN_GROUP),
               *topic = own_header_text(headers, OWN_TOPIC);
    *ret_why = "of another topic";
    if (topic != NULL && strcmp(topic, config->kafka_topic) != 0)
        return false;
    *ret_why = "of another group";
    if (own_header_there(headers, OWN_GROUP)) /* one that is not text is no group's */
        return group != NULL && strcmp(group, config->kafka_group) == 0;
    *ret_why = "of a former release, which named no group";
    return topic == NULL || own_name_is_default(config, &retry);
}

static const char *source_of(const rd_kafka_headers_t *headers)
{
    static const char *const others[] = {"redrive", "replay"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (is(headers, OWN_SOURCE, others[i]))
            return others[i];
    return "retry";
}

bool retry_record_read(const rd_kafka_message_t *m, struct retry_record *ret, const char **ret_why)
{
    const rd_kafka_headers_t *headers = kafka_headers(m);
    const char *topic = own_header_text(headers, OWN_TOPIC);
    int64_t partition, offset, timestamp_ms;
    *ret_why = "a record of the retry topic without its source's topic, partition and offset";
    if (topic == NULL || !own_header_number(headers, OWN_PARTITION, INT32_MAX, &partition) ||
        !own_header_number(headers, OWN_OFFSET, INT64_MAX, &offset))
        return false;
    if (!own_header_number(headers, OWN_TIMESTAMP, INT64_MAX, &timestamp_ms))
        timestamp_ms = -1;
    *ret = (struct retry_record){.topic = topic,
                                 .partition = (int32_t)partition,
                                 .offset = offset,
                                 .timestamp_ms = timestamp_ms,
                                 .source = source_of(headers),
                                 .request = own_header_text(headers, OWN_REQUEST),
                                 .by = own_header_text(headers, OWN_BY),
                                 .order = own_header_bytes(headers, OWN_ORDER),
                                 .judged = is(headers, OWN_JUDGED, "yes"),
                                 .forced = !is(headers, OWN_FORCED, "no"),
                                 .key = {m->key, m->key_len},
                                 .value = {m->payload, m->len},
                                 .headers = headers};
    return true;
}

/* True if any is ours; *ret_size: about the bytes of memory that they take. */
static bool has_ours(const rd_kafka_headers_t *headers, size_t *ret_size)
{
    enum { EACH = 64 }; /* around a header's bytes */
    bool found = false;
    const char *name;
    const void *value;
    size_t size;
    *ret_size = 0;
    for (size_t i = 0;
         rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR;
         i++) {
        found |= own_header_is(name);
        *ret_size += EACH + strlen(name) + size;
    }
    return found;
}

void *retry_headers(rd_kafka_message_t *m, size_t *ret_size)
{
    rd_kafka_headers_t *headers = kafka_headers(m);
    *ret_size = 0;
    if (headers == NULL)
        return NULL;
    if (has_ours(headers, ret_size))
        return own_headers_without(headers); /* parking would write ours a second time */
    rd_kafka_message_detach_headers(m, &headers);
    return headers;
}
