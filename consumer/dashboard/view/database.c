#include "dashboard/view/database.h"

#include "sys/log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SCHEMA_VERSION "10"

enum { FILL_CHANGES = 32768 };

const char *const order_state_names[] = {"delivered", "retrying", "parked", "overtaken",
                                         "dismissed"};

static const char schema[] =
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;"
    "CREATE TABLE offsets (topic INTEGER, partition INTEGER, next INTEGER NOT NULL,"
    " PRIMARY KEY (topic, partition)) WITHOUT ROWID;"
    "CREATE TABLE orders (id INTEGER PRIMARY KEY, hash INTEGER NOT NULL, key TEXT NOT NULL,"
    " at_ms INTEGER NOT NULL, state INTEGER NOT NULL, reason TEXT, order_id TEXT,"
    " order_number TEXT, tail INTEGER, confirmed_at TEXT, webhook_id TEXT, source TEXT,"
    " request TEXT, topic TEXT, partition INTEGER, offset INTEGER, timestamp_ms INTEGER,"
    " lsn INTEGER, attempts INTEGER, status INTEGER, first_ms INTEGER, last_ms INTEGER,"
    " settled_ms INTEGER, next_ms INTEGER, member TEXT, previous TEXT, owner TEXT,"
    " answer TEXT, tries TEXT, kind INTEGER NOT NULL,"
    " dismissed TEXT);" /* JSON: decoded when it is looked at */
    "CREATE INDEX orders_by_hash ON orders (hash);"
    "CREATE TABLE kinds (id INTEGER PRIMARY KEY, state INTEGER, reason TEXT, status INTEGER,"
    " source TEXT, UNIQUE (state, reason, status, source));" /* kinds.c */
    "CREATE TABLE parked (topic TEXT, partition INTEGER, offset INTEGER, at_partition INTEGER,"
    " at_offset INTEGER, at_ms INTEGER, class TEXT, detail TEXT, response TEXT,"
    " PRIMARY KEY (topic, partition, offset)) WITHOUT ROWID;"
    "CREATE TABLE retries (key TEXT PRIMARY KEY, request TEXT, asked_ms INTEGER) WITHOUT ROWID;"
    "CREATE TABLE members (member TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;"
    "CREATE TABLE control (id INTEGER PRIMARY KEY, paused INTEGER, at_ms INTEGER, by TEXT,"
    " reason TEXT);"
    "CREATE TABLE trend (minute INTEGER PRIMARY KEY, delivered INTEGER, parked INTEGER,"
    " latencies BLOB);" /* trend_store.c */
    "CREATE TABLE asked (key TEXT, request TEXT, at_ms INTEGER, what TEXT, who TEXT,"
    " PRIMARY KEY (key, request)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS shown (key TEXT, at_ms INTEGER, who TEXT,"
    " PRIMARY KEY (key, at_ms)) WITHOUT ROWID;"; /* of this file alone: no topic has it */

/* Made once the view has caught up: an empty view fills three times as fast without them. */
static const char *const indexes[] = {
    "CREATE INDEX IF NOT EXISTS orders_by_key ON orders (key, at_ms)",
    "CREATE INDEX IF NOT EXISTS orders_by_time ON orders (at_ms)",
    "CREATE INDEX IF NOT EXISTS orders_by_state ON orders (state, at_ms)",
    "CREATE INDEX IF NOT EXISTS orders_by_kind ON orders (kind, at_ms)",
    "CREATE INDEX IF NOT EXISTS orders_by_number ON orders (order_number COLLATE NOCASE, at_ms)",
    "CREATE INDEX IF NOT EXISTS orders_by_tail ON orders (tail) WHERE tail IS NOT NULL",
    "CREATE INDEX IF NOT EXISTS orders_by_reason ON orders (reason, at_ms) WHERE state = 2",
    "CREATE INDEX IF NOT EXISTS asked_by_who ON asked (who, at_ms)",
};

