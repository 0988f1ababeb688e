/* json_count: a number of a record that was read with a parser. */
#ifndef TOPICS_JSON_COUNT_H
#define TOPICS_JSON_COUNT_H

#include <jansson.h>
#include <stdint.h>

/* The member's value; -1 when it is missing, no integer, or below nought. */
static inline int64_t json_count(const json_t *record, const char *name)
{
    const json_t *value = json_object_get(record, name);
    return json_is_integer(value) && json_integer_value(value) >= 0 ? json_integer_value(value)
                                                                    : -1;
}

#endif
