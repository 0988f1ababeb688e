#include "registry/schema_title.h"

#include "base/slice.h"
#include "cdc/schema/schema_text.h"

#include <ctype.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

static const json_t *first_record(const json_t *schema)
{
    for (size_t i = 0; i < json_array_size(schema); i++)
        if (json_is_object(json_array_get(schema, i)))
            return json_array_get(schema, i);
    return schema;
}

void schema_title(const char *schema, char ret_title[SCHEMA_TITLE_MAX])
{
    struct error ignored = {0};
    json_t *root = schema_text_parse(schema, strlen(schema), &ignored);
    const json_t *record = first_record(root);
    const char *name = json_string_value(json_object_get(record, "name"));
    const char *space = json_string_value(json_object_get(record, "namespace"));
    bool is_full = name != NULL && strchr(name, '.') != NULL;
    ret_title[0] = '\0';
    if (name != NULL && (is_full || space == NULL))
        snprintf(ret_title, SCHEMA_TITLE_MAX, "%s", name);
    else if (name != NULL)
        snprintf(ret_title, SCHEMA_TITLE_MAX, "%s.%s", space, name);
    json_decref(root);
}

static bool is_same(char a, char b)
{
    return (isalnum((unsigned char)a) || a == '.' ? a : '_') ==
           (isalnum((unsigned char)b) || b == '.' ? b : '_');
}

bool schema_title_fits(const char *title, const char *topic)
{
    const char *end = strrchr(title, '.');
    if (end == NULL || has_prefix(title, "io.debezium."))
        return true;
    size_t len = (size_t)(end - title), topic_len = strlen(topic);
    if (len > topic_len)
        return false;
    const char *rest = topic + (topic_len - len);
    for (size_t i = 0; i < len; i++)
        if (!is_same(title[i], rest[i]))
            return false;
    return rest == topic || rest[-1] == '.';
}
