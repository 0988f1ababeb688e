#include "order/rule.h"

#include "base/buf.h"
#include "base/decimal.h"
#include "order/near_miss.h"

#include <string.h>
#include <strings.h>

const char *const skip_reason_names[SKIP_REASON_COUNT] = {
#define X(id, name) name,
    SKIP_REASONS(X)
#undef X
};

/* The digits that the payload shows, too. The buffer is as large as it may become: it never
 * allocates. */
static bool write_number(const struct column *c, struct order_id *ret_id)
{
    struct buf b = {
        .data = ret_id->digits, .cap = sizeof ret_id->digits, .limit = sizeof ret_id->digits - 1};
    bool ok = false;
    if (c->kind == COLUMN_INT) {
        buf_add_int(&b, c->number);
        ok = true;
    } else if (c->kind == COLUMN_DECIMAL) {
        ok = decimal_add(&b, (const uint8_t *)c->data, c->len, c->scale);
    } else if (c->kind == COLUMN_FLOAT || c->kind == COLUMN_DOUBLE) {
        ok = decimal_add_real(&b, c->real, c->kind == COLUMN_FLOAT);
    }
    ok = ok && buf_ok(&b);
    ret_id->len = ok ? b.len : 0;
    return ok;
}

static bool text_of(const struct column *c, struct order_id *ret)
{
    if (c->kind == COLUMN_TEXT) {
        ret->text = c->data;
        ret->len = c->len;
        return true;
    }
    ret->text = ret->digits;
    return write_number(c, ret);
}

bool order_id_of(const struct change *change, struct order_id *ret_id)
{
    return text_of(&change->field[FIELD_ORDER_ID], ret_id);
}

bool owner_of(const struct change *change, struct order_id *ret_owner)
{
    ret_owner->len = 0;
    return !column_is_unavailable(&change->owner) && text_of(&change->owner, ret_owner);
}

static struct judgement skip(enum skip_reason why)
{
    return (struct judgement){.verdict = RULE_SKIP, .why = why};
}

/* ExtractNewRecordState writes a text; a Cast or another converter makes a boolean or a number of
 * it.
 */
static bool is_deleted(const struct column *deleted)
{
    static const char *const words[] = {"true", "t", "yes", "y", "1"};
    for (size_t i = 0; deleted->kind == COLUMN_TEXT && i < sizeof words / sizeof *words; i++)
        if (deleted->len == strlen(words[i]) &&
            strncasecmp(deleted->data, words[i], deleted->len) == 0)
            return true;
    return (deleted->kind == COLUMN_INT && deleted->number != 0) || column_is_true(deleted);
}

/* The operation as one letter; 0: none that Debezium has. */
static char operation(const struct rule *rule, const struct change *change)
{
    if (is_deleted(&change->deleted))
        return 'd';
    const struct column *op = &change->op;
    if (op->kind == COLUMN_TEXT)
        return op->len == 1 && strchr("curdtm", op->data[0]) != NULL ? op->data[0] : 0;
    return op->kind == COLUMN_ABSENT || op->kind == COLUMN_NULL ? rule->assumed_op : 0;
}

static bool is_case_mismatch(const struct column *status, const char *value)
{
    return status->kind == COLUMN_TEXT && case_mismatch(status->data, status->len, value);
}

static bool shows_before(const struct change *change)
{
    return change->has_before && change->before_status.kind == COLUMN_TEXT &&
           !column_is_unavailable(&change->before_status);
}

static bool was_triggered(const struct rule *rule, const struct change *change)
{
    return column_is_text(&change->before_status, rule->value);
}

/* confirmed_at as a note holds it; 0: null, or not a time. */
static uint32_t time_of(const struct change *change)
{
    const struct column *at = &change->field[FIELD_CONFIRMED_AT];
    if (at->kind == COLUMN_TEXT && !column_is_unavailable(at))
        return memory_time(at->data, at->len);
    return at->kind == COLUMN_INT ? memory_time(&at->number, sizeof at->number) : 0;
}

/* An order's last note, before this event. */
struct known_status {
    enum status_cache_answer status;
    bool same_time;  /* it had the rule's value with the confirmed_at of this event */
    bool other_time; /* the same, with another one; both are told */
};

static bool holds(const struct rule_place *place, uint32_t status_epoch)
{
    return status_epoch == place->status_epoch ||
           (place->is_live != NULL && place->is_live(place->context, status_epoch));
}

/* Notes the row's status and returns the note before. An event with a before image that changes
 * nothing relevant adds nothing to the memory, which is left alone: that spares the great majority
 * of records under REPLICA IDENTITY FULL a walk through cold memory. */
