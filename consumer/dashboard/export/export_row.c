#include "dashboard/export/export_row.h"

#include "base/time_text.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name, *member; /* of the file, and of the API's order */
    bool is_time;              /* ms since the epoch */
} columns[] = {
    {"order_number", "order_number", false},
    {"order_id", "order_id", false},
    {"state", "state", false},
    {"reason", "reason", false},
    {"status", "status", false},
    {"attempts", "attempts", false},
    {"source", "source", false},
    {"confirmed_at", "confirmed_at", false},
    {"first_attempt_at", "first_attempt_ms", true},
    {"last_attempt_at", "last_attempt_ms", true},
    {"next_attempt_at", "next_attempt_ms", true},
    {"settled_at", "settled_ms", true},
    {"key", "key", false},
};

enum { COLUMNS = sizeof columns / sizeof *columns };

/* The caller's. A time is written as text. */
static json_t *value_of(const json_t *order, size_t column)
{
    char text[TIMESTAMP_TEXT];
    json_t *value = json_object_get(order, columns[column].member);
    if (columns[column].is_time && json_is_integer(value))
        return json_string(timestamp_text(json_integer_value(value), text));
    return value != NULL ? json_incref(value) : json_null();
}

static void add_cell(struct buf *b, const char *text)
{
    bool is_formula = *text != '\0' && strchr("=+-@\t\r\n", *text) != NULL;
    bool is_quoted = text[strcspn(text, "\",\r\n")] != '\0';
    if (is_quoted)
        buf_add_char(b, '"');
    if (is_formula)
        buf_add_char(b, '\'');
    for (; *text != '\0'; text++) {
        if (*text == '"')
            buf_add_char(b, '"');
        buf_add_char(b, *text);
    }
    if (is_quoted)
        buf_add_char(b, '"');
}

void export_add_head(struct buf *b)
{
    for (size_t i = 0; i < COLUMNS; i++) {
        buf_add_text(b, i > 0 ? "," : "");
        buf_add_text(b, columns[i].name);
    }
    buf_add_text(b, "\r\n");
}

void export_add_csv(struct buf *b, const json_t *order)
{
    for (size_t i = 0; i < COLUMNS; i++) {
        json_t *value = value_of(order, i);
        buf_add_text(b, i > 0 ? "," : "");
        if (json_is_integer(value))
            buf_add_int(b, json_integer_value(value));
        else if (json_is_string(value))
            add_cell(b, json_string_value(value));
        json_decref(value);
    }
    buf_add_text(b, "\r\n");
}

void export_add_json(struct buf *b, const json_t *order)
{
    json_t *row = json_object();
    for (size_t i = 0; i < COLUMNS; i++)
        json_object_set_new(row, columns[i].name, value_of(order, i));
    char *text = json_dumps(row, JSON_COMPACT);
    buf_add_text(b, text != NULL ? text : "{}");
    buf_add_char(b, '\n');
    free(text);
    json_decref(row);
}
