/* plan_compile: turns a writer's schema into a plan.
 *
 * The main program reads the top-level record; each record type that is only skipped becomes a
 * routine (so a schema that names one type a thousand times does not grow a thousandfold). Fields
 * that somebody wants are named by a tree of `struct want`; everything else is skipped. */
#include "core/plan_internal.h"
#include "core/plan_schema.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CODE_MAX 1000000 /* instructions; a schema that needs more is refused */

/* A field that is wanted: either a value into a slot, or a record with wanted fields inside. */
struct want {
    const char *name;
    uint16_t slot;
    const struct want *inside; /* ends with name NULL */
    uint32_t mark;             /* of inside: the bool in struct change to set when it is there */
    bool gates;                /* of inside: stop once status and order id are known */
};

struct compiler {
    struct plan *plan;
    struct schema schema;
    struct schema_record *wanted[SCHEMA_RECORDS_MAX]; /* records that need a routine, in order */
    size_t wanted_count;
    struct item {
        avro_schema_t type;
        uint32_t at; /* the ITEMS instruction to complete */
        bool map;
    } * items; /* item routines still to write */
    size_t item_count, item_cap;
    struct call {
        uint32_t at;
        struct schema_record *record;
    } * calls; /* CALL instructions to complete */
    size_t call_count, call_cap;
    bool failed;
};

/* Room for one more in a growing array; false (and failed) without memory or past `limit`. */
static bool grow(struct compiler *c, void **array, size_t len, size_t *cap, size_t size)
{
    if (len < *cap)
        return true;
    size_t more = *cap ? *cap * 2 : 64;
    void *bigger = len < CODE_MAX && !c->failed ? realloc(*array, more * size) : NULL;
    if (bigger == NULL) {
        c->failed = true;
        return false;
    }
    *array = bigger;
    *cap = more;
    return true;
}

#define GROW(c, owner, array, len, cap) \
    grow((c), (void **)&(owner)->array, (owner)->len, &(owner)->cap, sizeof *(owner)->array)

static uint32_t here(const struct compiler *c)
{
    return (uint32_t)c->plan->code_len;
}

/* Returns where the instruction stands; 0 after a failure (which then counts at the end). */
static uint32_t emit(struct compiler *c, struct instruction instruction)
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

/* Neighbours of one kind become one instruction. No jump lands between them: what a jump lands
 * behind is always a JUMP, SWITCH or END. */
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
    if (count > UINT32_MAX)
        c->failed = true;
    else
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
        c->calls[c->call_count++] = (struct call){at, record};
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

static void skip_type(struct compiler *c, avro_schema_t type);

