#include "dashboard/view/order_row.h"

#include "dashboard/view/database.h"
#include "dashboard/view/sql_value.h"

#include <string.h>

static const char *state_at(sqlite3_stmt *s)
{
    return order_state_names[sqlite3_column_int(s, COLUMN_STATE) % ORDER_STATE_COUNT];
}

static json_t *retry_at(sqlite3_stmt *s)
{
    if (view_is_null(s, COLUMN_RETRY_MS))
        return json_null();
    json_t *retry = json_object();
    view_put_text(retry, "request", s, COLUMN_RETRY_REQUEST);
    view_put_whole(retry, "asked_ms", s, COLUMN_RETRY_MS);
    return retry;
}

/* The members that an Order and an Outcome of its history share. */
static void put_outcome(json_t *to, sqlite3_stmt *s)
{
    json_object_set_new(to, "state", json_string(state_at(s)));
    view_put_text(to, "reason", s, COLUMN_REASON);
    view_put_whole(to, "status", s, COLUMN_STATUS);
    view_put_whole(to, "attempts", s, COLUMN_ATTEMPTS);
    view_put_text(to, "confirmed_at", s, COLUMN_CONFIRMED_AT);
    view_put_text(to, "webhook_id", s, COLUMN_WEBHOOK_ID);
    view_put_text(to, "source", s, COLUMN_SOURCE);
    view_put_text(to, "request", s, COLUMN_REQUEST);
    view_put_whole(to, "settled_ms", s, COLUMN_SETTLED_MS);
    view_put_whole(to, "first_attempt_ms", s, COLUMN_FIRST_MS);
    view_put_whole(to, "last_attempt_ms", s, COLUMN_LAST_MS);
}

json_t *view_order_at(sqlite3_stmt *s)
{
    json_t *order = json_object();
    view_put_text(order, "key", s, COLUMN_KEY);
    view_put_text(order, "order_id", s, COLUMN_ORDER_ID);
    view_put_text(order, "order_number", s, COLUMN_ORDER_NUMBER);
    put_outcome(order, s);
    view_put_text(order, "class", s, COLUMN_CLASS);
    view_put_text(order, "detail", s, COLUMN_DETAIL);
    view_put_whole(order, "next_attempt_ms", s, COLUMN_NEXT_MS);
    json_object_set_new(order, "retry", retry_at(s));
    return order;
}

static json_t *coordinates_at(sqlite3_stmt *s)
{
    json_t *at = json_object();
    view_put_text(at, "topic", s, COLUMN_TOPIC);
    view_put_whole(at, "partition", s, COLUMN_PARTITION);
    view_put_whole(at, "offset", s, COLUMN_OFFSET);
    return at;
}

static json_t *parked_at(sqlite3_stmt *s)
{
    if (view_is_null(s, COLUMN_PARKED_OFFSET))
        return json_null();
    json_t *at = json_object();
    json_object_set_new(at, "topic", json_null());
    view_put_whole(at, "partition", s, COLUMN_PARKED_PARTITION);
    view_put_whole(at, "offset", s, COLUMN_PARKED_OFFSET);
    return at;
}

static json_t *array_at(sqlite3_stmt *s, int column)
{
    json_t *array = view_is_null(s, column) ? NULL : json_loads(view_text_at(s, column), 0, NULL);
    if (json_is_array(array))
        return array;
    json_decref(array);
    return json_array();
}

static json_t *object_at(sqlite3_stmt *s, int column)
{
    json_t *object = view_is_null(s, column) ? NULL : json_loads(view_text_at(s, column), 0, NULL);
    return object != NULL ? object : json_null();
}

static json_t *history_at(sqlite3_stmt *s)
{
    json_t *history = json_array(), *now = coordinates_at(s);
    put_outcome(now, s);
    view_put_text(now, "member", s, COLUMN_MEMBER);
    json_array_append_new(history, now);
    json_t *previous = array_at(s, COLUMN_PREVIOUS);
    json_array_extend(history, previous);
    json_decref(previous);
    return history;
}

static sqlite3_stmt *find(struct view *view, const char *key)
{
    sqlite3_stmt *s = view_statement(view, STATEMENT_ORDER);
    sqlite3_bind_int64(s, 1, view_hash(view, slice_of(key)));
    sqlite3_bind_text(s, 2, key, -1, SQLITE_TRANSIENT);
    if (sqlite3_step(s) == SQLITE_ROW)
        return s;
    sqlite3_reset(s);
    return NULL;
}

