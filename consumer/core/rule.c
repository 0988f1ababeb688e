#include "core/rule.h"

#include "core/buf.h"
#include "core/decimal.h"
#include "core/near_miss.h"

#include <string.h>

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

bool order_id_of(const struct change *change, struct order_id *ret_id)
{
    const struct column *id = &change->field[FIELD_ORDER_ID];
    if (id->kind == COLUMN_TEXT) {
        ret_id->text = id->data;
        ret_id->len = id->len;
        return true;
    }
    ret_id->text = ret_id->digits;
    return write_number(id, ret_id);
}

static struct judgement skip(enum skip_reason why)
{
    return (struct judgement){.verdict = RULE_SKIP, .why = why};
}

/* The operation as one letter; 0: none that Debezium has. */
static char operation(const struct rule *rule, const struct change *change)
{
    if (column_is_text(&change->deleted, "true"))
        return 'd';
    const struct column *op = &change->op;
    if (op->kind == COLUMN_TEXT)
        return op->len == 1 && strchr("curdtm", op->data[0]) != NULL ? op->data[0] : 0;
    return op->kind == COLUMN_ABSENT || op->kind == COLUMN_NULL ? rule->assumed_op : 0;
}

static bool is_near_miss(const struct column *status, const char *value)
{
    return status->kind == COLUMN_TEXT && near_miss(status->data, status->len, value);
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

/* Notes the row's status and answers what was known of it before. An event that shows its before
 * image and changes nothing that matters tells the memory nothing new: it is left alone, which
 * spares the great majority of records under REPLICA IDENTITY FULL a walk through cold memory. */
static enum memory_answer remember(const struct rule *rule, const struct change *change,
                                   bool triggered, struct memory *memory, uint32_t era)
{
    struct order_id id;
    if (memory == NULL)
        return MEMORY_UNKNOWN;
    if (shows_before(change) && was_triggered(rule, change) == triggered)
        return MEMORY_UNKNOWN;
    if (column_is_unavailable(&change->status)) /* it is what it was */
        return MEMORY_UNKNOWN;
    return order_id_of(change, &id) ? memory_swap(memory, id.text, id.len, era, triggered)
                                    : MEMORY_UNKNOWN;
}

/* A `c` or `u` (or `r`) that has the rule's value: was it there before? */
static struct judgement judge_triggered(const struct rule *rule, const struct change *change,
                                        char op, enum memory_answer known)
{
    struct judgement deliver = {.verdict = RULE_DELIVER};
    if (shows_before(change))
        return was_triggered(rule, change) ? skip(SKIP_ALREADY_CONFIRMED) : deliver;
    if (op != 'u')
        return deliver;
    if (known == MEMORY_TRIGGERED)
        return skip(SKIP_ALREADY_CONFIRMED);
    deliver.before_unknown = known == MEMORY_UNKNOWN;
    return deliver;
}

static struct judgement judge_row(const struct rule *rule, const struct change *change, char op,
                                  struct memory *memory, uint32_t era)
{
    bool triggered = column_is_text(&change->status, rule->value);
    enum memory_answer known = remember(rule, change, triggered, memory, era);
    if (op == 'r' && !rule->deliver_snapshot)
        return skip(SKIP_SNAPSHOT);
    if (!triggered) {
        struct judgement not_confirmed = skip(SKIP_NOT_CONFIRMED);
        not_confirmed.near_miss = is_near_miss(&change->status, rule->value);
        return not_confirmed;
    }
    return judge_triggered(rule, change, op, known);
}

struct judgement rule_judge(const struct rule *rule, const struct change *change,
                            struct memory *memory, uint32_t era)
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
            return judge_row(rule, change, op, memory, era);
        break;
    default: break;
    }
    return (struct judgement){.verdict = RULE_UNDECODABLE};
}
