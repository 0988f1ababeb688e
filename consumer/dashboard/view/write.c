/* write: puts records into the view. */
#include "dashboard/view/database.h"

#include "base/time_text.h"
#include "base/utf8.h"
#include "dashboard/view/sql_value.h"
#include "sys/clock.h"
#include "topics/outcome_record.h"

#include <stdlib.h>
#include <string.h>

enum { NUMBER_DIGITS_MAX = 18 };

bool view_key_is_valid(struct slice key)
{
    return key.data != NULL && key.len > 0 && key.len <= VIEW_KEY_MAX &&
           memchr(key.data, '\0', key.len) == NULL && utf8_is_valid(key.data, key.len);
}

static void bind_number(sqlite3_stmt *s, int at, int64_t number)
{
    if (number >= 0)
        sqlite3_bind_int64(s, at, number);
}

/* ---- an outcome record ---- */

/* A superseded retry was not sent because a later transition, or this one, was delivered. */
static int state_of(const struct outcome_record *fields)
{
    if (slice_is(fields->state, "superseded"))
        return ORDER_DELIVERED;
    if (fields->is_dismissed)
        return ORDER_DISMISSED;
    for (int i = 0; i < ORDER_STATE_COUNT; i++)
        if (slice_is(fields->state, order_state_names[i]))
            return i;
    return -1;
}

/* The digits that an order's number ends in, which people search for. -1: none, or too many. */
static int64_t tail_of(struct slice number)
{
    size_t digits = 0;
    int64_t tail = 0, unit = 1;
    for (; digits < number.len && digits <= NUMBER_DIGITS_MAX; digits++) {
        char c = number.data[number.len - digits - 1];
        if (c < '0' || c > '9')
            break;
        tail += digits < NUMBER_DIGITS_MAX ? (c - '0') * unit : 0;
        unit *= digits < NUMBER_DIGITS_MAX ? 10 : 1;
    }
    return digits > 0 && digits <= NUMBER_DIGITS_MAX ? tail : -1;
}

/* The outcome's time: settled, else last attempt, else the record's own. */
static int64_t time_of(const struct outcome_record *fields, int64_t record_ms)
{
    if (fields->settled_ms >= 0)
        return fields->settled_ms;
    return fields->last_attempt_ms >= 0 ? fields->last_attempt_ms : record_ms;
}

struct place { /* of an order in the view */
    int64_t hash, id, at_ms;
    int state; /* -1: it has none yet */
};

static struct place find(struct view *view, struct slice key)
{
    struct place place = {.hash = view_hash(view, key), .state = -1};
    sqlite3_stmt *s = view_statement(view, STATEMENT_FIND);
    sqlite3_bind_int64(s, 1, place.hash);
    view_bind_slice(s, 2, key);
    if (sqlite3_step(s) == SQLITE_ROW) {
        place.id = sqlite3_column_int64(s, 0);
        place.state = sqlite3_column_int(s, 1);
        place.at_ms = sqlite3_column_int64(s, 2);
    }
    sqlite3_reset(s);
    return place;
}

static bool forget(struct view *view, struct slice key, struct error *err)
{
    struct place place = find(view, key);
    if (!view_forget_audit(view, key, err))
        return false;
    if (place.state < 0)
        return true;
    view->counts[place.state]--;
    sqlite3_stmt *s = view_statement(view, STATEMENT_DROP_ORDER);
    sqlite3_bind_int64(s, 1, place.id);
    return view_run(view, s, err);
}

/* A partition's number; -1: beyond what a topic can have. */
static int64_t whole(int64_t partition)
{
    return partition <= INT32_MAX ? partition : -1;
}

