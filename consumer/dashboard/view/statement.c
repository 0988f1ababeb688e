/* statement: runs the statements that database.c has prepared. */
#include "dashboard/view/database.h"

bool view_fail(struct view *view, struct error *err)
{
    int code = sqlite3_errcode(view->db);
    bool broken = code == SQLITE_CORRUPT || code == SQLITE_NOTADB;
    return error_set(err, ERROR_FAILED, "dashboard.database: %s%s", sqlite3_errmsg(view->db),
                     broken ? "; delete the file: it is built again" : "");
}

sqlite3_stmt *view_statement(struct view *view, enum view_statement which)
{
    sqlite3_stmt *statement = view->statements[which];
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    return statement;
}

bool view_run(struct view *view, sqlite3_stmt *statement, struct error *err)
{
    int code = sqlite3_step(statement);
    sqlite3_reset(statement);
    return code == SQLITE_DONE || code == SQLITE_ROW || view_fail(view, err);
}