static const char drop[] =
    "DROP TABLE IF EXISTS meta; DROP TABLE IF EXISTS offsets; DROP TABLE IF EXISTS orders;"
    "DROP TABLE IF EXISTS parked; DROP TABLE IF EXISTS retries; DROP TABLE IF EXISTS members;"
    "DROP TABLE IF EXISTS asked; DROP TABLE IF EXISTS control; DROP TABLE IF EXISTS kinds;"
    "DROP TABLE IF EXISTS trend;";

static const char *const statement_texts[] = {
#define X(id, sql) sql,
    VIEW_STATEMENTS(X)
#undef X
};

static bool execute(struct view *view, const char *sql, struct error *err)
{
    return sqlite3_exec(view->db, sql, NULL, NULL, NULL) == SQLITE_OK || view_fail(view, err);
}

int64_t view_hash(const struct view *view, struct slice key)
{
    return (int32_t)(uint32_t)hash_keyed(&view->hash_key, key.data, key.len);
}

/* ---- opening ---- */

/* The view can be built again, so it may be lost with the machine's power; it survives the end of
 * the process. */
static bool set_up(struct view *view, struct error *err)
{
    return execute(view,
                   "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
                   "PRAGMA cache_size = -32768; PRAGMA temp_store = FILE;"
                   "PRAGMA wal_autocheckpoint = 16000; PRAGMA journal_size_limit = 134217728;"
                   "PRAGMA locking_mode = EXCLUSIVE; PRAGMA trusted_schema = OFF;",
                   err);
}

static bool meta_is(struct view *view, const char *name, const char *value)
{
    sqlite3_stmt *statement;
    bool is = false;
    if (sqlite3_prepare_v2(view->db, "SELECT value FROM meta WHERE name = ?1", -1, &statement,
                           NULL) != SQLITE_OK)
        return false;
    sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
    if (sqlite3_step(statement) == SQLITE_ROW) {
        const char *found = (const char *)sqlite3_column_text(statement, 0);
        is = found != NULL && strcmp(found, value) == 0;
    }
    sqlite3_finalize(statement);
    return is;
}

static bool make_tables(struct view *view, const char *identity, struct error *err)
{
    sqlite3_stmt *statement;
    bool is_another = !meta_is(view, "identity", identity);
    if (!execute(view, "BEGIN", err) || !execute(view, drop, err) ||
        (is_another && !execute(view, "DROP TABLE IF EXISTS shown", err)) ||
        !execute(view, schema, err))
        return false;
    if (sqlite3_prepare_v2(view->db,
                           "INSERT INTO meta VALUES ('schema', '" SCHEMA_VERSION "'),"
                           " ('identity', ?1), ('hash_key', hex(randomblob(16)))",
                           -1, &statement, NULL) != SQLITE_OK)
        return view_fail(view, err);
    sqlite3_bind_text(statement, 1, identity, -1, SQLITE_STATIC);
    bool ok = view_run(view, statement, err);
    sqlite3_finalize(statement);
    return ok && execute(view, "COMMIT", err);
}

/* The key is stored with the tables: their hashes are made with it. */
static bool read_hash_key(struct view *view, struct error *err)
{
    sqlite3_stmt *statement;
    if (sqlite3_prepare_v2(view->db, "SELECT value FROM meta WHERE name = 'hash_key'", -1,
                           &statement, NULL) != SQLITE_OK)
        return view_fail(view, err);
    const char *text = sqlite3_step(statement) == SQLITE_ROW
                           ? (const char *)sqlite3_column_text(statement, 0)
                           : "";
    bool ok = text != NULL && strlen(text) == 32 &&
              sscanf(text, "%16" SCNx64 "%16" SCNx64, &view->hash_key.half[0],
                     &view->hash_key.half[1]) == 2;
    sqlite3_finalize(statement);
    return ok || error_set(err, ERROR_FAILED,
                           "dashboard.database: it has no hash_key; delete the file: it is built "
                           "again");
}

static bool prepare(struct view *view, struct error *err)
{
    for (int i = 0; i < STATEMENT_COUNT; i++)
        if (sqlite3_prepare_v3(view->db, statement_texts[i], -1, SQLITE_PREPARE_PERSISTENT,
                               &view->statements[i], NULL) != SQLITE_OK)
            return view_fail(view, err);
    return true;
}