static struct known_status remember(const struct rule *rule, const struct change *change,
                                    bool triggered, struct status_cache *status_cache,
                                    const struct rule_place *place)
{
    struct known_status known = {.status = STATUS_CACHE_UNKNOWN};
    struct memory_note before;
    struct order_id id;
    if (status_cache == NULL)
        return known;
    if (shows_before(change) && was_triggered(rule, change) == triggered)
        return known;
    if (column_is_unavailable(&change->status)) /* it is what it was */
        return known;
    const struct memory_note now = {.status_epoch = place->status_epoch,
                                    .time = triggered ? time_of(change) : 0,
                                    .triggered = triggered};
    if (!order_id_of(change, &id) || !memory_exchange(status_cache, id.text, id.len, &now, &before))
        return known;
    /* An order's records are in one partition, unless its key changes: the note of another
     * partition may be older or newer than this record, so it identifies only the same
     * transition. */
    known.same_time = before.triggered && now.time != 0 && before.time == now.time &&
                      holds(place, before.status_epoch);
    if (before.status_epoch == place->status_epoch)
        known.status = before.triggered ? STATUS_CACHE_TRIGGERED : STATUS_CACHE_OTHER;
    known.other_time = known.status == STATUS_CACHE_TRIGGERED && now.time != 0 &&
                       before.time != 0 && before.time != now.time;
    return known;
}

/* A row with the rule's value and no before image, judged by the memory alone. */
static struct judgement judge_by_memory(enum status_cache_answer known)
{
    struct judgement deliver = {.verdict = RULE_DELIVER, .known = known};
    if (known == STATUS_CACHE_TRIGGERED)
        return skip(SKIP_ALREADY_CONFIRMED);
    deliver.before_unknown = known == STATUS_CACHE_UNKNOWN;
    return deliver;
}

static struct judgement judge_snapshot(const struct rule *rule, const struct known_status *known)
{
    if (known->status == STATUS_CACHE_OTHER) /* the gap is the stream's fault, not the order's */
        return judge_by_memory(known->status);
    if (rule->deliver_snapshot || known->other_time) /* confirmed anew in the gap */
        return (struct judgement){.verdict = RULE_DELIVER, .known = known->status};
    struct judgement snapshot = skip(SKIP_SNAPSHOT);
    snapshot.unsent = known->status == STATUS_CACHE_UNKNOWN;
    return snapshot;
}

/* A `c` or `u` (or `r`) that has the rule's value: was it there before? */
static struct judgement judge_triggered(const struct rule *rule, const struct change *change,
                                        char op, const struct known_status *known)
{
    struct judgement deliver = {.verdict = RULE_DELIVER, .known = known->status};
    if (shows_before(change))
        return was_triggered(rule, change) ? skip(SKIP_ALREADY_CONFIRMED) : deliver;
    if (op == 'u')
        return judge_by_memory(known->same_time ? STATUS_CACHE_TRIGGERED : known->status);
    if (known->same_time)
        return skip(SKIP_ALREADY_CONFIRMED);
    return op == 'r' ? judge_snapshot(rule, known) : deliver;
}

static struct judgement judge_row(const struct rule *rule, const struct change *change, char op,
                                  struct status_cache *status_cache, const struct rule_place *place)
{
    bool triggered = column_is_text(&change->status, rule->value);
    struct known_status known = remember(rule, change, triggered, status_cache, place);
    if (triggered)
        return judge_triggered(rule, change, op, &known);
    if (op == 'r' && !rule->deliver_snapshot)
        return skip(SKIP_SNAPSHOT);
    struct judgement not_confirmed = skip(SKIP_NOT_CONFIRMED);
    not_confirmed.case_mismatch = is_case_mismatch(&change->status, rule->value);
    return not_confirmed;
}

struct judgement rule_judge_key_change(struct judgement judgement, bool same_id, bool told)
{
    if (judgement.verdict != RULE_DELIVER)
        return judgement;
    if (told ? same_id : judgement.known != STATUS_CACHE_UNKNOWN)
        return judge_by_memory(judgement.known);
    return skip(SKIP_KEY_CHANGE);
}

struct judgement rule_judge(const struct rule *rule, const struct change *change,
                            struct status_cache *status_cache, uint32_t status_epoch)
{
    const struct rule_place place = {.status_epoch = status_epoch};
    return rule_judge_at(rule, change, status_cache, &place);
}

struct judgement rule_judge_at(const struct rule *rule, const struct change *change,
                               struct status_cache *status_cache, const struct rule_place *place)
{
    char op = change->stopped_early ? 'u' : operation(rule, change);
    switch (op) {
    case 'd': return skip(SKIP_DELETE);
    case 't': return skip(SKIP_TRUNCATE);
    case 'm': return skip(SKIP_MESSAGE);
    case 'c':
    case 'u':
    case 'r':
        if (change->has_row)
            return judge_row(rule, change, op, status_cache, place);
        break;
    default: break;
    }
    return (struct judgement){.verdict = RULE_UNDECODABLE};
}
