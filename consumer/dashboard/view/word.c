/* word: the last word of an operator to the group. */
#include "dashboard/view/database.h"
#include "dashboard/view/sql_value.h"
#include "topics/control_record.h"

bool view_put_word(struct view *view, const struct control_word *word, struct error *err)
{
    sqlite3_stmt *s = view_statement(view, STATEMENT_PUT_WORD);
    sqlite3_bind_int(s, 1, word->paused);
    sqlite3_bind_int64(s, 2, word->at_ms);
    sqlite3_bind_text(s, 3, word->by, -1, SQLITE_STATIC);
    sqlite3_bind_text(s, 4, word->reason, -1, SQLITE_STATIC);
    return view_run(view, s, err);
}

void view_word(struct view *view, struct control_word *ret)
{
    sqlite3_stmt *s = view_statement(view, STATEMENT_WORD);
    *ret = (struct control_word){.paused = false};
    if (sqlite3_step(s) == SQLITE_ROW) {
        ret->paused = sqlite3_column_int(s, 0) != 0;
        ret->at_ms = sqlite3_column_int64(s, 1);
        view_copy_text(ret->by, sizeof ret->by, s, 2);
        view_copy_text(ret->reason, sizeof ret->reason, s, 3);
    }
    sqlite3_reset(s);
}
