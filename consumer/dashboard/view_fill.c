/* view_fill: records into the view. */
#include "dashboard/view_internal.h"

#include <stdlib.h>
#include <string.h>

enum { NUMBER_DIGITS_MAX = 18 };

static void bind_slice(sqlite3_stmt *s, int at, struct slice text)
{
    if (text.data != NULL)
        sqlite3_bind_text(s, at, text.data, (int)text.len, SQLITE_STATIC);
}

static void bind_text(sqlite3_stmt *s, int at, const json_t *value)
{
    if (json_is_string(value) && json_string_length(value) > 0)
        sqlite3_bind_text(s, at, json_string_value(value), (int)json_string_length(value),
                          SQLITE_STATIC);
}

static void bind_whole(sqlite3_stmt *s, int at, const json_t *value)
{
    if (json_is_integer(value))
        sqlite3_bind_int64(s, at, json_integer_value(value));
}

static int state_of(const json_t *record)
{
    const char *text = json_string_value(json_object_get(record, "state"));
    for (int i = 0; text != NULL && i < ORDER_STATE_COUNT; i++)
        if (strcmp(order_state_names[i], text) == 0)
            return i;
    return -1;
}

/* The digits that an order's number ends in: what people type. -1: none, or too many. */
static int64_t tail_of(const json_t *number)
{
    const char *text = json_string_value(number);
    size_t len = text != NULL ? strlen(text) : 0, digits = 0;
    while (digits < len && text[len - digits - 1] >= '0' && text[len - digits - 1] <= '9')
        digits++;
    if (digits == 0 || digits > NUMBER_DIGITS_MAX)
        return -1;
    return strtoll(text + len - digits, NULL, 10);
}

/* When this was said: settled, else tried last, else the record's own time. */
static int64_t time_of(const json_t *record, int64_t record_ms)
{
    const json_t *settled = json_object_get(record, "settled_ms");
    const json_t *last = json_object_get(record, "last_attempt_ms");
    if (json_is_integer(settled))
        return json_integer_value(settled);
    return json_is_integer(last) ? json_integer_value(last) : record_ms;
}

/* Its present state; -1: not known yet. */
static int old_state(struct view *view, struct slice key)
{
    sqlite3_stmt *s = view_statement(view, STATEMENT_OLD_STATE);
    bind_slice(s, 1, key);
    int state = sqlite3_step(s) == SQLITE_ROW ? sqlite3_column_int(s, 0) : -1;
    sqlite3_reset(s);
    return state;
}

static bool forget(struct view *view, struct slice key, struct error *err)
{
    int state = old_state(view, key);
    if (state < 0)
        return true;
    view->counts[state]--;
    sqlite3_stmt *s = view_statement(view, STATEMENT_DROP_ORDER);
    bind_slice(s, 1, key);
    return view_run(view, s, err);
}

static void bind_order(sqlite3_stmt *s, const json_t *record)
{
    static const struct {
        int at;
        const char *name;
    } texts[] = {{3, "reason"},       {4, "order_id"},   {5, "order_number"},
                 {7, "confirmed_at"}, {8, "webhook_id"}, {9, "source"},
                 {10, "request"},     {11, "topic"},     {22, "member"}},
      numbers[] = {{12, "partition"},        {13, "offset"},
                   {14, "timestamp_ms"},     {15, "lsn"},
                   {16, "attempts"},         {17, "status"},
                   {18, "first_attempt_ms"}, {19, "last_attempt_ms"},
                   {20, "settled_ms"},       {21, "next_attempt_ms"}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        bind_text(s, texts[i].at, json_object_get(record, texts[i].name));
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        bind_whole(s, numbers[i].at, json_object_get(record, numbers[i].name));
}

static bool put_order(struct view *view, struct slice key, const json_t *record, int state,
                      int64_t at_ms, struct error *err)
{
    const json_t *previous = json_object_get(record, "previous");
    char *text = json_array_size(previous) > 0 ? json_dumps(previous, JSON_COMPACT) : NULL;
    int64_t tail = tail_of(json_object_get(record, "order_number"));
    sqlite3_stmt *s = view_statement(view, STATEMENT_PUT_ORDER);
    bind_slice(s, 1, key);
    sqlite3_bind_int(s, 2, state);
    bind_order(s, record);
    if (tail >= 0)
        sqlite3_bind_int64(s, 6, tail);
    if (text != NULL)
        sqlite3_bind_text(s, 23, text, -1, SQLITE_STATIC);
    sqlite3_bind_int64(s, 24, at_ms);
    bool ok = view_run(view, s, err);
    sqlite3_clear_bindings(s);
    free(text);
    return ok;
}

static bool end_retry(struct view *view, struct slice key, const json_t *record, int64_t at_ms,
                      struct error *err)
{
    if (!view->retries)
        return true;
    sqlite3_stmt *s = view_statement(view, STATEMENT_END_RETRY);
    bind_slice(s, 1, key);
    bind_text(s, 2, json_object_get(record, "request"));
    sqlite3_bind_int64(s, 3, at_ms);
    return view_run(view, s, err);
}

bool view_put_delivery(struct view *view, struct slice key, struct slice value, int64_t record_ms,
                       struct error *err)
{
    if (key.data == NULL || key.len == 0)
        return false;
    if (value.data == NULL)
        return forget(view, key, err);
    json_t *record = json_loadb(value.data, value.len, JSON_REJECT_DUPLICATES, NULL);
    int state = json_is_object(record) ? state_of(record) : -1;
    if (state < 0) {
        json_decref(record);
        return false;
    }
    int old = old_state(view, key);
    int64_t at_ms = time_of(record, record_ms);
    bool ok =
        put_order(view, key, record, state, at_ms, err) && end_retry(view, key, record, at_ms, err);
    if (ok && old >= 0)
        view->counts[old]--;
    if (ok)
        view->counts[state]++;
    json_decref(record);
    return ok;
}

bool view_put_parked(struct view *view, const struct parked_note *note, struct error *err)
{
    if (note->topic.len == 0 || note->source_partition < 0 || note->source_offset < 0)
        return false;
    sqlite3_stmt *s = view_statement(view, STATEMENT_PUT_PARKED);
    bind_slice(s, 1, note->topic);
    sqlite3_bind_int64(s, 2, note->source_partition);
    sqlite3_bind_int64(s, 3, note->source_offset);
    sqlite3_bind_int(s, 4, note->partition);
    sqlite3_bind_int64(s, 5, note->offset);
    sqlite3_bind_int64(s, 6, note->at_ms);
    bind_slice(s, 7, note->class);
    bind_slice(s, 8, note->detail);
    bind_slice(s, 9, note->response);
    return view_run(view, s, err);
}

bool view_put_retry(struct view *view, struct slice order_key, struct slice request,
                    int64_t asked_ms, struct error *err)
{
    if (order_key.len == 0)
        return false;
    view->retries = true;
    sqlite3_stmt *s = view_statement(view, STATEMENT_PUT_RETRY);
    bind_slice(s, 1, order_key);
    bind_slice(s, 2, request);
    sqlite3_bind_int64(s, 3, asked_ms);
    return view_run(view, s, err);
}

bool view_put_member(struct view *view, struct slice member, struct slice value, struct error *err)
{
    if (member.len == 0)
        return false;
    sqlite3_stmt *s =
        view_statement(view, value.data != NULL ? STATEMENT_PUT_MEMBER : STATEMENT_DROP_MEMBER);
    bind_slice(s, 1, member);
    if (value.data != NULL)
        bind_slice(s, 2, value);
    return view_run(view, s, err);
}
