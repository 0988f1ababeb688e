/* schema_bare: a resolved schema as avro-c gets it: of each type only the attributes that decide on
 * the bytes (Avro 1.11, "Parsing Canonical Form").
 *
 *   int  record {type, name, namespace, fields [{name, type}]}  enum {…, symbols}  fixed {…, size}
 *   array {type, items}  map {type, values}
 *
 * And the one place where sizes and names are checked that avro-c lets pass. Pure. */
#ifndef CDC_SCHEMA_SCHEMA_BARE_H
#define CDC_SCHEMA_SCHEMA_BARE_H

#include "base/error.h"

#include <jansson.h>

/* A new tree; NULL with UNDECODABLE. The caller bounds the depth of `type`. */
json_t *schema_bare(const json_t *type, struct error *err) must_check;

#endif
