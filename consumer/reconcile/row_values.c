#include "reconcile/row_values.h"

#include "config/load/template_load.h"

#include <string.h>

struct row_columns row_columns_of(const struct config *config)
{
    struct row_columns c = {.count = ROW_EXTRA_COLUMN};
    for (size_t f = 0; f < FIELD_COUNT; f++)
        c.name[f] = config->payload_column[f];
    c.name[ROW_RULE_COLUMN] = config->rule_column;
    c.name[ROW_OWNER_COLUMN] = config->auth_owner_column;
    for (size_t i = 0; config->template != NULL && i < config->template->column_count; i++)
        c.name[c.count++] = config->template->columns[i];
    return c;
}

/* Of each: its kind; of a text its length and bytes. */
void row_values_pack(const struct row_values *values, size_t count, struct buf *b)
{
    for (size_t i = 0; i < count; i++) {
        const struct row_value *v = &values->value[i];
        uint32_t len = (uint32_t)v->text.len;
        buf_add_char(b, (char)v->kind);
        if (v->kind != ROW_VALUE_TEXT)
            continue;
        buf_add(b, &len, sizeof len);
        buf_add(b, v->text.data, len);
    }
}

bool row_values_unpack(struct slice bytes, struct row_values *ret)
{
    const char *at = bytes.data, *end = bytes.data + bytes.len;
    *ret = (struct row_values){0};
    for (size_t i = 0; i < ROW_COLUMNS_MAX && at < end; i++) {
        uint32_t len;
        ret->value[i].kind = (enum row_value_kind) * at++;
        if (ret->value[i].kind != ROW_VALUE_TEXT)
            continue;
        if ((size_t)(end - at) < sizeof len)
            return false;
        memcpy(&len, at, sizeof len);
        at += sizeof len;
        if ((size_t)(end - at) < len)
            return false;
        ret->value[i].text = (struct slice){at, len};
        at += len;
    }
    return at == end;
}
