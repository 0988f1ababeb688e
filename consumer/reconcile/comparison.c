#include "reconcile/comparison.h"

#include "base/time_text.h"

#include <jansson.h>
#include <sqlite3.h>
#include <stdlib.h>

const char *const row_state_names[ROW_STATE_COUNT] = {[ROW_NEVER_SEEN] = "never_seen",
                                                      [ROW_PARKED] = "parked",
                                                      [ROW_UNDER_WAY] = "under_way",
                                                      [ROW_DELIVERED] = "delivered",
                                                      [ROW_CONFIRMED_AGAIN] = "confirmed_again",
                                                      [ROW_NO_LONGER_CONFIRMED] =
                                                          "no_longer_confirmed"};

enum { ROW_BYTES_MAX = 8 * 1024 * 1024 };

enum statement { ADD, FIND, SET, REQUEST, RECENT, NOTE_SOURCE, SOURCE_OF, STATEMENT_COUNT };

/* at: confirmed_at in ms; state: enum row_state. */
static const char *const statements[STATEMENT_COUNT] = {
    [ADD] = "INSERT INTO rows (id,number,at,confirmed,state,bytes) VALUES (?1,?2,?3,?4,?5,?6)",
    [FIND] = "SELECT rowid, at, confirmed, state FROM rows WHERE id = ?1",
    [SET] = "UPDATE rows SET state = ?2 WHERE rowid = ?1",
    [REQUEST] = "UPDATE rows SET state = ?2 WHERE id = ?1 AND state IN (?3, ?4)",
    [RECENT] = "UPDATE rows SET state = ?1 WHERE state = ?2 AND at > ?3",
    [NOTE_SOURCE] =
        "UPDATE rows SET partition=?3, offset=?4 WHERE id=?1 AND state=?5 AND ifnull(at, ?2) IS ?2",
    [SOURCE_OF] = "SELECT id FROM rows WHERE partition = ?1 AND offset = ?2 AND state = ?3"};

struct comparison {
    sqlite3 *db;
    sqlite3_stmt *statement[STATEMENT_COUNT];
    bool indexed; /* after the last row */
    int64_t repeated, count[ROW_STATE_COUNT];
    int64_t oldest_missing_ms;
    struct buf bytes; /* of a row's values */
};

static bool failed(const struct comparison *c, struct error *err)
{
    return error_set(err, ERROR_FAILED, "the temporary database: %s", sqlite3_errmsg(c->db));
}

static bool execute(struct comparison *c, const char *sql, struct error *err)
{
    return sqlite3_exec(c->db, sql, NULL, NULL, NULL) == SQLITE_OK || failed(c, err);
}

/* Prepared once, when it is first used. */
static sqlite3_stmt *statement(struct comparison *c, enum statement which)
{
    sqlite3_stmt **s = &c->statement[which];
    if (*s == NULL)
        (void)sqlite3_prepare_v2(c->db, statements[which], -1, s, NULL);
    else
        sqlite3_reset(*s);
    return *s;
}

static bool done(struct comparison *c, sqlite3_stmt *s, struct error *err)
{
    bool ok = s != NULL && sqlite3_step(s) == SQLITE_DONE;
    if (s != NULL)
        sqlite3_reset(s);
    return ok || failed(c, err);
}

static void bind_text(sqlite3_stmt *s, int at, struct slice text)
{
    sqlite3_bind_text(s, at, text.len > 0 ? text.data : "", (int)text.len, SQLITE_STATIC);
}

static void bind_time(sqlite3_stmt *s, int at, int64_t ms)
{
    if (ms == NO_TIME)
        sqlite3_bind_null(s, at);
    else
        sqlite3_bind_int64(s, at, ms);
}

struct comparison *comparison_new(struct error *err)
{
    struct comparison *c = calloc(1, sizeof *c);
    if (c == NULL) {
        error_no_memory(err);
        return NULL;
    }
    c->oldest_missing_ms = NO_TIME;
    buf_init(&c->bytes, ROW_BYTES_MAX);
    /* "": a file that SQLite deletes when it is opened */
    if (sqlite3_open_v2("", &c->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL) ==
            SQLITE_OK &&
        execute(c,
                "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -4096;"
                "CREATE TABLE rows (id TEXT, number TEXT, at INTEGER, confirmed INTEGER, "
                "state INTEGER, partition INTEGER, offset INTEGER, bytes BLOB); BEGIN",
                err))
        return c;
    if (err->code == ERROR_NONE)
        (void)failed(c, err);
    comparison_free(c);
    return NULL;
}

