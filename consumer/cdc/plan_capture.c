/* plan_capture: the code that captures a record's wanted fields; everything else in it is skipped.
 */
#include "cdc/plan_compiler.h"

#include <stdlib.h>
#include <string.h>

bool is_scaled(avro_schema_t type, bool *ret_scale_first)
{
    if (!is_avro_record(type) || avro_schema_record_size(type) != 2)
        return false;
    int scale = avro_schema_record_field_get_index(type, "scale");
    int value = avro_schema_record_field_get_index(type, "value");
    if (scale < 0 || value < 0 ||
        !is_avro_int32(schema_target(avro_schema_record_field_get_by_index(type, scale))) ||
        !is_avro_bytes(schema_target(avro_schema_record_field_get_by_index(type, value))))
        return false;
    *ret_scale_first = scale < value;
    return true;
}

static void take_symbols(struct compiler *c, avro_schema_t type, uint16_t slot)
{
    struct plan *plan = c->plan;
    int count = avro_schema_enum_number_of_symbols(type);
    uint32_t first = (uint32_t)plan->symbol_len;
    for (int i = 0; i < count; i++) {
        char *name = strdup(avro_schema_enum_get(type, i));
        if (name == NULL || !GROW(c, plan, symbols, symbol_len, symbol_cap)) {
            free(name);
            c->failed = true;
            return;
        }
        plan->symbols[plan->symbol_len++] = name;
    }
    emit(c, (struct instruction){
                .operation = PLAN_TAKE_ENUM, .slot = slot, .a = (uint32_t)count, .b = first});
}

static void take_plain(struct compiler *c, enum plan_operation operation, uint16_t slot)
{
    emit(c, (struct instruction){.operation = (uint8_t)operation, .slot = slot});
}

static void take_other(struct compiler *c, avro_schema_t type, uint16_t slot)
{
    take_plain(c, PLAN_TAKE_OTHER, slot);
    skip_type(c, type);
}

static void take_decimal(struct compiler *c, avro_schema_t type, const json_t *json, uint16_t slot)
{
    if (!schema_is_decimal(json)) {
        take_other(c, type, slot);
        return;
    }
    struct instruction i = {
        .operation = PLAN_TAKE_DECIMAL, .slot = slot, .scale = schema_decimal_scale(json)};
    if (is_avro_fixed(type)) {
        i.operation = PLAN_TAKE_FIXED;
        i.a = (uint32_t)avro_schema_fixed_size(type);
    }
    emit(c, i);
}

static void take_type(struct compiler *c, avro_schema_t type, const json_t *json, uint16_t slot);

struct taken_union {
    const json_t *json;
    uint16_t slot;
};

static void take_branch(struct compiler *c, avro_schema_t branch, size_t index, const void *context)
{
    const struct taken_union *u = context;
    take_type(c, branch, schema_json_branch(u->json, index), u->slot);
}

static void take_type(struct compiler *c, avro_schema_t type, const json_t *json, uint16_t slot)
{
    bool scale_first;
    type = schema_target(type);
    json = schema_json_resolve(&c->schema, json);
    switch (avro_typeof(type)) {
    case AVRO_NULL: take_plain(c, PLAN_TAKE_NULL, slot); break;
    case AVRO_STRING:
        emit(c, (struct instruction){
                    .operation = PLAN_TAKE_TEXT, .slot = slot, .a = schema_time_is_local(json)});
        break;
    case AVRO_BOOLEAN: take_plain(c, PLAN_TAKE_BOOLEAN, slot); break;
    case AVRO_FLOAT: take_plain(c, PLAN_TAKE_FLOAT, slot); break;
    case AVRO_DOUBLE: take_plain(c, PLAN_TAKE_DOUBLE, slot); break;
    case AVRO_ENUM: take_symbols(c, type, slot); break;
    case AVRO_UNION: emit_union(c, type, take_branch, &(struct taken_union){json, slot}); break;
    case AVRO_BYTES:
    case AVRO_FIXED: take_decimal(c, type, json, slot); break;
    case AVRO_INT32:
    case AVRO_INT64:
        emit(c, (struct instruction){.operation = PLAN_TAKE_INT,
                                     .slot = slot,
                                     .ticks = schema_time_ticks(json),
                                     .a = schema_time_is_local(json),
                                     .b = schema_is_day(json)});
        break;
    default:
        if (is_scaled(type, &scale_first))
            take_plain(c, scale_first ? PLAN_TAKE_SCALED : PLAN_TAKE_SCALED_END, slot);
        else
            take_other(c, type, slot);
    }
}

static void take_inside(struct compiler *c, avro_schema_t type, const json_t *json,
                        const struct want *want);

struct wanted_union {
    const json_t *json;
    const struct want *want;
};

static void take_branch_inside(struct compiler *c, avro_schema_t branch, size_t index,
                               const void *context)
{
    const struct wanted_union *u = context;
    take_inside(c, branch, schema_json_branch(u->json, index), u->want);
}

/* A wanted record, or a union with one in it (null otherwise). */
static void take_inside(struct compiler *c, avro_schema_t type, const json_t *json,
                        const struct want *want)
{
    type = schema_target(type);
    json = schema_json_resolve(&c->schema, json);
    if (is_avro_record(type)) {
        if (want->mark != 0)
            emit(c, (struct instruction){.operation = PLAN_MARK, .a = want->mark});
        take_record(c, type, json, want->inside, want->gates);
        return;
    }
    if (!is_avro_union(type)) {
        skip_type(c, type);
        return;
    }
    emit_union(c, type, take_branch_inside, &(struct wanted_union){json, want});
}

/* A column that several slots want is read once and copied. */
static void take_column(struct compiler *c, avro_schema_t type, const json_t *json,
                        const struct want *wants, const char *name)
{
    const struct want *taken = NULL;
    for (const struct want *w = wants; w->name != NULL; w++) {
        if (strcmp(w->name, name) != 0)
            continue;
        if (w->inside != NULL)
            take_inside(c, type, json, w);
        else if (taken != NULL)
            emit(c,
                 (struct instruction){.operation = PLAN_COPY, .slot = w->slot, .a = taken->slot});
        else
            take_type(c, type, json, w->slot);
        taken = w;
    }
    if (taken == NULL)
        skip_type(c, type);
}

static int last_index(avro_schema_t record, const struct want *wants)
{
    int last = -1;
    for (const struct want *w = wants; w->name != NULL; w++)
        if (w->slot == offsetof(struct change, status) ||
            w->slot == offsetof(struct change, field[FIELD_ORDER_ID])) {
            int index = avro_schema_record_field_get_index(record, w->name);
            last = index > last ? index : last;
        }
    return last;
}

void take_record(struct compiler *c, avro_schema_t record, const json_t *json,
                 const struct want *wants, bool gates)
{
    int gate_after = gates ? last_index(record, wants) : -1;
    for (int i = 0; i < (int)avro_schema_record_size(record); i++) {
        const char *name = avro_schema_record_field_name(record, i);
        take_column(c, avro_schema_record_field_get_by_index(record, i),
                    schema_json_field(json, (size_t)i), wants, name);
        if (i == gate_after)
            emit(c, (struct instruction){.operation = PLAN_GATE});
    }
}
