/* plans: compiled plans by schema id, made from what the registry answers. */
#ifndef PLANS_H
#define PLANS_H

#include "core/config.h"
#include "core/plan.h"
#include "core/schema_proof.h"
#include "edge/registry.h"

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

/* The name of a schema id, see core/schema_title; "" while it is not known. Lives as long as the
 * plans. */
const char *plans_title(struct plans *plans, int32_t id);

/* Asks for this schema anew with the next plans_get: it, or the registry, may have been mended.
 * What was read of it is still known. */
void plans_forget(struct plans *plans, int32_t id);

#endif