static void bind_order(sqlite3_stmt *s, const struct outcome_record *f)
{
    const struct slice texts[] = {f->reason,     f->order_id, f->order_number, f->confirmed_at,
                                  f->webhook_id, f->source,   f->request,      f->topic,
                                  f->member,     f->previous, f->owner,        f->response_json,
                                  f->tries,      f->dismissed};
    static const int text_at[] = {6, 7, 8, 10, 11, 12, 13, 14, 25, 26, 27, 28, 29, 31};
    const int64_t numbers[] = {
        whole(f->partition), f->offset,         f->timestamp_ms,     f->lsn,
        f->attempts,         f->status,         f->first_attempt_ms, f->last_attempt_ms,
        f->settled_ms,       f->next_attempt_ms};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (texts[i].len > 0)
            view_bind_slice(s, text_at[i], texts[i]);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        bind_number(s, 15 + (int)i, numbers[i]);
}

static bool put_order(struct view *view, struct slice key, const struct place *place,
                      const struct outcome_record *fields, int64_t at_ms, struct error *err)
{
    int64_t kind = view_kind(view, state_of(fields), fields, err);
    sqlite3_stmt *s = view_statement(view, STATEMENT_PUT_ORDER);
    if (kind == 0)
        return false;
    sqlite3_bind_int64(s, 30, kind);
    if (place->state >= 0)
        sqlite3_bind_int64(s, 1, place->id);
    sqlite3_bind_int64(s, 2, place->hash);
    view_bind_slice(s, 3, key);
    sqlite3_bind_int64(s, 4, at_ms);
    sqlite3_bind_int(s, 5, state_of(fields));
    bind_order(s, fields);
    bind_number(s, 9, tail_of(fields->order_number));
    bool ok = view_run(view, s, err);
    sqlite3_clear_bindings(s);
    return ok;
}

static bool end_retry(struct view *view, struct slice key, struct slice request, int64_t at_ms,
                      struct error *err)
{
    if (!view->retries)
        return true;
    sqlite3_stmt *s = view_statement(view, STATEMENT_END_RETRY);
    view_bind_slice(s, 1, key);
    if (request.len > 0)
        view_bind_slice(s, 2, request);
    sqlite3_bind_int64(s, 3, at_ms);
    return view_run(view, s, err);
}

/* The endpoint's answer and the reason for parking. */
static bool drop_parked(struct view *view, const struct outcome_record *fields, struct error *err)
{
    sqlite3_stmt *s = view_statement(view, STATEMENT_DROP_PARKED);
    view_bind_slice(s, 1, fields->topic);
    sqlite3_bind_int64(s, 2, fields->partition);
    sqlite3_bind_int64(s, 3, fields->offset);
    return view_run(view, s, err);
}

/* A word of a dismissal repeats the outcome that it is about. Of an order that has another one by
 * then, which the operator did not know, it says nothing. */
static bool is_overtaken(struct view *view, const struct place *place,
                         const struct outcome_record *fields)
{
    if (fields->dismissed.len == 0 || place->state < 0)
        return false;
    sqlite3_stmt *s = view_statement(view, STATEMENT_SAME_OUTCOME);
    sqlite3_bind_int64(s, 1, place->id);
    view_bind_slice(s, 2, fields->topic);
    bind_number(s, 3, fields->partition);
    bind_number(s, 4, fields->offset);
    bind_number(s, 5, fields->settled_ms);
    bool same = sqlite3_step(s) == SQLITE_ROW;
    sqlite3_reset(s);
    return !same;
}

/* From its confirmation. -1: not known, or of an order that was delivered before and is replayed.
 */
static int64_t latency_of(const struct outcome_record *fields, const struct place *place,
                          int64_t at_ms)
{
    int64_t confirmed_ms;
    bool again = !slice_is(fields->source, "cdc") && place->state == ORDER_DELIVERED;
    if (again || slice_is(fields->source, "replay") || fields->confirmed_at.len == 0 ||
        !timestamp_read_ms(fields->confirmed_at.data, fields->confirmed_at.len, &confirmed_ms))
        return -1;
    return at_ms > confirmed_ms ? at_ms - confirmed_ms : 0;
}

