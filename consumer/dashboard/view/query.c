/* query: lists, counts and searches for the API. */
#include "dashboard/view/database.h"
#include "dashboard/view/order_row.h"
#include "dashboard/view/sql_value.h"

#include "base/buf.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SQL_MAX = 8192, FEW = 50000, WALK = 20000, ARMS = 4, REASONS_MAX = 50 };

/* ---- filters ---- */

struct page_cursor {
    int64_t at_ms, id;
};

/* Up to 18 digits, which an int64_t holds. */
static bool read_part(const char **text, char end, int64_t *ret)
{
    enum { DIGITS_MAX = 18 };
    size_t len = strspn(*text, "0123456789");
    if (len == 0 || len > DIGITS_MAX || (*text)[len] != end)
        return false;
    *ret = strtoll(*text, NULL, 10);
    *text += len + (end != '\0');
    return true;
}

static bool read_cursor(const char *text, struct page_cursor *ret)
{
    return read_part(&text, '-', &ret->at_ms) && read_part(&text, '\0', &ret->id);
}

static void bind_number(sqlite3_stmt *s, const char *name, int64_t value)
{
    int at = sqlite3_bind_parameter_index(s, name);
    if (at > 0)
        sqlite3_bind_int64(s, at, value);
}

static void bind_text(sqlite3_stmt *s, const char *name, const char *value)
{
    int at = sqlite3_bind_parameter_index(s, name);
    if (at > 0)
        sqlite3_bind_text(s, at, value, -1, SQLITE_TRANSIENT);
}

/* The prefix of an id or a number, and the end of the range of texts that begin with it. */
static void bind_search(sqlite3_stmt *s, const char *search)
{
    char end[512], lower[512];
    snprintf(lower, sizeof lower, "%.400s", search);
    snprintf(end, sizeof end, "%.400s\U0010FFFF", search);
    bind_text(s, ":q", search);
    bind_text(s, ":qend", end);
    for (char *c = lower; *c != '\0'; c++)
        *c = (char)tolower((unsigned char)*c);
    bind_text(s, ":l", lower);
    snprintf(end, sizeof end, "%.400s\U0010FFFF", lower);
    bind_text(s, ":lend", end);
    if (search[strspn(search, "0123456789")] == '\0')
        bind_number(s, ":tail", strtoll(search, NULL, 10));
}

static void bind_filter(sqlite3_stmt *s, const struct order_filter *f,
                        const struct page_cursor *cursor)
{
    if (f->search != NULL)
        bind_search(s, f->search);
    if (f->reason != NULL)
        bind_text(s, ":reason", f->reason);
    if (f->source != NULL)
        bind_text(s, ":source", f->source);
    bind_number(s, ":status", f->status == VIEW_NO_STATUS ? 0 : f->status);
    bind_number(s, ":since", f->since_ms);
    bind_number(s, ":until", f->until_ms);
    bind_number(s, ":cursor_ms", cursor != NULL ? cursor->at_ms : 0);
    bind_number(s, ":cursor_id", cursor != NULL ? cursor->id : 0);
    bind_number(s, ":limit", f->limit + 1);
}

static void add_times(struct buf *sql, const struct order_filter *f, const char *of)
{
    if (f->since_ms >= 0)
        buf_addf(sql, " AND %s.at_ms >= :since", of);
    if (f->until_ms >= 0)
        buf_addf(sql, " AND %s.at_ms < :until", of);
}

static void add_order(struct buf *sql, const struct order_filter *f, const char *of)
{
    const char *way = f->oldest_first ? "" : " DESC";
    buf_addf(sql, " ORDER BY %s.at_ms%s, %s.id%s", of, way, of, way);
}

/* Adds the conditions that the filter has. States are written as numbers, so that partial indexes
 * can be used. */
static void add_filter(struct buf *sql, const struct order_filter *f)
{
    buf_add_text(sql, " WHERE 1");
    if (f->state >= 0)
        buf_addf(sql, " AND o.state = %d", f->state);
    if (f->reason != NULL)
        buf_add_text(sql, " AND o.reason = :reason");
    if (f->status != 0)
        buf_add_text(sql, " AND ifnull(o.status, 0) = :status");
    if (f->source != NULL)
        buf_add_text(sql, " AND o.source = :source");
    add_times(sql, f, "o");
    if (f->not_pending)
        buf_add_text(sql, " AND r.key IS NULL");
}

static sqlite3_stmt *prepare(struct view *view, struct buf *sql, const struct order_filter *f,
                             const struct page_cursor *cursor)
{
    sqlite3_stmt *s = NULL;
    if (buf_ok(sql) && sqlite3_prepare_v2(view->db, buf_text(sql), -1, &s, NULL) == SQLITE_OK)
        bind_filter(s, f, cursor);
    buf_done(sql);
    return s;
}

/* ---- lists ---- */

/* Orders that match the search, with their times: both are in the indexes. One may come twice. */
static const char candidates[] =
    "SELECT id, at_ms FROM orders WHERE key >= :l AND key < :lend"
    " UNION ALL SELECT id, at_ms FROM orders WHERE :q <> :l AND key >= :q AND key < :qend"
    " UNION ALL SELECT id, at_ms FROM orders WHERE order_number >= :q COLLATE NOCASE AND"
    " order_number < :qend COLLATE NOCASE"
    " UNION ALL SELECT id, at_ms FROM orders WHERE tail IS NOT NULL AND tail = :tail";