void comparison_free(struct comparison *c)
{
    if (c == NULL)
        return;
    for (int i = 0; i < STATEMENT_COUNT; i++)
        sqlite3_finalize(c->statement[i]);
    sqlite3_close(c->db);
    buf_done(&c->bytes);
    free(c);
}

/* The state of a row without an outcome. */
static enum row_state unknown(bool confirmed)
{
    return confirmed ? ROW_NEVER_SEEN : ROW_NOT_COUNTED;
}

bool comparison_add(struct comparison *c, const struct order_row *row, struct error *err)
{
    sqlite3_stmt *s = statement(c, ADD);
    if (s == NULL)
        return failed(c, err);
    bind_text(s, 1, row->id);
    bind_text(s, 2, row->number);
    bind_time(s, 3, row->confirmed_ms);
    sqlite3_bind_int(s, 4, row->confirmed);
    sqlite3_bind_int(s, 5, (int)unknown(row->confirmed));
    if (row->values == NULL) {
        sqlite3_bind_null(s, 6);
    } else {
        buf_reset(&c->bytes);
        row_values_pack(row->values, ROW_COLUMNS_MAX, &c->bytes);
        if (!buf_ok(&c->bytes))
            return error_no_memory(err);
        sqlite3_bind_blob(s, 6, c->bytes.data, (int)c->bytes.len, SQLITE_STATIC);
    }
    return done(c, s, err);
}

static bool end_rows(struct comparison *c, struct error *err)
{
    if (c->indexed)
        return true;
    c->indexed = true;
    if (!execute(
            c,
            "CREATE INDEX by_id ON rows (id, at); DELETE FROM rows WHERE EXISTS (SELECT 1 FROM "
            "rows l WHERE l.id = rows.id AND l.at IS rows.at AND l.rowid > rows.rowid)",
            err))
        return false;
    c->repeated = sqlite3_changes64(c->db);
    return true;
}

/* ---- outcomes ---- */

static int64_t time_of(struct slice text)
{
    int64_t ms;
    return text.len > 0 && timestamp_read_ms(text.data, text.len, &ms) ? ms : NO_TIME;
}

static enum row_state state_of(struct slice state)
{
    if (slice_is(state, "delivered"))
        return ROW_DELIVERED;
    if (slice_is(state, "parked"))
        return ROW_PARKED;
    if (slice_is(state, "superseded"))
        return ROW_CONFIRMED_AGAIN;
    return slice_is(state, "retrying") ? ROW_UNDER_WAY : ROW_NEVER_SEEN;
}

/* The state that a transition before the last one has at this time; ROW_STATE_COUNT: none is of
 * it. */
static enum row_state state_before(struct slice previous, int64_t confirmed_ms)
{
    enum row_state state = ROW_STATE_COUNT;
    json_t *list =
        previous.len > 2 ? json_loadb(previous.data, previous.len, 0, NULL) : NULL; /* "[]" */
    for (size_t i = 0; i < json_array_size(list) && state == ROW_STATE_COUNT; i++) {
        json_t *transition = json_array_get(list, i);
        const char *at = json_string_value(json_object_get(transition, "confirmed_at"));
        const char *word = json_string_value(json_object_get(transition, "state"));
        if (at != NULL && word != NULL && time_of(slice_of(at)) == confirmed_ms)
            state = state_of(slice_of(word));
    }
    json_decref(list);
    return state;
}

/* The state of a confirmation of the table, by its order's last outcome. */
static enum row_state judge(const struct outcome_record *o, int64_t confirmed_ms)
{
    int64_t last_ms = time_of(o->confirmed_at);
    if (confirmed_ms == last_ms || confirmed_ms == NO_TIME || last_ms == NO_TIME)
        return state_of(o->state);
    enum row_state before = state_before(o->previous, confirmed_ms);
    if (before != ROW_STATE_COUNT)
        return before;
    return confirmed_ms < last_ms ? ROW_CONFIRMED_AGAIN : ROW_NEVER_SEEN;
}

