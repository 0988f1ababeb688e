/* references: one walk over the schema, in the order in which a parser reads it. */
#include "registry/references.h"

#include "cdc/schema/avro_names.h"
#include "cdc/schema/schema_text.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 512 };

/* In one walk. Names are full names; "" is the null namespace. */
struct inliner {
    json_t *definitions; /* full name -> referenced definition */
    json_t *defined;     /* full names that have been defined so far -> true */
    struct error *err;
};

static json_t *walk(struct inliner *in, json_t *node, const char *space, int depth);

static bool no_memory(struct error *err)
{
    return error_no_memory(err);
}

/* Walks the member `key` of node, and replaces it by what the walk made of it. */
static bool walk_member(struct inliner *in, json_t *node, const char *key, const char *space,
                        int depth)
{
    json_t *member = json_object_get(node, key);
    if (member == NULL)
        return true;
    json_t *walked = walk(in, member, space, depth + 1);
    if (walked == NULL)
        return false;
    return json_object_set_new(node, key, walked) == 0 || no_memory(in->err);
}

/* A definition takes its namespace from its name, then its attribute, then from around it. */
static bool walk_definition(struct inliner *in, json_t *node, const char *space, int depth)
{
    char full[SCHEMA_NAME_MAX];
    if (!schema_definition_name(node, space, full, in->err))
        return false;
    if (json_object_set_new(in->defined, full, json_true()) != 0)
        return no_memory(in->err);
    schema_name_to_space(full); /* from here on, full is the namespace */
    json_t *fields = json_object_get(node, "fields");
    for (size_t i = 0; i < json_array_size(fields); i++)
        if (!walk_member(in, json_array_get(fields, i), "type", full, depth))
            return false;
    return true;
}

/* The definition of a name that is used for the first time; else the name itself, `node`. */
static json_t *walk_name(struct inliner *in, json_t *node, const char *name, const char *space,
                         int depth)
{
    char full[SCHEMA_NAME_MAX];
    if (schema_is_built_in(name))
        return json_incref(node);
    if (!schema_full_name(name, space, full, in->err))
        return NULL;
    json_t *definition = json_object_get(in->definitions, full);
    if (definition == NULL || json_object_get(in->defined, full) != NULL)
        return json_incref(node);
    json_t *copy = json_deep_copy(definition);
    /* Without a namespace of its own, a definition would fall into the one around it. */
    if (copy == NULL ||
        (strchr(full, '.') == NULL && json_object_set_new(copy, "namespace", json_string("")) != 0))
        no_memory(in->err);
    else if (walk_definition(in, copy, "", depth))
        return copy;
    json_decref(copy);
    return NULL;
}

static bool walk_union(struct inliner *in, json_t *branches, const char *space, int depth)
{
    for (size_t i = 0; i < json_array_size(branches); i++) {
        json_t *walked = walk(in, json_array_get(branches, i), space, depth + 1);
        if (walked == NULL)
            return false;
        if (json_array_set_new(branches, i, walked) != 0)
            return no_memory(in->err);
    }
    return true;
}

/* Returns what takes the place of `node` (a new reference to it, or a definition); NULL on failure.
 */
static json_t *walk(struct inliner *in, json_t *node, const char *space, int depth)
{
    bool ok = true;
    if (depth > DEPTH_MAX) {
        error_set(in->err, ERROR_UNDECODABLE, "the schema is nested more than %d deep", DEPTH_MAX);
        return NULL;
    }
    if (json_is_string(node))
        return walk_name(in, node, json_string_value(node), space, depth);
    if (json_is_array(node)) {
        ok = walk_union(in, node, space, depth);
    } else if (schema_is_definition(node)) {
        ok = walk_definition(in, node, space, depth);
    } else if (json_is_string(json_object_get(node, "type"))) {
        /* {"type": "shop.Address"} is the name in a wrapping, which a definition must not keep */
        json_t *name = json_object_get(node, "type");
        json_t *walked = walk_name(in, name, json_string_value(name), space, depth);
        if (walked == NULL || walked != name)
            return walked;
        json_decref(walked);
        ok = walk_member(in, node, "items", space, depth) &&
             walk_member(in, node, "values", space, depth);
    } else {
        ok = walk_member(in, node, "type", space, depth);
    }
    return ok ? json_incref(node) : NULL;
}

static bool add_definition(struct inliner *in, const char *text)
{
    char full[SCHEMA_NAME_MAX];
    json_t *node = schema_text_parse(text, strlen(text), in->err);
    if (node == NULL)
        return false;
    bool ok = schema_is_definition(node)
                  ? schema_definition_name(node, "", full, in->err)
                  : error_set(in->err, ERROR_UNDECODABLE,
                              "a referenced schema defines no record, enum or fixed");
    json_t *known = ok ? json_object_get(in->definitions, full) : NULL;
    if (known != NULL && !json_equal(known, node))
        ok = error_set(in->err, ERROR_UNDECODABLE,
                       "%.200s is referenced in two versions that differ", full);
    if (ok && known == NULL && json_object_set(in->definitions, full, node) != 0)
        ok = no_memory(in->err);
    json_decref(node);
    return ok;
}

static char *inline_all(struct inliner *in, const char *schema, const char *const *referenced,
                        size_t count)
{
    if (in->definitions == NULL || in->defined == NULL) {
        no_memory(in->err);
        return NULL;
    }
    for (size_t i = 0; i < count; i++)
        if (!add_definition(in, referenced[i]))
            return NULL;
    json_t *root = schema_text_parse(schema, strlen(schema), in->err);
    json_t *whole = root != NULL ? walk(in, root, "", 0) : NULL;
    char *text = whole != NULL ? json_dumps(whole, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
    if (whole != NULL && text == NULL)
        no_memory(in->err);
    json_decref(whole);
    json_decref(root);
    return text;
}

char *schema_refs_inline(const char *schema, const char *const *referenced, size_t count,
                         struct error *err)
{
    struct inliner in = {.definitions = json_object(), .defined = json_object(), .err = err};
    char *text = inline_all(&in, schema, referenced, count);
    json_decref(in.definitions);
    json_decref(in.defined);
    return text;
}
