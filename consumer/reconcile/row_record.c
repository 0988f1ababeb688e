#include "reconcile/row_record.h"

#include "cdc/avro_schema.h"
#include "cdc/schema/avro_names.h"
#include "order/column_type.h"
#include "order/transform.h"
#include "reconcile/row_cell.h"

#include <avro.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BYTES_FIRST = 16384, BYTES_MAX = 8 * 1024 * 1024 };

struct row_record {
    const struct config *config;
    struct row_columns columns;
    struct schema schema;
    const json_t *row; /* the record that describes a row; borrowed from the schema */
    bool is_envelope;
    avro_value_iface_t *class;
    char *bytes; /* owned; grows until a record fits */
    size_t room;
};

struct row_record *row_record_new(const struct config *config, const char *schema,
                                  struct error *err)
{
    struct row_record *r = calloc(1, sizeof *r);
    if (r == NULL) {
        error_no_memory(err);
        return NULL;
    }
    r->config = config;
    r->columns = row_columns_of(config);
    if (!schema_parse(&r->schema, schema, strlen(schema), err)) {
        row_record_free(r);
        return NULL;
    }
    r->row = column_row(&r->schema, &r->is_envelope);
    r->class = r->row != NULL ? avro_generic_class_from_schema(r->schema.avro) : NULL;
    if (r->class != NULL)
        return r;
    error_set(err, ERROR_CONFIG, "the newest schema of topic \"%s\" describes no row",
              config->kafka_topic);
    row_record_free(r);
    return NULL;
}

void row_record_free(struct row_record *r)
{
    if (r == NULL)
        return;
    if (r->class != NULL)
        avro_value_iface_decref(r->class);
    schema_done(&r->schema);
    free(r->bytes);
    free(r);
}

/* The place of a column among the row's fields; -1: the schema has none. */
static int field_of(const struct row_record *r, const char *column)
{
    char identifier[SCHEMA_NAME_MAX];
    size_t i;
    json_t *field;
    if (column == NULL || !schema_identifier(column, identifier))
        return -1;
    json_array_foreach (json_object_get(r->row, "fields"), i, field)
        if (strcmp(json_string_value(json_object_get(field, "name")), identifier) == 0)
            return (int)i;
    return -1;
}

const char *row_record_lacks(const struct row_record *r, const struct row_values *values,
                             char *ret_names, size_t size)
{
    *ret_names = '\0';
    for (size_t i = 0, used = 0; i < r->columns.count; i++) {
        const char *name = r->columns.name[i];
        if (values->value[i].kind != ROW_VALUE_ABSENT || field_of(r, name) < 0 || used >= size ||
            strstr(ret_names, name) != NULL)
            continue;
        used += (size_t)snprintf(ret_names + used, size - used, "%s%s", used > 0 ? ", " : "", name);
    }
    return ret_names;
}

/* ---- a value for everything ---- */

/* The null of a union, else its first branch. A recursive schema ends at a null, or at an empty
 * array. */
static bool blank(avro_value_t *v);

static bool blank_union(avro_value_t *v)
{
    avro_schema_t type = avro_value_get_schema(v);
    avro_value_t branch;
    int choice = 0;
    for (int i = 0; i < (int)avro_schema_union_size(type); i++)
        if (avro_typeof(avro_schema_union_branch(type, i)) == AVRO_NULL)
            choice = i;
    return avro_value_set_branch(v, choice, &branch) == 0 && blank(&branch);
}

static bool blank_record(avro_value_t *v)
{
    avro_value_t field;
    size_t count = 0;
    bool ok = avro_value_get_size(v, &count) == 0;
    for (size_t i = 0; ok && i < count; i++)
        ok = avro_value_get_by_index(v, i, &field, NULL) == 0 && blank(&field);
    return ok;
}

static bool blank_fixed(avro_value_t *v)
{
    size_t size = (size_t)avro_schema_fixed_size(avro_value_get_schema(v));
    void *zeros = calloc(1, size + 1); /* never of size 0 */
    bool ok = zeros != NULL && avro_value_set_fixed(v, zeros, size) == 0;
    free(zeros);
    return ok;
}

static bool blank(avro_value_t *v)
{
    char nothing[] = "";
    switch (avro_value_get_type(v)) {
    case AVRO_UNION: return blank_union(v);
    case AVRO_RECORD: return blank_record(v);
    case AVRO_FIXED: return blank_fixed(v);
    case AVRO_ENUM: return avro_value_set_enum(v, 0) == 0;
    case AVRO_STRING: return avro_value_set_string(v, nothing) == 0;
    case AVRO_BYTES: return avro_value_set_bytes(v, nothing, 0) == 0;
    case AVRO_BOOLEAN: return avro_value_set_boolean(v, 0) == 0;
    case AVRO_INT32: return avro_value_set_int(v, 0) == 0;
    case AVRO_INT64: return avro_value_set_long(v, 0) == 0;
    case AVRO_FLOAT: return avro_value_set_float(v, 0) == 0;
    case AVRO_DOUBLE: return avro_value_set_double(v, 0) == 0;
    case AVRO_NULL: return avro_value_set_null(v) == 0;
    default: return true; /* an empty array, an empty map */
    }
}

/* ---- the row ---- */

/* The first branch that is no null, or the value itself. */
static bool present(avro_value_t *v, avro_value_t *ret)
{
    if (avro_value_get_type(v) != AVRO_UNION) {
        *ret = *v;
        return true;
    }
    avro_schema_t type = avro_value_get_schema(v);
    for (int i = 0; i < (int)avro_schema_union_size(type); i++)
        if (avro_typeof(avro_schema_union_branch(type, i)) != AVRO_NULL)
            return avro_value_set_branch(v, i, ret) == 0 && blank(ret);
    return false;
}

