/* database: the SQLite file under the view: its tables, prepared statements and transactions. */
#ifndef DASHBOARD_VIEW_DATABASE_H
#define DASHBOARD_VIEW_DATABASE_H

#include "dashboard/view/view.h"

#include "base/hash.h"
#include "dashboard/view/trend.h"

#include <sqlite3.h>

struct outcome_record;

/* Statements that are prepared once. */
#define VIEW_STATEMENTS(X)                                                                         \
    X(BEGIN, "BEGIN IMMEDIATE")                                                                    \
    X(COMMIT, "COMMIT")                                                                            \
    X(OFFSET, "SELECT next FROM offsets WHERE topic = ?1 AND partition = ?2")                      \
    X(SET_OFFSET, "INSERT INTO offsets VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET next = ?3")   \
    X(FIND, "SELECT id, state, at_ms FROM orders WHERE hash = ?1 AND key = ?2")                    \
    X(PUT_ORDER,                                                                                   \
      "INSERT INTO orders (id, hash, key, at_ms, state, reason, order_id, order_number, tail,"     \
      " confirmed_at, webhook_id, source, request, topic, partition, offset, timestamp_ms, lsn,"   \
      " attempts, status, first_ms, last_ms, settled_ms, next_ms, member, previous, owner, "       \
      "answer, tries, kind, dismissed)"                                                            \
      " VALUES (?1,"                                                                               \
      " ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20,"    \
      " ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31) ON CONFLICT (id) DO UPDATE SET "    \
      "at_ms = "                                                                                   \
      "?4, "                                                                                       \
      "state "                                                                                     \
      "= ?5,"                                                                                      \
      " reason = ?6, order_id = ?7, order_number = ?8, tail = ?9, confirmed_at = ?10,"             \
      " webhook_id = ?11, source = ?12, request = ?13, topic = ?14, partition = ?15,"              \
      " offset = ?16, timestamp_ms = ?17, lsn = ?18, attempts = ?19, status = ?20,"                \
      " first_ms = ?21, last_ms = ?22, settled_ms = ?23, next_ms = ?24, member = ?25,"             \
      " previous = ?26, owner = ?27, answer = ?28, tries = ?29, kind = ?30, dismissed = ?31")      \
    X(KIND,                                                                                        \
      "SELECT id FROM kinds WHERE state = ?1 AND reason = ?2 AND status = ?3 AND source = ?4")     \
    X(PUT_KIND, "INSERT INTO kinds (state, reason, status, source) VALUES (?1, ?2, ?3, ?4)")       \
    X(SAME_OUTCOME,                                                                                \
      "SELECT 1 FROM orders WHERE id = ?1 AND state IN (2, 4) AND topic IS ?2 AND partition IS ?3" \
      " AND offset IS ?4 AND settled_ms IS ?5")                                                    \
    X(DROP_ORDER, "DELETE FROM orders WHERE id = ?1")                                              \
    X(END_RETRY, "DELETE FROM retries WHERE key = ?1 AND (request = ?2 OR asked_ms <= ?3)")        \
    X(PUT_PARKED,                                                                                  \
      "INSERT INTO parked VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT DO UPDATE SET "  \
      "at_partition = ?4, at_offset = ?5, at_ms = ?6, class = ?7, detail = ?8, response = ?9")     \
    X(DROP_PARKED, "DELETE FROM parked WHERE topic = ?1 AND partition = ?2 AND offset = ?3")       \
    X(PUT_RETRY,                                                                                   \
      "INSERT INTO retries SELECT ?1, ?2, ?3 WHERE NOT EXISTS (SELECT 1 FROM orders WHERE "        \
      "hash = ?4 AND key = ?1 AND (request = ?2 OR at_ms >= ?3)) ON CONFLICT (key) DO UPDATE "     \
      "SET asked_ms = CASE WHEN request IS ?2 THEN min(asked_ms, ?3) ELSE ?3 END, request = ?2")   \
    X(PUT_ASKED, "INSERT INTO asked VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING")           \
    X(TRIM_ASKED,                                                                                  \
      "DELETE FROM asked WHERE key = ?1 AND at_ms < (SELECT at_ms FROM asked WHERE key = ?1"       \
      " ORDER BY at_ms DESC LIMIT 1 OFFSET ?2)")                                                   \
    X(DROP_ASKED, "DELETE FROM asked WHERE key = ?1")                                              \
    X(ASKED_BY,                                                                                    \
      "SELECT key, request, max(at_ms) FROM (SELECT key, request, at_ms FROM asked WHERE"          \
      " who = ?1 AND what = 'retry' AND at_ms >= ?2 UNION ALL SELECT a.key, a.request, a.at_ms"    \
      " FROM retries r CROSS JOIN asked a ON a.key = r.key AND a.request = r.request WHERE"        \
      " a.who = ?1 AND a.what = 'retry') GROUP BY key ORDER BY 3 DESC LIMIT ?3")                   \
    X(PUT_SHOWN, "INSERT INTO shown VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING")                   \
    X(TRIM_SHOWN,                                                                                  \
      "DELETE FROM shown WHERE key = ?1 AND at_ms < (SELECT at_ms FROM shown WHERE key = ?1"       \
      " ORDER BY at_ms DESC LIMIT 1 OFFSET ?2)")                                                   \
    X(DROP_SHOWN, "DELETE FROM shown WHERE key = ?1")                                              \
    X(AUDIT,                                                                                       \
      "SELECT at_ms, what, who, request FROM asked WHERE key = ?1 UNION ALL SELECT at_ms, 'show'," \
      " who, NULL FROM shown WHERE key = ?1 ORDER BY 1")                                           \
    X(PUT_MEMBER, "INSERT INTO members VALUES (?1, ?2) ON CONFLICT DO UPDATE SET value = ?2")      \
    X(DROP_MEMBER, "DELETE FROM members WHERE member = ?1")                                        \
    X(MEMBERS, "SELECT value FROM members ORDER BY member")                                        \
    X(PUT_WORD, "INSERT OR REPLACE INTO control VALUES (1, ?1, ?2, ?3, ?4)")                       \
    X(WORD, "SELECT paused, at_ms, by, reason FROM control WHERE id = 1")                          \
    X(COUNT_RETRIES, "SELECT count(*) FROM retries")                                               \
    X(ORDER, VIEW_ORDER_COLUMNS VIEW_ORDER_JOINS " WHERE o.hash = ?1 AND o.key = ?2")              \
    X(NUMBER, "SELECT key FROM orders WHERE order_number = ?1 COLLATE NOCASE LIMIT 8")             \
    X(NEWEST, "SELECT max(at_ms) FROM orders WHERE state = ?1")                                    \
    X(OLDEST, "SELECT min(at_ms) FROM orders")                                                     \
    X(TREND, "SELECT minute, delivered, parked, latencies FROM trend")                             \
    X(PUT_TREND, "INSERT OR REPLACE INTO trend VALUES (?1, ?2, ?3, ?4)")                           \
    X(DROP_TREND, "DELETE FROM trend WHERE minute <= ?1")

