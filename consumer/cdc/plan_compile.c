/* plan_compile: the kind of record that a writer's schema is for, and its wanted fields. */
#include "base/slice.h"
#include "cdc/plan_compiler.h"
#include "cdc/schema/avro_names.h"
#include "cdc/schema/schema_rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SLOT(member) ((uint16_t)offsetof(struct change, member))

enum { ROW_WANTS = FIELD_COUNT + CHANGE_EXTRA_MAX + 11 };

static const struct {
    const char *name;
    uint16_t slot;
} table_names[] = {{"table", SLOT(table)},
                   {"source_table", SLOT(table)},
                   {"schema", SLOT(table_schema)},
                   {"source_schema", SLOT(table_schema)}};

static bool seek(const char *prefix, const char *name, char ret_identifier[SCHEMA_NAME_MAX],
                 struct error *err)
{
    char whole[SCHEMA_NAME_MAX];
    int len = snprintf(whole, sizeof whole, "%s%s", prefix, name);
    return (len < SCHEMA_NAME_MAX && schema_identifier(whole, ret_identifier)) ||
           error_set(err, ERROR_CONFIG, "the name \"%.100s…\" is too long for a column", whole);
}

static bool seek_all(struct sought *sought, const struct plan_options *options, struct error *err)
{
    sought->options = options;
    for (size_t f = 0; f < FIELD_COUNT; f++)
        if (!seek("", options->columns[f], sought->columns[f], err))
            return false;
    for (size_t i = 0; i < options->extra_count; i++)
        if (!seek("", options->extra_columns[i], sought->extra[i], err))
            return false;
    for (size_t i = 0; i < 4; i++)
        if (!seek(options->prefix, table_names[i].name, sought->table[i], err))
            return false;
    sought->owner_column[0] = '\0';
    if (options->owner_column != NULL &&
        !seek("", options->owner_column, sought->owner_column, err))
        return false;
    return seek("", options->rule_column, sought->rule_column, err) &&
           seek(options->prefix, "op", sought->op, err) &&
           seek(options->prefix, "lsn", sought->lsn, err) &&
           seek(options->prefix, "source_lsn", sought->source_lsn, err) &&
           seek(options->prefix, "source_ts_ms", sought->source_ts_ms, err);
}

/* The number of them. */
static size_t want_row(struct want wants[ROW_WANTS + 1], const struct sought *sought)
{
    size_t n = 0;
    wants[n++] = (struct want){.name = sought->rule_column, .slot = SLOT(status)};
    for (size_t f = 0; f < FIELD_COUNT; f++)
        wants[n++] = (struct want){.name = sought->columns[f],
                                   .slot = (uint16_t)(SLOT(field) + f * sizeof(struct column))};
    for (size_t i = 0; i < sought->options->extra_count; i++)
        wants[n++] = (struct want){.name = sought->extra[i],
                                   .slot = (uint16_t)(SLOT(extra) + i * sizeof(struct column))};
    if (sought->owner_column[0] != '\0')
        wants[n++] = (struct want){.name = sought->owner_column, .slot = SLOT(owner)};
    wants[n] = (struct want){0};
    return n;
}

static void want_unwrapped(struct want wants[ROW_WANTS + 1], const struct sought *sought)
{
    size_t n = want_row(wants, sought);
    wants[n++] = (struct want){.name = sought->op, .slot = SLOT(op)};
    wants[n++] = (struct want){.name = sought->lsn, .slot = SLOT(lsn)};
    wants[n++] = (struct want){.name = sought->source_lsn, .slot = SLOT(lsn)}; /* the same number */
    wants[n++] = (struct want){.name = sought->source_ts_ms, .slot = SLOT(event_ms)};
    for (size_t i = 0; i < 4; i++)
        wants[n++] = (struct want){.name = sought->table[i], .slot = table_names[i].slot};
    /* this one has its name whatever the prefix */
    wants[n++] = (struct want){.name = "__deleted", .slot = SLOT(deleted)};
    wants[n] = (struct want){0};
}

static void compile_envelope(struct compiler *c, const struct sought *sought)
{
    struct want row[ROW_WANTS + 1];
    (void)want_row(row, sought);
    const struct want before[] = {{.name = sought->rule_column, .slot = SLOT(before_status)}, {0}};
    const struct want source[] = {{.name = "lsn", .slot = SLOT(lsn)},
                                  {.name = "ts_ms", .slot = SLOT(event_ms)},
                                  {.name = "table", .slot = SLOT(table)},
                                  {.name = "schema", .slot = SLOT(table_schema)},
                                  {0}};
    const struct want envelope[] = {
        {.name = "before", .inside = before, .mark = offsetof(struct change, has_before)},
        {.name = "after", .inside = row, .mark = offsetof(struct change, has_row), .gates = true},
        {.name = "source", .inside = source},
        {.name = "op", .slot = SLOT(op)},
        {0}};
    take_record(c, c->top, c->top_json, envelope, false);
}

static void compile_unwrapped(struct compiler *c, const struct sought *sought)
{
    struct want row[ROW_WANTS + 1];
    want_unwrapped(row, sought);
    emit(c, (struct instruction){.operation = PLAN_MARK, .a = offsetof(struct change, has_row)});
    take_record(c, c->top, c->top_json, row, true);
}

