/* schema_url: the requests of a schema registry's API.
 *
 *   GET {base}/schemas/ids/{id}                      Confluent, Apicurio (ccompat), Karapace
 *   GET {base}/schemas/guids/{guid}                  Confluent
 *   GET {base}/subjects/{subject}/versions/{version}
 *   GET {…/apis/registry/v2}/ids/globalIds/{id}      Apicurio's own API: the bare schema
 *
 * {base} may end in /contexts/NAME (Confluent): its answers are then of that context; a GUID is
 * the same in all of them (ContextFilter of schema-registry's core). Pure. */
#ifndef REGISTRY_SCHEMA_URL_H
#define REGISTRY_SCHEMA_URL_H

#include "base/buf.h"
#include "base/error.h"
#include "base/slice.h"
#include "cdc/schema_ref.h"

/* The schema's; resolved: with the definitions of what it refers to, where the registry offers it
 * (Confluent: format=resolved, Apicurio: dereference=true). False with CONFIG for a global id where
 * `base` does not end as Apicurio's does. */
bool schema_url(struct slice base, const struct schema_ref *schema, bool resolved, struct buf *url,
                struct error *err) must_check;

/* A version of a subject, whose name may hold anything. */
void schema_url_of_subject(struct slice base, const char *subject, int64_t version,
                           struct buf *url);

/* `base` is Apicurio's, of which registry groups and global ids are. */
bool schema_url_is_apicurio(struct slice base);

#endif
