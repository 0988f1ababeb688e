/* schema_rules: notes in a schema which of its fields the registry's rules encrypt.
 *
 *   {"schema": …, "ruleSet": …, "metadata": …}  ─▶  the schema, whose encrypted fields say by which
 *                                                   rule they are
 *
 * Confluent's client-side field level encryption: a rule of type ENCRYPT replaces each text and
 * bytes value whose field has one of the rule's tags by ciphertext (a rule without tags: each).
 * Tags stand in the schema ("confluent:tags") or in the answer's metadata, by the field's full name
 * with wildcards.
 * https://docs.confluent.io/platform/current/schema-registry/fundamentals/data-contracts.html Pure.
 */
#ifndef CDC_SCHEMA_SCHEMA_RULES_H
#define CDC_SCHEMA_SCHEMA_RULES_H

#include "base/error.h"

#include <jansson.h>

#define SCHEMA_ENCRYPTED_BY "encrypted-by" /* of a field: the rule's name */

/* The name of the rule that encrypts whole records, which are not Avro then. NULL: none. Borrowed.
 */
const char *schema_rules_whole(const json_t *answer);

/* A copy of the schema's text, with notes where the answer has such rules. Text that is not a
 * schema is returned as it is: the plan's compiler reports it. NULL without memory. */
char *schema_rules_note(const json_t *answer, const char *schema, struct error *err) must_check;

#endif
