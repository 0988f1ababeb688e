#include "tools/record_json.h"
#include "tools/tool.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct bytes {
    unsigned char *data; /* NULL: null */
    size_t len;
};

static struct bytes decode(const char *base64)
{
    if (base64 == NULL)
        return (struct bytes){0};
    size_t len = strlen(base64);
    struct bytes out = {malloc(len + 1), 0};
    int decoded = EVP_DecodeBlock(out.data, (const unsigned char *)base64, (int)len);
    if (decoded < 0)
        die("base64", base64);
    out.len = (size_t)decoded;
    for (size_t i = len; i > 0 && base64[i - 1] == '='; i--)
        out.len--;
    return out;
}

static rd_kafka_headers_t *headers_of(const json_t *record)
{
    rd_kafka_headers_t *headers = rd_kafka_headers_new(4);
    size_t i;
    json_t *header;
    json_array_foreach (json_object_get(record, "headers"), i, header) {
        const char *name = json_string_value(json_array_get(header, 0));
        const json_t *value = json_array_get(header, 1);
        struct bytes bytes = decode(json_string_value(json_object_get(value, "base64")));
        if (bytes.data != NULL)
            rd_kafka_header_add(headers, name, -1, bytes.data, (ssize_t)bytes.len);
        else
            rd_kafka_header_add(headers, name, -1, json_string_value(value),
                                json_is_string(value) ? -1 : 0);
        free(bytes.data);
    }
    return headers;
}

void record_json_produce(rd_kafka_t *rk, const char *topic, const json_t *record, void *tag)
{
    struct bytes key = decode(json_string_value(json_object_get(record, "key")));
    struct bytes value = decode(json_string_value(json_object_get(record, "value")));
    rd_kafka_resp_err_t err = rd_kafka_producev(
        rk, RD_KAFKA_V_TOPIC(topic),
        RD_KAFKA_V_PARTITION((int32_t)json_integer_value(json_object_get(record, "partition"))),
        RD_KAFKA_V_TIMESTAMP(json_integer_value(json_object_get(record, "timestamp"))),
        RD_KAFKA_V_KEY(key.data, key.len), RD_KAFKA_V_VALUE(value.data, value.len),
        RD_KAFKA_V_HEADERS(headers_of(record)), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
        RD_KAFKA_V_OPAQUE(tag), RD_KAFKA_V_END);
    if (err)
        die("produce", rd_kafka_err2str(err));
    free(key.data);
    free(value.data);
}
