#include "kafka/header.h"

static bool find(const rd_kafka_message_t *m, const char *name, struct slice *ret)
{
    rd_kafka_headers_t *headers;
    const void *value;
    size_t len;
    if (rd_kafka_message_headers(m, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR ||
        rd_kafka_header_get_last(headers, name, &value, &len) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return false;
    *ret = (struct slice){value, len};
    return true;
}

struct slice kafka_header(const rd_kafka_message_t *m, const char *name)
{
    struct slice value = {0};
    (void)find(m, name, &value);
    return value;
}

struct slice kafka_header_value(const void *message, const char *name)
{
    return kafka_header(message, name);
}

bool kafka_has_header(const void *message, const char *name)
{
    struct slice value;
    return find(message, name, &value);
}
