/* references: puts the schemas that an Avro schema refers to into it.
 *
 *   {"type": "record", "name": "Order", "namespace": "shop", "fields": [
 *      {"name": "from", "type": "shop.Address"},         ◀─ becomes the definition of shop.Address
 *      {"name": "to",   "type": ["null", "Address"]}]}   ◀─ stays a name
 *
 * Pure. A referenced schema must define one named type (record, enum, fixed) under its full name.
 */
#ifndef REGISTRY_REFERENCES_H
#define REGISTRY_REFERENCES_H

#include "base/error.h"

#include <stddef.h>

/* `referenced` are the texts of all schemas that `schema` refers to, directly or through one
 * another, in any order; cycles are allowed. Returns one self-contained schema (malloced), or NULL.
 * Names that nothing defines are left as they are: parsing the schema reports them. */
char *schema_refs_inline(const char *schema, const char *const *referenced, size_t count,
                         struct error *err);

#endif
