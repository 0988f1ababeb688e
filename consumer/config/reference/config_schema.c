/* config_schema: the configuration file as a JSON Schema (2020-12), from the table.
 *
 *   kafka.brokers: "…"        kafka: {brokers: "…"}        mean the same, and so both are described
 *
 * $defs holds the forms of values, and under its own name every option; the objects refer to these.
 * Every value may be written as text with ${NAME} in it. A file may be a part of the whole (the
 * rest comes from the environment), so nothing is required. */
#include "base/slice.h"
#include "config/reference/reference.h"
#include "config/reference/reference_internal.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SCHEMA_ID "https://json-schema.org/draft/2020-12/schema"

enum { PATTERN_MAX = 64 };

#define PROPERTY_NAME "[A-Za-z0-9._-]+"
#define HEADER_NAME "[A-Za-z0-9_-]+"

/* ---- forms of values ---- */

static json_t *reference_to(const char *name)
{
    return json_pack("{s:s+}", "$ref", "#/$defs/", name);
}

/* Every option may be written so, whatever its type is. */
static json_t *filled_in(void)
{
    return json_pack("{s:s,s:s,s:s}", "description", "filled in from the environment", "type",
                     "string", "pattern", "\\$\\{");
}

/* A file's `true` or `8081` is text where text is wanted. */
static json_t *text_form(void)
{
    return json_pack("{s:[s,s,s],s:s}", "type", "string", "number", "boolean", "pattern",
                     "^[^\\r\\n]+$");
}

/* Text, which may be empty, or mappings of it: kafka.properties.ssl: {ca.location: …}. */
static json_t *property_form(void)
{
    return json_pack("{s:[{s:[s,s,s],s:s},{s:s,s:{s:o},s:b}]}", "anyOf", "type", "string", "number",
                     "boolean", "pattern", "^[^\\r\\n]*$", "type", "object", "patternProperties",
                     "^" PROPERTY_NAME "$", reference_to("property"), "additionalProperties", 0);
}

static json_t *quantity_pattern(const char *units)
{
    return json_pack("{s:s,s:s++}", "type", "string", "pattern", "^[0-9]+(", units, ")$");
}

/* A plain number is one for YAML too; 1.2 and "1.2" are the same word. */
static json_t *choice_form(const struct config_option *o)
{
    json_t *words = json_array();
    for (const char *word = o->allowed; *word != '\0';) {
        char *end;
        size_t len = strcspn(word, "|");
        json_array_append_new(words, json_stringn(word, len));
        double number = strtod(word, &end);
        if (end == word + len)
            json_array_append_new(words, strchr(word, '.') != NULL && strchr(word, '.') < end
                                             ? json_real(number)
                                             : json_integer((json_int_t)number));
        word += len + (word[len] == '|');
    }
    return json_pack("{s:[{s:o},o]}", "anyOf", "enum", words, reference_to("filled"));
}

static json_t *number_form(const struct config_option *o, const char *quantity)
{
    return json_pack("{s:[{s:s,s:I,s:I},o,o]}", "anyOf", "type", "integer", "minimum",
                     (json_int_t)o->min, "maximum", (json_int_t)o->max, reference_to(quantity),
                     reference_to("filled"));
}

static json_t *form_of(const struct config_option *o)
{
    if (strcmp(o->type, "SWITCH") == 0)
        return json_pack("{s:[{s:[b,b,s,s]},o]}", "anyOf", "enum", 1, 0, "true", "false",
                         reference_to("filled"));
    if (strcmp(o->type, "CHOICE") == 0)
        return choice_form(o);
    if (strcmp(o->type, "COUNT") == 0)
        return number_form(o, "count");
    if (strcmp(o->type, "SIZE") == 0)
        return number_form(o, "size");
    if (strcmp(o->type, "DURATION") == 0)
        return json_pack("{s:[o,o]}", "anyOf", reference_to("duration"), reference_to("filled"));
    return reference_to("text");
}

static json_t *option_form(const struct config_option *o)
{
    char form[REFERENCE_FORM_MAX];
    json_t *schema = form_of(o), *whole = json_object();
    const char *takes = reference_form(o, form, sizeof form);
    bool has_range = takes == form;
    json_object_set_new(whole, "description",
                        json_sprintf("%s%s%s%s", o->help, has_range ? " (" : "",
                                     has_range ? takes : "", has_range ? ")" : ""));
    if (o->fallback != NULL)
        json_object_set_new(whole, "default", json_string(o->fallback));
    if (o->secret)
        json_object_set_new(whole, "writeOnly", json_true());
    json_object_update(whole, schema);
    json_decref(schema);
    return whole;
}

static json_t *column_form(size_t field)
{
    return json_pack("{s:s,s:s,s:s}", "description", "the column that feeds this field", "default",
                     payload_field_columns[field], "$ref", "#/$defs/text");
}

static json_t *label_form(size_t field)
{
    return json_pack("{s:s,s:s,s:s}", "description",
                     "its label in the shapes elementor and elementor-advanced", "default",
                     payload_field_names[field], "$ref", "#/$defs/text");
}

/* ---- the names ---- */