/* An Order's columns, in the order of enum column (order_row.h), and where they come from. */
#define VIEW_ORDER_COLUMNS                                                                     \
    "SELECT o.id, o.key, o.order_id, o.order_number, o.state, o.reason, p.class, p.detail,"    \
    " o.status, o.attempts, o.confirmed_at, o.webhook_id, o.source, o.request, o.settled_ms,"  \
    " o.first_ms, o.last_ms, o.next_ms, r.request, r.asked_ms, o.at_ms, o.topic, o.partition," \
    " o.offset, o.timestamp_ms, o.lsn, o.member, p.response, p.at_partition, p.at_offset,"     \
    " o.previous, o.owner, o.answer, o.tries, o.dismissed FROM orders o"
#define VIEW_ORDER_JOINS                                                                           \
    " LEFT JOIN parked p ON o.state IN (2, 4) AND p.topic = o.topic AND p.partition = o.partition" \
    " AND p.offset = o.offset LEFT JOIN retries r ON r.key = o.key"

enum view_statement {
#define X(id, sql) STATEMENT_##id,
    VIEW_STATEMENTS(X)
#undef X
        STATEMENT_COUNT
};

/* The part of an outcome that filters compare. */
struct kind {
    int64_t id; /* 0: none yet */
    int state;
    int64_t status;              /* 0: none */
    char reason[65], source[16]; /* "": none; cut */
};

struct view {
    sqlite3 *db;
    sqlite3_stmt *statements[STATEMENT_COUNT];
    int64_t counts[ORDER_STATE_COUNT];
    size_t indexes;           /* number of the lists' indexes that exist */
    struct hash_key hash_key; /* of the column hash; stored in meta */
    bool open;                /* a transaction is open */
    int64_t begun_at;         /* changes before the transaction began */
    bool retries;             /* the table retries may have rows */
    struct kind last_kind;    /* of the newest outcome: the next one's, as a rule */
    struct trend trend;       /* trend_store.c */
};

/* The prepared statement, reset and without bindings. */
sqlite3_stmt *view_statement(struct view *view, enum view_statement which);

/* Keyed hash by which an order is found: its index is an eighth of the size of one on the keys. */
int64_t view_hash(const struct view *view, struct slice key);

/* Runs a statement that returns no rows. */
bool view_run(struct view *view, sqlite3_stmt *statement, struct error *err);

/* The requests about an order and their authors, oldest first, as in schemas/openapi.yaml; the
 * caller's. */
json_t *view_audit(struct view *view, const char *key);
bool view_put_asked(struct view *view, const struct retry_note *note, struct error *err) must_check;
bool view_forget_audit(struct view *view, struct slice key, struct error *err) must_check;

/* The id of an outcome's kind, which is made where there is none; 0 with an error. */
int64_t view_kind(struct view *view, int state, const struct outcome_record *fields,
                  struct error *err);

/* Reads the trend as it was stored; stores what has changed of it, within the open transaction. */
bool view_load_trend(struct view *view, struct error *err) must_check;
bool view_store_trend(struct view *view, struct error *err) must_check;

/* Sets SQLite's error; returns false. */
bool view_fail(struct view *view, struct error *err);

#endif