static enum row_state state_of_row(const struct outcome_record *o, int64_t confirmed_ms,
                                   bool confirmed)
{
    if (o == NULL)
        return unknown(confirmed);
    if (slice_is(o->state, "forgotten"))
        return ROW_NOT_COUNTED;
    if (confirmed)
        return judge(o, confirmed_ms);
    return slice_is(o->state, "delivered") ? ROW_NO_LONGER_CONFIRMED : ROW_NOT_COUNTED;
}

static bool set_state(struct comparison *c, int64_t row, enum row_state state, struct error *err)
{
    sqlite3_stmt *s = statement(c, SET);
    if (s == NULL)
        return failed(c, err);
    sqlite3_bind_int64(s, 1, row);
    sqlite3_bind_int(s, 2, (int)state);
    return done(c, s, err);
}

bool comparison_outcome(struct comparison *c, struct slice key,
                        const struct outcome_record *outcome, struct error *err)
{
    if (!end_rows(c, err))
        return false;
    sqlite3_stmt *s = statement(c, FIND);
    if (s == NULL)
        return failed(c, err);
    bind_text(s, 1, key);
    bool ok = true;
    int step;
    while (ok && (step = sqlite3_step(s)) == SQLITE_ROW) {
        int64_t at =
            sqlite3_column_type(s, 1) == SQLITE_NULL ? NO_TIME : sqlite3_column_int64(s, 1);
        enum row_state state = state_of_row(outcome, at, sqlite3_column_int(s, 2) != 0);
        if ((int)state != sqlite3_column_int(s, 3))
            ok = set_state(c, sqlite3_column_int64(s, 0), state, err);
    }
    ok = ok && (step == SQLITE_DONE || failed(c, err));
    sqlite3_reset(s);
    return ok;
}

bool comparison_request(struct comparison *c, struct slice order, struct error *err)
{
    if (!end_rows(c, err))
        return false;
    sqlite3_stmt *s = statement(c, REQUEST);
    if (s == NULL)
        return failed(c, err);
    bind_text(s, 1, order);
    sqlite3_bind_int(s, 2, ROW_UNDER_WAY);
    sqlite3_bind_int(s, 3, ROW_NEVER_SEEN);
    sqlite3_bind_int(s, 4, ROW_PARKED);
    return done(c, s, err);
}

/* ---- the result ---- */

static bool count_states(struct comparison *c, struct error *err)
{
    sqlite3_stmt *s = NULL;
    int step;
    if (sqlite3_prepare_v2(c->db,
                           "SELECT state, count(*), min(at), count(at) FROM rows GROUP BY state",
                           -1, &s, NULL) != SQLITE_OK)
        return failed(c, err);
    while ((step = sqlite3_step(s)) == SQLITE_ROW) {
        int state = sqlite3_column_int(s, 0);
        c->count[state] = sqlite3_column_int64(s, 1);
        if (state == ROW_NEVER_SEEN && sqlite3_column_int64(s, 3) == c->count[state])
            c->oldest_missing_ms = sqlite3_column_int64(s, 2);
    }
    sqlite3_finalize(s);
    return step == SQLITE_DONE || failed(c, err);
}

bool comparison_finish(struct comparison *c, int64_t read_until_ms, struct error *err)
{
    if (!end_rows(c, err))
        return false;
    sqlite3_stmt *s = statement(c, RECENT);
    if (s == NULL)
        return failed(c, err);
    sqlite3_bind_int(s, 1, ROW_UNDER_WAY);
    sqlite3_bind_int(s, 2, ROW_NEVER_SEEN);
    sqlite3_bind_int64(s, 3, read_until_ms);
    return done(c, s, err) && count_states(c, err);
}

int64_t comparison_repeated(const struct comparison *c)
{
    return c->repeated;
}

int64_t comparison_count(const struct comparison *c, enum row_state state)
{
    return c->count[state];
}

int64_t comparison_oldest_missing_ms(const struct comparison *c)
{
    return c->oldest_missing_ms;
}

static struct slice column_text(sqlite3_stmt *s, int at)
{
    return (struct slice){(const char *)sqlite3_column_text(s, at),
                          (size_t)sqlite3_column_bytes(s, at)};
}

