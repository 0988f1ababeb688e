#include "cdc/schema/schema_rules.h"

#include "base/slice.h"
#include "cdc/schema/avro_names.h"
#include "cdc/schema/schema_text.h"

#include <stdio.h>
#include <string.h>

static const char tags_key[] = "confluent:tags";

/* In one walk over one schema. */
struct noting {
    const json_t *rules; /* ruleSet.domainRules */
    const json_t *named; /* metadata.tags: pattern -> tags */
    struct error *err;
};

static bool is_active(const json_t *rule, const char *type)
{
    const char *text = json_string_value(json_object_get(rule, "type"));
    return has_prefix(text, type) && !json_is_true(json_object_get(rule, "disabled"));
}

/* ENCRYPT itself; ENCRYPT_PAYLOAD is of whole records. */
static bool encrypts_fields(const json_t *rule)
{
    return is_active(rule, "ENCRYPT") && !is_active(rule, "ENCRYPT_");
}

/* Plain and short enough for a message; any other name is left out of it. */
static const char *name_of(const json_t *rule)
{
    enum { NAME_MAX = 100 };
    const char *name = json_string_value(json_object_get(rule, "name"));
    if (name == NULL || strlen(name) > NAME_MAX)
        return "";
    for (const char *c = name; *c != '\0'; c++)
        if (*c < 0x20 || *c > 0x7e || *c == '"' || *c == '\\')
            return "";
    return name;
}

const char *schema_rules_whole(const json_t *answer)
{
    const json_t *set = json_object_get(answer, "ruleSet");
    size_t i;
    json_t *rule;
    json_array_foreach (json_object_get(set, "encodingRules"), i, rule)
        if (is_active(rule, "ENCRYPT"))
            return name_of(rule);
    json_array_foreach (json_object_get(set, "domainRules"), i, rule)
        if (is_active(rule, "ENCRYPT_"))
            return name_of(rule);
    return NULL;
}

/* * is any text without a point, ** any text, ? one character. `budget` bounds the work. */
static bool matches(const char *pattern, const char *name, unsigned *budget)
{
    for (; *pattern != '\0' && *pattern != '*'; pattern++, name++)
        if (*name == '\0' || (*pattern != '?' && *pattern != *name))
            return false;
    if (*pattern == '\0')
        return *name == '\0';
    const bool any = pattern[1] == '*';
    const char *rest = pattern + (any ? 2 : 1);
    for (; *budget > 0; name++) {
        --*budget;
        if (matches(rest, name, budget))
            return true;
        if (*name == '\0' || (!any && *name == '.'))
            return false;
    }
    return true; /* too costly to decide: taken for encrypted, since ciphertext must not be sent */
}

static bool share_one(const json_t *some, const json_t *others)
{
    size_t i, j;
    json_t *a, *b;
    json_array_foreach (some, i, a) {
        json_array_foreach (others, j, b)
            if (json_is_string(a) && json_equal(a, b))
                return true;
    }
    return false;
}

/* Tags of the field, of its type or of a branch of it. */
static bool has_inline_tag(const json_t *node, const json_t *wanted)
{
    size_t i;
    json_t *branch;
    const json_t *type = json_object_get(node, "type");
    if (share_one(json_object_get(node, tags_key), wanted) ||
        share_one(json_object_get(type, tags_key), wanted))
        return true;
    json_array_foreach (type, i, branch)
        if (share_one(json_object_get(branch, tags_key), wanted))
            return true;
    return false;
}

static bool has_named_tag(const struct noting *n, const char *full, const json_t *wanted)
{
    enum { STEPS = 10000 };
    const char *pattern;
    json_t *tags;
    json_object_foreach ((json_t *)n->named, pattern, tags) {
        unsigned budget = STEPS;
        if (share_one(tags, wanted) && matches(pattern, full, &budget))
            return true;
    }
    return false;
}

