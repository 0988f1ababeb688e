#include "cdc/schema/schema_bare.h"

#include "cdc/schema/avro_names.h"

#include <stdint.h>
#include <string.h>

static json_t *no_memory(struct error *err)
{
    error_no_memory(err);
    return NULL;
}

/* Puts `value`, which it takes over, into an object or (key NULL) at an array's end. */
static bool put(json_t *target, const char *key, json_t *value, struct error *err)
{
    if (value == NULL)
        return no_memory(err) != NULL;
    int failed = key != NULL ? json_object_set_new(target, key, value)
                             : json_array_append_new(target, value);
    return failed == 0 || no_memory(err) != NULL;
}

static bool check_text(const json_t *text, struct error *err)
{
    return !json_is_string(text) || strlen(json_string_value(text)) == json_string_length(text) ||
           error_set(err, ERROR_UNDECODABLE, "a name in the schema holds a NUL");
}

static bool copy(json_t *target, const json_t *node, const char *key, struct error *err)
{
    json_t *value = json_object_get(node, key);
    return value == NULL || (check_text(value, err) && put(target, key, json_incref(value), err));
}

static bool add_type(json_t *target, const char *key, const json_t *type, struct error *err)
{
    json_t *bare = schema_bare(type, err);
    return bare != NULL && put(target, key, bare, err);
}

static bool add_field(json_t *fields, const json_t *field, struct error *err)
{
    json_t *bare = json_object();
    if (bare == NULL)
        return no_memory(err) != NULL;
    bool ok = json_object_get(field, "type") != NULL ||
              error_set(err, ERROR_UNDECODABLE, "a field in the schema has no type");
    ok = ok && copy(bare, field, "name", err) &&
         add_type(bare, "type", json_object_get(field, "type"), err);
    if (ok)
        return put(fields, NULL, bare, err);
    json_decref(bare);
    return false;
}

static bool add_fields(json_t *record, const json_t *node, struct error *err)
{
    size_t i;
    json_t *field, *fields = json_array();
    bool ok = fields != NULL || no_memory(err) != NULL;
    if (ok && !json_is_array(json_object_get(node, "fields")))
        ok = error_set(err, ERROR_UNDECODABLE, "a record in the schema has no fields");
    json_array_foreach (json_object_get(node, "fields"), i, field)
        ok = ok && add_field(fields, field, err);
    if (ok)
        return put(record, "fields", fields, err);
    json_decref(fields);
    return false;
}

static bool add_symbols(json_t *target, const json_t *node, struct error *err)
{
    size_t i;
    json_t *symbol;
    json_array_foreach (json_object_get(node, "symbols"), i, symbol)
        if (!check_text(symbol, err))
            return false;
    return copy(target, node, "symbols", err);
}

static bool add_size(json_t *target, const json_t *node, struct error *err)
{
    const json_t *size = json_object_get(node, "size");
    const char *name = json_string_value(json_object_get(node, "name"));
    if (!json_is_integer(size) || json_integer_value(size) < 0 ||
        json_integer_value(size) > INT32_MAX)
        return error_set(err, ERROR_UNDECODABLE,
                         "the fixed type \"%.100s\" has no size from 0 to %d",
                         name != NULL ? name : "", INT32_MAX);
    return copy(target, node, "size", err);
}

static bool add_attributes(json_t *bare, const json_t *node, const char *type, struct error *err)
{
    if (strcmp(type, "array") == 0)
        return add_type(bare, "items", json_object_get(node, "items"), err);
    if (strcmp(type, "map") == 0)
        return add_type(bare, "values", json_object_get(node, "values"), err);
    if (!schema_is_definition(node))
        return true;
    if (!copy(bare, node, "name", err) || !copy(bare, node, "namespace", err))
        return false;
    if (strcmp(type, "enum") == 0)
        return add_symbols(bare, node, err);
    return strcmp(type, "fixed") == 0 ? add_size(bare, node, err) : add_fields(bare, node, err);
}

static json_t *bare_object(const json_t *node, struct error *err)
{
    const char *type = json_string_value(json_object_get(node, "type"));
    if (type == NULL) {
        error_set(err, ERROR_UNDECODABLE, "a type in the schema has no \"type\"");
        return NULL;
    }
    json_t *bare = json_object();
    if (bare == NULL)
        return no_memory(err);
    if (copy(bare, node, "type", err) && add_attributes(bare, node, type, err))
        return bare;
    json_decref(bare);
    return NULL;
}

static json_t *bare_union(const json_t *branches, struct error *err)
{
    size_t i;
    json_t *branch, *bare = json_array();
    bool ok = bare != NULL || no_memory(err) != NULL;
    json_array_foreach (branches, i, branch)
        ok = ok && add_type(bare, NULL, branch, err);
    if (ok)
        return bare;
    json_decref(bare);
    return NULL;
}

json_t *schema_bare(const json_t *type, struct error *err)
{
    if (json_is_object(type))
        return bare_object(type, err);
    if (json_is_array(type))
        return bare_union(type, err);
    if (json_is_string(type))
        return check_text(type, err) ? json_incref((json_t *)type) : NULL;
    error_set(err, ERROR_UNDECODABLE, "a type in the schema is neither name, union nor object");
    return NULL;
}
