/* schema_lift: annotations that stand beside a field's type are the type's own.
 *
 *   {"name":"at","type":["null","long"],"logicalType":"timestamp-millis"}
 *     ─▶ {"name":"at","type":["null",{"type":"long","logicalType":"timestamp-millis"}], …}
 *
 * Avro puts a logicalType into the type object. Written beside "type", it is not valid Avro for a
 * logical type and yet often meant so; without it a decimal would be bytes and a time a number. */
#ifndef CDC_SCHEMA_SCHEMA_LIFT_H
#define CDC_SCHEMA_SCHEMA_LIFT_H

#include "base/error.h"

#include <jansson.h>

/* In place; names must have been resolved. A type's own annotations have precedence; where a union
 * has several branches besides null, it is unknown which one is meant, and they stay as they are.
 * False without memory. */
bool schema_lift(json_t *schema, struct error *err) must_check;

#endif
