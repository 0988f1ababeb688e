#include "order/transform.h"

#include "base/hash.h"
#include "base/hex.h"
#include "base/utf8.h"
#include "order/old_key.h"
#include "order/shape/filled.h"
#include "order/shape/json_text.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct transform {
    struct rule rule;
    struct payload_options payload;
    struct status_cache *status_cache;
    const char *id_column; /* borrowed */
    const char *table;     /* rule.table; borrowed, NULL: any */
    uint64_t first_table;  /* hash of the first one seen; 0: none yet */
    char *placeholder;     /* the connector's own; owned, NULL: none */
    size_t placeholder_len;
    enum payload_shape shape;
    struct form_options form;
    bool overtakes;                          /* rule.overtaken=skip */
    const struct payload_template *template; /* of the config; NULL: another shape */
    struct buf body, nested;                 /* nested: what other shapes are written from */
};

static char assumed_op(const struct config *config)
{
    switch (config->rule_assume_op) {
    case RULE_ASSUME_OP_C: return 'c';
    case RULE_ASSUME_OP_U: return 'u';
    default: return 0;
    }
}

/* NULL: the connector has none of its own. */
static void set_placeholder(struct transform *t, const char *text)
{
    const char *digits = after_prefix(text, "hex:");
    t->placeholder = text != NULL ? strdup(text) : NULL;
    if (t->placeholder == NULL)
        return;
    t->placeholder_len = strlen(text);
    if (digits == NULL)
        return;
    t->placeholder_len = strlen(digits) / 2;
    for (size_t i = 0; i < t->placeholder_len; i++)
        t->placeholder[i] = (char)(hex_digit(digits[2 * i]) * 16 + hex_digit(digits[2 * i + 1]));
}

static void set_shape(struct transform *t, const struct config *config)
{
    t->shape = (enum payload_shape)config->payload_shape;
    t->form = form_options_of(config);
    t->template = config->template;
    buf_init(&t->nested, PAYLOAD_BODY_MAX);
}

struct transform *transform_new(const struct config *config)
{
    struct transform *t = calloc(1, sizeof *t);
    if (t == NULL)
        return NULL;
    t->rule = (struct rule){.value = config->rule_value,
                            .deliver_snapshot = config->rule_snapshot == RULE_SNAPSHOT_DELIVER,
                            .assumed_op = assumed_op(config)};
    t->payload = (struct payload_options){
        .form_name = config->payload_form_name,
        .shape = config->payload_shape == PAYLOAD_FLAT ? PAYLOAD_FLAT : PAYLOAD_NESTED,
        .zone = config->zone,
        .amount_decimals = (int32_t)config->payload_amount_decimals};
    set_shape(t, config);
    set_placeholder(t, config->rule_placeholder);
    t->table = config->rule_table;
    t->overtakes = config->rule_overtaken == RULE_OVERTAKEN_SKIP;
    t->id_column = config->payload_column[FIELD_ORDER_ID];
    buf_init(&t->body, PAYLOAD_BODY_MAX);
    t->status_cache = status_cache_new((size_t)config->rule_memory, &config->hash_key);
    if (t->status_cache == NULL || (config->rule_placeholder != NULL && t->placeholder == NULL)) {
        transform_free(t);
        return NULL;
    }
    return t;
}

void transform_free(struct transform *t)
{
    if (t == NULL)
        return;
    status_cache_free(t->status_cache);
    free(t->placeholder);
    buf_done(&t->body);
    buf_done(&t->nested);
    free(t);
}

static const char *prefix(const struct config *config)
{
    return strcmp(config->rule_prefix, "none") == 0 ? "" : config->rule_prefix;
}

struct plan_options transform_plan_options(const struct config *config)
{
    struct plan_options options = {.rule_column = config->rule_column,
                                   .rule_value = config->rule_value,
                                   .prefix = prefix(config),
                                   .op_assumed = config->rule_assume_op >= 0,
                                   .table_is_told = config->rule_table != NULL};
    options.owner_column = config->auth_owner_column;
    if (config->template != NULL) {
        options.extra_columns = config->template->columns;
        options.extra_count = config->template->column_count;
    }
    for (size_t f = 0; f < FIELD_COUNT; f++)
        options.columns[f] = config->payload_column[f];
    return options;
}

