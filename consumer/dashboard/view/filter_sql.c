#include "dashboard/view/filter_sql.h"

#include "dashboard/view/database.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

bool page_cursor_read(const char *text, struct page_cursor *ret)
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

void filter_add_times(struct buf *sql, const struct order_filter *f, const char *of)
{
    if (f->since_ms >= 0)
        buf_addf(sql, " AND %s.at_ms >= :since", of);
    if (f->until_ms >= 0)
        buf_addf(sql, " AND %s.at_ms < :until", of);
}

void filter_add_order(struct buf *sql, const struct order_filter *f, const char *of)
{
    const char *way = f->oldest_first ? "" : " DESC";
    buf_addf(sql, " ORDER BY %s.at_ms%s, %s.id%s", of, way, of, way);
}

void filter_add(struct buf *sql, const struct order_filter *f)
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
    filter_add_times(sql, f, "o");
    if (f->not_pending)
        buf_add_text(sql, " AND r.key IS NULL");
}

void filter_add_cursor(struct buf *sql, const struct order_filter *f, const char *of)
{
    if (f->cursor != NULL)
        buf_addf(sql, " AND (%s.at_ms, %s.id) %s (:cursor_ms, :cursor_id)", of, of,
                 f->oldest_first ? ">" : "<");
}

sqlite3_stmt *filter_prepare(struct view *view, struct buf *sql, const struct order_filter *f,
                             const struct page_cursor *cursor)
{
    sqlite3_stmt *s = NULL;
    if (buf_ok(sql) && sqlite3_prepare_v2(view->db, buf_text(sql), -1, &s, NULL) == SQLITE_OK)
        bind_filter(s, f, cursor);
    buf_done(sql);
    return s;
}