static bool no_fit(const char *column, const char *what, const char *type, struct error *err)
{
    return error_set(err, ERROR_CONFIG, "its column \"%s\" %s (%s)", column, what, type);
}

static bool set_column(const struct row_record *r, avro_value_t *row, size_t column,
                       const struct row_value *value, struct error *err)
{
    const char *name = r->columns.name[column];
    int at = field_of(r, name);
    avro_value_t field, inner;
    struct column_type type = {.branch_count = 0};
    if (at < 0)
        return true;
    if (!column_type_at(&r->schema, r->row, (size_t)at, &type) ||
        avro_value_get_by_index(row, (size_t)at, &field, NULL) != 0)
        return error_no_memory(err);
    if (value->kind != ROW_VALUE_TEXT)
        return type.nullable || no_fit(name, "is null, and cannot be", type.name, err);
    if (type.branch_count != 1 || !present(&field, &inner))
        return no_fit(name, "has a type that no text can be read as", type.name, err);
    const json_t *json = row_cell_type(&r->schema, schema_json_field(r->row, (size_t)at));
    return row_cell_set(&inner, json, value->text, r->config->zone) ||
           no_fit(name, "has a value that is none of its type", type.name, err);
}

/* ---- the event around it ---- */

/* Nothing where there is no such field, or one of another type. */
static void set_text(avro_value_t *record, const char *name, const char *text)
{
    avro_value_t field, inner;
    if (avro_value_get_by_name(record, name, &field, NULL) != 0)
        return;
    if (present(&field, &inner) && avro_value_get_type(&inner) == AVRO_STRING)
        avro_value_set_string(&inner, text);
    else
        (void)blank(&field);
}

static void set_time(avro_value_t *record, const char *name, int64_t ms)
{
    avro_value_t field, inner;
    if (avro_value_get_by_name(record, name, &field, NULL) != 0)
        return;
    if (present(&field, &inner) && avro_value_get_type(&inner) == AVRO_INT64)
        avro_value_set_long(&inner, ms);
    else
        (void)blank(&field);
}

/* rule.table, else the last parts of the topic's name, as Debezium calls its topics. */
static void set_table(const struct row_record *r, avro_value_t *source)
{
    const char *name = r->config->rule_table, *dot;
    char schema[256] = "";
    if (name == NULL)
        name = r->config->kafka_topic;
    dot = strrchr(name, '.');
    set_text(source, "table", dot != NULL ? dot + 1 : name);
    if (dot == NULL)
        return;
    snprintf(schema, sizeof schema, "%.*s", (int)(dot - name), name);
    set_text(source, "schema", strrchr(schema, '.') != NULL ? strrchr(schema, '.') + 1 : schema);
}

/* Of an envelope the row within it; unwrapped, the event itself. */
static bool set_surroundings(const struct row_record *r, avro_value_t *event, int64_t confirmed_ms,
                             avro_value_t *ret_row)
{
    char name[CONFIG_NAME_MAX];
    avro_value_t top = *event, after, field, source;
    if (avro_value_get_type(event) == AVRO_UNION && !present(event, &top))
        return false;
    if (!r->is_envelope) {
        *ret_row = top;
        const char *prefix = transform_plan_options(r->config).prefix;
        snprintf(name, sizeof name, "%sop", prefix);
        set_text(&top, name, "u");
        snprintf(name, sizeof name, "%sdeleted", prefix);
        set_text(&top, name, "false");
        snprintf(name, sizeof name, "%ssource_ts_ms", prefix);
        set_time(&top, name, confirmed_ms);
        return true;
    }
    set_text(&top, "op", "u");
    if (avro_value_get_by_name(&top, "source", &field, NULL) == 0 && present(&field, &source)) {
        set_time(&source, "ts_ms", confirmed_ms);
        set_table(r, &source);
    }
    return avro_value_get_by_name(&top, "after", &after, NULL) == 0 && present(&after, ret_row);
}

static bool encode(struct row_record *r, avro_value_t *event, struct buf *b, struct error *err)
{
    for (size_t room = r->room > 0 ? r->room : BYTES_FIRST; room <= BYTES_MAX; room *= 2) {
        if (room != r->room) {
            char *bytes = realloc(r->bytes, room);
            if (bytes == NULL)
                return error_no_memory(err);
            r->bytes = bytes;
            r->room = room;
        }
        avro_writer_t writer = avro_writer_memory(r->bytes, (int64_t)r->room);
        bool ok = avro_value_write(writer, event) == 0;
        if (ok)
            buf_add(b, r->bytes, (size_t)avro_writer_tell(writer));
        avro_writer_free(writer);
        if (ok)
            return buf_ok(b) || error_no_memory(err);
    }
    return error_set(err, ERROR_CONFIG, "it is longer than 8 MiB");
}

bool row_record_write(struct row_record *r, const struct row_values *values, int64_t confirmed_ms,
                      struct buf *b, struct error *err)
{
    avro_value_t event, row;
    if (avro_generic_value_new(r->class, &event) != 0)
        return error_no_memory(err);
    row = event; /* until it is found within */
    bool ok =
        (blank(&event) && set_surroundings(r, &event, confirmed_ms, &row)) ||
        error_set(err, ERROR_CONFIG, "no event can be made by the newest schema of the topic");
    for (size_t i = 0; ok && i < r->columns.count; i++)
        ok = r->columns.name[i] == NULL || set_column(r, &row, i, &values->value[i], err);
    ok = ok && encode(r, &event, b, err);
    avro_value_decref(&event);
    return ok;
}