json_t *view_order(struct view *view, const char *key)
{
    sqlite3_stmt *s = find(view, key);
    json_t *order = s != NULL ? view_order_at(s) : NULL;
    sqlite3_reset(s);
    return order;
}

/* A parked record holds more of the last answer than its outcome. */
static void put_response(json_t *order, sqlite3_stmt *s)
{
    view_put_text(order, "response", s, COLUMN_RESPONSE);
    if (!view_is_null(s, COLUMN_RESPONSE) || view_is_null(s, COLUMN_ANSWER))
        return;
    json_t *answer = json_loads(view_text_at(s, COLUMN_ANSWER), JSON_DECODE_ANY, NULL);
    json_object_set_new(order, "response",
                        json_is_string(answer) ? json_incref(answer) : json_null());
    json_decref(answer);
}

json_t *view_order_detail(struct view *view, const char *key)
{
    sqlite3_stmt *s = find(view, key);
    if (s == NULL)
        return NULL;
    json_t *order = view_order_at(s);
    json_object_set_new(order, "coordinates", coordinates_at(s));
    view_put_whole(order, "timestamp_ms", s, COLUMN_TIMESTAMP_MS);
    view_put_whole(order, "lsn", s, COLUMN_LSN);
    view_put_text(order, "member", s, COLUMN_MEMBER);
    put_response(order, s);
    json_object_set_new(order, "parked_at", parked_at(s));
    json_object_set_new(order, "dismissed", object_at(s, COLUMN_DISMISSED));
    json_object_set_new(order, "tries", array_at(s, COLUMN_TRIES));
    json_object_set_new(order, "history", history_at(s));
    sqlite3_reset(s);
    json_object_set_new(order, "audit", view_audit(view, key));
    return order;
}

json_t *view_asked_by(struct view *view, const char *who, int64_t since_ms)
{
    enum { ASKED_MAX = 50 };
    json_t *list = json_array();
    sqlite3_stmt *s = view_statement(view, STATEMENT_ASKED_BY);
    sqlite3_bind_text(s, 1, who, -1, SQLITE_TRANSIENT);
    sqlite3_bind_int64(s, 2, since_ms);
    sqlite3_bind_int(s, 3, ASKED_MAX);
    while (sqlite3_step(s) == SQLITE_ROW) {
        json_t *order = view_order(view, view_text_at(s, 0)), *entry = json_object();
        json_object_set_new(entry, "order", order);
        view_put_text(entry, "request", s, 1);
        view_put_whole(entry, "asked_ms", s, 2);
        if (order != NULL)
            json_array_append(list, entry);
        json_decref(entry);
    }
    sqlite3_reset(s);
    return list;
}

/* ---- the record of an outcome ---- */

/* The view has a superseded retry among the delivered orders, with a reason. */
static const char *recorded_state_at(sqlite3_stmt *s)
{
    int state = sqlite3_column_int(s, COLUMN_STATE);
    if (state == ORDER_DISMISSED)
        return order_state_names[ORDER_PARKED];
    return state == ORDER_DELIVERED && !view_is_null(s, COLUMN_REASON) ? "superseded" : state_at(s);
}

static void put_text_or_empty(json_t *to, const char *name, sqlite3_stmt *s, int column)
{
    json_object_set_new(to, name,
                        json_string(view_is_null(s, column) ? "" : view_text_at(s, column)));
}

/* Members that a record has only where they are known. */
static void put_if_known(json_t *to, const char *name, sqlite3_stmt *s, int column)
{
    if (!view_is_null(s, column))
        json_object_set_new(to, name, json_loads(view_text_at(s, column), JSON_DECODE_ANY, NULL));
}

