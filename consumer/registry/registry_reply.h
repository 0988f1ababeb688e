/* registry_reply: the meaning of a schema registry's answer.
 *
 *   status, body ─▶ SCHEMA   the schema and what it refers to
 *                   MISSING  the registry itself answers that it has no such schema
 *                   FOREIGN  there is one, but it is no Avro (CONFIG: or its records are encrypted)
 *                   TROUBLE  anything else: down, refused, a gateway's 404; worth asking again
 *
 * Pure. Follows Confluent's REST API, which Apicurio (…/apis/ccompat) and Karapace speak too; and
 * Apicurio's own, whose answer to a global id is the schema itself. */
#ifndef REGISTRY_REGISTRY_REPLY_H
#define REGISTRY_REGISTRY_REPLY_H

#include "base/error.h"
#include "cdc/schema_ref.h"

#include <stddef.h>
#include <stdint.h>

enum schema_reply_kind {
    SCHEMA_REPLY_SCHEMA,
    SCHEMA_REPLY_MISSING,
    SCHEMA_REPLY_FOREIGN,
    SCHEMA_REPLY_TROUBLE
};

struct schema_reference {
    char *subject;
    int64_t version;
};

struct schema_reply {
    char *schema; /* the schema as JSON text, with the notes of cdc/schema/schema_rules */
    struct schema_reference *references;
    size_t reference_count;
};

/* Fills *ret_reply (to be freed with schema_reply_done) for SCHEMA; else sets err to the reason,
 * which repeats nothing of the answer but the registry's own error code. */
enum schema_reply_kind schema_reply_read(enum schema_ref_kind asked, int status, const char *body,
                                         size_t len, struct schema_reply *ret_reply,
                                         struct error *err);
void schema_reply_done(struct schema_reply *reply);

#endif
