#include "cdc/change.h"

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

const struct field_rule payload_field_rules[FIELD_COUNT] = {
#define X(id, name, column, shape, required) {SHAPE_##shape, required},
    PAYLOAD_FIELDS(X)
#undef X
};

bool column_is_true(const struct column *c)
{
    return c->kind == COLUMN_BOOLEAN && c->number == 1;
}

bool column_is_text(const struct column *c, const char *text)
{
    size_t len = strlen(text);
    return c->kind == COLUMN_TEXT && c->len == len && memcmp(c->data, text, len) == 0;
}

#define UNAVAILABLE "__debezium_unavailable_value"

static bool holds(const struct column *c, const char *bytes, size_t len)
{
    return (c->kind == COLUMN_TEXT || c->kind == COLUMN_DECIMAL) && c->len == len &&
           memcmp(c->data, bytes, len) == 0;
}

bool column_is_unavailable(const struct column *c)
{
    return holds(c, UNAVAILABLE, sizeof UNAVAILABLE - 1);
}

static void mark(struct column *c, const char *placeholder, size_t len)
{
    if (holds(c, placeholder, len))
        *c = (struct column){
            .kind = COLUMN_TEXT, .data = UNAVAILABLE, .len = sizeof UNAVAILABLE - 1};
}

void change_mark_unavailable(struct change *change, const char *placeholder, size_t len)
{
    for (size_t f = 0; f < FIELD_COUNT; f++)
        mark(&change->field[f], placeholder, len);
    for (size_t i = 0; i < change->extra_count; i++)
        mark(&change->extra[i], placeholder, len);
    mark(&change->status, placeholder, len);
    mark(&change->before_status, placeholder, len);
    mark(&change->owner, placeholder, len);
}
