#include "demo/demo_internal.h"

#include "sys/clock.h"
#include "topics/json_field.h"
#include "topics/parked_record.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OPEN_MAX = 500, UNREAD_MAX = 6000, WRITES_A_TURN = 200 };

/* ---- the shop writes ---- */

/* The mock cluster drops old records, so the shop waits for the deliveries. */
static bool is_held(const struct demo *d)
{
    return ledger_counts(d->ledger).open >= OPEN_MAX ||
           broker_lag(d->broker) + broker_pending(d->broker) >= UNREAD_MAX;
}

static bool write_tombstone(struct demo *d)
{
    d->view.tombstones++;
    return broker_write(d->broker, (struct slice){d->key.data, d->key.len}, (struct slice){0}, NULL,
                        d->err);
}

static bool write_change(struct demo *d, const struct shop_change *change)
{
    struct confirmation *c = NULL;
    if (!debezium_encode(d->debezium, change, clock_wall_ms() * 1000, &d->key, &d->value, d->err))
        return false;
    if (change->confirmation > 0 && (c = ledger_confirmed(d->ledger, change)) == NULL)
        return error_no_memory(d->err);
    d->view.changes[change->kind]++;
    return broker_write(d->broker, (struct slice){d->key.data, d->key.len},
                        (struct slice){d->value.data, d->value.len}, c, d->err) &&
           (change->op != 'd' || write_tombstone(d));
}

void flow_write_due(struct demo *d)
{
    struct shop_change change;
    d->view.held = false;
    for (int i = 0; i < WRITES_A_TURN && d->err->code == ERROR_NONE; i++) {
        d->view.held = is_held(d);
        if (d->view.held || !shop_next(d->shop, d->now_ms, clock_wall_ms() * 1000, &change))
            return;
        write_change(d, &change);
    }
}

static void written(void *context, void *tag, int32_t partition, int64_t offset)
{
    struct confirmation *c = tag;
    (void)context;
    if (c == NULL)
        return;
    c->partition = partition;
    c->offset = offset;
}

static void not_written(void *context, const char *why)
{
    struct demo *d = context;
    if (d->phase != DEMO_OVER)
        error_set(d->err, ERROR_FAILED, "a record of the shop was not written: %s", why);
}

/* ---- requests at the receiver ---- */

static void set_row(struct snapshot_event *event, const struct shop_row *row)
{
    snprintf(event->number, sizeof event->number, "%s", row->number);
    snprintf(event->name, sizeof event->name, "%s", row->name);
    snprintf(event->product, sizeof event->product, "%" PRId32 " × %s", row->quantity,
             row->product);
    snprintf(event->amount, sizeof event->amount, "%" PRId64 ".%02" PRId64, row->total / 100,
             row->total % 100);
}

static void note_delivered(struct demo *d)
{
    d->view.per_second[0]++;
    if (d->view.first_ms < 0)
        d->view.first_ms = clock_mono_ms() - d->started_ms;
}

static void note_attempt(struct demo *d, const struct receiver_answer *answer)
{
    char reason[32] = "closed";
    d->view.retried += answer->attempt > 1;
    d->view.receiver.latency_ms = d->view.receiver.latency_ms < 0
                                      ? answer->took_ms
                                      : (d->view.receiver.latency_ms * 7 + answer->took_ms) / 8;
    if (answer->status >= 200 && answer->status <= 299)
        return;
    if (answer->status > 0)
        snprintf(reason, sizeof reason, "%d", answer->status);
    d->view.attempts_failed++;
    view_count_reason(d->view.failures, reason);
}

static void show_answer(struct demo *d, const struct receiver_answer *answer,
                        const struct shop_row *row)
{
    struct snapshot_event event = {
        .mark = VIEW_FAILED, .attempt = answer->attempt, .took_ms = answer->took_ms};
    if (answer->status >= 200 && answer->status <= 299)
        event.mark = VIEW_DELIVERED;
    if (answer->status > 0)
        snprintf(event.what, sizeof event.what, "%d", answer->status);
    else
        snprintf(event.what, sizeof event.what, "closed");
    set_row(&event, row);
    snapshot_add_event(&d->view, &event);
}

/* Members of the body's "fields", or of the body itself where it is flat. */
static const char *text_of(const json_t *body, const char *name)
{
    const json_t *fields = json_object_get(body, "fields");
    return json_text(fields != NULL ? fields : body, name);
}

static void answered(void *context, const struct receiver_answer *answer)
{
    struct demo *d = context;
    json_t *body = json_loads(answer->body, JSON_REJECT_DUPLICATES, NULL);
    const struct ledger_claim claim = {.order_id = text_of(body, "order_id"),
                                       .confirmed_at = text_of(body, "confirmed_at"),
                                       .body = d->compares ? answer->body : NULL,
                                       .by_hand = answer->by_hand};
    bool taken = answer->status >= 200 && answer->status <= 299;
    note_attempt(d, answer);
    const struct confirmation *c =
        taken ? ledger_delivered(d->ledger, &claim) : ledger_find(d->ledger, &claim);
    if (taken) {
        note_delivered(d);
        snprintf(d->view.body, sizeof d->view.body, "%s", answer->body);
    }
    if (c != NULL)
        show_answer(d, answer, &c->row);
    json_decref(body);
}

