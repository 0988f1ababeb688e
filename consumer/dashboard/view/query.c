/* query: lists, counts and searches for the API. */
#include "dashboard/view/database.h"
#include "dashboard/view/filter_sql.h"
#include "dashboard/view/order_row.h"
#include "dashboard/view/sql_value.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { SQL_MAX = 8192, FEW = 50000, ARMS = 4, REASONS_MAX = 50 };

/* ---- lists ---- */

/* Orders that match the search, with their times: both are in the indexes. One may come twice.
 * Numbers grow with time, as a rule: read in the list's order, few displace what is sorted already,
 * where the other way each would (100,000 matches: half the time). LIMIT -1 keeps the arm's order.
 */
static void add_candidates(struct buf *sql, const struct order_filter *f)
{
    const char *way = f->oldest_first ? "" : " DESC";
    buf_addf(
        sql,
        "SELECT * FROM (SELECT id, at_ms FROM orders WHERE order_number >= :q COLLATE NOCASE AND"
        " order_number < :qend COLLATE NOCASE ORDER BY order_number COLLATE NOCASE%s LIMIT -1)",
        way);
    buf_add_text(sql,
                 " UNION ALL SELECT id, at_ms FROM orders WHERE key >= :l AND key < :lend"
                 " UNION ALL SELECT id, at_ms FROM orders WHERE :q <> :l AND key >= :q AND key <"
                 " :qend UNION ALL SELECT id, at_ms FROM orders WHERE tail IS NOT NULL AND tail ="
                 " :tail");
}

static const char fits[] = " AND ((+o.key >= :l AND +o.key < :lend) OR (+o.order_number >= :q"
                           " COLLATE NOCASE AND +o.order_number < :qend COLLATE NOCASE))";

static int64_t count(struct view *view, struct buf *sql, const struct order_filter *f,
                     const struct page_cursor *cursor)
{
    sqlite3_stmt *s = filter_prepare(view, sql, f, cursor);
    int64_t found = s != NULL && sqlite3_step(s) == SQLITE_ROW ? sqlite3_column_int64(s, 0) : 0;
    sqlite3_finalize(s);
    return found;
}

/* True: few enough orders match the search to be sorted. */
static bool are_few(struct view *view, const struct order_filter *f)
{
    struct buf sql;
    buf_init(&sql, SQL_MAX);
    buf_addf(&sql,
             "SELECT (SELECT count(*) FROM (SELECT 1 FROM orders WHERE key >= :l AND key < :lend"
             " LIMIT %d)) + (SELECT count(*) FROM (SELECT 1 FROM orders WHERE order_number >= :q"
             " COLLATE NOCASE AND order_number < :qend COLLATE NOCASE LIMIT %d))",
             FEW, FEW);
    return count(view, &sql, f, NULL) < FEW;
}

/* How many orders a walk by time looks at for a page of matches: four times what it takes where FEW
 * are spread evenly. */
static int64_t walk_rows(const struct view *view, const struct order_filter *f)
{
    enum { TIMES = 4, AT_LEAST = 1000 };
    int64_t total = 0;
    for (int state = 0; state < ORDER_STATE_COUNT; state++)
        total += view->counts[state];
    int64_t rows = total * (f->limit + 1) / FEW * TIMES;
    return rows > AT_LEAST ? rows : AT_LEAST;
}

/* True: a walk through all orders by time soon finds a page of matches. */
static bool are_frequent(struct view *view, const struct order_filter *f,
                         const struct page_cursor *cursor)
{
    struct buf sql;
    buf_init(&sql, SQL_MAX);
    buf_add_text(&sql, "SELECT count(*) FROM (SELECT 1 FROM (SELECT o.key, o.order_number FROM"
                       " orders o LEFT JOIN retries r ON r.key = o.key");
    filter_add(&sql, f);
    filter_add_cursor(&sql, f, "o");
    filter_add_order(&sql, f, "o");
    buf_addf(&sql, " LIMIT %" PRId64 ") o WHERE 1%s LIMIT :limit)", walk_rows(view, f), fits);
    return count(view, &sql, f, cursor) > f->limit;
}

/* True: all orders of the filter's state are looked at sooner than the matches are sorted. */
static bool is_rare(const struct view *view, const struct order_filter *f)
{
    return f->state >= 0 && view->counts[f->state] < FEW;
}

static bool has_kinds(const struct order_filter *f)
{
    return f->state >= 0 || f->reason != NULL || f->status != 0 || f->source != NULL;
}

static bool is_filtered(const struct order_filter *f)
{
    return has_kinds(f) || f->since_ms >= 0 || f->until_ms >= 0 || f->not_pending;
}

