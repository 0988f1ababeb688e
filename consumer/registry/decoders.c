#include "registry/decoders.h"

#include "base/hash.h"
#include "order/transform.h"
#include "registry/schema_title.h"
#include "sys/log.h"

#include <stdlib.h>
#include <string.h>

enum { BUCKETS = 256 };

/* The state of one schema. */
struct known {
    struct known *next;
    struct schema_ref ref;
    bool forgotten; /* to be asked for again */
    enum decoders_answer answer;
    struct plan *plan;
    char *why;
    struct schema_proof proof;
    char title[SCHEMA_TITLE_MAX];
};

struct decoders {
    struct plan_options options;
    struct registry *registry;
    struct hash_key hash_key;
    struct known *last;   /* records of one schema come in long runs */
    struct error failure; /* the registry's last refusal */
    struct known *buckets[BUCKETS];
};

struct decoders *decoders_new(const struct config *config, struct registry *registry)
{
    struct decoders *decoders = calloc(1, sizeof *decoders);
    if (decoders == NULL)
        return NULL;
    decoders->options = transform_plan_options(config);
    decoders->registry = registry;
    decoders->hash_key = config->hash_key;
    return decoders;
}

void decoders_free(struct decoders *decoders)
{
    if (decoders == NULL)
        return;
    for (size_t i = 0; i < BUCKETS; i++)
        while (decoders->buckets[i] != NULL) {
            struct known *k = decoders->buckets[i];
            decoders->buckets[i] = k->next;
            plan_free(k->plan);
            free(k->why);
            free(k);
        }
    free(decoders);
}

static struct known **bucket_of(struct decoders *decoders, const struct schema_ref *schema)
{
    return &decoders->buckets[hash_keyed(&decoders->hash_key, schema, sizeof *schema) % BUCKETS];
}

static struct known *find(struct decoders *decoders, const struct schema_ref *schema)
{
    if (decoders->last != NULL && schema_ref_equal(&decoders->last->ref, schema))
        return decoders->last;
    for (struct known *k = *bucket_of(decoders, schema); k != NULL; k = k->next)
        if (schema_ref_equal(&k->ref, schema))
            return decoders->last = k;
    return NULL;
}

static enum decoders_answer refusal(const struct error *err)
{
    return err->code == ERROR_CONFIG ? DECODERS_STOP : DECODERS_UNREADABLE;
}

static struct known *add(struct decoders *decoders, const struct schema_ref *schema)
{
    struct known *k = calloc(1, sizeof *k);
    if (k == NULL)
        return NULL;
    k->ref = *schema;
    k->forgotten = true;
    k->next = *bucket_of(decoders, schema);
    *bucket_of(decoders, schema) = k;
    return k;
}

static void warn_of_owner(const struct decoders *decoders, const struct known *k)
{
    char id[SCHEMA_REF_TEXT_MAX];
    if (k->plan == NULL || !plan_lacks_owner(k->plan))
        return;
    log_warn("owner column missing", LOG_S("column", decoders->options.owner_column),
             LOG_S("schema", k->title), LOG_S("schema_id", schema_ref_text(&k->ref, id)),
             LOG_S("effect", "orders are sent; no customer sees or syncs those of this schema"),
             LOG_S("hint", "set auth.owner_column to the column that holds a token's sub"));
}

/* Without memory the answer is PENDING: the partition waits and asks again. */
static enum decoders_answer learn(struct decoders *decoders, const struct schema_ref *ref,
                                  const char *schema, struct known **ret_known)
{
    struct error err = {0};
    struct known *k = find(decoders, ref);
    if (k == NULL && (k = add(decoders, ref)) == NULL)
        return DECODERS_PENDING;
    struct plan *plan = plan_compile(schema, strlen(schema), &decoders->options, &err);
    char *why = strdup(err.text);
    if (err.code == ERROR_NO_MEMORY || why == NULL) {
        plan_free(plan);
        free(why);
        return DECODERS_PENDING;
    }
    plan_free(k->plan);
    free(k->why);
    k->plan = plan;
    k->why = why;
    k->answer = plan != NULL ? DECODERS_HAVE : refusal(&err);
    k->forgotten = false;
    schema_title(schema, k->title);
    warn_of_owner(decoders, k);
    *ret_known = k;
    return k->answer;
}

/* The registry's client remembers refusals itself, for as long as they hold: an id that it does not
 * know may be registered yet. */
static enum decoders_answer ask(struct decoders *decoders, const struct schema_ref *ref,
                                struct known **ret_known, const char **ret_why)
{
    const char *schema = NULL;
    decoders->failure = (struct error){0};
    switch (registry_get(decoders->registry, ref, &schema, &decoders->failure)) {
    case REGISTRY_HAVE: return learn(decoders, ref, schema, ret_known);
    case REGISTRY_MISSING: *ret_why = decoders->failure.text; return DECODERS_MISSING;
    case REGISTRY_FAILED: *ret_why = decoders->failure.text; return refusal(&decoders->failure);
    default: return DECODERS_PENDING;
    }
}

enum decoders_answer decoders_get(struct decoders *decoders, const struct schema_ref *schema,
                                  const struct plan **ret_plan, const char **ret_why)
{
    struct known *k = find(decoders, schema);
    if (k == NULL || k->forgotten) {
        k = NULL;
        enum decoders_answer answer = ask(decoders, schema, &k, ret_why);
        if (k == NULL)
            return answer;
    }
    *ret_plan = k->plan;
    *ret_why = k->why;
    return k->answer;
}

struct schema_proof *decoders_proof(struct decoders *decoders, const struct schema_ref *schema)
{
    struct known *k = find(decoders, schema);
    return k != NULL && k->answer == DECODERS_HAVE ? &k->proof : NULL;
}

const char *decoders_title(struct decoders *decoders, const struct schema_ref *schema)
{
    const struct known *k = find(decoders, schema);
    return k != NULL ? k->title : "";
}

void decoders_forget(struct decoders *decoders, const struct schema_ref *schema)
{
    struct known *k = find(decoders, schema);
    if (k != NULL)
        k->forgotten = true;
    registry_forget(decoders->registry, schema);
}
