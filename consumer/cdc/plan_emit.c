/* plan_emit: the program under construction, and the code that skips.
 *
 * The main program reads the top-level record; each record type that is only skipped becomes a
 * routine (so a schema that names one type a thousand times does not grow a thousandfold). */
#include "cdc/plan_compiler.h"

#include <stdlib.h>

bool compiler_grow(struct compiler *c, void **array, size_t len, size_t *cap, size_t size)
{
    if (len < *cap)
        return true;
    size_t more = *cap ? *cap * 2 : 64;
    c->too_large = c->too_large || len >= c->room;
    void *bigger = !c->too_large && !c->failed ? realloc(*array, more * size) : NULL;
    if (bigger == NULL) {
        c->failed = true;
        return false;
    }
    *array = bigger;
    *cap = more;
    return true;
}

static uint32_t here(const struct compiler *c)
{
    return (uint32_t)c->plan->code_len;
}

uint32_t emit(struct compiler *c, struct instruction instruction)
{
    if (!GROW(c, c->plan, code, code_len, code_cap))
        return 0;
    c->plan->code[c->plan->code_len] = instruction;
    return (uint32_t)c->plan->code_len++;
}

static void patch(struct compiler *c, uint32_t at, uint32_t target)
{
    if (!c->failed)
        c->plan->code[at].a = target;
}

/* Neighbours of one kind become one instruction. No jump lands between them: a jump's target always
 * follows a JUMP, SWITCH or END. */
static void emit_skip(struct compiler *c, enum plan_operation operation, uint32_t count)
{
    struct plan *plan = c->plan;
    struct instruction *last = plan->code_len > 0 ? &plan->code[plan->code_len - 1] : NULL;
    if (last != NULL && last->operation == operation && last->a <= UINT32_MAX - count)
        last->a += count;
    else
        emit(c, (struct instruction){.operation = (uint8_t)operation, .a = count});
}

static void emit_skip_bytes(struct compiler *c, int64_t count)
{
    /* schema_bare has kept it below 2^31 */
    emit_skip(c, PLAN_SKIP_BYTES, (uint32_t)count);
}

static void emit_call(struct compiler *c, struct schema_record *record)
{
    if (record->call == 0) {
        c->wanted[c->wanted_count++] = record;
        record->call = (uint32_t)c->wanted_count;
    }
    uint32_t at = emit(c, (struct instruction){.operation = PLAN_CALL});
    if (GROW(c, c, calls, call_count, call_cap))
        c->calls[c->call_count++] = (struct plan_call){at, record};
}

static void emit_items(struct compiler *c, avro_schema_t type, bool map)
{
    uint32_t at = emit(c, (struct instruction){.operation = PLAN_ITEMS});
    if (GROW(c, c, items, item_count, item_cap))
        c->items[c->item_count++] = (struct item){type, at, map};
}

/* Reserves the jump table of a union; the branches' code follows and is entered by set_branch. */
static uint32_t emit_switch(struct compiler *c, size_t branches)
{
    struct plan *plan = c->plan;
    uint32_t first = (uint32_t)plan->jump_len;
    emit(c, (struct instruction){.operation = PLAN_SWITCH, .a = (uint32_t)branches, .b = first});
    for (size_t i = 0; i < branches; i++)
        if (GROW(c, plan, jumps, jump_len, jump_cap))
            plan->jumps[plan->jump_len++] = 0;
    return first;
}

static void set_branch(struct compiler *c, uint32_t first, size_t branch)
{
    if (!c->failed)
        c->plan->jumps[first + branch] = here(c);
}

/* Ends a branch by a jump over the ones that follow; chained through `a` until the end is known. */
static uint32_t end_branch(struct compiler *c, uint32_t chain)
{
    return emit(c, (struct instruction){.operation = PLAN_JUMP, .a = chain});
}

static void land(struct compiler *c, uint32_t chain)
{
    while (!c->failed && chain != 0) {
        uint32_t next = c->plan->code[chain].a;
        c->plan->code[chain].a = here(c);
        chain = next;
    }
}

