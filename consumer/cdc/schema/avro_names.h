/* avro_names: Avro's rules for the names of types (specification 1.11, "Names").
 *
 * A full name is one with its namespace; "" is the null namespace. */
#ifndef CDC_SCHEMA_AVRO_NAMES_H
#define CDC_SCHEMA_AVRO_NAMES_H

#include "base/error.h"

#include <jansson.h>

enum { SCHEMA_NAME_MAX = 512 }; /* bytes of a full name with its NUL */

/* The full name of `name` as seen from within `space`: a dotted one is full already. */
bool schema_full_name(const char *name, const char *space, char ret_full[SCHEMA_NAME_MAX],
                      struct error *err) must_check;

/* The full name of a definition that stands within `space`. */
bool schema_definition_name(const json_t *definition, const char *space,
                            char ret_full[SCHEMA_NAME_MAX], struct error *err) must_check;

/* Cuts a full name down to its namespace, which holds for everything inside the definition. */
void schema_name_to_space(char *full);

/* Names that mean the same in every namespace: primitives, array, map. */
bool schema_is_built_in(const char *type);

/* True when this JSON defines a record, error, enum or fixed. */
bool schema_is_definition(const json_t *node);

/* Java's Avro lets every letter into a name, as in a column called prénom; avro-c knows those of
 * ASCII only. The identifier of such a name is SCHEMA_ESCAPE and its bytes in hex; any other name
 * is its own. Of a full name, the part behind the last dot counts. False when it gets too long. */
#define SCHEMA_ESCAPE "__name_"
bool schema_identifier(const char *name, char ret_identifier[SCHEMA_NAME_MAX]) must_check;

/* Makes every name in the schema full and an identifier, bares types that are wrapped in another,
 * and notes each definition under its name. `*root` is changed in place, or replaced; its depth
 * must be bounded by the caller. `definitions` is an empty object, filled with references into the
 * tree. */
bool schema_names_resolve(json_t **root, json_t *definitions, struct error *err) must_check;

#endif
