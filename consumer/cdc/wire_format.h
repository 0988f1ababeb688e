/* wire_format: finds a record's schema id, and the beginning of its Avro.
 *
 *   header __value_schema_id           0, id (4)  |  1, GUID (16)      Confluent
 *   header apicurio.value.contentId    id (8)                          Apicurio, headers.enabled
 *   header apicurio.value.globalId     id (8)                          its default before 3
 *   value                              0, id (4), Avro                 Confluent, Apicurio
 *   value                              0, 0 (4), id (4), Avro          Apicurio: 8-byte ids
 *
 * Numbers are big-endian. A header goes before the value's first bytes, and then the whole value is
 * Avro: so read Confluent's DualSchemaIdDeserializer, the default since 8.0 (schema-serializer,
 * serializers/schema/id), and Apicurio's AbstractKafkaDeserializer (2) and KafkaDeserializer (3),
 * which look at the magic byte only where no header names a schema. Pure. */
#ifndef CDC_WIRE_FORMAT_H
#define CDC_WIRE_FORMAT_H

#include "base/error.h"
#include "base/slice.h"
#include "cdc/schema_ref.h"

#include <stddef.h>
#include <stdint.h>

/* Which of Apicurio's ids stand in front of values, which do not say it: the converter's
 * apicurio.registry.use-id. Values are those of registry.use_id. */
enum wire_use_id {
    WIRE_USE_UNKNOWN = -1, /* 4 bytes are an id of Confluent's API; 8 bytes are refused */
    WIRE_USE_CONTENT_ID,
    WIRE_USE_GLOBAL_ID
};

struct wire_input {
    const void *value;
    size_t len;
    struct slice (*header)(const void *context, const char *name); /* the last of this name; {NULL,
                                                                    * 0}: none. NULL: no headers */
    const void *context;
    enum wire_use_id use_id;
};

struct wire {
    struct schema_ref schema;
    const char *header;  /* that names the schema, static; NULL: the value's first bytes do */
    const uint8_t *body; /* borrowed from the value */
    size_t len;          /* of the body; may be 0 */
};

/* False with UNDECODABLE when no schema is named, or two are: the error names what was found and
 * what to change. */
bool wire_split(const struct wire_input *input, struct wire *ret_wire,
                struct error *err) must_check;

#endif
