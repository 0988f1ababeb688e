/* retry_record_parse: records of the retry topic: the original record and where it lay. */
#include "topics/retry_record.h"

#include "base/utf8.h"
#include "config/own_names.h"
#include "kafka/header.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX "elementor-sync."

/* A header as text; NULL when it is missing, or no text: it goes into JSON. */
static const char *header(const rd_kafka_headers_t *headers, const char *name)
{
    const void *value;
    size_t size;
    if (rd_kafka_header_get_last(headers, name, &value, &size) != RD_KAFKA_RESP_ERR_NO_ERROR ||
        value == NULL || strlen(value) != size || /* librdkafka puts a NUL behind every value */
        !utf8_is_valid(value, size))
        return NULL;
    return value;
}

static bool number(const rd_kafka_headers_t *headers, const char *name, int64_t max, int64_t *ret)
{
    const char *text = header(headers, name);
    char *end;
    if (text == NULL || text[strspn(text, "0123456789")] != '\0' || *text == '\0')
        return false;
    errno = 0;
    *ret = strtoll(text, &end, 10);
    return errno == 0 && *ret <= max;
}

static const char *source_of(const rd_kafka_headers_t *headers)
{
    const char *source = header(headers, PREFIX "source");
    return source != NULL && strcmp(source, "redrive") == 0 ? "redrive" : "retry";
}

static bool says(const rd_kafka_headers_t *headers, const char *name, const char *word)
{
    const char *text = header(headers, name);
    return text != NULL && strcmp(text, word) == 0;
}

/* Former releases wrote no group: theirs are for the group whose name the topic has by default. */
bool retry_record_is_ours(const struct config *config, const rd_kafka_message_t *m,
                          const char **ret_why)
{
    const struct own_name retry = {"retry.topic", "retry", offsetof(struct config, retry_topic)};
    rd_kafka_headers_t *headers;
    if (rd_kafka_message_headers(m, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return true; /* of which nothing can be said but that it cannot be read */
    const char *group = header(headers, PREFIX "group"), *topic = header(headers, PREFIX "topic");
    *ret_why = "of another topic";
    if (topic != NULL && *topic != '\0' && strcmp(topic, config->kafka_topic) != 0)
        return false;
    if (group == NULL && kafka_has_header(m, PREFIX "group"))
        group = ""; /* no text, so nobody's */
    *ret_why = group != NULL ? "of another group" : "of a former release, which named no group";
    return group != NULL ? strcmp(group, config->kafka_group) == 0
                         : topic == NULL || own_name_is_default(config, &retry);
}

bool retry_record_read(const rd_kafka_message_t *m, struct retry_record *ret, const char **ret_why)
{
    rd_kafka_headers_t *headers;
    int64_t partition, offset, timestamp_ms;
    *ret_why = "a record of the retry topic without its source's topic, partition and offset";
    if (rd_kafka_message_headers(m, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return false;
    const char *topic = header(headers, PREFIX "topic");
    if (topic == NULL || *topic == '\0' ||
        !number(headers, PREFIX "partition", INT32_MAX, &partition) ||
        !number(headers, PREFIX "offset", INT64_MAX, &offset))
        return false;
    if (!number(headers, PREFIX "timestamp", INT64_MAX, &timestamp_ms))
        timestamp_ms = -1;
    *ret = (struct retry_record){.topic = topic,
                                 .source = source_of(headers),
                                 .request = header(headers, PREFIX "request"),
                                 .partition = (int32_t)partition,
                                 .offset = offset,
                                 .timestamp_ms = timestamp_ms,
                                 .judged = says(headers, PREFIX "judged", "yes"),
                                 .forced = !says(headers, PREFIX "forced", "no")};
    return true;
}

static bool is_ours(const char *name)
{
    return strncmp(name, PREFIX, strlen(PREFIX)) == 0;
}

/* Whether any is ours; *ret_size: how much memory they take, about. */
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
        found |= is_ours(name);
        *ret_size += EACH + strlen(name) + size;
    }
    return found;
}

/* Parking would write ours a second time. */
static rd_kafka_headers_t *copy_of_others(const rd_kafka_headers_t *headers)
{
    const char *name;
    const void *value;
    size_t size;
    rd_kafka_headers_t *copy = rd_kafka_headers_new(8);
    for (size_t i = 0;
         rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR;
         i++)
        if (!is_ours(name))
            rd_kafka_header_add(copy, name, -1, value, (ssize_t)size);
    return copy;
}

void *retry_headers(rd_kafka_message_t *m, size_t *ret_size)
{
    rd_kafka_headers_t *headers;
    *ret_size = 0;
    if (rd_kafka_message_headers(m, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return NULL;
    if (has_ours(headers, ret_size))
        return copy_of_others(headers);
    rd_kafka_message_detach_headers(m, &headers);
    return headers;
}
