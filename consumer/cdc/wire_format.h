/* wire_format: the Confluent wire format: magic byte 0, schema id (4 bytes, big-endian), Avro body.
 */
#ifndef CDC_WIRE_FORMAT_H
#define CDC_WIRE_FORMAT_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

struct wire {
    int32_t schema_id; /* > 0 */
    const uint8_t *body;
    size_t len; /* of the body; may be 0 */
};

/* Splits a record's value; body borrows its bytes. False with UNDECODABLE when it is not in this
 * format: the error names what was found and, for JSON and 8-byte ids, what to change. */
bool wire_split(const void *value, size_t len, struct wire *ret_wire, struct error *err) must_check;

/* For a record that could not be read: what to change if its schema's id is in a header, which is
 * not read; NULL otherwise. */
const char *wire_elsewhere(bool (*has_header)(const void *context, const char *name),
                           const void *context);

#endif
