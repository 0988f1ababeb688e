/* decoders: compiled plans by schema, made from the registry's answers. */
#ifndef REGISTRY_DECODERS_H
#define REGISTRY_DECODERS_H

#include "cdc/plan.h"
#include "config/config.h"
#include "registry/registry.h"
#include "registry/schema_proof.h"

struct decoders;

/* Both must outlive it. NULL without memory. */
struct decoders *decoders_new(const struct config *config, struct registry *registry);
void decoders_free(struct decoders *decoders); /* accepts NULL */

enum decoders_answer {
    DECODERS_HAVE,       /* *ret_plan is set; valid until decoders_forget */
    DECODERS_PENDING,    /* the registry has not answered yet */
    DECODERS_MISSING,    /* *ret_why: the registry itself answers that there is no such schema */
    DECODERS_UNREADABLE, /* *ret_why: there is one, and no row can have it: none of its records can
                         be read */
    DECODERS_STOP        /* *ret_why: reading on would silence orders; the partition must stop */
};

/* Texts are valid until the next call. */
enum decoders_answer decoders_get(struct decoders *decoders, const struct schema_ref *schema,
                                  const struct plan **ret_plan, const char **ret_why);

/* The proof of this schema's records; lives as long as the plans. NULL: there is no plan yet. */
struct schema_proof *decoders_proof(struct decoders *decoders, const struct schema_ref *schema);

/* The name of a schema, see registry/schema_title; "" while it is not known. Lives as long as
 * the plans. */
const char *decoders_title(struct decoders *decoders, const struct schema_ref *schema);

/* The next decoders_get asks for this schema again: it, or the registry, may have been mended. Its
 * proof stays. */
void decoders_forget(struct decoders *decoders, const struct schema_ref *schema);

#endif