/* Debezium's other records, by the names of their schemas. */
static bool is_foreign_record(const char *name)
{
    static const char *const names[] = {"Heartbeat", "TransactionMetadataValue", "MessageValue",
                                        "SchemaChangeValue"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

/* The record that values are: the schema itself, or the one record in a union of it and null, which
 * Connect writes for an optional struct. */
static bool find_top(struct compiler *c, struct error *err)
{
    avro_schema_t type = c->schema.avro;
    const char *name = avro_schema_type_name(type);
    c->top = is_avro_record(type) ? type : NULL;
    c->top_json = c->schema.json;
    for (size_t i = 0; is_avro_union(type) && i < avro_schema_union_size(type); i++) {
        avro_schema_t branch = schema_target(avro_schema_union_branch(type, (int)i));
        if (is_avro_null(branch))
            continue;
        if (!is_avro_record(branch) || c->top != NULL)
            return error_set(err, ERROR_UNDECODABLE,
                             "the schema is a union of more than null and one record");
        c->top = branch;
        c->top_json = schema_json_resolve(&c->schema, schema_json_branch(c->schema.json, i));
    }
    return c->top != NULL ||
           error_set(err, ERROR_UNDECODABLE, "the schema is a %s, not a record", name);
}

static enum plan_shape shape_of(avro_schema_t top)
{
    if (row_has(top, "op") && row_has(top, "after"))
        return PLAN_ENVELOPE;
    return is_foreign_record(avro_schema_name(top)) ? PLAN_FOREIGN : PLAN_UNWRAPPED;
}

static void compile_record(struct compiler *c, const struct sought *sought)
{
    if (c->plan->shape == PLAN_ENVELOPE)
        compile_envelope(c, sought);
    else if (c->plan->shape == PLAN_UNWRAPPED)
        compile_unwrapped(c, sought);
    else /* nothing is wanted of it, but that its bytes fit */
        take_record(c, c->top, c->top_json, (const struct want[]){{0}}, false);
}

/* The record, or the null that stands in its place. */
static void compile_branch(struct compiler *c, avro_schema_t branch, size_t index,
                           const void *context)
{
    (void)index;
    if (schema_target(branch) == c->top)
        compile_record(c, context);
    else
        emit(c,
             (struct instruction){.operation = PLAN_MARK, .a = offsetof(struct change, is_null)});
}

static void compile_top(struct compiler *c, const struct sought *sought)
{
    if (c->schema.avro == c->top)
        compile_record(c, sought);
    else
        emit_union(c, c->schema.avro, compile_branch, sought);
}

/* confirmed_at's default, when it is the epoch: no order was confirmed then, so that the value is
 * what Connect's converter put in place of a null. */
static bool epoch_is_default(const json_t *row, const char *column)
{
    const json_t *value = json_object_get(row_field(row, column), "default");
    const char *text = json_string_value(value);
    return (json_is_integer(value) && json_integer_value(value) == 0) ||
           has_prefix(text, "1970-01-01T00:00:00");
}

/* An absent owner stops nothing: orders are sent, and their customers do not see them. */
static bool lacks_owner(const struct compiler *c, const struct sought *sought)
{
    avro_schema_t row = c->plan->shape == PLAN_ENVELOPE ? row_type_of(c->top) : c->top;
    return sought->owner_column[0] != '\0' && c->plan->shape != PLAN_FOREIGN &&
           !row_has(row, sought->owner_column);
}

static bool compile(struct compiler *c, const char *text, size_t len,
                    const struct plan_options *options, struct error *err)
{
    struct sought sought;
    c->room =
        len < (CODE_MAX - CODE_LEAST) / CODE_PER_BYTE ? CODE_LEAST + CODE_PER_BYTE * len : CODE_MAX;
    if (!seek_all(&sought, options, err) || !schema_parse(&c->schema, text, len, err) ||
        !find_top(c, err))
        return false;
    c->plan->shape = shape_of(c->top);
    if (!plan_check(c, &sought, err))
        return false;
    compile_top(c, &sought);
    c->plan->extra_count = options->extra_count;
    c->plan->lacks_owner = lacks_owner(c, &sought);
    c->plan->epoch_is_null = epoch_is_default(row_json_of(c), sought.columns[FIELD_CONFIRMED_AT]);
    emit(c, (struct instruction){.operation = PLAN_END});
    emit_routines(c);
    if (c->too_large)
        return error_set(err, ERROR_UNDECODABLE,
                         "the schema is too large: it needs more than %zu instructions", c->room);
    c->plan->rule_value = strdup(options->rule_value);
    if (c->failed || c->plan->rule_value == NULL)
        return error_no_memory(err);
    c->plan->rule_value_len = strlen(c->plan->rule_value);
    return true;
}

struct plan *plan_compile(const char *schema, size_t len, const struct plan_options *options,
                          struct error *err)
{
    struct compiler *c = calloc(1, sizeof *c);
    struct plan *plan = calloc(1, sizeof *plan);
    bool done = false;
    if (c == NULL || plan == NULL) {
        error_no_memory(err);
    } else {
        c->plan = plan;
        done = compile(c, schema, len, options, err);
        schema_done(&c->schema);
        free(c->items);
        free(c->calls);
    }
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
    free(plan->refusal);
    free(plan);
}

const char *plan_refusal(const struct plan *plan)
{
    return plan->refusal;
}

bool plan_lacks_owner(const struct plan *plan)
{
    return plan->lacks_owner;
}

enum plan_shape plan_shape(const struct plan *plan)
{
    return plan->shape;
}
