/* schema_text: an Avro schema's JSON text, cut down to the attributes that reading records needs.
 *
 *   {"type":"bytes","scale":2,"doc":"…","connect.default":"\u0000"}  ─▶  {"type":"bytes","scale":2}
 *
 * A whitelist, applied before any parser sees the text: an annotation that decoding does not need
 * cannot fail a schema, whatever it holds (NUL, lone surrogates, huge numbers, deep values). A
 * `default` is kept only if it is short and plain; any other becomes true. */
#ifndef CDC_SCHEMA_SCHEMA_TEXT_H
#define CDC_SCHEMA_SCHEMA_TEXT_H

#include "base/error.h"

#include <jansson.h>
#include <stddef.h>

enum { SCHEMA_TEXT_DEPTH_MAX = 512 }; /* types within each other */

/* Keeps the attributes of Avro (1.11, "Schema Declaration") that decide on the bytes, and the
 * annotations of a value's meaning. Takes time and memory linear in len. Returns the parsed JSON (a
 * new reference), or NULL with UNDECODABLE. Texts in it may hold NUL. */
json_t *schema_text_parse(const char *text, size_t len, struct error *err) must_check;

#endif
