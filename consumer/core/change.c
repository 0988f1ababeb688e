#include "core/change.h"

#include <string.h>

const char *const payload_field_names[FIELD_COUNT] = {
#define X(id, name, column, shape, required) name,
    PAYLOAD_FIELDS(X)
#undef X
};

const char *const payload_field_columns[FIELD_COUNT] = {
#define X(id, name, column, shape, required) column,
    PAYLOAD_FIELDS(X)
#undef X
};

bool column_is_text(const struct column *c, const char *text)
{
    size_t len = strlen(text);
    return c->kind == COLUMN_TEXT && c->len == len && memcmp(c->data, text, len) == 0;
}

bool column_is_unavailable(const struct column *c)
{
    return column_is_text(c, "__debezium_unavailable_value");
}