/* ---- the delivering process's topics ---- */

/* Cut to the size; "" when it has no bytes. */
static void copy_text(struct slice text, char *ret, size_t size)
{
    snprintf(ret, size, "%.*s", (int)text.len, text.len > 0 ? text.data : "");
}

static bool is_by_hand(const char *source)
{
    return strcmp(source, "retry") == 0 || strcmp(source, "redrive") == 0;
}

static void parked(void *context, const rd_kafka_message_t *m)
{
    struct demo *d = context;
    char order_id[64], source[16];
    struct snapshot_event event = {.mark = VIEW_PARKED, .took_ms = -1};
    struct parked_record record;
    const char *why;
    if (!parked_record_read(m, &record, &why))
        return;
    copy_text(record.order_id, order_id, sizeof order_id);
    copy_text(record.source, source, sizeof source);
    copy_text(record.reason, event.what, sizeof event.what);
    const struct ledger_claim claim = {.order_id = order_id,
                                       .partition = record.partition,
                                       .offset = record.offset,
                                       .reason = event.what,
                                       .by_hand = is_by_hand(source)};
    const struct confirmation *c = ledger_parked(d->ledger, &claim);
    view_count_reason(d->view.parked_reasons, event.what);
    if (c == NULL)
        return;
    set_row(&event, &c->row);
    snapshot_add_event(&d->view, &event);
}

/* With the user's own receiver, only the outcomes are known. */
static void note_outcome(struct demo *d, const json_t *outcome)
{
    struct snapshot_event event = {.mark = VIEW_DELIVERED, .took_ms = -1};
    const json_t *attempts = json_object_get(outcome, "attempts");
    event.attempt = (int)json_integer_value(attempts);
    d->view.retried += event.attempt > 1 ? (uint64_t)event.attempt - 1 : 0;
    if (strcmp(text_of(outcome, "state"), "delivered") != 0)
        return; /* parked: counted from the parked topic */
    const struct ledger_claim claim = {
        .order_id = text_of(outcome, "order_id"),
        .partition = (int32_t)json_integer_value(json_object_get(outcome, "partition")),
        .offset = json_integer_value(json_object_get(outcome, "offset")),
        .by_hand = is_by_hand(text_of(outcome, "source"))};
    const struct confirmation *c = ledger_delivered(d->ledger, &claim);
    note_delivered(d);
    if (c == NULL)
        return;
    snprintf(event.what, sizeof event.what, "%d",
             (int)json_integer_value(json_object_get(outcome, "status")));
    set_row(&event, &c->row);
    snapshot_add_event(&d->view, &event);
}

static void outcome(void *context, struct slice json)
{
    struct demo *d = context;
    json_t *record = json_loadb(json.data, json.len, 0, NULL);
    if (d->receiver == NULL && record != NULL && strcmp(text_of(record, "state"), "retrying") != 0)
        note_outcome(d, record);
    json_decref(record);
}

static void member(void *context, struct slice json)
{
    struct demo *d = context;
    json_t *state = json.len > 0 ? json_loadb(json.data, json.len, 0, NULL) : NULL;
    const json_t *breaker = json_object_get(state, "breaker");
    const char *word = json_string_value(json_object_get(breaker, "state"));
    if (word != NULL) {
        d->view.receiver.breaker_is_closed = strcmp(word, "closed") == 0;
        snprintf(d->view.receiver.breaker, sizeof d->view.receiver.breaker, "%s", word);
    }
    json_decref(state);
}

struct broker_events flow_broker_events(struct demo *d)
{
    return (struct broker_events){d, written, not_written, parked, outcome, member};
}

struct receiver_events flow_receiver_events(struct demo *d)
{
    return (struct receiver_events){d, answered};
}

/* ---- its log ---- */

/* A log line, shorter: from its event on. */
static void take_line(void *context, const char *line)
{
    struct demo *d = context;
    const char *event = strstr(line, "event=");
    if (strstr(line, " level=info") != NULL || strstr(line, " level=debug") != NULL)
        return;
    terminal_log(d->terminal, line);
    snapshot_add_note(&d->view, event != NULL ? event + strlen("event=") : line);
}

void flow_read_logs(struct demo *d)
{
    member_read_log(&d->member, take_line, d);
    operator_read_log(d);
}

/* ---- the display ---- */

void flow_update_view(struct demo *d)
{
    struct snapshot *view = &d->view;
    view->elapsed_ms = d->now_ms - d->started_ms;
    view->orders = shop_order_count(d->shop);
    view->records = broker_written(d->broker);
    view->counts = ledger_counts(d->ledger);
    view->lag = broker_lag(d->broker) + broker_pending(d->broker);
    view->stopping = d->phase == DEMO_STOPPING || d->interrupted;
    while (d->now_ms >= d->next_second_ms) {
        snapshot_next_second(view);
        d->next_second_ms += 1000;
    }
    if (d->receiver == NULL)
        return;
    enum receiver_mood mood = receiver_mood(d->receiver);
    view->receiver.mood_is_well = mood == RECEIVER_WELL;
    snprintf(view->receiver.mood, sizeof view->receiver.mood, "%s", receiver_mood_names[mood]);
}
