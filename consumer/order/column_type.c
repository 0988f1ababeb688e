#include "order/column_type.h"

#include "base/slice.h"
#include "cdc/schema/avro_names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *member(const json_t *type, const char *key)
{
    const char *text = json_string_value(json_object_get(type, key));
    return text != NULL ? text : "";
}

static const char *avro_name(const json_t *type)
{
    return json_is_string(type) ? json_string_value(type) : member(type, "type");
}

static bool is_any(const char *text, const char *const *words)
{
    for (; *words != NULL; words++)
        if (strcmp(text, *words) == 0)
            return true;
    return false;
}

/* The annotation of the type's meaning: Connect's name, else Avro's logical type. */
static const char *annotation(const json_t *type)
{
    const char *name = member(type, "connect.name");
    if (*name == '\0')
        name = member(type, "logicalType");
    return strrchr(name, '.') != NULL ? strrchr(name, '.') + 1 : name;
}

static enum column_sort sort_of(const json_t *type)
{
    static const char *const texts[] = {"string", "enum", NULL};
    static const char *const whole[] = {"int", "long", NULL};
    static const char *const reals[] = {"float", "double", NULL};
    static const char *const bytes[] = {"bytes", "fixed", NULL};
    const char *name = avro_name(type);
    if (is_any(name, texts))
        return SORT_TEXT;
    if (is_any(name, whole))
        return SORT_INT;
    if (is_any(name, reals))
        return SORT_REAL;
    if (is_any(name, bytes) && schema_is_decimal(type))
        return SORT_DECIMAL;
    if (strcmp(annotation(type), "VariableScaleDecimal") == 0)
        return SORT_DECIMAL;
    return SORT_OTHER;
}

static void name_type(const json_t *type, enum column_sort sort, char *text, size_t size)
{
    const char *about = annotation(type);
    if (sort == SORT_DECIMAL && strcmp(avro_name(type), "record") != 0)
        snprintf(text, size, "%s (Decimal, scale %d)", avro_name(type),
                 (int)schema_decimal_scale(type));
    else if (*about != '\0')
        snprintf(text, size, "%s (%s)", avro_name(type), about);
    else
        snprintf(text, size, "%s", avro_name(type));
}

static void add_name(struct column_type *c, const char *name)
{
    size_t len = strlen(c->name);
    snprintf(c->name + len, sizeof c->name - len, "%s%s", len > 0 ? ", or " : "", name);
}

static void add_branch(const struct schema *schema, const json_t *type, struct column_type *c)
{
    char name[COLUMN_TYPE_TEXT];
    type = schema_json_resolve(schema, type);
    if (strcmp(avro_name(type), "null") == 0) {
        c->nullable = true;
        return;
    }
    struct column_branch branch = {.sort = sort_of(type)};
    branch.is_boolean = strcmp(avro_name(type), "boolean") == 0;
    branch.ticks = branch.sort == SORT_INT ? schema_time_ticks(type) : 0;
    branch.is_day = branch.sort == SORT_INT && schema_is_day(type);
    branch.is_uuid = strcasecmp(annotation(type), "uuid") == 0;
    branch.is_enum = strcmp(avro_name(type), "enum") == 0 || strcmp(annotation(type), "Enum") == 0;
    name_type(type, branch.sort, name, sizeof name);
    add_name(c, name);
    if (c->branch_count < COLUMN_BRANCHES_MAX)
        c->branches[c->branch_count++] = branch;
}

/* The original of a name with letters beyond ASCII: cdc/schema/avro_names.h. */
static void unescape(const char *name, char ret[COLUMN_NAME_MAX])
{
    const char *hex = after_prefix(name, SCHEMA_ESCAPE);
    size_t len = 0;
    snprintf(ret, COLUMN_NAME_MAX, "%s", name);
    if (hex == NULL)
        return;
    for (; hex[0] != '\0' && hex[1] != '\0'; hex += 2) {
        const char pair[] = {hex[0], hex[1], '\0'};
        if (len + 1 < COLUMN_NAME_MAX)
            ret[len++] = (char)strtoul(pair, NULL, 16);
    }
    ret[len] = '\0';
}

static struct column_type read_field(const struct schema *schema, const json_t *field)
{
    struct column_type c = {.branch_count = 0};
    const json_t *type = json_object_get(field, "type");
    size_t i;
    json_t *branch;
    unescape(member(field, "name"), c.column);
    if (!json_is_array(type))
        add_branch(schema, type, &c);
    json_array_foreach (type, i, branch) {
        add_branch(schema, branch, &c);
    }
    if (c.nullable)
        add_name(&c, "null");
    const json_t *first = json_array_get(type, 0);
    c.null_is_default = c.nullable && json_object_get(field, "default") != NULL &&
                        strcmp(avro_name(first), "null") != 0;
    return c;
}

/* The type itself, or the first record among a union's branches. */
static const json_t *record_in(const struct schema *schema, const json_t *type)
{
    size_t i;
    json_t *branch;
    type = schema_json_resolve(schema, type);
    json_array_foreach (type, i, branch) {
        const json_t *resolved = schema_json_resolve(schema, branch);
        if (json_is_array(json_object_get(resolved, "fields")))
            return resolved;
    }
    return json_is_array(json_object_get(type, "fields")) ? type : NULL;
}

static const json_t *field_named(const json_t *record, const char *identifier)
{
    size_t i;
    json_t *field;
    json_array_foreach (json_object_get(record, "fields"), i, field)
        if (strcmp(member(field, "name"), identifier) == 0)
            return field;
    return NULL;
}

const json_t *column_top(const struct schema *schema)
{
    return record_in(schema, schema->json);
}

const json_t *column_row(const struct schema *schema, bool *ret_is_envelope)
{
    const json_t *top = column_top(schema);
    const json_t *after = field_named(top, "after");
    *ret_is_envelope = after != NULL && field_named(top, "op") != NULL;
    return *ret_is_envelope ? record_in(schema, json_object_get(after, "type")) : top;
}

struct column_type column_type_of(const struct schema *schema, const json_t *row,
                                  const char *column)
{
    char identifier[SCHEMA_NAME_MAX];
    const json_t *field =
        schema_identifier(column, identifier) ? field_named(row, identifier) : NULL;
    return field != NULL ? read_field(schema, field) : (struct column_type){.branch_count = 0};
}

bool column_type_at(const struct schema *schema, const json_t *row, size_t index,
                    struct column_type *ret)
{
    const json_t *field = json_array_get(json_object_get(row, "fields"), index);
    if (field == NULL)
        return false;
    *ret = read_field(schema, field);
    return true;
}