static void skip_union(struct compiler *c, avro_schema_t type)
{
    uint32_t null_branch;
    if (is_optional_blob(type, &null_branch)) {
        emit(c, (struct instruction){.operation = PLAN_SKIP_OPTIONAL, .a = null_branch});
        return;
    }
    size_t branches = avro_schema_union_size(type);
    uint32_t first = emit_switch(c, branches), chain = 0;
    for (size_t i = 0; i < branches; i++) {
        set_branch(c, first, i);
        skip_type(c, avro_schema_union_branch(type, (int)i));
        chain = end_branch(c, chain);
    }
    land(c, chain);
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

static void skip_type(struct compiler *c, avro_schema_t type)
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

/* Debezium's VariableScaleDecimal: a record of exactly scale (int) and value (bytes). */
static bool is_scaled(avro_schema_t type, bool *ret_scale_first)
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

static void take_union(struct compiler *c, avro_schema_t type, const json_t *json, uint16_t slot)
{
    size_t branches = avro_schema_union_size(type);
    uint32_t first = emit_switch(c, branches), chain = 0;
    for (size_t i = 0; i < branches; i++) {
        set_branch(c, first, i);
        take_type(c, avro_schema_union_branch(type, (int)i), schema_json_branch(json, i), slot);
        chain = end_branch(c, chain);
    }
    land(c, chain);
}

static void take_type(struct compiler *c, avro_schema_t type, const json_t *json, uint16_t slot)
{
    bool scale_first;
    type = schema_target(type);
    json = schema_json_resolve(&c->schema, json);
    switch (avro_typeof(type)) {
    case AVRO_NULL: take_plain(c, PLAN_TAKE_NULL, slot); break;
    case AVRO_STRING: take_plain(c, PLAN_TAKE_TEXT, slot); break;
    case AVRO_FLOAT: take_plain(c, PLAN_TAKE_FLOAT, slot); break;
    case AVRO_DOUBLE: take_plain(c, PLAN_TAKE_DOUBLE, slot); break;
    case AVRO_ENUM: take_symbols(c, type, slot); break;
    case AVRO_UNION: take_union(c, type, json, slot); break;
    case AVRO_BYTES:
    case AVRO_FIXED: take_decimal(c, type, json, slot); break;
    case AVRO_INT32:
    case AVRO_INT64:
        emit(c, (struct instruction){
                    .operation = PLAN_TAKE_INT, .slot = slot, .ticks = schema_time_ticks(json)});
        break;
    default:
        if (is_scaled(type, &scale_first))
            take_plain(c, scale_first ? PLAN_TAKE_SCALED : PLAN_TAKE_SCALED_END, slot);
        else
            take_other(c, type, slot);
    }
}

static void take_record(struct compiler *c, avro_schema_t record, const json_t *json,
                        const struct want *wants, bool gates);

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
    size_t branches = avro_schema_union_size(type);
    uint32_t first = emit_switch(c, branches), chain = 0;
    for (size_t i = 0; i < branches; i++) {
        set_branch(c, first, i);
        take_inside(c, avro_schema_union_branch(type, (int)i), schema_json_branch(json, i), want);
        chain = end_branch(c, chain);
    }
    land(c, chain);
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

static void take_record(struct compiler *c, avro_schema_t record, const json_t *json,
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

/* Routines and items may want further ones while they are written, until none is left. */
static void emit_routines(struct compiler *c)
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

#define SLOT(member) ((uint16_t)offsetof(struct change, member))

enum { ROW_WANTS = FIELD_COUNT + 5 };

static void want_row(struct want wants[ROW_WANTS + 1], const struct plan_options *options)
{
    size_t n = 0;
    wants[n++] = (struct want){.name = options->rule_column, .slot = SLOT(status)};
    for (size_t f = 0; f < FIELD_COUNT; f++)
        wants[n++] = (struct want){.name = options->columns[f],
                                   .slot = (uint16_t)(SLOT(field) + f * sizeof(struct column))};
    wants[n] = (struct want){0};
}

/* What ExtractNewRecordState adds to a row, by its names behind the prefix. */
struct added {
    char *op, *lsn, *source_ts_ms;
};

static bool add_prefix(const char *prefix, const char *name, char **ret_name)
{
    size_t size = strlen(prefix) + strlen(name) + 1;
    *ret_name = malloc(size);
    if (*ret_name != NULL)
        snprintf(*ret_name, size, "%s%s", prefix, name);
    return *ret_name != NULL;
}

static void added_done(struct added *added)
{
    free(added->op);
    free(added->lsn);
    free(added->source_ts_ms);
}

static bool added_init(struct added *added, const struct plan_options *options, struct error *err)
{
    *added = (struct added){0};
    if (add_prefix(options->prefix, "op", &added->op) &&
        add_prefix(options->prefix, "lsn", &added->lsn) &&
        add_prefix(options->prefix, "source_ts_ms", &added->source_ts_ms))
        return true;
    return error_set(err, ERROR_NO_MEMORY, "no memory for a plan");
}

static void want_unwrapped(struct want wants[ROW_WANTS + 1], const struct plan_options *options,
                           const struct added *added)
{
    want_row(wants, options);
    size_t n = FIELD_COUNT + 1;
    wants[n++] = (struct want){.name = added->op, .slot = SLOT(op)};
    wants[n++] =
        (struct want){.name = "__deleted", .slot = SLOT(deleted)}; /* whatever the prefix */
    wants[n++] = (struct want){.name = added->lsn, .slot = SLOT(lsn)};
    wants[n++] = (struct want){.name = added->source_ts_ms, .slot = SLOT(event_ms)};
    wants[n] = (struct want){0};
}

static void compile_envelope(struct compiler *c, const struct plan_options *options)
{
    struct want row[ROW_WANTS + 1];
    want_row(row, options);
    const struct want before[] = {{.name = options->rule_column, .slot = SLOT(before_status)}, {0}};
    const struct want source[] = {
        {.name = "lsn", .slot = SLOT(lsn)}, {.name = "ts_ms", .slot = SLOT(event_ms)}, {0}};
    const struct want envelope[] = {
        {.name = "before", .inside = before, .mark = offsetof(struct change, has_before)},
        {.name = "after", .inside = row, .mark = offsetof(struct change, has_row), .gates = true},
        {.name = "source", .inside = source},
        {.name = "op", .slot = SLOT(op)},
        {0}};
    take_record(c, c->schema.avro, c->schema.json, envelope, false);
}

static void compile_unwrapped(struct compiler *c, const struct plan_options *options,
                              const struct added *added)
{
    struct want row[ROW_WANTS + 1];
    want_unwrapped(row, options, added);
    emit(c, (struct instruction){.operation = PLAN_MARK, .a = offsetof(struct change, has_row)});
    take_record(c, c->schema.avro, c->schema.json, row, true);
}

static bool has_field(avro_schema_t record, const char *name)
{
    return is_avro_record(record) && avro_schema_record_field_get_index(record, name) >= 0;
}

/* The record type of the rows: the envelope's `after` without its null branch. NULL: there is none.
 */
static avro_schema_t row_type(avro_schema_t envelope)
{
    avro_schema_t type = schema_target(avro_schema_record_field_get(envelope, "after"));
    if (is_avro_record(type))
        return type;
    for (size_t i = 0; is_avro_union(type) && i < avro_schema_union_size(type); i++) {
        avro_schema_t branch = schema_target(avro_schema_union_branch(type, (int)i));
        if (is_avro_record(branch))
            return branch;
    }
    return NULL;
}

static bool holds_text(avro_schema_t type)
{
    return is_avro_string(type) || is_avro_enum(type);
}

/* Whatever may come as a decimal counts: its annotations are another's business. */
static bool holds_text_or_number(avro_schema_t type)
{
    bool scale_first;
    return holds_text(type) || is_avro_int32(type) || is_avro_int64(type) || is_avro_float(type) ||
           is_avro_double(type) || is_avro_bytes(type) || is_avro_fixed(type) ||
           is_scaled(type, &scale_first);
}

/* Whether the type, or a branch of it, is what `fits` asks for. */
static bool any_branch(avro_schema_t type, bool (*fits)(avro_schema_t))
{
    type = schema_target(type);
    if (!is_avro_union(type))
        return fits(type);
    for (size_t i = 0; i < avro_schema_union_size(type); i++)
        if (fits(schema_target(avro_schema_union_branch(type, (int)i))))
            return true;
    return false;
}

/* The columns without which, or with another type, no order would ever be sent. */
static bool check_row(avro_schema_t row, const char *schema_name,
                      const struct plan_options *options, struct error *err)
{
    const struct {
        const char *column, *option, *what;
        bool (*fits)(avro_schema_t);
    } needed[] = {
        {options->rule_column, "rule.column", "no text", holds_text},
        {options->columns[FIELD_ORDER_ID], "payload.fields.order_id", "neither text nor a number",
         holds_text_or_number},
    };
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++) {
        if (row == NULL || !has_field(row, needed[i].column))
            return error_set(err, ERROR_CONFIG,
                             "schema \"%.100s\" has no column \"%.100s\" (%s): reading on would "
                             "pass over every order",
                             schema_name, needed[i].column, needed[i].option);
        if (!any_branch(avro_schema_record_field_get(row, needed[i].column), needed[i].fits))
            return error_set(err, ERROR_CONFIG,
                             "schema \"%.100s\": column \"%.100s\" (%s) is %s: reading on would "
                             "pass over every order",
                             schema_name, needed[i].column, needed[i].option, needed[i].what);
    }
    return true;
}

/* Debezium's other records, by the names of their schemas. */
static bool is_stray(const char *name)
{
    static const char *const names[] = {"Heartbeat", "TransactionMetadataValue", "MessageValue",
                                        "SchemaChangeValue"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

/* Finds out what kind of record this is, and refuses what cannot be read as rows. */
static bool classify(struct compiler *c, const struct plan_options *options,
                     const struct added *added, struct error *err)
{
    avro_schema_t top = c->schema.avro;
    if (!is_avro_record(top))
        return error_set(err, ERROR_UNDECODABLE, "the schema is a %s, not a record",
                         avro_schema_type_name(top));
    const char *name = avro_schema_name(top);
    c->plan->shape = PLAN_UNWRAPPED;
    if (has_field(top, "op") && has_field(top, "after")) {
        c->plan->shape = PLAN_ENVELOPE;
        return check_row(row_type(top), name, options, err);
    }
    if (is_stray(name)) {
        c->plan->shape = PLAN_STRAY;
        return true;
    }
    if (!check_row(top, name, options, err))
        return false;
    if (!has_field(top, added->op) && !options->op_assumed)
        return error_set(err, ERROR_CONFIG,
                         "records of schema \"%.100s\" are unwrapped and have no %.50s: add "
                         "transforms.unwrap.add.fields=op to the connector, or set rule.prefix to "
                         "its add.fields.prefix, or rule.assume_op",
                         name, added->op);
    return true;
}

static bool compile(struct compiler *c, const char *text, size_t len,
                    const struct plan_options *options, const struct added *added,
                    struct error *err)
{
    if (!schema_parse(&c->schema, text, len, err) || !classify(c, options, added, err))
        return false;
    if (c->plan->shape == PLAN_ENVELOPE)
        compile_envelope(c, options);
    else if (c->plan->shape == PLAN_UNWRAPPED)
        compile_unwrapped(c, options, added);
    emit(c, (struct instruction){.operation = PLAN_END});
    emit_routines(c);
    c->plan->rule_value = strdup(options->rule_value);
    if (c->failed || c->plan->rule_value == NULL)
        return error_set(err, ERROR_NO_MEMORY, "the schema needs more than %d instructions",
                         CODE_MAX);
    c->plan->rule_value_len = strlen(c->plan->rule_value);
    return true;
}

struct plan *plan_compile(const char *schema, size_t len, const struct plan_options *options,
                          struct error *err)
{
    struct compiler *c = calloc(1, sizeof *c);
    struct plan *plan = calloc(1, sizeof *plan);
    struct added added = {0};
    bool done = false;
    if (c == NULL || plan == NULL) {
        error_set(err, ERROR_NO_MEMORY, "no memory for a plan");
    } else if (added_init(&added, options, err)) {
        c->plan = plan;
        done = compile(c, schema, len, options, &added, err);
        schema_done(&c->schema);
        free(c->items);
        free(c->calls);
    }
    added_done(&added);
    free(c);
    if (!done) {
        plan_free(plan);
        return NULL;
    }
    return plan;
}

void plan_free(struct plan *plan)
{
    if (plan == NULL)
        return;
    for (size_t i = 0; i < plan->symbol_len; i++)
        free(plan->symbols[i]);
    free(plan->symbols);
    free(plan->code);
    free(plan->jumps);
    free(plan->rule_value);
    free(plan);
}

enum plan_shape plan_shape(const struct plan *plan)
{
    return plan->shape;
}