/* A dismissal repeats the outcome that it is about, and so does the word that takes it back. */
static void note_trend(struct view *view, const struct outcome_record *fields,
                       const struct place *place, int64_t at_ms)
{
    bool is_parked = slice_is(fields->state, "parked");
    bool was_parked = place->state == ORDER_PARKED || place->state == ORDER_DISMISSED;
    if (is_parked && !(was_parked && place->at_ms == at_ms))
        trend_note_parked(&view->trend, at_ms, clock_wall_ms());
    if (slice_is(fields->state, "delivered") &&
        !(place->state == ORDER_DELIVERED && place->at_ms == at_ms))
        trend_note_delivered(&view->trend, at_ms, latency_of(fields, place, at_ms),
                             clock_wall_ms());
}

static bool put_outcome(struct view *view, struct slice key, const struct outcome_record *fields,
                        int64_t record_ms, struct error *err)
{
    int state = state_of(fields);
    int64_t at_ms = time_of(fields, record_ms);
    if (slice_is(fields->state, "forgotten"))
        return forget(view, key, err) && drop_parked(view, fields, err) &&
               end_retry(view, key, fields->request, at_ms, err);
    if (slice_is(fields->state,
                 "skipped")) /* the rule passes it over, or it is known by its order's id now */
        return forget(view, key, err) && end_retry(view, key, fields->request, at_ms, err);
    if (state < 0)
        return false;
    struct place place = find(view, key);
    if (is_overtaken(view, &place, fields) || !put_order(view, key, &place, fields, at_ms, err) ||
        !end_retry(view, key, fields->request, at_ms, err))
        return false;
    note_trend(view, fields, &place, at_ms);
    if (place.state >= 0)
        view->counts[place.state]--;
    view->counts[state]++;
    return true;
}

bool view_put_delivery(struct view *view, struct slice key, struct slice value, int64_t record_ms,
                       struct error *err)
{
    struct outcome outcome;
    if (!view_key_is_valid(key))
        return false;
    if (value.data == NULL)
        return forget(view, key, err);
    bool ok =
        outcome_read(value, &outcome) && put_outcome(view, key, &outcome.record, record_ms, err);
    outcome_done(&outcome);
    return ok;
}

bool view_put_parked(struct view *view, const struct parked_note *note, struct error *err)
{
    if (note->topic.len == 0 || note->source_partition < 0 || note->source_offset < 0)
        return false;
    sqlite3_stmt *s = view_statement(view, STATEMENT_PUT_PARKED);
    view_bind_slice(s, 1, note->topic);
    sqlite3_bind_int64(s, 2, note->source_partition);
    sqlite3_bind_int64(s, 3, note->source_offset);
    sqlite3_bind_int(s, 4, note->partition);
    sqlite3_bind_int64(s, 5, note->offset);
    sqlite3_bind_int64(s, 6, note->at_ms);
    view_bind_slice(s, 7, note->class);
    view_bind_slice(s, 8, note->detail);
    view_bind_slice(s, 9, note->response);
    return view_run(view, s, err);
}

bool view_put_retry(struct view *view, const struct retry_note *note, struct error *err)
{
    if (!view_key_is_valid(note->order))
        return false;
    view->retries = true;
    sqlite3_stmt *s = view_statement(view, STATEMENT_PUT_RETRY);
    view_bind_slice(s, 1, note->order);
    view_bind_slice(s, 2, note->request);
    sqlite3_bind_int64(s, 3, note->asked_ms);
    sqlite3_bind_int64(s, 4, view_hash(view, note->order));
    return view_run(view, s, err) && view_put_asked(view, note, err);
}

bool view_put_member(struct view *view, struct slice member, struct slice value, struct error *err)
{
    if (member.len == 0)
        return false;
    sqlite3_stmt *s =
        view_statement(view, value.data != NULL ? STATEMENT_PUT_MEMBER : STATEMENT_DROP_MEMBER);
    view_bind_slice(s, 1, member);
    if (value.data != NULL)
        view_bind_slice(s, 2, value);
    return view_run(view, s, err);
}