/* Finds the page's orders by the indexes alone, then reads the other columns of these only. */
static void add_few(struct buf *sql, const struct order_filter *f)
{
    buf_add_text(sql, " NOT INDEXED" VIEW_ORDER_JOINS);
    buf_add_text(sql, " WHERE o.id IN (SELECT c.id FROM (");
    add_candidates(sql, f);
    buf_add_text(sql, ") c");
    if (is_filtered(f)) {
        buf_add_text(sql,
                     " CROSS JOIN orders o ON o.id = c.id LEFT JOIN retries r ON r.key = o.key");
        filter_add(sql, f);
    } else {
        buf_add_text(sql, " WHERE 1");
    }
    filter_add_cursor(sql, f, "c");
    filter_add_order(sql, f, "c");
    buf_addf(sql, " LIMIT %d * :limit)", ARMS);
}

/* The first page of each kind that fits, by one index; then the first of these. */
static void add_kinds(struct buf *sql, const struct order_filter *f)
{
    buf_add_text(sql, " NOT INDEXED" VIEW_ORDER_JOINS " WHERE o.id IN (SELECT c.id FROM kinds k"
                      " CROSS JOIN orders c NOT INDEXED WHERE 1");
    if (f->state >= 0)
        buf_addf(sql, " AND k.state = %d", f->state);
    if (f->reason != NULL)
        buf_add_text(sql, " AND k.reason = :reason");
    if (f->status != 0)
        buf_add_text(sql, " AND k.status = :status");
    if (f->source != NULL)
        buf_add_text(sql, " AND k.source = :source");
    buf_add_text(sql, " AND c.id IN (SELECT i.id FROM orders i INDEXED BY orders_by_kind WHERE"
                      " i.kind = k.id");
    filter_add_times(sql, f, "i");
    if (f->not_pending)
        buf_add_text(sql, " AND NOT EXISTS (SELECT 1 FROM retries p WHERE p.key = i.key)");
    filter_add_cursor(sql, f, "i");
    filter_add_order(sql, f, "i");
    buf_add_text(sql, " LIMIT :limit)");
    filter_add_order(sql, f, "c");
    buf_add_text(sql, " LIMIT :limit)");
}

static void add_walk(struct view *view, struct buf *sql, const struct order_filter *f)
{
    if (f->search != NULL && !has_kinds(f) && view_is_indexed(view))
        buf_add_text(sql, " INDEXED BY orders_by_time");
    buf_add_text(sql, VIEW_ORDER_JOINS);
    filter_add(sql, f);
    if (f->search != NULL)
        buf_add_text(sql, fits);
    filter_add_cursor(sql, f, "o");
}

/* columns: up to the orders' table, which is named o. */
static void add_list(struct view *view, struct buf *sql, const char *columns,
                     const struct order_filter *f, const struct page_cursor *cursor)
{
    buf_add_text(sql, columns);
    if (f->search != NULL &&
        (are_few(view, f) || !(is_rare(view, f) || are_frequent(view, f, cursor))))
        add_few(sql, f);
    else if (f->search == NULL && has_kinds(f) && view_is_indexed(view))
        add_kinds(sql, f);
    else
        add_walk(view, sql, f);
    filter_add_order(sql, f, "o");
    buf_add_text(sql, " LIMIT :limit");
}

json_t *view_list(struct view *view, const struct order_filter *f, struct error *err)
{
    struct page_cursor cursor = {0};
    char next[64] = "";
    struct buf sql;
    if (f->cursor != NULL && !page_cursor_read(f->cursor, &cursor)) {
        error_set(err, ERROR_CONFIG, "cursor: not one that a page gave");
        return NULL;
    }
    buf_init(&sql, SQL_MAX);
    add_list(view, &sql, VIEW_ORDER_COLUMNS, f, &cursor);
    sqlite3_stmt *s = filter_prepare(view, &sql, f, &cursor);
    if (s == NULL) {
        view_fail(view, err);
        return NULL;
    }
    json_t *orders = json_array(), *page = json_object();
    for (int n = 0; n <= f->limit && sqlite3_step(s) == SQLITE_ROW; n++) {
        if (n == f->limit) {
            snprintf(next, sizeof next, "%" PRId64 "-%" PRId64, cursor.at_ms, cursor.id);
            break;
        }
        cursor = (struct page_cursor){sqlite3_column_int64(s, COLUMN_AT_MS),
                                      sqlite3_column_int64(s, COLUMN_ID)};
        json_array_append_new(orders, view_order_at(s));
    }
    json_object_set_new(page, "orders", orders);
    if (sqlite3_finalize(s) != SQLITE_OK) { /* what was read is not the whole page */
        view_fail(view, err);
        json_decref(page);
        return NULL;
    }
    json_object_set_new(page, "next_cursor", *next != '\0' ? json_string(next) : json_null());
    return page;
}

void view_each(struct view *view, const struct order_filter *f,
               void (*each)(void *context, const struct listed_order *order), void *context)
{
    struct buf sql;
    buf_init(&sql, SQL_MAX);
    add_list(view, &sql, "SELECT o.key, o.state, r.key IS NOT NULL, o.at_ms FROM orders o", f,
             NULL);
    sqlite3_stmt *s = filter_prepare(view, &sql, f, NULL);
    for (int n = 0; s != NULL && n < f->limit && sqlite3_step(s) == SQLITE_ROW; n++)
        each(context, &(struct listed_order){
                          .key = view_text_at(s, 0),
                          .state = (enum order_state)(sqlite3_column_int(s, 1) % ORDER_STATE_COUNT),
                          .is_pending = sqlite3_column_int(s, 2) != 0,
                          .at_ms = sqlite3_column_int64(s, 3)});
    sqlite3_finalize(s);
}