static void skip(struct transformed *result, enum skip_reason why)
{
    result->verdict = TRANSFORM_SKIP;
    result->skip = why;
    result->why = skip_reason_names[why];
}

static void undecodable(struct transformed *result, const char *detail)
{
    result->verdict = TRANSFORM_REJECT;
    result->detail = detail;
    result->why = "undecodable";
}

static void stop(struct transformed *result, const char *detail)
{
    result->verdict = TRANSFORM_STOP;
    result->detail = detail;
    result->why = "refused";
}

/* confirmed_at is the payload's last text, in either shape: between the last two quotes. */
static struct slice last_text(const struct buf *body)
{
    size_t end = body->len, begin;
    while (end > 0 && body->data[end - 1] != '"')
        end--;
    for (begin = end - 1; begin > 0 && body->data[begin - 1] != '"';)
        begin--;
    return (struct slice){body->data + begin, end - 1 - begin};
}

/* Everything known of the order, even when it cannot be sent. */
static void note_order(const struct change *change, const struct record *record,
                       struct transformed *result)
{
    const struct column *number = &change->field[FIELD_ORDER_NUMBER];
    if (!order_id_of(change, &result->order_id))
        return;
    if (!utf8_is_valid(result->order_id.text, result->order_id.len)) {
        result->order_id.len = 0; /* no outcome record could name it */
        return;
    }
    (void)owner_of(change, &result->owner);
    if (number->kind == COLUMN_TEXT && utf8_is_valid(number->data, number->len))
        result->order_number = (struct slice){number->data, number->len};
    result->lsn = change->lsn.kind == COLUMN_INT ? change->lsn.number : -1;
    webhook_id_of(change, &result->order_id, record->topic, record->partition, record->offset,
                  result->id);
}

static bool write_form(struct transform *t, const struct shape_values *values,
                       struct rejection *ret_rejection)
{
    *ret_rejection = (struct rejection){.reason = REJECT_BAD_TEXT, .field = FIELD_COUNT - 1};
    return t->shape == PAYLOAD_ELEMENTOR ? form_write(&t->form, values, &t->body)
                                         : form_write_advanced(&t->form, values, &t->body);
}

/* The texts of the template's columns behind the fields, for redaction: they may be
 * personal. One without room is left out. */
static void add_columns(struct transform *t, const struct change *change,
                        struct transformed *result)
{
    enum { ESCAPED = 6, AROUND = 16 };
    ptrdiff_t time_at = result->confirmed_at.data - t->nested.data;
    const char *before = ",\"columns\":[";
    t->nested.len--; /* its last brace comes again */
    for (size_t i = 0; i < change->extra_count; i++) {
        const struct column *c = &change->extra[i];
        if (c->kind != COLUMN_TEXT || !utf8_is_valid(c->data, c->len) ||
            t->nested.len + ESCAPED * c->len + AROUND > PAYLOAD_BODY_MAX)
            continue;
        buf_add_text(&t->nested, before);
        json_add_valid(&t->nested, c->data, c->len);
        before = ",";
    }
    buf_add_text(&t->nested, before[1] == '\0' ? "]}" : "}");
    result->confirmed_at.data = t->nested.data + time_at; /* the buffer may have moved */
    result->nested = (struct slice){t->nested.data, t->nested.len};
}

static bool write_filled(struct transform *t, const struct change *change,
                         const struct record *record, const struct transformed *result,
                         const struct shape_values *fields, struct rejection *ret_rejection)
{
    static const enum reject_reason reasons[] = {[FILLED_FINE] = REJECT_NONE,
                                                 [FILLED_BAD_TEXT] = REJECT_BAD_TEXT,
                                                 [FILLED_NO_VALUE] = REJECT_NOT_A_NUMBER,
                                                 [FILLED_BAD_TIME] = REJECT_BAD_TIME,
                                                 [FILLED_UNAVAILABLE] = REJECT_UNAVAILABLE};
    const struct filled_values values = {.fields = fields,
                                         .columns = change->extra,
                                         .form_name = t->payload.form_name,
                                         .event_id = result->id,
                                         .event_ms = change->event_ms.kind == COLUMN_INT
                                                         ? change->event_ms.number
                                                         : record->timestamp_ms,
                                         .zone = t->payload.zone};
    *ret_rejection = (struct rejection){.field = FIELD_COUNT - 1};
    ret_rejection->reason =
        reasons[filled_write(t->template, &values, &t->body, &ret_rejection->column)];
    return ret_rejection->reason == REJECT_NONE;
}