static bool count_states(struct view *view, struct error *err)
{
    sqlite3_stmt *statement;
    memset(view->counts, 0, sizeof view->counts);
    if (sqlite3_prepare_v2(view->db, "SELECT state, count(*) FROM orders GROUP BY state", -1,
                           &statement, NULL) != SQLITE_OK)
        return view_fail(view, err);
    while (sqlite3_step(statement) == SQLITE_ROW) {
        int state = sqlite3_column_int(statement, 0);
        if (state >= 0 && state < ORDER_STATE_COUNT)
            view->counts[state] = sqlite3_column_int64(statement, 1);
    }
    return sqlite3_finalize(statement) == SQLITE_OK || view_fail(view, err);
}

int64_t view_retries(struct view *view)
{
    sqlite3_stmt *s = view_statement(view, STATEMENT_COUNT_RETRIES);
    int64_t count = sqlite3_step(s) == SQLITE_ROW ? sqlite3_column_int64(s, 0) : 0;
    sqlite3_reset(s);
    return count;
}

/* Those that a program before this one made: they are made one after the other. */
static bool count_indexes(struct view *view, struct error *err)
{
    sqlite3_stmt *statement;
    if (sqlite3_prepare_v2(view->db,
                           "SELECT count(*) FROM sqlite_master WHERE type = 'index' AND name GLOB"
                           " '*_by_*' AND name <> 'orders_by_hash'",
                           -1, &statement, NULL) != SQLITE_OK)
        return view_fail(view, err);
    if (sqlite3_step(statement) == SQLITE_ROW)
        view->indexes = (size_t)sqlite3_column_int64(statement, 0);
    return sqlite3_finalize(statement) == SQLITE_OK || view_fail(view, err);
}

static bool make_ready(struct view *view, const char *identity, struct error *err)
{
    if (!set_up(view, err))
        return false;
    if (!meta_is(view, "schema", SCHEMA_VERSION) || !meta_is(view, "identity", identity)) {
        log_info("view rebuilt", LOG_S("of", identity),
                 LOG_S("reason", "new, or of other topics or another schema"));
        if (!make_tables(view, identity, err))
            return false;
    }
    if (!read_hash_key(view, err) || !prepare(view, err) || !count_states(view, err) ||
        !count_indexes(view, err) || !view_load_trend(view, err))
        return false;
    view->retries = view_retries(view) > 0;
    return true;
}

static void close_database(struct view *view)
{
    for (int i = 0; i < STATEMENT_COUNT; i++) {
        sqlite3_finalize(view->statements[i]);
        view->statements[i] = NULL;
    }
    sqlite3_close(view->db);
    view->db = NULL;
}

/* Indexes are sorted in temporary files, put beside the database, where there is room for them. */
static void sort_beside(const char *path)
{
    const char *end = strrchr(path, '/');
    if (end != NULL && end > path && sqlite3_temp_directory == NULL)
        sqlite3_temp_directory = sqlite3_mprintf("%.*s", (int)(end - path), path);
}

/* Its directory may be open to other users, who could read every order's number and state. A
 * failure is logged only: the file may belong to another user. */
static void keep_private(const char *path, int flags)
{
    enum { ONLY_OWNER = 0600 };
    struct stat status;
    int fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK | flags, ONLY_OWNER);
    if (fd < 0)
        return; /* the file does not exist, or SQLite reports the reason */
    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
        (status.st_mode & 0777 & ~(mode_t)ONLY_OWNER) != 0 && fchmod(fd, ONLY_OWNER) != 0)
        log_warn("database not private", LOG_S("path", path), LOG_S("error", strerror(errno)),
                 LOG_S("hint", "make the program's user its owner, or chmod 600 it"));
    close(fd);
}

/* Before SQLite opens it: closing one descriptor of a file releases all its locks. SQLite makes the
 * log beside it with the same rights; an older log may have others. */
static void keep_all_private(const char *path)
{
    static const char *const beside[] = {"-wal", "-shm", "-journal"};
    char name[PATH_MAX];
    if (*path == '\0' || *path == ':')
        return; /* in memory */
    keep_private(path, O_CREAT);
    for (size_t i = 0; i < sizeof beside / sizeof *beside; i++)
        if ((size_t)snprintf(name, sizeof name, "%s%s", path, beside[i]) < sizeof name)
            keep_private(name, 0);
}

