#include "registry/decoders.h"

#include "base/hash.h"
#include "order/transform.h"
#include "registry/schema_title.h"
#include "sys/log.h"

#include <stdlib.h>
#include <string.h>

enum { BUCKETS = 256 };

/* What became of one schema id. */
struct known {
    struct known *next;
    int32_t id;
    bool forgotten; /* to be asked for anew */
    enum plans_answer answer;
    struct plan *plan;
    char *why;
    struct schema_proof proof;
    char title[SCHEMA_TITLE_MAX];
};

struct plans {
    struct plan_options options;
    struct registry *registry;
    struct hash_key hash_key;
    struct known *last;   /* records of one schema come in long runs */
    struct error failure; /* the registry's last refusal */
    struct known *buckets[BUCKETS];
};

struct plans *plans_new(const struct config *config, struct registry *registry)
{
    struct plans *plans = calloc(1, sizeof *plans);
    if (plans == NULL)
        return NULL;
    plans->options = transform_plan_options(config);
    plans->registry = registry;
    plans->hash_key = config->hash_key;
    return plans;
}

void plans_free(struct plans *plans)
{
    if (plans == NULL)
        return;
    for (size_t i = 0; i < BUCKETS; i++)
        while (plans->buckets[i] != NULL) {
            struct known *k = plans->buckets[i];
            plans->buckets[i] = k->next;
            plan_free(k->plan);
            free(k->why);
            free(k);
        }
    free(plans);
}

static struct known **bucket_of(struct plans *plans, int32_t id)
{
    return &plans->buckets[hash_keyed(&plans->hash_key, &id, sizeof id) % BUCKETS];
}

static struct known *find(struct plans *plans, int32_t id)
{
    if (plans->last != NULL && plans->last->id == id)
        return plans->last;
    for (struct known *k = *bucket_of(plans, id); k != NULL; k = k->next)
        if (k->id == id)
            return plans->last = k;
    return NULL;
}

static enum plans_answer refusal(const struct error *err)
{
    return err->code == ERROR_CONFIG ? PLANS_STOP : PLANS_UNREADABLE;
}

static struct known *add(struct plans *plans, int32_t id)
{
    struct known *k = calloc(1, sizeof *k);
    if (k == NULL)
        return NULL;
    k->id = id;
    k->forgotten = true;
    k->next = *bucket_of(plans, id);
    *bucket_of(plans, id) = k;
    return k;
}

static void warn_of_owner(const struct plans *plans, const struct known *k)
{
    if (k->plan == NULL || !plan_lacks_owner(k->plan))
        return;
    log_warn("owner column missing", LOG_S("column", plans->options.owner_column),
             LOG_S("schema", k->title), LOG_I("schema_id", k->id),
             LOG_S("effect", "orders are sent; no customer sees or syncs those of this schema"),
             LOG_S("hint", "set auth.owner_column to the column that holds a token's sub"));
}

/* Without memory the answer is PENDING: the partition waits and asks again. */
static enum plans_answer learn(struct plans *plans, int32_t id, const char *schema,
                               struct known **ret_known)
{
    struct error err = {0};
    struct known *k = find(plans, id);
    if (k == NULL && (k = add(plans, id)) == NULL)
        return PLANS_PENDING;
    struct plan *plan = plan_compile(schema, strlen(schema), &plans->options, &err);
    char *why = strdup(err.text);
    if (err.code == ERROR_NO_MEMORY || why == NULL) {
        plan_free(plan);
        free(why);
        return PLANS_PENDING;
    }
    plan_free(k->plan);
    free(k->why);
    k->plan = plan;
    k->why = why;
    k->answer = plan != NULL ? PLANS_HAVE : refusal(&err);
    k->forgotten = false;
    schema_title(schema, k->title);
    warn_of_owner(plans, k);
    *ret_known = k;
    return k->answer;
}

/* What the registry refuses it remembers itself, for as long as that holds: an id that it does not
 * know may be registered yet. */
static enum plans_answer ask(struct plans *plans, int32_t id, struct known **ret_known,
                             const char **ret_why)
{
    const char *schema = NULL;
    plans->failure = (struct error){0};
    switch (registry_get(plans->registry, id, &schema, &plans->failure)) {
    case REGISTRY_HAVE: return learn(plans, id, schema, ret_known);
    case REGISTRY_MISSING: *ret_why = plans->failure.text; return PLANS_MISSING;
    case REGISTRY_FAILED: *ret_why = plans->failure.text; return refusal(&plans->failure);
    default: return PLANS_PENDING;
    }
}

enum plans_answer plans_get(struct plans *plans, int32_t id, const struct plan **ret_plan,
                            const char **ret_why)
{
    struct known *k = find(plans, id);
    if (k == NULL || k->forgotten) {
        k = NULL;
        enum plans_answer answer = ask(plans, id, &k, ret_why);
        if (k == NULL)
            return answer;
    }
    *ret_plan = k->plan;
    *ret_why = k->why;
    return k->answer;
}

struct schema_proof *plans_proof(struct plans *plans, int32_t id)
{
    struct known *k = find(plans, id);
    return k != NULL && k->answer == PLANS_HAVE ? &k->proof : NULL;
}

const char *plans_title(struct plans *plans, int32_t id)
{
    const struct known *k = find(plans, id);
    return k != NULL ? k->title : "";
}

void plans_forget(struct plans *plans, int32_t id)
{
    struct known *k = find(plans, id);
    if (k != NULL)
        k->forgotten = true;
    registry_forget(plans->registry, id);
}