/* ---- parked orders ---- */

int64_t view_parked_count(struct view *view, const struct order_filter *filter,
                          int64_t *ret_oldest_ms, int64_t *ret_newest_ms)
{
    struct buf sql;
    int64_t count = 0;
    *ret_oldest_ms = *ret_newest_ms = -1;
    buf_init(&sql, SQL_MAX);
    buf_add_text(&sql, "SELECT count(*), min(o.at_ms), max(o.at_ms) FROM orders o LEFT JOIN"
                       " retries r ON r.key = o.key");
    filter_add(&sql, filter);
    sqlite3_stmt *s = filter_prepare(view, &sql, filter, NULL);
    if (s != NULL && sqlite3_step(s) == SQLITE_ROW && (count = sqlite3_column_int64(s, 0)) > 0) {
        *ret_oldest_ms = sqlite3_column_int64(s, 1);
        *ret_newest_ms = sqlite3_column_int64(s, 2);
    }
    sqlite3_finalize(s);
    return count;
}

void view_parked_each(struct view *view, const struct order_filter *filter,
                      void (*each)(void *context, const char *key), void *context)
{
    struct buf sql;
    buf_init(&sql, SQL_MAX);
    buf_add_text(&sql, "SELECT o.key FROM orders o LEFT JOIN retries r ON r.key = o.key");
    filter_add(&sql, filter);
    buf_add_text(&sql, " ORDER BY o.at_ms, o.id");
    sqlite3_stmt *s = filter_prepare(view, &sql, filter, NULL);
    while (s != NULL && sqlite3_step(s) == SQLITE_ROW)
        each(context, view_text_at(s, 0));
    sqlite3_finalize(s);
}

json_t *view_reasons(struct view *view, const struct order_filter *filter)
{
    struct buf sql;
    json_t *reasons = json_array();
    buf_init(&sql, SQL_MAX);
    buf_add_text(&sql,
                 "SELECT g.reason, (SELECT p.class FROM orders o2 JOIN parked p ON p.topic ="
                 " o2.topic AND p.partition = o2.partition AND p.offset = o2.offset WHERE o2.id ="
                 " g.sample), g.count, g.oldest FROM (SELECT o.reason reason, count(*) count,"
                 " min(o.at_ms) oldest, min(o.id) sample FROM orders o LEFT JOIN retries r ON"
                 " r.key = o.key");
    filter_add(&sql, filter);
    buf_addf(&sql, " GROUP BY o.reason) g ORDER BY g.count DESC, g.reason LIMIT %d", REASONS_MAX);
    sqlite3_stmt *s = filter_prepare(view, &sql, filter, NULL);
    while (s != NULL && sqlite3_step(s) == SQLITE_ROW) {
        json_t *reason = json_object();
        view_put_text(reason, "reason", s, 0);
        view_put_text(reason, "class", s, 1);
        view_put_whole(reason, "count", s, 2);
        view_put_whole(reason, "oldest_ms", s, 3);
        json_array_append_new(reasons, reason);
    }
    sqlite3_finalize(s);
    return reasons;
}

/* ---- the whole ---- */

json_t *view_members(struct view *view)
{
    json_t *members = json_array();
    sqlite3_stmt *s = view_statement(view, STATEMENT_MEMBERS);
    while (sqlite3_step(s) == SQLITE_ROW) {
        json_t *member = json_loads(view_text_at(s, 0), JSON_REJECT_DUPLICATES, NULL);
        if (json_is_object(member))
            json_array_append(members, member);
        json_decref(member);
    }
    sqlite3_reset(s);
    return members;
}

void view_number_each(struct view *view, const char *number,
                      void (*each)(void *context, const char *key), void *context)
{
    if (!view_is_indexed(view))
        return;
    sqlite3_stmt *s = view_statement(view, STATEMENT_NUMBER);
    sqlite3_bind_text(s, 1, number, -1, SQLITE_TRANSIENT);
    while (sqlite3_step(s) == SQLITE_ROW)
        each(context, view_text_at(s, 0));
    sqlite3_reset(s);
}

static int64_t time_or_none(sqlite3_stmt *s)
{
    int64_t at_ms = sqlite3_step(s) == SQLITE_ROW && sqlite3_column_type(s, 0) == SQLITE_INTEGER
                        ? sqlite3_column_int64(s, 0)
                        : -1;
    sqlite3_reset(s);
    return at_ms;
}

int64_t view_newest(struct view *view, enum order_state state)
{
    sqlite3_stmt *s = view_statement(view, STATEMENT_NEWEST);
    sqlite3_bind_int(s, 1, state);
    return time_or_none(s);
}

int64_t view_oldest(struct view *view)
{
    return view_is_indexed(view) ? time_or_none(view_statement(view, STATEMENT_OLDEST)) : -1;
}
