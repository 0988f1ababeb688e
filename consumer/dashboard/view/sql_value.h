/* sql_value: one value into a statement of SQLite, and one out of it. SQL's NULL is JSON's null. */
#ifndef DASHBOARD_VIEW_SQL_VALUE_H
#define DASHBOARD_VIEW_SQL_VALUE_H

#include "base/slice.h"

#include <jansson.h>
#include <sqlite3.h>

/* Binds text at ?at; without data: NULL. The statement borrows it. */
void view_bind_slice(sqlite3_stmt *s, int at, struct slice text);

bool view_is_null(sqlite3_stmt *s, int column);
const char *view_text_at(sqlite3_stmt *s, int column); /* borrowed until the next step */
/* Cut to the size; "" for NULL. */
void view_copy_text(char *to, size_t size, sqlite3_stmt *s, int column);

void view_put_text(json_t *to, const char *name, sqlite3_stmt *s, int column);
void view_put_whole(json_t *to, const char *name, sqlite3_stmt *s, int column);

#endif
