/* asked: the requests for an order and their callers, as far as topics and this file keep them. */
#include "dashboard/view/database.h"
#include "dashboard/view/sql_value.h"

enum { AUDIT_MAX = 32 }; /* the newest, of each kind and order */

static bool run_of(struct view *view, enum view_statement which, struct slice key,
                   struct error *err)
{
    sqlite3_stmt *s = view_statement(view, which);
    view_bind_slice(s, 1, key);
    if (sqlite3_bind_parameter_count(s) > 1)
        sqlite3_bind_int(s, 2, AUDIT_MAX - 1);
    return view_run(view, s, err);
}

/* A record without a request is of no dashboard and no command. */
bool view_put_asked(struct view *view, const struct retry_note *note, struct error *err)
{
    if (note->request.len == 0)
        return true;
    sqlite3_stmt *s = view_statement(view, STATEMENT_PUT_ASKED);
    view_bind_slice(s, 1, note->order);
    view_bind_slice(s, 2, note->request);
    sqlite3_bind_int64(s, 3, note->asked_ms);
    view_bind_slice(s, 4, note->source);
    view_bind_slice(s, 5, note->by);
    return view_run(view, s, err) && run_of(view, STATEMENT_TRIM_ASKED, note->order, err);
}

bool view_put_shown(struct view *view, const char *key, const char *by, int64_t at_ms,
                    struct error *err)
{
    sqlite3_stmt *s = view_statement(view, STATEMENT_PUT_SHOWN);
    view_bind_slice(s, 1, slice_of(key));
    sqlite3_bind_int64(s, 2, at_ms);
    view_bind_slice(s, 3, slice_of(by));
    return view_run(view, s, err) && run_of(view, STATEMENT_TRIM_SHOWN, slice_of(key), err);
}

bool view_forget_audit(struct view *view, struct slice key, struct error *err)
{
    return run_of(view, STATEMENT_DROP_ASKED, key, err) &&
           run_of(view, STATEMENT_DROP_SHOWN, key, err);
}

json_t *view_audit(struct view *view, const char *key)
{
    json_t *list = json_array();
    sqlite3_stmt *s = view_statement(view, STATEMENT_AUDIT);
    sqlite3_bind_text(s, 1, key, -1, SQLITE_TRANSIENT);
    while (sqlite3_step(s) == SQLITE_ROW) {
        json_t *entry = json_object();
        view_put_whole(entry, "at_ms", s, 0);
        view_put_text(entry, "what", s, 1);
        view_put_text(entry, "by", s, 2);
        view_put_text(entry, "request", s, 3);
        json_array_append_new(list, entry);
    }
    sqlite3_reset(s);
    return list;
}
