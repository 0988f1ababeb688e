/* plan_compile: the kind of record that a writer's schema is for, and its wanted fields. */
#include "cdc/plan_compiler.h"
#include "cdc/schema/avro_names.h"
#include "cdc/schema/schema_rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SLOT(member) ((uint16_t)offsetof(struct change, member))

enum { ROW_WANTS = FIELD_COUNT + 11 };

/* The names to look for, as identifiers, as are the schema's own names. */
struct sought {
    const struct plan_options *options; /* as configured */
    char rule_column[SCHEMA_NAME_MAX];
    char columns[FIELD_COUNT][SCHEMA_NAME_MAX];
    char owner_column[SCHEMA_NAME_MAX]; /* "": none */
    char op[SCHEMA_NAME_MAX]; /* these four: the fields that ExtractNewRecordState adds to a row */
    char lsn[SCHEMA_NAME_MAX];
    char source_lsn[SCHEMA_NAME_MAX];
    char source_ts_ms[SCHEMA_NAME_MAX];
    char table[4][SCHEMA_NAME_MAX]; /* the same: in the order of table_names */
};

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

/* Every type that may hold a decimal counts; its annotations are checked elsewhere. */
static bool holds_text_or_number(avro_schema_t type)
{
    bool scale_first;
    return holds_text(type) || is_avro_int32(type) || is_avro_int64(type) || is_avro_float(type) ||
           is_avro_double(type) || is_avro_bytes(type) || is_avro_fixed(type) ||
           is_scaled(type, &scale_first);
}

/* True when the type, or a branch of it, is what `fits` asks for. */
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
static bool check_row(avro_schema_t row, const char *schema_name, const struct sought *sought,
                      struct error *err)
{
    const struct plan_options *options = sought->options;
    const struct {
        const char *name, *column, *option, *what;
        bool (*fits)(avro_schema_t);
    } needed[] = {
        {sought->rule_column, options->rule_column, "rule.column", "no text", holds_text},
        {sought->columns[FIELD_ORDER_ID], options->columns[FIELD_ORDER_ID],
         "payload.fields.order_id", "neither text nor a number", holds_text_or_number},
    };
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++) {
        if (row == NULL || !has_field(row, needed[i].name))
            return error_set(err, ERROR_CONFIG,
                             "schema \"%.100s\" has no column \"%.100s\" (%s): reading on would "
                             "skip every order (where the topic holds other tables too, set "
                             "rule.table)",
                             schema_name, needed[i].column, needed[i].option);
        if (!any_branch(avro_schema_record_field_get(row, needed[i].name), needed[i].fits))
            return error_set(err, ERROR_CONFIG,
                             "schema \"%.100s\": column \"%.100s\" (%s) is %s: reading on would "
                             "skip every order",
                             schema_name, needed[i].column, needed[i].option, needed[i].what);
    }
    return true;
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
    if (has_field(top, "op") && has_field(top, "after"))
        return PLAN_ENVELOPE;
    return is_foreign_record(avro_schema_name(top)) ? PLAN_FOREIGN : PLAN_UNWRAPPED;
}

/* The full name: Debezium's names the table. */
static const char *full_name(const struct compiler *c)
{
    const char *name = json_string_value(json_object_get(c->top_json, "name"));
    return name != NULL ? name : avro_schema_name(c->top);
}

/* Refuses what cannot be read as rows. */
static bool check_shape(struct compiler *c, const struct sought *sought, struct error *err)
{
    avro_schema_t top = c->top;
    const char *name = full_name(c);
    if (c->plan->shape == PLAN_ENVELOPE)
        return check_row(row_type(top), name, sought, err);
    if (!check_row(top, name, sought, err))
        return false;
    if (!has_field(top, sought->op) && !sought->options->op_assumed)
        return error_set(err, ERROR_CONFIG,
                         "records of schema \"%.100s\" are unwrapped and have no %.50s: add "
                         "transforms.unwrap.add.fields=op to the connector, or set rule.prefix to "
                         "its add.fields.prefix, or rule.assume_op",
                         name, sought->op);
    return true;
}

