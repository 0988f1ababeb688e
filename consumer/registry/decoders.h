/* decoders: compiled plans by schema id, made from what the registry answers. */
#ifndef REGISTRY_DECODERS_H
#define REGISTRY_DECODERS_H

#include "cdc/plan.h"
#include "config/config.h"
#include "registry/registry.h"
#include "registry/schema_proof.h"

struct plans;

/* Both must outlive it. NULL without memory. */
struct plans *plans_new(const struct config *config, struct registry *registry);
void plans_free(struct plans *plans); /* accepts NULL */

enum plans_answer {
    PLANS_HAVE,       /* *ret_plan is set; valid until plans_forget */
    PLANS_PENDING,    /* the registry has not answered yet */
    PLANS_MISSING,    /* *ret_why: the registry itself says that there is no such schema */
    PLANS_UNREADABLE, /* *ret_why: there is one, and no row can have it: none of its records can be
                         read */
    PLANS_STOP        /* *ret_why: reading on would silence orders; the partition must stop */
};

/* Texts are valid until the next call. */
enum plans_answer plans_get(struct plans *plans, int32_t id, const struct plan **ret_plan,
                            const char **ret_why);

/* What has been read of this schema id; lives as long as the plans. NULL: there is no plan yet. */
struct schema_proof *plans_proof(struct plans *plans, int32_t id);

/* The name of a schema id, see registry/schema_title; "" while it is not known. Lives as long as
 * the plans. */
const char *plans_title(struct plans *plans, int32_t id);

/* Asks for this schema anew with the next plans_get: it, or the registry, may have been mended.
 * What was read of it is still known. */
void plans_forget(struct plans *plans, int32_t id);

#endif
