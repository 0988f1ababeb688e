/* plan_check: the columns that a row must have so that its orders can be sent. */
#include "cdc/plan_compiler.h"
#include "cdc/schema/schema_rules.h"

#include <stdio.h>
#include <string.h>

bool row_has(avro_schema_t record, const char *name)
{
    return is_avro_record(record) && avro_schema_record_field_get_index(record, name) >= 0;
}

/* The record type of the rows: the envelope's `after` without its null branch. NULL: there is none.
 */
avro_schema_t row_type_of(avro_schema_t envelope)
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

/* The JSON of the rows' record. */
const json_t *row_json_of(const struct compiler *c)
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

const json_t *row_field(const json_t *row, const char *identifier)
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

typedef bool holds(avro_schema_t type, const json_t *json);

static bool holds_text(avro_schema_t type, const json_t *json)
{
    (void)json;
    return is_avro_string(type) || is_avro_enum(type);
}

/* Of bytes only the annotation tells whether they are a number. */
static bool holds_text_or_number(avro_schema_t type, const json_t *json)
{
    bool scale_first;
    return holds_text(type, json) || is_avro_int32(type) || is_avro_int64(type) ||
           is_avro_float(type) || is_avro_double(type) ||
           ((is_avro_bytes(type) || is_avro_fixed(type)) && schema_is_decimal(json)) ||
           is_scaled(type, &scale_first);
}

/* Plain bytes are parked where they are not null, which does not concern every order. */
static bool holds_value(avro_schema_t type, const json_t *json)
{
    return holds_text_or_number(type, json) || is_avro_boolean(type) || is_avro_bytes(type) ||
           is_avro_fixed(type);
}

/* True when the column's type, or a branch of it, is what `fits` asks for. */
static bool any_branch(const struct compiler *c, avro_schema_t row, const char *column, holds *fits)
{
    const json_t *json = json_object_get(row_field(row_json_of(c), column), "type");
    avro_schema_t type = schema_target(avro_schema_record_field_get(row, column));
    json = schema_json_resolve(&c->schema, json);
    if (!is_avro_union(type))
        return fits(type, json);
    for (size_t i = 0; i < avro_schema_union_size(type); i++)
        if (fits(schema_target(avro_schema_union_branch(type, (int)i)),
                 schema_json_resolve(&c->schema, schema_json_branch(json, i))))
            return true;
    return false;
}

/* The columns without which, or with another type, no order would ever be sent. */
static bool check_row(const struct compiler *c, avro_schema_t row, const char *schema_name,
                      const struct sought *sought, struct error *err)
{
    const struct plan_options *options = sought->options;
    const struct {
        const char *name, *column, *option, *what;
        holds *fits;
    } needed[] = {
        {sought->rule_column, options->rule_column, "rule.column", "no text", holds_text},
        {sought->columns[FIELD_ORDER_ID], options->columns[FIELD_ORDER_ID],
         "payload.fields.order_id", "neither text nor a number", holds_text_or_number},
    };
    if (row == NULL)
        return error_set(err, ERROR_CONFIG,
                         "\"after\" of schema \"%.100s\" is no row: reading on would skip every "
                         "order. MongoDB's connector writes documents as text: let its transform "
                         "ExtractNewDocumentState make columns of them, with add.fields=op",
                         schema_name);
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++) {
        if (!row_has(row, needed[i].name))
            return error_set(err, ERROR_CONFIG,
                             "schema \"%.100s\" has no column \"%.100s\" (%s): reading on would "
                             "skip every order (where the topic holds other tables too, set "
                             "rule.table)",
                             schema_name, needed[i].column, needed[i].option);
        if (!any_branch(c, row, needed[i].name, needed[i].fits))
            return error_set(err, ERROR_CONFIG,
                             "schema \"%.100s\": column \"%.100s\" (%s) is %s: reading on would "
                             "skip every order",
                             schema_name, needed[i].column, needed[i].option, needed[i].what);
    }
    return true;
}

/* A receiver was promised these: null in their place would be a value that no row has. */
static bool check_extra(const struct compiler *c, avro_schema_t row, const char *schema_name,
                        const struct sought *sought, struct error *err)
{
    for (size_t i = 0; i < sought->options->extra_count; i++) {
        const char *column = sought->options->extra_columns[i];
        if (!row_has(row, sought->extra[i]))
            return error_set(err, ERROR_CONFIG,
                             "schema \"%.100s\" has no column \"%.100s\", which payload.template "
                             "names (${column:%.100s}): no order could be sent as it says",
                             schema_name, column, column);
        if (!any_branch(c, row, sought->extra[i], holds_value))
            return error_set(err, ERROR_CONFIG,
                             "schema \"%.100s\": column \"%.100s\" of payload.template is neither "
                             "text, a number nor a boolean: no order could be sent as it says",
                             schema_name, column);
    }
    return true;
}

/* The full name: Debezium's names the table. */
static const char *full_name(const struct compiler *c)
{
    const char *name = json_string_value(json_object_get(c->top_json, "name"));
    return name != NULL ? name : avro_schema_name(c->top);
}

/* Refuses schemas that cannot be read as rows. */
static bool check_shape(struct compiler *c, const struct sought *sought, struct error *err)
{
    avro_schema_t top = c->top;
    const char *name = full_name(c);
    avro_schema_t row = c->plan->shape == PLAN_ENVELOPE ? row_type_of(top) : top;
    if (!check_row(c, row, name, sought, err) || !check_extra(c, row, name, sought, err))
        return false;
    if (c->plan->shape == PLAN_ENVELOPE)
        return true;
    if (!row_has(top, sought->op) && !sought->options->op_assumed)
        return error_set(err, ERROR_CONFIG,
                         "records of schema \"%.100s\" are unwrapped and have no %.50s: add "
                         "transforms.unwrap.add.fields=op to the connector, or set rule.prefix to "
                         "its add.fields.prefix, or rule.assume_op",
                         name, sought->op);
    return true;
}

static bool check_plain_column(const json_t *row, const char *identifier, const char *column,
                               const char *option, struct error *err)
{
    const json_t *rule = json_object_get(row_field(row, identifier), SCHEMA_ENCRYPTED_BY);
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
    const json_t *row = row_json_of(c);
    char option[64];
    if (!check_plain_column(row, sought->rule_column, options->rule_column, "rule.column", err))
        return false;
    for (size_t f = 0; f < FIELD_COUNT; f++) {
        snprintf(option, sizeof option, "payload.fields.%s", payload_field_names[f]);
        if (!check_plain_column(row, sought->columns[f], options->columns[f], option, err))
            return false;
    }
    for (size_t i = 0; i < options->extra_count; i++)
        if (!check_plain_column(row, sought->extra[i], options->extra_columns[i],
                                "payload.template", err))
            return false;
    return true;
}

/* A refused schema may be another table's, which only its records can show. */
bool plan_check(struct compiler *c, const struct sought *sought, struct error *err)
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