/* The body in its shape; what is neither nested nor flat is written from nested. */
static bool render(struct transform *t, const struct change *change, const struct record *record,
                   struct transformed *result, struct rejection *ret_rejection)
{
    struct shape_values values;
    bool is_other = t->shape != PAYLOAD_NESTED && t->shape != PAYLOAD_FLAT;
    struct buf *first = is_other ? &t->nested : &t->body;
    buf_reset(&t->body);
    buf_reset(&t->nested);
    if (!payload_render(change, record->timestamp_ms, &t->payload, first, ret_rejection))
        return false;
    result->confirmed_at = last_text(first);
    if (!is_other)
        return true;
    result->nested = (struct slice){t->nested.data, t->nested.len};
    bool ok = shape_values_read(result->nested, &values);
    assert(ok); /* payload_render wrote it */
    if (t->shape != PAYLOAD_TEMPLATE)
        return write_form(t, &values, ret_rejection);
    ok = write_filled(t, change, record, result, &values, ret_rejection);
    add_columns(t, change, result);
    return ok;
}

static void deliver(struct transform *t, const struct change *change, const struct record *record,
                    struct transformed *result)
{
    struct rejection rejection;
    result->judged = true;
    note_order(change, record, result);
    if (!render(t, change, record, result, &rejection)) {
        result->verdict = TRANSFORM_REJECT;
        result->why = rejection_text(&rejection, result->why_text, sizeof result->why_text);
    } else if (result->order_id.len == 0) {
        undecodable(result, "the order id is neither text nor a number of at most 63 characters");
    } else {
        result->verdict = TRANSFORM_DELIVER;
        result->body = &t->body;
    }
}

static struct judgement judge_key_change(const struct transform *t, const struct change *change,
                                         const struct record *record, struct judgement judgement)
{
    struct order_id id;
    struct slice old_key = {0};
    if (record->header != NULL)
        old_key = record->header(record->context, RULE_KEY_CHANGE_HEADER);
    enum old_key answer = OLD_KEY_UNTOLD;
    if (order_id_of(change, &id))
        answer = old_key_compare(old_key, t->id_column, &id, &change->field[FIELD_ORDER_ID]);
    return rule_judge_key_change(judgement, answer == OLD_KEY_SAME, answer != OLD_KEY_UNTOLD);
}

static void judge(struct transform *t, const struct change *change, const struct record *record,
                  struct transformed *result)
{
    const struct rule_place place = {record->status_epoch, record->era_is_live,
                                     record->era_context};
    struct judgement judgement =
        rule_judge_at(&t->rule, change, record->alone ? NULL : t->status_cache, &place);
    if (judgement.verdict == RULE_DELIVER &&
        record->has_header(record->context, RULE_KEY_CHANGE_HEADER))
        judgement = judge_key_change(t, change, record, judgement);
    result->before_unknown = judgement.before_unknown;
    result->case_mismatch = judgement.case_mismatch;
    result->unsent = judgement.unsent;
    if (judgement.verdict == RULE_DELIVER)
        deliver(t, change, record, result);
    else if (judgement.verdict == RULE_SKIP) {
        skip(result, judgement.why);
        if (t->overtakes && judgement.why == SKIP_NOT_CONFIRMED)
            (void)order_id_of(change, &result->order_id);
    } else {
        result->no_event = true;
        undecodable(result, "the event's op is none of c, u, d, r, t, m, or its row is missing");
    }
}

/* True when the record's table is rule.table, with or without its schema. A record that names no
 * table counts as ours. */
