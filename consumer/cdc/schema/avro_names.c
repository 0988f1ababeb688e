#include "cdc/schema/avro_names.h"

#include <stdio.h>
#include <string.h>

bool schema_full_name(const char *name, const char *space, char ret_full[SCHEMA_NAME_MAX],
                      struct error *err)
{
    bool full = strchr(name, '.') != NULL || space[0] == '\0';
    if (strlen(name) + strlen(space) + 1 >= SCHEMA_NAME_MAX)
        return error_set(err, ERROR_UNDECODABLE, "a name in the schema is too long");
    ret_full[0] = '\0';
    if (!full) {
        strcat(ret_full, space);
        strcat(ret_full, ".");
    }
    strcat(ret_full, name);
    return true;
}

static bool holds_nul(const json_t *text)
{
    return json_is_string(text) && strlen(json_string_value(text)) != json_string_length(text);
}

bool schema_definition_name(const json_t *definition, const char *space,
                            char ret_full[SCHEMA_NAME_MAX], struct error *err)
{
    if (holds_nul(json_object_get(definition, "name")) ||
        holds_nul(json_object_get(definition, "namespace")))
        return error_set(err, ERROR_UNDECODABLE, "a name in the schema holds a NUL");
    const char *name = json_string_value(json_object_get(definition, "name"));
    const char *own = json_string_value(json_object_get(definition, "namespace"));
    if (name == NULL)
        return error_set(err, ERROR_UNDECODABLE, "a type in the schema has no name");
    return schema_full_name(name, own != NULL ? own : space, ret_full, err);
}

void schema_name_to_space(char *full)
{
    char *dot = strrchr(full, '.');
    *(dot != NULL ? dot : full) = '\0';
}

static bool is_identifier(const char *name)
{
    for (const char *c = name; *c != '\0'; c++) {
        bool letter = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || *c == '_';
        if (!letter && (c == name || *c < '0' || *c > '9'))
            return false;
    }
    return *name != '\0';
}

bool schema_identifier(const char *name, char ret_identifier[SCHEMA_NAME_MAX])
{
    const char *dot = strrchr(name, '.'), *last = dot != NULL ? dot + 1 : name;
    size_t space = (size_t)(last - name), len = strlen(last);
    if (is_identifier(last))
        len = (size_t)snprintf(ret_identifier, SCHEMA_NAME_MAX, "%s", name);
    else if (space + sizeof SCHEMA_ESCAPE + 2 * len > SCHEMA_NAME_MAX)
        return false;
    else {
        char *at = ret_identifier + sprintf(ret_identifier, "%.*s" SCHEMA_ESCAPE, (int)space, name);
        for (; *last != '\0'; last++)
            at += sprintf(at, "%02x", (unsigned char)*last);
        len = 0;
    }
    return len < SCHEMA_NAME_MAX;
}

static bool is_one_of(const char *word, const char *const *words, size_t count)
{
    for (size_t i = 0; word != NULL && i < count; i++)
        if (strcmp(word, words[i]) == 0)
            return true;
    return false;
}

bool schema_is_built_in(const char *type)
{
    static const char *const types[] = {"null",   "boolean", "int",    "long",  "float",
                                        "double", "bytes",   "string", "array", "map"};
    return is_one_of(type, types, sizeof types / sizeof *types);
}

bool schema_is_definition(const json_t *node)
{
    static const char *const kinds[] = {"record", "error", "enum", "fixed"};
    const char *type = json_string_value(json_object_get(node, "type"));
    return is_one_of(type, kinds, sizeof kinds / sizeof *kinds);
}

/* In one walk. */
struct resolver {
    json_t *definitions;
    struct error *err;
};

static json_t *resolve(struct resolver *r, json_t *node, const char *space);

static json_t *fail_memory(struct resolver *r)
{
    error_no_memory(r->err);
    return NULL;
}

static bool resolve_member(struct resolver *r, json_t *node, const char *key, const char *space)
{
    json_t *member = json_object_get(node, key);
    if (member == NULL)
        return true;
    json_t *resolved = resolve(r, member, space);
    if (resolved == NULL)
        return false;
    return json_object_set_new(node, key, resolved) == 0 || fail_memory(r) != NULL;
}

/* A new string that holds the identifier of a name. */
static json_t *identifier(struct resolver *r, const char *name)
{
    char text[SCHEMA_NAME_MAX];
    if (!schema_identifier(name, text)) {
        error_set(r->err, ERROR_UNDECODABLE, "a name in the schema is too long");
        return NULL;
    }
    json_t *json = json_string(text);
    return json != NULL ? json : fail_memory(r);
}

