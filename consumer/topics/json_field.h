/* json_field: the fields of a record of ours, which a parser has read and anything may have
 * written. The record may be NULL, or no object. */
#ifndef TOPICS_JSON_FIELD_H
#define TOPICS_JSON_FIELD_H

#include <jansson.h>
#include <stdint.h>

/* "" where it is missing or no string. Borrowed from the record. */
static inline const char *json_text(const json_t *record, const char *name)
{
    const char *text = json_string_value(json_object_get(record, name));
    return text != NULL ? text : "";
}

/* `otherwise` where it is missing or no integer. */
static inline int64_t json_whole(const json_t *record, const char *name, int64_t otherwise)
{
    const json_t *value = json_object_get(record, name);
    return json_is_integer(value) ? json_integer_value(value) : otherwise;
}

/* -1 where it is missing, no integer, or below nought. */
static inline int64_t json_count(const json_t *record, const char *name)
{
    int64_t value = json_whole(record, name, -1);
    return value >= 0 ? value : -1;
}

#endif
