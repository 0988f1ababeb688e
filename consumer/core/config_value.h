/* config_value: option values as text, read strictly: no rounding, no guessing, ranges checked. */
#ifndef CORE_CONFIG_VALUE_H
#define CORE_CONFIG_VALUE_H

#include "core/config.h"

/* Each reads `text` as its type; errors say what is allowed, without origin and name. */
bool value_read_switch(const char *text, bool *ret_value, struct error *err) must_check;
bool value_read_count(const char *text, int64_t *ret_value, struct error *err) must_check;
bool value_read_size(const char *text, int64_t *ret_value, struct error *err) must_check;
bool value_read_choice(const char *text, const char *allowed, int *ret_value,
                       struct error *err) must_check;

/* Edits (insert, delete, replace) between two names, at most `limit`, else limit + 1. */
unsigned value_distance(const char *a, const char *b, unsigned limit);

#endif