static json_t *resolve_name(struct resolver *r, json_t *node, const char *space)
{
    char full[SCHEMA_NAME_MAX];
    if (schema_is_built_in(json_string_value(node)))
        return json_incref(node);
    return schema_full_name(json_string_value(node), space, full, r->err) ? identifier(r, full)
                                                                          : NULL;
}

/* The namespace goes into the name; where there is none, it must not be taken from around. */
static bool set_full_name(struct resolver *r, json_t *node, const char *full)
{
    json_t *name = identifier(r, full);
    if (name == NULL)
        return false;
    if (json_object_set(r->definitions, json_string_value(name), node) != 0 ||
        json_object_set(node, "name", name) != 0) {
        json_decref(name);
        return fail_memory(r) != NULL;
    }
    json_decref(name);
    if (strchr(full, '.') != NULL)
        json_object_del(node, "namespace");
    else if (json_object_set_new(node, "namespace", json_string("")) != 0)
        return fail_memory(r) != NULL;
    return true;
}

/* avro-c lets two fields of one name pass. */
static bool check_distinct(struct resolver *r, const json_t *fields)
{
    json_t *seen = json_object();
    bool ok = seen != NULL || fail_memory(r) != NULL;
    for (size_t i = 0; ok && i < json_array_size(fields); i++) {
        const json_t *name = json_object_get(json_array_get(fields, i), "name");
        if (!json_is_string(name))
            continue; /* avro-c will say so */
        if (json_object_get(seen, json_string_value(name)) != NULL)
            ok = error_set(r->err, ERROR_UNDECODABLE, "a record has two fields called \"%.100s\"",
                           json_string_value(name));
        else if (json_object_set_new(seen, json_string_value(name), json_true()) != 0)
            ok = fail_memory(r) != NULL;
    }
    json_decref(seen);
    return ok;
}

static bool set_field_name(struct resolver *r, json_t *field)
{
    const char *name = json_string_value(json_object_get(field, "name"));
    if (name == NULL || is_identifier(name))
        return true; /* avro-c reports a missing one */
    json_t *text = identifier(r, name);
    if (text == NULL)
        return false;
    return json_object_set_new(field, "name", text) == 0 || fail_memory(r) != NULL;
}

static bool resolve_definition(struct resolver *r, json_t *node, const char *space)
{
    char full[SCHEMA_NAME_MAX];
    if (!schema_definition_name(node, space, full, r->err) || !set_full_name(r, node, full))
        return false;
    schema_name_to_space(full); /* from here on, full is the namespace */
    json_t *fields = json_object_get(node, "fields");
    for (size_t i = 0; i < json_array_size(fields); i++)
        if (!resolve_member(r, json_array_get(fields, i), "type", full) ||
            !set_field_name(r, json_array_get(fields, i)))
            return false;
    return check_distinct(r, fields);
}

static bool resolve_union(struct resolver *r, json_t *branches, const char *space)
{
    for (size_t i = 0; i < json_array_size(branches); i++) {
        json_t *resolved = resolve(r, json_array_get(branches, i), space);
        if (resolved == NULL)
            return false;
        if (json_array_set_new(branches, i, resolved) != 0)
            return fail_memory(r) != NULL;
    }
    return true;
}

static bool resolve_object(struct resolver *r, json_t *node, const char *space)
{
    if (schema_is_definition(node))
        return resolve_definition(r, node, space);
    return resolve_member(r, node, "items", space) && resolve_member(r, node, "values", space);
}

/* Returns what takes the place of `node`, a new reference; NULL on failure. */
static json_t *resolve(struct resolver *r, json_t *node, const char *space)
{
    if (json_is_string(node))
        return resolve_name(r, node, space);
    if (json_is_array(node))
        return resolve_union(r, node, space) ? json_incref(node) : NULL;
    json_t *type = json_object_get(node, "type");
    const char *name = json_string_value(type);
    bool wrapped = json_is_object(type) || json_is_array(type) ||
                   (name != NULL && !schema_is_built_in(name) && !schema_is_definition(node));
    if (wrapped)
        return resolve(r, type, space);
    return resolve_object(r, node, space) ? json_incref(node) : NULL;
}

bool schema_names_resolve(json_t **root, json_t *definitions, struct error *err)
{
    struct resolver r = {definitions, err};
    json_t *resolved = resolve(&r, *root, "");
    if (resolved == NULL)
        return false;
    json_decref(*root);
    *root = resolved;
    return true;
}