static bool is_our_table(const struct transform *t, const struct change *change)
{
    const char *dot = strrchr(t->table, '.');
    const char *table = dot != NULL ? dot + 1 : t->table;
    const struct column *schema = &change->table_schema;
    if (change->table.kind != COLUMN_TEXT)
        return true;
    if (!column_is_text(&change->table, table))
        return false;
    return dot == NULL || schema->kind != COLUMN_TEXT ||
           (schema->len == (size_t)(dot - t->table) &&
            memcmp(schema->data, t->table, schema->len) == 0);
}

/* True when the record is of another table than the first one; a row that names no table counts as
 * neither. */
static bool is_second_table(struct transform *t, const struct change *change)
{
    const struct column *table = &change->table, *schema = &change->table_schema;
    if (table->kind != COLUMN_TEXT)
        return false;
    struct hash_key key = {{0}}; /* not a hash table's: it only compares names */
    if (schema->kind == COLUMN_TEXT)
        key.half[0] = hash_keyed(&key, schema->data, schema->len);
    uint64_t hash = hash_keyed(&key, table->data, table->len) | 1;
    if (t->first_table == 0)
        t->first_table = hash;
    return hash != t->first_table;
}

void transform_apply(struct transform *t, const struct plan *plan, const struct record *record,
                     bool gate, struct transformed *ret_result)
{
    struct change change;
    const char *why;
    ret_result->why = ret_result->detail = "";
    ret_result->before_unknown = ret_result->case_mismatch = ret_result->judged = false;
    ret_result->unsent = ret_result->second_table = false;
    ret_result->owner.len = 0;
    ret_result->order_id.len = ret_result->order_number.len = ret_result->confirmed_at.len = 0;
    ret_result->lsn = ret_result->event_ms = -1;
    ret_result->id[0] = '\0';
    ret_result->whole = ret_result->misfit = ret_result->no_event = false;
    ret_result->nested = (struct slice){0};
    bool is_foreign_record = plan_shape(plan) == PLAN_FOREIGN;
    if (is_foreign_record && gate) {
        skip(ret_result, SKIP_MESSAGE);
        return;
    }
    enum plan_result read =
        plan_run(plan, record->body, record->len, gate && !record->any_row && t->table == NULL,
                 &change, &why, NULL);
    ret_result->whole = read == PLAN_DONE;
    ret_result->misfit = read == PLAN_MALFORMED;
    if (ret_result->misfit) {
        undecodable(ret_result, why);
        return;
    }
    if (change.event_ms.kind == COLUMN_INT)
        ret_result->event_ms = change.event_ms.number;
    ret_result->second_table = t->table == NULL && is_second_table(t, &change);
    if (t->placeholder != NULL)
        change_mark_unavailable(&change, t->placeholder, t->placeholder_len);
    if (is_foreign_record)
        skip(ret_result, SKIP_MESSAGE);
    else if (change.is_null)
        skip(ret_result, SKIP_TOMBSTONE);
    else if (t->table != NULL && !is_our_table(t, &change))
        skip(ret_result, SKIP_OTHER_TABLE);
    else if (plan_refusal(plan) != NULL)
        stop(ret_result, plan_refusal(plan));
    else if (!record->any_row)
        judge(t, &change, record, ret_result);
    else if (change.has_row)
        deliver(t, &change, record, ret_result);
    else
        undecodable(ret_result, "the record to be retried holds no row");
}

bool transform_show(struct transform *t, const struct plan *plan, const struct record *record,
                    struct payload_shown ret[FIELD_COUNT])
{
    struct change change;
    const char *why;
    if (plan_run(plan, record->body, record->len, false, &change, &why, NULL) != PLAN_DONE ||
        !change.has_row)
        return false;
    if (t->placeholder != NULL)
        change_mark_unavailable(&change, t->placeholder, t->placeholder_len);
    buf_reset(&t->nested);
    return payload_show(&change, record->timestamp_ms, &t->payload, &t->nested, ret);
}

struct status_cache_stats transform_status_cache_stats(const struct transform *t)
{
    return status_cache_stats(t->status_cache);
}
