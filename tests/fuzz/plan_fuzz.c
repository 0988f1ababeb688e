/* plan_fuzz: any schema, any bytes.   input: schema, NUL, body
 *
 * Nothing outside the body is read (ASan), nothing that was captured lies outside of it, the work
 * is bounded by its length, and the gate never changes what is read before it. */
#include "fuzz/fuzz.h"

#include "base/hash.h"

/* Mutations mostly leave the schema alone, and libFuzzer goes about among some hundreds of inputs.
 */
static struct known {
    char *schema;
    struct plan *plan;
} cache[1024];

static const struct plan *plan_of(const char *schema)
{
    size_t len = strlen(schema);
    static const struct hash_key plain;
    struct known *k = &cache[hash_keyed(&plain, schema, len) % (sizeof cache / sizeof *cache)];
    if (k->schema != NULL && strcmp(k->schema, schema) == 0)
        return k->plan;
    struct plan_options options = fuzz_plan_options();
    struct error err = {0};
    plan_free(k->plan);
    free(k->schema);
    k->schema = strdup(schema);
    k->plan = plan_compile(schema, len, &options, &err);
    return k->plan;
}

static void check_column(const struct column *c, const uint8_t *body, size_t len)
{
    if (c->kind != COLUMN_TEXT && c->kind != COLUMN_DECIMAL)
        return;
    const uint8_t *data = (const uint8_t *)c->data;
    bool inside = data >= body && c->len <= len && data <= body + len - c->len;
    PROMISE(inside || (c->kind == COLUMN_TEXT && strlen(c->data) == c->len)); /* an enum's symbol */
}

static void check_captured(const struct change *change, const uint8_t *body, size_t len)
{
    for (size_t f = 0; f < FIELD_COUNT; f++)
        check_column(&change->field[f], body, len);
    check_column(&change->status, body, len);
    check_column(&change->before_status, body, len);
    check_column(&change->op, body, len);
    check_column(&change->deleted, body, len);
}

static bool same_text(const struct column *a, const struct column *b)
{
    if (a->kind != COLUMN_TEXT || b->kind != COLUMN_TEXT)
        return a->kind == b->kind;
    return a->len == b->len && memcmp(a->data, b->data, a->len) == 0;
}

static enum plan_result run(const struct plan *plan, const uint8_t *body, size_t len, bool gate,
                            struct change *ret_change)
{
    const char *why = NULL;
    uint64_t steps;
    enum plan_result result = plan_run(plan, body, len, gate, ret_change, &why, &steps);
    PROMISE((result == PLAN_MALFORMED) == (why != NULL));
    PROMISE(steps <= PLAN_STEPS_PER_BYTE * (uint64_t)(len + 1));
    PROMISE(gate || result != PLAN_STOPPED);
    if (result != PLAN_MALFORMED)
        check_captured(ret_change, body, len);
    return result;
}

static void run_both(const struct plan *plan, const uint8_t *body, size_t len)
{
    struct change whole, gated;
    enum plan_result result = run(plan, body, len, false, &whole);
    enum plan_result early = run(plan, body, len, true, &gated);
    if (early == PLAN_STOPPED) {
        PROMISE(gated.stopped_early && !column_is_text(&gated.status, "confirmed"));
        PROMISE(result == PLAN_MALFORMED || same_text(&whole.status, &gated.status));
    } else {
        PROMISE(early == result);
        PROMISE(result == PLAN_MALFORMED || same_text(&whole.op, &gated.op));
    }
}

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t size_max);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t size_max, unsigned seed);

/* Mostly the body is mutated: to compile a schema takes a hundred times as long as to run it. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t size_max, unsigned seed)
{
    uint8_t *end = size > 0 ? memchr(data, '\0', size) : NULL;
    if (end == NULL || seed % 32 == 0)
        return LLVMFuzzerMutate(data, size, size_max);
    size_t head = (size_t)(end + 1 - data);
    return head + LLVMFuzzerMutate(end + 1, size - head, size_max - head);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = size > 0 ? memchr(data, '\0', size) : NULL;
    if (end == NULL)
        return -1; /* no schema: not worth keeping */
    const struct plan *plan = plan_of((const char *)data);
    if (plan == NULL || plan_shape(plan) == PLAN_FOREIGN)
        return 0;
    size_t len = size - (size_t)(end + 1 - data);
    uint8_t *body = fuzz_copy(end + 1, len);
    run_both(plan, body, len);
    free(body);
    return 0;
}
