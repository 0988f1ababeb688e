#include "core/field_map.h"

#include "core/plan_schema.h"

#include <stdio.h>
#include <string.h>

enum shape { TEXT, NUMBER, WHOLE, TIME };

static const struct {
    enum shape shape;
    bool required;
} fields[FIELD_COUNT] = {
#define X(id, name, column, shape, required) {shape, required},
    PAYLOAD_FIELDS(X)
#undef X
};

/* What a column's values are to the payload: as column_kind, before there is a value. */
enum kind { KIND_NONE, KIND_TEXT, KIND_INT, KIND_REAL, KIND_DECIMAL, KIND_OTHER };

struct column_type {
    enum kind kind;
    uint8_t ticks; /* of KIND_INT, as in struct column */
    bool nullable;
    char name[FIELD_MAP_TEXT];
};

/* ---- a column's type ---- */

static const char *member(const json_t *type, const char *key)
{
    const char *text = json_string_value(json_object_get(type, key));
    return text != NULL ? text : "";
}

/* The type of a record's field; NULL when there is none of that name. */
static const json_t *type_of_field(const json_t *record, const char *name)
{
    size_t i;
    json_t *field;
    json_array_foreach (json_object_get(record, "fields"), i, field)
        if (strcmp(member(field, "name"), name) == 0)
            return json_object_get(field, "type");
    return NULL;
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

/* The annotation that says what the type is about: Connect's name, else Avro's logical type. */
static const char *annotation(const json_t *type)
{
    const char *name = member(type, "connect.name");
    if (*name == '\0')
        name = member(type, "logicalType");
    return strrchr(name, '.') != NULL ? strrchr(name, '.') + 1 : name;
}

static enum kind kind_of(const json_t *type)
{
    static const char *const texts[] = {"string", "enum", NULL};
    static const char *const whole[] = {"int", "long", NULL};
    static const char *const reals[] = {"float", "double", NULL};
    static const char *const bytes[] = {"bytes", "fixed", NULL};
    const char *name = avro_name(type);
    if (is_any(name, texts))
        return KIND_TEXT;
    if (is_any(name, whole))
        return KIND_INT;
    if (is_any(name, reals))
        return KIND_REAL;
    if (is_any(name, bytes) && schema_is_decimal(type))
        return KIND_DECIMAL;
    if (strcmp(annotation(type), "VariableScaleDecimal") == 0)
        return KIND_DECIMAL;
    return KIND_OTHER;
}

static void name_type(const json_t *type, struct column_type *c)
{
    const char *about = annotation(type);
    size_t size = sizeof c->name;
    if (c->kind == KIND_DECIMAL && strcmp(avro_name(type), "record") != 0)
        snprintf(c->name, size, "%s (Decimal, scale %d)", avro_name(type),
                 (int)schema_decimal_scale(type));
    else if (*about != '\0')
        snprintf(c->name, size, "%s (%s)", avro_name(type), about);
    else
        snprintf(c->name, size, "%s", avro_name(type));
}

/* The one branch of a union that is not null; NULL when there are more of them, or none. */
static const json_t *only_branch(const json_t *type, bool *ret_nullable)
{
    const json_t *only = NULL;
    size_t count = 0, i;
    json_t *branch;
    json_array_foreach (type, i, branch) {
        if (strcmp(avro_name(branch), "null") == 0) {
            *ret_nullable = true;
            continue;
        }
        only = branch;
        count++;
    }
    return count == 1 ? only : NULL;
}

static struct column_type column_type_of(const struct schema *schema, const json_t *type)
{
    struct column_type c = {.kind = KIND_NONE};
    if (type == NULL)
        return c;
    type = schema_json_resolve(schema, type);
    if (json_is_array(type))
        type = schema_json_resolve(schema, only_branch(type, &c.nullable));
    c.kind = type != NULL ? kind_of(type) : KIND_OTHER;
    c.ticks = c.kind == KIND_INT ? schema_time_ticks(type) : 0;
    if (type != NULL)
        name_type(type, &c);
    else
        snprintf(c.name, sizeof c.name, "union");
    return c;
}

/* ---- what becomes of it ---- */

static struct field_source fate(enum field_fate fate, const char *becomes)
{
    struct field_source source = {.fate = fate};
    snprintf(source.becomes, sizeof source.becomes, "%s", becomes);
    return source;
}

static struct field_source parked(enum payload_field f, const char *why, const char *reason)
{
    struct field_source source = {.fate = FIELD_HOPELESS};
    snprintf(source.becomes, sizeof source.becomes, "%s: every order is parked as %s:%s", why,
             reason, payload_field_names[f]);
    return source;
}

static struct field_source absent(enum payload_field f)
{
    if (fields[f].shape == TIME)
        return fate(FIELD_DOUBTFUL, "no such column: the event's own time is sent");
    if (fields[f].required)
        return parked(f, "no such column", "missing");
    return fate(FIELD_DOUBTFUL, "no such column: always \"\"");
}

static struct field_source as_text(enum payload_field f, const struct column_type *c)
{
    if (c->kind == KIND_OTHER)
        return parked(f, "no text", "not_a_number");
    if (c->ticks > 0)
        return fate(FIELD_DOUBTFUL, "text: the digits of a count of time");
    return fate(FIELD_FINE, c->kind == KIND_TEXT ? "text" : "text: the number's digits");
}

static struct field_source as_number(enum payload_field f, const struct column_type *c)
{
    const bool whole = fields[f].shape == WHOLE;
    switch (c->kind) {
    case KIND_TEXT:
        return fate(FIELD_FINE, whole ? "whole number, read from the text"
                                      : "number, with the text's own digits");
    case KIND_INT:
        if (c->ticks > 0)
            return fate(FIELD_DOUBTFUL, "number: a count of time");
        return fate(FIELD_FINE, whole ? "whole number" : "number");
    case KIND_DECIMAL:
        return fate(FIELD_FINE, whole ? "whole number; with decimals it is parked"
                                      : "number with exactly its digits");
    case KIND_REAL:
        return fate(whole ? FIELD_FINE : FIELD_DOUBTFUL,
                    whole ? "whole number; with decimals it is parked"
                          : "number, rounded to floating point by the connector already "
                            "(decimal.handling.mode=precise keeps all digits)");
    default: return parked(f, "no number", "not_a_number");
    }
}

static struct field_source as_time(enum payload_field f, const struct column_type *c)
{
    static const char *const ticks[] = {[3] = "time in UTC, from milliseconds",
                                        [6] = "time in UTC, from microseconds",
                                        [9] = "time in UTC, from nanoseconds"};
    if (c->kind == KIND_TEXT)
        return fate(FIELD_FINE, "time as it is written; parked unless it is RFC 3339");
    if (c->kind == KIND_INT && c->ticks == COLUMN_TICKS_NO_TIME)
        return parked(f, "a day or a span, no point in time", "bad_time");
    if (c->kind == KIND_INT && c->ticks > 0)
        return fate(FIELD_FINE, ticks[c->ticks]);
    if (c->kind == KIND_INT)
        return fate(FIELD_DOUBTFUL, "time in UTC; taken for milliseconds, which nothing says");
    return parked(f, "no time", "bad_time");
}

static const char *if_null(enum payload_field f)
{
    if (fields[f].shape == TIME)
        return "; null: the event's own time";
    return fields[f].required ? "; null is parked" : "; null: \"\"";
}

static void add(char *text, const char *more)
{
    size_t len = strlen(text);
    snprintf(text + len, FIELD_MAP_TEXT - len, "%s", more);
}

static struct field_source source_of(enum payload_field f, const struct column_type *c)
{
    struct field_source source = c->kind == KIND_NONE      ? absent(f)
                                 : fields[f].shape == TIME ? as_time(f, c)
                                 : fields[f].shape == TEXT ? as_text(f, c)
                                                           : as_number(f, c);
    snprintf(source.type, sizeof source.type, "%s", c->name);
    if (c->nullable) {
        add(source.type, ", or null");
        if (source.fate != FIELD_HOPELESS)
            add(source.becomes, if_null(f));
    }
    return source;
}

/* ---- the whole schema ---- */

/* The record of the rows: the envelope's `after`, or the schema itself. */
static const json_t *row_of(const struct schema *schema, enum plan_shape shape)
{
    const json_t *after = type_of_field(schema->json, "after");
    bool nullable;
    if (shape != PLAN_ENVELOPE)
        return schema->json;
    after = schema_json_resolve(schema, after);
    if (json_is_array(after))
        after = schema_json_resolve(schema, only_branch(after, &nullable));
    return after;
}

static void name_schema(const json_t *json, struct field_map *map)
{
    const char *space = member(json, "namespace"), *name = member(json, "name");
    bool full = *space == '\0' || strchr(name, '.') != NULL;
    snprintf(map->schema, sizeof map->schema, "%s%s%s", full ? "" : space, full ? "" : ".", name);
}

bool field_map_of(const char *schema, size_t len, const struct plan_options *options,
                  struct field_map *ret_map, struct error *err)
{
    struct schema parsed = {0};
    struct plan *plan = plan_compile(schema, len, options, err);
    if (plan == NULL)
        return false;
    *ret_map = (struct field_map){.shape = plan_shape(plan)};
    plan_free(plan);
    bool ok = schema_parse(&parsed, schema, len, err);
    const json_t *row = ok ? row_of(&parsed, ret_map->shape) : NULL;
    for (size_t f = 0; ok && f < FIELD_COUNT; f++) {
        struct column_type c = column_type_of(&parsed, type_of_field(row, options->columns[f]));
        ret_map->field[f] = source_of((enum payload_field)f, &c);
    }
    if (ok)
        name_schema(parsed.json, ret_map);
    schema_done(&parsed);
    return ok;
}
