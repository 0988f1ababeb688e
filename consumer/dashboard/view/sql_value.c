#include "dashboard/view/sql_value.h"

#include <stdio.h>

void view_bind_slice(sqlite3_stmt *s, int at, struct slice text)
{
    if (text.data != NULL)
        sqlite3_bind_text(s, at, text.data, (int)text.len, SQLITE_STATIC);
}

const char *view_text_at(sqlite3_stmt *s, int column)
{
    return (const char *)sqlite3_column_text(s, column);
}

void view_copy_text(char *to, size_t size, sqlite3_stmt *s, int column)
{
    const char *text = view_text_at(s, column);
    snprintf(to, size, "%s", text != NULL ? text : "");
}

bool view_is_null(sqlite3_stmt *s, int column)
{
    return sqlite3_column_type(s, column) == SQLITE_NULL;
}

void view_put_text(json_t *to, const char *name, sqlite3_stmt *s, int column)
{
    json_t *value = view_is_null(s, column) ? NULL : json_string(view_text_at(s, column));
    json_object_set_new(to, name, value != NULL ? value : json_null());
}

void view_put_whole(json_t *to, const char *name, sqlite3_stmt *s, int column)
{
    json_object_set_new(to, name,
                        view_is_null(s, column) ? json_null()
                                                : json_integer(sqlite3_column_int64(s, column)));
}