/* Steps through id, number, at, confirmed, state, values. */
static bool visit_all(struct comparison *c, sqlite3_stmt *s, comparison_visit *visit, void *context,
                      struct error *err)
{
    struct row_values values;
    bool ok = true;
    int step;
    while (ok && (step = sqlite3_step(s)) == SQLITE_ROW) {
        const struct slice bytes = {sqlite3_column_blob(s, 5), (size_t)sqlite3_column_bytes(s, 5)};
        bool whole = bytes.len > 0 && row_values_unpack(bytes, &values);
        const struct order_row row = {.id = column_text(s, 0),
                                      .number = column_text(s, 1),
                                      .confirmed_ms = sqlite3_column_type(s, 2) == SQLITE_NULL
                                                          ? NO_TIME
                                                          : sqlite3_column_int64(s, 2),
                                      .confirmed = sqlite3_column_int(s, 3) != 0,
                                      .values = whole ? &values : NULL};
        ok = visit(context, &row, (enum row_state)sqlite3_column_int(s, 4), err);
    }
    ok = ok && (step == SQLITE_DONE || failed(c, err));
    sqlite3_finalize(s);
    return ok;
}

bool comparison_each(struct comparison *c, int state, comparison_visit *visit, void *context,
                     struct error *err)
{
    sqlite3_stmt *s = NULL;
    if (sqlite3_prepare_v2(
            c->db,
            "SELECT id, number, at, confirmed, state, NULL FROM rows WHERE state <> ?1 AND "
            "(?2 < 0 OR state = ?2) ORDER BY at, id",
            -1, &s, NULL) != SQLITE_OK)
        return failed(c, err);
    sqlite3_bind_int(s, 1, ROW_NOT_COUNTED);
    sqlite3_bind_int(s, 2, state);
    return visit_all(c, s, visit, context, err);
}

/* ---- records of missing confirmations ---- */

bool comparison_note_source(struct comparison *c, struct slice id, int64_t confirmed_ms,
                            const struct row_source *source, struct error *err)
{
    sqlite3_stmt *s = statement(c, NOTE_SOURCE);
    if (s == NULL)
        return failed(c, err);
    bind_text(s, 1, id);
    bind_time(s, 2, confirmed_ms);
    sqlite3_bind_int(s, 3, source->partition);
    sqlite3_bind_int64(s, 4, source->offset);
    sqlite3_bind_int(s, 5, ROW_NEVER_SEEN);
    return done(c, s, err);
}

int64_t comparison_sources(struct comparison *c, struct error *err)
{
    sqlite3_stmt *s = NULL;
    int64_t count = -1;
    if (execute(c, "CREATE INDEX by_source ON rows (partition, offset) WHERE partition NOT NULL",
                err) &&
        sqlite3_prepare_v2(c->db, "SELECT count(*) FROM rows WHERE partition NOT NULL", -1, &s,
                           NULL) == SQLITE_OK &&
        sqlite3_step(s) == SQLITE_ROW)
        count = sqlite3_column_int64(s, 0);
    else if (err->code == ERROR_NONE)
        (void)failed(c, err);
    sqlite3_finalize(s);
    return count;
}

struct slice comparison_source_of(struct comparison *c, const struct row_source *source)
{
    sqlite3_stmt *s = statement(c, SOURCE_OF);
    if (s == NULL)
        return (struct slice){0};
    sqlite3_bind_int(s, 1, source->partition);
    sqlite3_bind_int64(s, 2, source->offset);
    sqlite3_bind_int(s, 3, ROW_NEVER_SEEN);
    return sqlite3_step(s) == SQLITE_ROW ? column_text(s, 0) : (struct slice){0};
}

bool comparison_each_without_source(struct comparison *c, comparison_visit *visit, void *context,
                                    struct error *err)
{
    sqlite3_stmt *s = NULL;
    if (sqlite3_prepare_v2(c->db,
                           "SELECT id, number, at, confirmed, state, bytes FROM rows WHERE state = "
                           "?1 AND partition IS NULL ORDER BY at, id",
                           -1, &s, NULL) != SQLITE_OK)
        return failed(c, err);
    sqlite3_bind_int(s, 1, ROW_NEVER_SEEN);
    return visit_all(c, s, visit, context, err);
}