/* The object that a mapping is described by. */
static json_t *mapping(void)
{
    return json_pack("{s:s,s:{},s:b}", "type", "object", "properties", "additionalProperties", 0);
}

/* The mapping under `name`, len bytes long, in the mapping `parent`; made if need be. */
static json_t *child(json_t *parent, const char *name, size_t len)
{
    json_t *properties = json_object_get(parent, "properties");
    json_t *found = json_object_getn(properties, name, len);
    if (found == NULL) {
        json_object_setn_new(properties, name, len, mapping());
        found = json_object_getn(properties, name, len);
    }
    return found;
}

/* Describes `name` in every way to write it: each of its dots may begin a mapping. */
static void add_name(json_t *parent, const char *name, const char *definition)
{
    json_object_set_new(json_object_get(parent, "properties"), name, reference_to(definition));
    for (const char *dot = strchr(name, '.'); dot != NULL; dot = strchr(dot + 1, '.'))
        add_name(child(parent, name, (size_t)(dot - name)), dot + 1, definition);
}

/* The same for a prefix with any name behind it. prefix: "kafka.properties", without a dot behind;
 * names: the pattern of the names. */
static void add_open(json_t *parent, const char *prefix, const char *names, const char *definition)
{
    json_t *patterns = json_object_get(parent, "patternProperties");
    if (patterns == NULL) {
        json_object_set_new(parent, "patternProperties", json_object());
        patterns = json_object_get(parent, "patternProperties");
    }
    char pattern[PATTERN_MAX];
    snprintf(pattern, sizeof pattern, "^%s\\.%s$", prefix, names);
    json_object_set_new(patterns, pattern, reference_to(definition));
    snprintf(pattern, sizeof pattern, "^%s$", names);
    json_object_set_new(child(parent, prefix, strlen(prefix)), "patternProperties",
                        json_pack("{s:o}", pattern, reference_to(definition)));
    const char *dot = strchr(prefix, '.');
    if (dot != NULL)
        add_open(child(parent, prefix, (size_t)(dot - prefix)), dot + 1, names, definition);
}

static void add_fields(json_t *root, json_t *definitions, const char *prefix,
                       json_t *(*form)(size_t field))
{
    char name[CONFIG_NAME_MAX];
    for (size_t f = 0; f < FIELD_COUNT; f++) {
        snprintf(name, sizeof name, "%s%s", prefix, payload_field_names[f]);
        json_object_set_new(definitions, name, form(f));
        add_name(root, name, name);
    }
}

/* Those of open_ended whose names are not known here: all but the payload's. */
static void add_open_ended(json_t *root, json_t *definitions)
{
    char prefix[CONFIG_NAME_MAX];
    for (size_t i = 0; i < open_ended_count; i++) {
        const char *name = open_ended[i].name;
        snprintf(prefix, sizeof prefix, "%.*s", (int)(strlen(name) - strlen(".*")), name);
        bool is_property = has_prefix(name, "kafka.");
        if (has_prefix(name, "payload."))
            continue;
        json_object_set_new(definitions, name,
                            json_pack("{s:s,s:s}", "description", open_ended[i].help, "$ref",
                                      is_property ? "#/$defs/property" : "#/$defs/text"));
        add_open(root, prefix, is_property ? PROPERTY_NAME : HEADER_NAME, name);
    }
}

/* ---- the whole ---- */

static json_t *forms(void)
{
    return json_pack("{s:o,s:o,s:o,s:o,s:o,s:o}", "filled", filled_in(), "text", text_form(),
                     "property", property_form(), "count", quantity_pattern(""), "size",
                     quantity_pattern("KiB|MiB|GiB|"), "duration", quantity_pattern("ms|s|m|h|d"));
}

static json_t *schema_new(void)
{
    json_t *root = mapping(), *definitions = forms(), *whole = json_object();
    for (size_t i = 0; i < config_option_count; i++) {
        json_object_set_new(definitions, config_options[i].name, option_form(&config_options[i]));
        add_name(root, config_options[i].name, config_options[i].name);
    }
    add_fields(root, definitions, "payload.fields.", column_form);
    add_fields(root, definitions, "payload.labels.", label_form);
    add_open_ended(root, definitions);
    json_object_set_new(whole, "$schema", json_string(SCHEMA_ID));
    json_object_set_new(whole, "title", json_string("elementor-sync's configuration file"));
    json_object_set_new(
        whole, "$comment",
        json_string(
            "Written by `elementor-sync options --json-schema`; a test fails when it is "
            "stale. It cannot tell the ranges of durations and sizes with a unit, a name "
            "that is set twice, nor contradictions: `elementor-sync check --offline` does."));
    json_object_update(whole, root);
    json_object_set_new(whole, "$defs", definitions);
    json_decref(root);
    return whole;
}

bool config_reference_schema(struct buf *b)
{
    json_t *schema = schema_new();
    char *text = json_dumps(schema, JSON_INDENT(1) | JSON_REAL_PRECISION(15));
    if (text != NULL)
        buf_addf(b, "%s\n", text);
    free(text);
    json_decref(schema);
    return text != NULL && buf_ok(b);
}
