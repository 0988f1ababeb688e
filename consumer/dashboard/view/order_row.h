/* order_row: one row of VIEW_ORDER_COLUMNS, as JSON. SQL's NULL becomes null. */
#ifndef DASHBOARD_VIEW_ORDER_ROW_H
#define DASHBOARD_VIEW_ORDER_ROW_H

#include "dashboard/view/view.h"

#include <sqlite3.h>

/* The columns of VIEW_ORDER_COLUMNS. */
enum column {
    COLUMN_ID,
    COLUMN_KEY,
    COLUMN_ORDER_ID,
    COLUMN_ORDER_NUMBER,
    COLUMN_STATE,
    COLUMN_REASON,
    COLUMN_CLASS,
    COLUMN_DETAIL,
    COLUMN_STATUS,
    COLUMN_ATTEMPTS,
    COLUMN_CONFIRMED_AT,
    COLUMN_WEBHOOK_ID,
    COLUMN_SOURCE,
    COLUMN_REQUEST,
    COLUMN_SETTLED_MS,
    COLUMN_FIRST_MS,
    COLUMN_LAST_MS,
    COLUMN_NEXT_MS,
    COLUMN_RETRY_REQUEST,
    COLUMN_RETRY_MS,
    COLUMN_AT_MS,
    COLUMN_TOPIC,
    COLUMN_PARTITION,
    COLUMN_OFFSET,
    COLUMN_TIMESTAMP_MS,
    COLUMN_LSN,
    COLUMN_MEMBER,
    COLUMN_RESPONSE,
    COLUMN_PARKED_PARTITION,
    COLUMN_PARKED_OFFSET,
    COLUMN_PREVIOUS,
    COLUMN_OWNER,
    COLUMN_ANSWER, /* a JSON string */
    COLUMN_TRIES   /* a JSON array */
};

json_t *view_order_at(sqlite3_stmt *s);                /* the caller owns it */
const char *view_text_at(sqlite3_stmt *s, int column); /* borrowed until the next step */
void view_put_text(json_t *to, const char *name, sqlite3_stmt *s, int column);
void view_put_whole(json_t *to, const char *name, sqlite3_stmt *s, int column);

#endif
