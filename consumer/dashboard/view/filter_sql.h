/* filter_sql: an order_filter's conditions and order as SQL, and its values bound to them. */
#ifndef DASHBOARD_VIEW_FILTER_SQL_H
#define DASHBOARD_VIEW_FILTER_SQL_H

#include "dashboard/view/view.h"

#include "base/buf.h"

#include <sqlite3.h>

/* The last order of a page; the next page begins behind it. */
struct page_cursor {
    int64_t at_ms, id;
};

/* From the API's text. False, with *ret in part written: not one that a page gave. */
bool page_cursor_read(const char *text, struct page_cursor *ret) must_check;

/* Each adds to a statement, and names the orders by `of`, an alias of the table or of what has its
 * columns at_ms and id. */
void filter_add_times(struct buf *sql, const struct order_filter *f, const char *of);
void filter_add_cursor(struct buf *sql, const struct order_filter *f, const char *of);
void filter_add_order(struct buf *sql, const struct order_filter *f, const char *of);

/* Adds WHERE and the conditions that the filter has, but for search and cursor; the orders are `o`,
 * their retries `r`. States are written as numbers, so that partial indexes can be used. */
void filter_add(struct buf *sql, const struct order_filter *f);

/* Takes sql, with the filter's values bound: :q, :qend, :l, :lend and :tail of the search, and
 * :limit, which is one more than the page has. cursor may be NULL. NULL with SQLite's error: it is
 * not valid; the caller finalizes it. */
sqlite3_stmt *filter_prepare(struct view *view, struct buf *sql, const struct order_filter *f,
                             const struct page_cursor *cursor) must_check;

#endif