static const char fits[] = " AND ((+o.key >= :l AND +o.key < :lend) OR (+o.order_number >= :q"
                           " COLLATE NOCASE AND +o.order_number < :qend COLLATE NOCASE))";

static int64_t count(struct view *view, struct buf *sql, const struct order_filter *f,
                     const struct page_cursor *cursor)
{
    sqlite3_stmt *s = prepare(view, sql, f, cursor);
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

static void add_cursor(struct buf *sql, const struct order_filter *f, const char *of)
{
    if (f->cursor != NULL)
        buf_addf(sql, " AND (%s.at_ms, %s.id) %s (:cursor_ms, :cursor_id)", of, of,
                 f->oldest_first ? ">" : "<");
}

/* True: a walk through all orders by time soon finds a page of matches. */
static bool are_frequent(struct view *view, const struct order_filter *f,
                         const struct page_cursor *cursor)
{
    struct buf sql;
    buf_init(&sql, SQL_MAX);
    buf_add_text(&sql, "SELECT count(*) FROM (SELECT 1 FROM (SELECT o.key, o.order_number FROM"
                       " orders o LEFT JOIN retries r ON r.key = o.key");
    add_filter(&sql, f);
    add_cursor(&sql, f, "o");
    add_order(&sql, f, "o");
    buf_addf(&sql, " LIMIT %d) o WHERE 1%s LIMIT :limit)", WALK, fits);
    return count(view, &sql, f, cursor) > f->limit;
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
    buf_addf(sql, " WHERE o.id IN (SELECT c.id FROM (%s) c", candidates);
    if (is_filtered(f)) {
        buf_add_text(sql,
                     " CROSS JOIN orders o ON o.id = c.id LEFT JOIN retries r ON r.key = o.key");
        add_filter(sql, f);
    } else {
        buf_add_text(sql, " WHERE 1");
    }
    add_cursor(sql, f, "c");
    add_order(sql, f, "c");
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
    add_times(sql, f, "i");
    if (f->not_pending)
        buf_add_text(sql, " AND NOT EXISTS (SELECT 1 FROM retries p WHERE p.key = i.key)");
    add_cursor(sql, f, "i");
    add_order(sql, f, "i");
    buf_add_text(sql, " LIMIT :limit)");
    add_order(sql, f, "c");
    buf_add_text(sql, " LIMIT :limit)");
}

static void add_walk(struct view *view, struct buf *sql, const struct order_filter *f)
{
    if (f->search != NULL && !has_kinds(f) && view_is_indexed(view))
        buf_add_text(sql, " INDEXED BY orders_by_time");
    buf_add_text(sql, VIEW_ORDER_JOINS);
    add_filter(sql, f);
    if (f->search != NULL)
        buf_add_text(sql, fits);
    add_cursor(sql, f, "o");
}

static void add_list(struct view *view, struct buf *sql, const struct order_filter *f,
                     const struct page_cursor *cursor)
{
    buf_add_text(sql, VIEW_ORDER_COLUMNS);
    if (f->search != NULL && (are_few(view, f) || !are_frequent(view, f, cursor)))
        add_few(sql, f);
    else if (f->search == NULL && has_kinds(f) && view_is_indexed(view))
        add_kinds(sql, f);
    else
        add_walk(view, sql, f);
    add_order(sql, f, "o");
    buf_add_text(sql, " LIMIT :limit");
}

json_t *view_list(struct view *view, const struct order_filter *f, struct error *err)
{
    struct page_cursor cursor = {0};
    char next[64] = "";
    struct buf sql;
    if (f->cursor != NULL && !read_cursor(f->cursor, &cursor)) {
        error_set(err, ERROR_CONFIG, "cursor: not one that a page gave");
        return NULL;
    }
    buf_init(&sql, SQL_MAX);
    add_list(view, &sql, f, &cursor);
    sqlite3_stmt *s = prepare(view, &sql, f, &cursor);
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
    add_filter(&sql, filter);
    sqlite3_stmt *s = prepare(view, &sql, filter, NULL);
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
    add_filter(&sql, filter);
    buf_add_text(&sql, " ORDER BY o.at_ms, o.id");
    sqlite3_stmt *s = prepare(view, &sql, filter, NULL);
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
    add_filter(&sql, filter);
    buf_addf(&sql, " GROUP BY o.reason) g ORDER BY g.count DESC, g.reason LIMIT %d", REASONS_MAX);
    sqlite3_stmt *s = prepare(view, &sql, filter, NULL);
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

int64_t view_newest(struct view *view, enum order_state state)
{
    sqlite3_stmt *s = view_statement(view, STATEMENT_NEWEST);
    sqlite3_bind_int(s, 1, state);
    int64_t at_ms = sqlite3_step(s) == SQLITE_ROW && sqlite3_column_type(s, 0) == SQLITE_INTEGER
                        ? sqlite3_column_int64(s, 0)
                        : -1;
    sqlite3_reset(s);
    return at_ms;
}

void view_minutes(struct view *view, enum order_state state, int64_t since_ms,
                  void (*each)(void *context, int64_t minute, int64_t count), void *context)
{
    sqlite3_stmt *s = view_statement(view, STATEMENT_MINUTES);
    sqlite3_bind_int(s, 1, state);
    sqlite3_bind_int64(s, 2, since_ms);
    while (sqlite3_step(s) == SQLITE_ROW)
        each(context, sqlite3_column_int64(s, 0), sqlite3_column_int64(s, 1));
    sqlite3_reset(s);
}
