#include "kafka/own_headers.h"

#include "base/slice.h"
#include "base/utf8.h"
#include "kafka/message.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[OWN_HEADER_COUNT] = {
#define NAME(constant, name) [constant] = OWN_HEADER_PREFIX name,
    OWN_HEADERS(NAME)
#undef NAME
};

bool own_header_is(const char *name)
{
    return has_prefix(name, OWN_HEADER_PREFIX);
}

enum own_header own_header_of(const char *name)
{
    int i = 0;
    while (i < OWN_HEADER_COUNT && strcmp(names[i], name) != 0)
        i++;
    return (enum own_header)i;
}

void own_header_add(rd_kafka_headers_t *headers, enum own_header header, struct slice value)
{
    if (value.data != NULL && value.len > 0)
        rd_kafka_header_add(headers, names[header], -1, value.data, (ssize_t)value.len);
}

void own_header_add_number(rd_kafka_headers_t *headers, enum own_header header, int64_t number)
{
    char text[24];
    if (number < 0)
        return;
    snprintf(text, sizeof text, "%" PRId64, number);
    own_header_add(headers, header, slice_of(text));
}

rd_kafka_headers_t *own_headers_without(const rd_kafka_headers_t *headers)
{
    const char *name;
    const void *value;
    size_t size;
    rd_kafka_headers_t *others = rd_kafka_headers_new(16);
    for (size_t i = 0;
         headers != NULL &&
         rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR;
         i++)
        if (!own_header_is(name))
            rd_kafka_header_add(others, name, -1, value, (ssize_t)size);
    return others;
}

bool own_header_there(const rd_kafka_headers_t *headers, enum own_header header)
{
    const void *value;
    size_t size;
    return headers != NULL && rd_kafka_header_get_last(headers, names[header], &value, &size) ==
                                  RD_KAFKA_RESP_ERR_NO_ERROR;
}

struct slice own_header_bytes(const rd_kafka_headers_t *headers, enum own_header header)
{
    return kafka_header_in(headers, names[header]);
}

const char *own_header_text(const rd_kafka_headers_t *headers, enum own_header header)
{
    struct slice text = own_header_bytes(headers, header);
    bool good = text.len > 0 && strlen(text.data) == text.len && utf8_is_valid(text.data, text.len);
    return good ? text.data : NULL;
}

bool own_header_number(const rd_kafka_headers_t *headers, enum own_header header, int64_t max,
                       int64_t *ret)
{
    enum { DIGITS_MAX = 19 };
    struct slice text = own_header_bytes(headers, header);
    if (text.len == 0 || text.len > DIGITS_MAX || strspn(text.data, "0123456789") != text.len)
        return false;
    errno = 0;
    long long number = strtoll(text.data, NULL, 10);
    if (errno != 0 || number > max)
        return false;
    *ret = number;
    return true;
}