/* Only text and bytes are encrypted; a named type may be either. */
static bool can_be_ciphertext(const json_t *type)
{
    size_t i;
    json_t *branch;
    json_array_foreach (type, i, branch)
        if (can_be_ciphertext(branch))
            return true;
    if (json_is_object(type))
        return can_be_ciphertext(json_object_get(type, "type"));
    const char *name = json_string_value(type);
    return name != NULL && (strcmp(name, "string") == 0 || strcmp(name, "bytes") == 0 ||
                            strcmp(name, "fixed") == 0 || !schema_is_built_in(name));
}

/* The first rule that encrypts the field; NULL: none. full: record's full name and field. */
static const json_t *rule_of(const struct noting *n, const json_t *field, const char *full)
{
    size_t i;
    json_t *rule;
    if (!can_be_ciphertext(json_object_get(field, "type")))
        return NULL;
    json_array_foreach (n->rules, i, rule) {
        const json_t *tags = json_object_get(rule, "tags");
        if (encrypts_fields(rule) && (json_array_size(tags) == 0 || has_inline_tag(field, tags) ||
                                      has_named_tag(n, full, tags)))
            return rule;
    }
    return NULL;
}

static bool note(const struct noting *n, json_t *node, const char *space);

static bool note_field(const struct noting *n, json_t *field, const char *record, const char *space)
{
    char full[2 * SCHEMA_NAME_MAX];
    const char *name = json_string_value(json_object_get(field, "name"));
    snprintf(full, sizeof full, "%s.%s", record, name != NULL ? name : "");
    const json_t *rule = rule_of(n, field, full);
    if (rule != NULL &&
        json_object_set_new(field, SCHEMA_ENCRYPTED_BY, json_string(name_of(rule))) != 0)
        return error_no_memory(n->err);
    return note(n, json_object_get(field, "type"), space);
}

static bool note_definition(const struct noting *n, json_t *node, const char *space)
{
    char record[SCHEMA_NAME_MAX], inner[SCHEMA_NAME_MAX];
    size_t i;
    json_t *field;
    if (!schema_definition_name(node, space, record, NULL))
        return true; /* the plan's compiler refuses it */
    snprintf(inner, sizeof inner, "%s", record);
    schema_name_to_space(inner);
    json_array_foreach (json_object_get(node, "fields"), i, field)
        if (!note_field(n, field, record, inner))
            return false;
    return true;
}

/* As deep as schema_text_parse lets a schema be. */
static bool note(const struct noting *n, json_t *node, const char *space)
{
    size_t i;
    json_t *branch;
    json_array_foreach (node, i, branch)
        if (!note(n, branch, space))
            return false;
    if (!json_is_object(node))
        return true;
    if (schema_is_definition(node))
        return note_definition(n, node, space);
    return note(n, json_object_get(node, "type"), space) &&
           note(n, json_object_get(node, "items"), space) &&
           note(n, json_object_get(node, "values"), space);
}

static bool any_encrypts_fields(const json_t *rules)
{
    size_t i;
    json_t *rule;
    json_array_foreach (rules, i, rule)
        if (encrypts_fields(rule))
            return true;
    return false;
}

char *schema_rules_note(const json_t *answer, const char *schema, struct error *err)
{
    struct error why = {0};
    const struct noting n = {.rules =
                                 json_object_get(json_object_get(answer, "ruleSet"), "domainRules"),
                             .named = json_object_get(json_object_get(answer, "metadata"), "tags"),
                             .err = &why};
    json_t *json =
        any_encrypts_fields(n.rules) ? schema_text_parse(schema, strlen(schema), &why) : NULL;
    char *text = NULL;
    if (json != NULL && note(&n, json, ""))
        text = json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY);
    else if (json == NULL && why.code != ERROR_NO_MEMORY)
        text = strdup(schema);
    json_decref(json);
    if (text == NULL)
        error_no_memory(err);
    return text;
}