json_t *view_outcome(struct view *view, const char *key)
{
    sqlite3_stmt *s = find(view, key);
    if (s == NULL)
        return NULL;
    json_t *to = json_object();
    json_object_set_new(to, "version", json_integer(1));
    json_object_set_new(to, "state", json_string(recorded_state_at(s)));
    put_text_or_empty(to, "reason", s, COLUMN_REASON);
    view_put_text(to, "order_id", s, COLUMN_ORDER_ID);
    view_put_text(to, "order_number", s, COLUMN_ORDER_NUMBER);
    view_put_text(to, "confirmed_at", s, COLUMN_CONFIRMED_AT);
    view_put_text(to, "webhook_id", s, COLUMN_WEBHOOK_ID);
    view_put_text(to, "source", s, COLUMN_SOURCE);
    view_put_text(to, "request", s, COLUMN_REQUEST);
    view_put_text(to, "topic", s, COLUMN_TOPIC);
    view_put_whole(to, "partition", s, COLUMN_PARTITION);
    view_put_whole(to, "offset", s, COLUMN_OFFSET);
    view_put_whole(to, "timestamp_ms", s, COLUMN_TIMESTAMP_MS);
    view_put_whole(to, "lsn", s, COLUMN_LSN);
    json_object_set_new(to, "attempts", json_integer(sqlite3_column_int64(s, COLUMN_ATTEMPTS)));
    view_put_whole(to, "status", s, COLUMN_STATUS);
    view_put_whole(to, "first_attempt_ms", s, COLUMN_FIRST_MS);
    view_put_whole(to, "last_attempt_ms", s, COLUMN_LAST_MS);
    view_put_whole(to, "settled_ms", s, COLUMN_SETTLED_MS);
    view_put_whole(to, "next_attempt_ms", s, COLUMN_NEXT_MS);
    put_text_or_empty(to, "member", s, COLUMN_MEMBER);
    if (!view_is_null(s, COLUMN_OWNER))
        view_put_text(to, "owner", s, COLUMN_OWNER);
    put_if_known(to, "response", s, COLUMN_ANSWER);
    put_if_known(to, "tries", s, COLUMN_TRIES);
    json_object_set_new(to, "previous", array_at(s, COLUMN_PREVIOUS));
    put_if_known(to, "dismissed", s, COLUMN_DISMISSED);
    sqlite3_reset(s);
    return to;
}

/* -1: there is none. */
static int64_t number_at(sqlite3_stmt *s, int column)
{
    return view_is_null(s, column) ? -1 : sqlite3_column_int64(s, column);
}

bool view_facts(struct view *view, const char *key, struct order_facts *ret)
{
    sqlite3_stmt *s = find(view, key);
    if (s == NULL)
        return false;
    *ret = (struct order_facts){
        .state = (enum order_state)(sqlite3_column_int(s, COLUMN_STATE) % ORDER_STATE_COUNT),
        .attempts = sqlite3_column_int(s, COLUMN_ATTEMPTS),
        .status = sqlite3_column_int(s, COLUMN_STATUS),
        .at_ms = sqlite3_column_int64(s, COLUMN_AT_MS),
        .partition = (int32_t)number_at(s, COLUMN_PARTITION),
        .offset = number_at(s, COLUMN_OFFSET),
        .timestamp_ms = number_at(s, COLUMN_TIMESTAMP_MS),
        .is_parked_known = !view_is_null(s, COLUMN_PARKED_OFFSET),
        .parked_partition = sqlite3_column_int(s, COLUMN_PARKED_PARTITION),
        .parked_offset = sqlite3_column_int64(s, COLUMN_PARKED_OFFSET),
        .is_pending = !view_is_null(s, COLUMN_RETRY_MS),
        .pending_ms = sqlite3_column_int64(s, COLUMN_RETRY_MS)};
    view_copy_text(ret->reason, sizeof ret->reason, s, COLUMN_REASON);
    view_copy_text(ret->class, sizeof ret->class, s, COLUMN_CLASS);
    view_copy_text(ret->confirmed_at, sizeof ret->confirmed_at, s, COLUMN_CONFIRMED_AT);
    view_copy_text(ret->request, sizeof ret->request, s, COLUMN_REQUEST);
    view_copy_text(ret->source, sizeof ret->source, s, COLUMN_SOURCE);
    view_copy_text(ret->owner, sizeof ret->owner, s, COLUMN_OWNER);
    view_copy_text(ret->topic, sizeof ret->topic, s, COLUMN_TOPIC);
    view_copy_text(ret->pending_request, sizeof ret->pending_request, s, COLUMN_RETRY_REQUEST);
    sqlite3_reset(s);
    return true;
}

json_t *view_previous(struct view *view, const char *key)
{
    sqlite3_stmt *s = find(view, key);
    if (s == NULL)
        return json_array();
    json_t *previous = array_at(s, COLUMN_PREVIOUS);
    sqlite3_reset(s);
    return previous;
}