/* The JSON of the rows' record. */
static const json_t *row_json(struct compiler *c)
{
    if (c->plan->shape != PLAN_ENVELOPE)
        return c->top_json;
    int after = avro_schema_record_field_get_index(c->top, "after");
    const json_t *type =
        schema_json_resolve(&c->schema, schema_json_field(c->top_json, (size_t)after));
    for (size_t i = 0; i < json_array_size(type); i++) {
        const json_t *branch = schema_json_resolve(&c->schema, json_array_get(type, i));
        if (json_object_get(branch, "fields") != NULL)
            return branch;
    }
    return type;
}

static const json_t *field_named(const json_t *row, const char *identifier)
{
    size_t i;
    json_t *field;
    json_array_foreach (json_object_get(row, "fields"), i, field) {
        const char *name = json_string_value(json_object_get(field, "name"));
        if (name != NULL && strcmp(name, identifier) == 0)
            return field;
    }
    return NULL;
}

static bool check_plain_column(const json_t *row, const char *identifier, const char *column,
                               const char *option, struct error *err)
{
    const json_t *rule = json_object_get(field_named(row, identifier), SCHEMA_ENCRYPTED_BY);
    if (rule == NULL)
        return true;
    const char *name = json_string_value(rule);
    return error_set(err, ERROR_CONFIG,
                     "column \"%.100s\" (%s) is encrypted by the registry's rule \"%s\", and this "
                     "program does not decrypt: let the connector write the column unencrypted",
                     column, option, name != NULL ? name : "");
}

/* Ciphertext is a text like any other: only the registry's rules tell it from plain text. */
static bool check_plain(struct compiler *c, const struct sought *sought, struct error *err)
{
    const struct plan_options *options = sought->options;
    const json_t *row = row_json(c);
    char option[64];
    if (!check_plain_column(row, sought->rule_column, options->rule_column, "rule.column", err))
        return false;
    for (size_t f = 0; f < FIELD_COUNT; f++) {
        snprintf(option, sizeof option, "payload.fields.%s", payload_field_names[f]);
        if (!check_plain_column(row, sought->columns[f], options->columns[f], option, err))
            return false;
    }
    return true;
}

/* A refused schema may be another table's, which only its records can show. */
static bool check(struct compiler *c, const struct sought *sought, struct error *err)
{
    struct error why = {0};
    if (c->plan->shape == PLAN_FOREIGN ||
        (check_shape(c, sought, &why) && check_plain(c, sought, &why)))
        return true;
    if (why.code != ERROR_CONFIG || !sought->options->table_is_told)
        return error_set(err, why.code, "%s", why.text);
    c->plan->refusal = strdup(why.text);
    return c->plan->refusal != NULL || error_no_memory(err);
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
    const json_t *value = json_object_get(field_named(row, column), "default");
    const char *text = json_string_value(value);
    return (json_is_integer(value) && json_integer_value(value) == 0) ||
           (text != NULL && strncmp(text, "1970-01-01T00:00:00", 19) == 0);
}

/* An absent owner stops nothing: orders are sent, and their customers do not see them. */
static bool lacks_owner(const struct compiler *c, const struct sought *sought)
{
    avro_schema_t row = c->plan->shape == PLAN_ENVELOPE ? row_type(c->top) : c->top;
    return sought->owner_column[0] != '\0' && c->plan->shape != PLAN_FOREIGN &&
           !has_field(row, sought->owner_column);
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
    if (!check(c, &sought, err))
        return false;
    compile_top(c, &sought);
    c->plan->lacks_owner = lacks_owner(c, &sought);
    c->plan->epoch_is_null = epoch_is_default(row_json(c), sought.columns[FIELD_CONFIRMED_AT]);
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
