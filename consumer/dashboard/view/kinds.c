/* kinds: the few combinations of state, reason, status and source that outcomes have. Any filter of
 * these is some kinds, and each has its newest orders at hand in one index: so no combination makes
 * a query walk through all orders. */
#include "dashboard/view/database.h"

#include "topics/outcome_record.h"

#include <stdio.h>
#include <string.h>

static void copy(char *to, size_t size, struct slice from)
{
    snprintf(to, size, "%.*s", (int)(from.len < size ? from.len : size),
             from.data != NULL ? from.data : "");
}

static bool is_same(const struct kind *a, const struct kind *b)
{
    return a->state == b->state && a->status == b->status && strcmp(a->reason, b->reason) == 0 &&
           strcmp(a->source, b->source) == 0;
}

static void bind(sqlite3_stmt *s, const struct kind *kind)
{
    sqlite3_bind_int(s, 1, kind->state);
    sqlite3_bind_text(s, 2, kind->reason, -1, SQLITE_STATIC);
    sqlite3_bind_int64(s, 3, kind->status);
    sqlite3_bind_text(s, 4, kind->source, -1, SQLITE_STATIC);
}

int64_t view_kind(struct view *view, int state, const struct outcome_record *fields,
                  struct error *err)
{
    struct kind kind = {.state = state, .status = fields->status > 0 ? fields->status : 0};
    copy(kind.reason, sizeof kind.reason, fields->reason);
    copy(kind.source, sizeof kind.source, fields->source);
    if (view->last_kind.id > 0 && is_same(&kind, &view->last_kind))
        return view->last_kind.id;
    sqlite3_stmt *s = view_statement(view, STATEMENT_KIND);
    bind(s, &kind);
    if (sqlite3_step(s) == SQLITE_ROW)
        kind.id = sqlite3_column_int64(s, 0);
    sqlite3_reset(s);
    if (kind.id == 0) {
        s = view_statement(view, STATEMENT_PUT_KIND);
        bind(s, &kind);
        if (!view_run(view, s, err))
            return 0;
        kind.id = sqlite3_last_insert_rowid(view->db);
    }
    view->last_kind = kind;
    return kind.id;
}
