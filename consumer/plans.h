/* plans: compiled plans by schema id, made from what the registry answers. */
#ifndef PLANS_H
#define PLANS_H

#include "core/config.h"
#include "core/plan.h"
#include "edge/registry.h"

struct plans;

/* Both must outlive it. NULL without memory. */
struct plans *plans_new(const struct config *config, struct registry *registry);
void plans_free(struct plans *plans); /* accepts NULL */

enum plans_answer {
    PLANS_HAVE,       /* *ret_plan is set; valid for the life of the plans */
    PLANS_PENDING,    /* the registry has not answered yet */
    PLANS_UNREADABLE, /* *ret_why: no such schema, or one that no row can have; park the record */
    PLANS_STOP        /* *ret_why: reading on would silence orders; the partition must stop */
};

/* Texts are valid until the next call. */
enum plans_answer plans_get(struct plans *plans, int32_t id, const struct plan **ret_plan,
                            const char **ret_why);

#endif
