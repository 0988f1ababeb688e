#include "cdc/wire_format.h"

enum { MAGIC = 0, GUID_MAGIC = 1, SHORT_LEN = 5, LONG_LEN = 9, APICURIO_LEN = 8 };

#define CONFLUENT "__value_schema_id"
#define APICURIO_CONTENT "apicurio.value.contentId"
#define APICURIO_GLOBAL "apicurio.value.globalId"
#define APICURIO_ENCODING "apicurio.value.encoding"

static uint64_t big_endian(const uint8_t *bytes, size_t len)
{
    uint64_t number = 0;
    for (size_t i = 0; i < len; i++)
        number = number << 8 | bytes[i];
    return number;
}

/* ---- headers ---- */

static struct slice header_of(const struct wire_input *input, const char *name)
{
    return input->header != NULL ? input->header(input->context, name) : (struct slice){0};
}

static bool refuse_header(const char *name, size_t len, struct error *err)
{
    return error_set(err, ERROR_UNDECODABLE,
                     "the header %s, of %zu bytes, does not hold a schema id as the %s serializer "
                     "writes it",
                     name, len, name[0] == '_' ? "Confluent" : "Apicurio");
}

/* SchemaId.fromBytes. Of a Protobuf schema more bytes follow, which no Avro has. */
static bool take_confluent(struct slice value, struct wire *wire, struct error *err)
{
    const uint8_t *bytes = (const uint8_t *)value.data;
    wire->header = CONFLUENT;
    if (value.len == 1 + SCHEMA_GUID_LEN && bytes[0] == GUID_MAGIC) {
        wire->schema.kind = SCHEMA_REF_GUID;
        memcpy(wire->schema.guid, bytes + 1, SCHEMA_GUID_LEN);
        return true;
    }
    wire->schema =
        schema_ref_id((int64_t)big_endian(bytes, value.len == SHORT_LEN ? SHORT_LEN : 0));
    return (wire->schema.number > 0 && wire->schema.number <= INT32_MAX) ||
           refuse_header(CONFLUENT, value.len, err);
}

/* DefaultHeadersHandler. */
static bool take_apicurio(const char *name, struct slice value, enum schema_ref_kind kind,
                          struct wire *wire, struct error *err)
{
    uint64_t id =
        value.len == APICURIO_LEN ? big_endian((const uint8_t *)value.data, value.len) : 0;
    if (id == 0 || id > INT64_MAX)
        return refuse_header(name, value.len, err);
    wire->header = name;
    wire->schema = (struct schema_ref){.kind = kind, .number = (int64_t)id};
    return true;
}

/* AvroKafkaDeserializer reads by this header, and by its own setting only where there is none. */
static bool is_binary(const struct wire_input *input, struct error *err)
{
    struct slice encoding = header_of(input, APICURIO_ENCODING);
    if (encoding.data == NULL || (encoding.len == 6 && memcmp(encoding.data, "BINARY", 6) == 0))
        return true;
    return error_set(err, ERROR_UNDECODABLE,
                     "the header " APICURIO_ENCODING " is not BINARY: set the converter's "
                     "apicurio.registry.avro.encoding=BINARY");
}

/* Sets ret_wire->header where one names the schema. Both of Apicurio's: the content id counts
 * (DefaultSchemaResolver.resolveSchemaByArtifactReference). Neither serializer knows the other's
 * header: with both, one of them is left over from another record. */
static bool read_headers(const struct wire_input *input, struct wire *ret_wire, struct error *err)
{
    struct slice confluent = header_of(input, CONFLUENT);
    struct slice content = header_of(input, APICURIO_CONTENT);
    struct slice global = header_of(input, APICURIO_GLOBAL);
    if (confluent.data != NULL && (content.data != NULL || global.data != NULL))
        return error_set(err, ERROR_UNDECODABLE,
                         "the record names two schemas, in the headers " CONFLUENT " and %s: let "
                         "what copies it drop the one that it does not write",
                         content.data != NULL ? APICURIO_CONTENT : APICURIO_GLOBAL);
    if (confluent.data != NULL)
        return take_confluent(confluent, ret_wire, err);
    if (content.data == NULL && global.data == NULL)
        return true;
    bool named = content.data != NULL
                     ? take_apicurio(APICURIO_CONTENT, content, SCHEMA_REF_ID, ret_wire, err)
                     : take_apicurio(APICURIO_GLOBAL, global, SCHEMA_REF_GLOBAL, ret_wire, err);
    return named && is_binary(input, err);
}

/* ---- the value's first bytes ---- */

static bool refuse_magic(uint8_t magic, struct error *err)
{
    if (magic == '{' || magic == '[')
        return error_set(err, ERROR_UNDECODABLE,
                         "the record is JSON, not Avro: set the connector's key.converter and "
                         "value.converter to an Avro converter");
    return error_set(err, ERROR_UNDECODABLE,
                     "the record begins with byte 0x%02x, not with the magic byte 0x00 of the "
                     "Confluent wire format, and no header names its schema",
                     magic);
}

static bool refuse_long_id(uint64_t id, struct error *err)
{
    return error_set(err, ERROR_UNDECODABLE,
                     "schema id %llu has 8 bytes, as Apicurio's converter writes it, and may be of "
                     "either kind: set registry.use_id to the converter's apicurio.registry.use-id "
                     "(not set: globalId with Apicurio 2, contentId with 3)",
                     (unsigned long long)id);
}

/* A 4-byte id of 0 begins one of 8 bytes (Apicurio's OptimisticFallbackIdHandler): ids count from
 * 1, and none has passed 2^31 yet. */
static bool read_value(const struct wire_input *input, struct wire *ret_wire, struct error *err)
{
    const uint8_t *bytes = input->value;
    if (input->len > 0 && bytes[0] != MAGIC)
        return refuse_magic(bytes[0], err);
    if (input->len < SHORT_LEN)
        return error_set(err, ERROR_UNDECODABLE,
                         "the record has %zu bytes, its header alone takes %d", input->len,
                         SHORT_LEN);
    uint64_t id = big_endian(bytes + 1, 4);
    bool is_long = id == 0 && input->len >= LONG_LEN;
    if (is_long)
        id = big_endian(bytes + SHORT_LEN, 4);
    if (id == 0 || id > INT32_MAX)
        return error_set(err, ERROR_UNDECODABLE, "schema id %d is invalid: ids are positive",
                         (int32_t)id);
    if (is_long && input->use_id == WIRE_USE_UNKNOWN)
        return refuse_long_id(id, err);
    size_t taken = is_long ? LONG_LEN : SHORT_LEN;
    ret_wire->schema = schema_ref_id((int64_t)id);
    if (input->use_id == WIRE_USE_GLOBAL_ID)
        ret_wire->schema.kind = SCHEMA_REF_GLOBAL;
    ret_wire->body = bytes + taken;
    ret_wire->len = input->len - taken;
    return true;
}

bool wire_split(const struct wire_input *input, struct wire *ret_wire, struct error *err)
{
    struct wire wire = {.body = input->value, .len = input->len};
    if (!read_headers(input, &wire, err) || (wire.header == NULL && !read_value(input, &wire, err)))
        return false;
    *ret_wire = wire;
    return true;
}