void emit_union(struct compiler *c, avro_schema_t type, emit_branch *branch, const void *context)
{
    size_t branches = avro_schema_union_size(type);
    uint32_t first = emit_switch(c, branches), chain = 0;
    for (size_t i = 0; i < branches; i++) {
        set_branch(c, first, i);
        branch(c, avro_schema_union_branch(type, (int)i), i, context);
        chain = end_branch(c, chain);
    }
    land(c, chain);
}

static bool is_blob(avro_schema_t type)
{
    return is_avro_string(type) || is_avro_bytes(type);
}

/* Null and one string or bytes, in either order: by far the most common union. */
static bool is_optional_blob(avro_schema_t type, uint32_t *ret_null_branch)
{
    if (avro_schema_union_size(type) != 2)
        return false;
    for (uint32_t null = 0; null < 2; null++)
        if (is_avro_null(avro_schema_union_branch(type, (int)null)) &&
            is_blob(avro_schema_union_branch(type, (int)(1 - null)))) {
            *ret_null_branch = null;
            return true;
        }
    return false;
}

static void skip_branch(struct compiler *c, avro_schema_t branch, size_t index, const void *context)
{
    (void)index, (void)context;
    skip_type(c, branch);
}

static void skip_union(struct compiler *c, avro_schema_t type)
{
    uint32_t null_branch;
    if (is_optional_blob(type, &null_branch)) {
        emit(c, (struct instruction){.operation = PLAN_SKIP_OPTIONAL, .a = null_branch});
        return;
    }
    emit_union(c, type, skip_branch, NULL);
}

static void skip_blob_type(struct compiler *c)
{
    emit_skip(c, PLAN_SKIP_BLOB, 1);
}

static void skip_enum(struct compiler *c, avro_schema_t type)
{
    emit(c, (struct instruction){.operation = PLAN_SKIP_ENUM,
                                 .a = (uint32_t)avro_schema_enum_number_of_symbols(type)});
}

void skip_type(struct compiler *c, avro_schema_t type)
{
    type = schema_target(type);
    if (!schema_takes_bytes(&c->schema, type))
        return;
    switch (avro_typeof(type)) {
    case AVRO_STRING:
    case AVRO_BYTES: skip_blob_type(c); break;
    case AVRO_INT32:
    case AVRO_INT64: emit_skip(c, PLAN_SKIP_VARINT, 1); break;
    case AVRO_FLOAT: emit_skip_bytes(c, sizeof(float)); break;
    case AVRO_DOUBLE: emit_skip_bytes(c, sizeof(double)); break;
    case AVRO_BOOLEAN: emit(c, (struct instruction){.operation = PLAN_SKIP_BOOLEAN}); break;
    case AVRO_FIXED: emit_skip_bytes(c, avro_schema_fixed_size(type)); break;
    case AVRO_ENUM: skip_enum(c, type); break;
    case AVRO_UNION: skip_union(c, type); break;
    case AVRO_ARRAY: emit_items(c, avro_schema_array_items(type), false); break;
    case AVRO_MAP: emit_items(c, avro_schema_map_values(type), true); break;
    case AVRO_RECORD: emit_call(c, schema_record_of(&c->schema, type)); break;
    default: c->failed = true;
    }
}

static void skip_record_fields(struct compiler *c, avro_schema_t record)
{
    for (size_t i = 0; i < avro_schema_record_size(record); i++)
        skip_type(c, avro_schema_record_field_get_by_index(record, (int)i));
}

/* Routines and items may want further ones while they are written, until none is left. */
void emit_routines(struct compiler *c)
{
    size_t records = 0, items = 0;
    while (!c->failed && (records < c->wanted_count || items < c->item_count)) {
        if (records < c->wanted_count) {
            struct schema_record *record = c->wanted[records++];
            record->routine = here(c);
            skip_record_fields(c, record->type);
        } else {
            struct item item = c->items[items++];
            patch(c, item.at, here(c));
            if (item.map)
                skip_blob_type(c);
            skip_type(c, item.type);
        }
        emit(c, (struct instruction){.operation = PLAN_END});
    }
    for (size_t i = 0; i < c->call_count; i++)
        patch(c, c->calls[i].at, c->calls[i].record->routine);
}
