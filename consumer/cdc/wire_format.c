#include "cdc/wire_format.h"

enum { HEADER_LEN = 5, MAGIC = 0 };

static bool refuse_magic(uint8_t magic, struct error *err)
{
    if (magic == '{' || magic == '[')
        return error_set(err, ERROR_UNDECODABLE,
                         "the record is JSON, not Avro: set the connector's key.converter and "
                         "value.converter to an Avro converter");
    return error_set(err, ERROR_UNDECODABLE,
                     "the record begins with byte 0x%02x, not with the magic byte 0x00 of the "
                     "Confluent wire format",
                     magic);
}

bool wire_split(const void *value, size_t len, struct wire *ret_wire, struct error *err)
{
    const uint8_t *bytes = value;
    if (len > 0 && bytes[0] != MAGIC)
        return refuse_magic(bytes[0], err);
    if (len < HEADER_LEN)
        return error_set(err, ERROR_UNDECODABLE,
                         "the record has %zu bytes, its header alone takes %d", len, HEADER_LEN);
    uint32_t id = (uint32_t)bytes[1] << 24 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 8 |
                  (uint32_t)bytes[4];
    if (id == 0 || id > INT32_MAX)
        return error_set(err, ERROR_UNDECODABLE,
                         "schema id %d is invalid: ids are 4 bytes and positive (an Apicurio "
                         "2 converter writes 8 bytes unless apicurio.registry.as-confluent=true)",
                         (int32_t)id);
    *ret_wire = (struct wire){(int32_t)id, bytes + HEADER_LEN, len - HEADER_LEN};
    return true;
}

const char *wire_elsewhere(bool (*has_header)(const void *context, const char *name),
                           const void *context)
{
    static const struct {
        const char *header, *advice;
    } converters[] = {
        {"__value_schema_id", "the schema's id is a GUID in the header __value_schema_id: take "
                              "value.schema.id.serializer off the converter, so that records begin "
                              "with a 4-byte id"},
        {"apicurio.value.globalId", "the schema's id is in the header apicurio.value.globalId: set "
                                    "the converter's apicurio.registry.headers.enabled=false (and "
                                    "as-confluent=true for Apicurio 2), so that records begin with "
                                    "a 4-byte id"},
        {"apicurio.value.contentId", "the schema's id is in the header apicurio.value.contentId: "
                                     "set the converter's apicurio.registry.headers.enabled=false "
                                     "(and as-confluent=true for Apicurio 2), so that records "
                                     "begin with a 4-byte id"},
    };
    for (size_t i = 0; i < sizeof converters / sizeof *converters; i++)
        if (has_header(context, converters[i].header))
            return converters[i].advice;
    return NULL;
}