static bool open_at(struct view *view, const char *path, const char *identity, struct error *err)
{
    enum { BUSY_MS = 2000 };
    sort_beside(path);
    keep_all_private(path);
    if (sqlite3_open_v2(path, &view->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL) !=
        SQLITE_OK)
        return error_set(err, ERROR_CONFIG, "dashboard.database: \"%s\": %s", path,
                         sqlite3_errmsg(view->db));
    sqlite3_busy_timeout(view->db, BUSY_MS);
    if (make_ready(view, identity, err))
        return true;
    int code = sqlite3_errcode(view->db);
    if (code != SQLITE_CORRUPT && code != SQLITE_NOTADB)
        return error_set(err, ERROR_CONFIG,
                         "dashboard.database: \"%s\": %s; another dashboard may have it open: each "
                         "needs a file of its own",
                         path, sqlite3_errmsg(view->db));
    return false;
}

struct view *view_open(const char *path, const char *identity, struct error *err)
{
    struct error why = {0};
    struct view *view = calloc(1, sizeof *view);
    if (view == NULL) {
        error_no_memory(err);
        return NULL;
    }
    if (trend_open(&view->trend) ? open_at(view, path, identity, &why) : error_no_memory(&why))
        return view;
    error_set(err, why.code, "%s", why.text);
    view_close(view);
    return NULL;
}

void view_close(struct view *view)
{
    if (view == NULL)
        return;
    close_database(view);
    trend_done(&view->trend);
    free(view);
}

bool view_reset(struct view *view, struct error *err)
{
    memset(view->counts, 0, sizeof view->counts);
    view->retries = false;
    trend_clear(&view->trend);
    return execute(view,
                   "DELETE FROM trend; DELETE FROM orders; DELETE FROM parked; DELETE FROM retries;"
                   "DELETE FROM members; DELETE FROM offsets; DELETE FROM asked;",
                   err);
}

/* ---- batches and offsets ---- */

bool view_begin(struct view *view, struct error *err)
{
    if (view->open)
        return true;
    view->open = view_run(view, view_statement(view, STATEMENT_BEGIN), err);
    view->begun_at = sqlite3_total_changes64(view->db);
    return view->open;
}

static bool commit(struct view *view, struct error *err)
{
    view->open = false;
    return view_store_trend(view, err) &&
           view_run(view, view_statement(view, STATEMENT_COMMIT), err);
}

bool view_commit(struct view *view, struct error *err)
{
    if (!view_is_indexed(view) && sqlite3_total_changes64(view->db) - view->begun_at < FILL_CHANGES)
        return true;
    return commit(view, err);
}

bool view_is_indexed(const struct view *view)
{
    return view->indexes == sizeof indexes / sizeof *indexes;
}

bool view_index(struct view *view, struct error *err)
{
    if (view_is_indexed(view))
        return true;
    if ((view->open && !commit(view, err)) || !execute(view, indexes[view->indexes], err))
        return false;
    view->indexes++;
    return true;
}

int64_t view_offset(struct view *view, enum view_topic topic, int32_t partition)
{
    sqlite3_stmt *s = view_statement(view, STATEMENT_OFFSET);
    sqlite3_bind_int(s, 1, topic);
    sqlite3_bind_int(s, 2, partition);
    int64_t next = sqlite3_step(s) == SQLITE_ROW ? sqlite3_column_int64(s, 0) : 0;
    sqlite3_reset(s);
    return next;
}

bool view_set_offset(struct view *view, enum view_topic topic, int32_t partition, int64_t next,
                     struct error *err)
{
    sqlite3_stmt *s = view_statement(view, STATEMENT_SET_OFFSET);
    sqlite3_bind_int(s, 1, topic);
    sqlite3_bind_int(s, 2, partition);
    sqlite3_bind_int64(s, 3, next);
    return view_run(view, s, err);
}

int64_t view_count(const struct view *view, enum order_state state)
{
    return view->counts[state];
}
