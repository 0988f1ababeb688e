#include "cdc/schema/schema_lift.h"

#include "cdc/schema/avro_names.h"

#include <string.h>

static const char *const annotations[] = {"logicalType", "connect.name", "scale",
                                          "connect.parameters"};
enum { ANNOTATIONS = sizeof annotations / sizeof *annotations };

static bool no_memory(struct error *err)
{
    return error_no_memory(err);
}

/* True when it annotates a value's meaning. A scale alone does not. */
static bool is_annotated(const json_t *node)
{
    return json_is_string(json_object_get(node, "logicalType")) ||
           json_is_string(json_object_get(node, "connect.name"));
}

static bool is_null(const json_t *type)
{
    const char *name = json_string_value(type);
    return name != NULL && strcmp(name, "null") == 0;
}

/* The type with the field's annotations, a new reference; NULL without memory. */
static json_t *annotated(const json_t *field, json_t *type)
{
    /* a copy: references to the type by its name do not have these annotations */
    json_t *node = json_is_object(type) ? json_copy(type) : json_object();
    bool ok = node != NULL && (json_is_object(type) || json_object_set(node, "type", type) == 0);
    for (size_t i = 0; ok && i < ANNOTATIONS; i++) {
        json_t *value = json_object_get(field, annotations[i]);
        if (value != NULL && json_object_get(node, annotations[i]) == NULL)
            ok = json_object_set(node, annotations[i], value) == 0;
    }
    if (ok)
        return node;
    json_decref(node);
    return NULL;
}

/* A type that a field's annotations can belong to: built in or defined here, without any of its
 * own. */
static bool takes_annotations(const json_t *type)
{
    if (json_is_object(type))
        return !is_annotated(type) && json_object_get(type, "fields") == NULL;
    const char *name = json_string_value(type);
    return name != NULL && !is_null(type) && schema_is_built_in(name);
}

static bool lift_branch(const json_t *field, json_t *branches, struct error *err)
{
    size_t i, at = 0, others = 0;
    json_t *branch;
    json_array_foreach (branches, i, branch) {
        at = is_null(branch) ? at : i;
        others += !is_null(branch);
    }
    if (others != 1 || !takes_annotations(json_array_get(branches, at)))
        return true;
    json_t *type = annotated(field, json_array_get(branches, at));
    return (type != NULL && json_array_set_new(branches, at, type) == 0) || no_memory(err);
}

static bool lift_field(json_t *field, struct error *err)
{
    json_t *type = json_object_get(field, "type");
    if (!is_annotated(field))
        return true;
    if (json_is_array(type))
        return lift_branch(field, type, err);
    if (!takes_annotations(type))
        return true;
    json_t *node = annotated(field, type);
    return (node != NULL && json_object_set_new(field, "type", node) == 0) || no_memory(err);
}

bool schema_lift(json_t *schema, struct error *err)
{
    size_t i;
    json_t *node;
    json_array_foreach (schema, i, node)
        if (!schema_lift(node, err))
            return false;
    json_array_foreach (json_object_get(schema, "fields"), i, node)
        if (!lift_field(node, err) || !schema_lift(json_object_get(node, "type"), err))
            return false;
    node = json_object_get(schema, "items");
    if (node == NULL)
        node = json_object_get(schema, "values");
    return node == NULL || schema_lift(node, err);
}
