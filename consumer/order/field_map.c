#include "order/field_map.h"

#include "order/column_hint.h"
#include "order/column_type.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- the results ---- */

static struct field_source fate(enum field_fate fate, const char *becomes)
{
    struct field_source source = {.fate = fate};
    snprintf(source.becomes, sizeof source.becomes, "%s", becomes);
    return source;
}

static struct field_source parked(enum payload_field f, const char *why, const char *reason)
{
    struct field_source source = {.fate = FIELD_HOPELESS};
    snprintf(source.becomes, sizeof source.becomes, "%s: every order is parked as %s:%s", why,
             reason, payload_field_names[f]);
    return source;
}

static void add(char *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add(char *text, const char *format, ...)
{
    size_t len = strlen(text);
    va_list args;
    va_start(args, format);
    vsnprintf(text + len, FIELD_MAP_TEXT - len, format, args);
    va_end(args);
}

static struct field_source absent(enum payload_field f)
{
    if (payload_field_rules[f].shape == SHAPE_TIME)
        return fate(FIELD_DOUBTFUL, "no such column: the event's own time is sent");
    if (payload_field_rules[f].required)
        return parked(f, "no such column", "missing");
    return fate(FIELD_DOUBTFUL, "no such column: always \"\"");
}

/* Adds a hint. option: the option that names the column, "payload.fields.client_name". */
static void advise_absent(const struct column_hint *hint, const char *option, char *text)
{
    if (*hint->near != '\0')
        add(text, "; set %s=%.60s?", option, hint->near);
    else if (*hint->key != '\0')
        add(text,
            "; %.60s is the key of another table's row, which these records do not show: capture a "
            "table that holds the text (docker/supabase makes one, filled by a trigger), and set "
            "%s to its column",
            hint->key, option);
    else
        add(text, "; set %s to the column that holds it", option);
}

/* A person's or product's words, where a key in place of them is surely a mistake. */
static bool is_words(enum payload_field f)
{
    return f == FIELD_CLIENT_NAME || f == FIELD_CLIENT_PHONE || f == FIELD_CLIENT_ADDRESS ||
           f == FIELD_CLIENT_CITY || f == FIELD_PRODUCT_NAME;
}

static struct field_source as_text(enum payload_field f, const struct column_branch *c,
                                   const char *column)
{
    bool is_number = c->sort == SORT_INT || c->sort == SORT_REAL || c->sort == SORT_DECIMAL;
    if (c->sort == SORT_OTHER)
        return parked(f, "no text", "not_a_number");
    if (c->ticks > 0)
        return fate(FIELD_DOUBTFUL, "text: the digits of a count of time; map a text column");
    if (is_words(f) && (c->is_uuid || column_names_key(column)))
        return fate(FIELD_DOUBTFUL,
                    "text: a key, and no name: the text stands in another table, which these "
                    "records do not show; copy it into this one (a trigger), and map that column");
    if (is_number && f == FIELD_CLIENT_PHONE)
        return fate(FIELD_DOUBTFUL, "text: the number's digits, without + and leading zeros; make "
                                    "the column text");
    if (is_words(f) && is_number)
        return fate(FIELD_DOUBTFUL, "text: the number's digits; map a text column");
    return fate(FIELD_FINE, is_number ? "text: the number's digits" : "text");
}

/* Nothing but its name shows whether an integer counts cents. */
static struct field_source as_integer_amount(const char *column, int64_t decimals)
{
    struct field_source source;
    if (decimals == 0 && column_names_cents(column))
        return fate(FIELD_DOUBTFUL, "number, the integer as it is: a count of cents, by its name, "
                                    "and a hundred times the amount; set "
                                    "payload.amount_decimals=2");
    if (decimals == 0)
        return fate(FIELD_FINE, "number, the integer as it is; if it counts cents, set "
                                "payload.amount_decimals=2");
    source = fate(FIELD_FINE, "number, the integer with as many decimals as "
                              "payload.amount_decimals");
    add(source.becomes, " = %lld", (long long)decimals);
    return source;
}

static struct field_source as_number(enum payload_field f, const struct column_branch *c,
                                     const char *column, int64_t decimals)
{
    const bool whole = payload_field_rules[f].shape == SHAPE_WHOLE;
    switch (c->sort) {
    case SORT_TEXT:
        return fate(FIELD_FINE, whole ? "whole number, read from the text"
                                      : "number, with the text's own digits");
    case SORT_INT:
        if (c->ticks > 0)
            return fate(FIELD_DOUBTFUL, "number: a count of time; map a column with a number");
        return whole ? fate(FIELD_FINE, "whole number") : as_integer_amount(column, decimals);
    case SORT_DECIMAL:
        return fate(FIELD_FINE, whole ? "whole number; with decimals it is parked"
                                      : "number with exactly its digits");
    case SORT_REAL:
        return fate(whole ? FIELD_FINE : FIELD_DOUBTFUL,
                    whole ? "whole number; with decimals it is parked"
                          : "number, rounded to floating point by the connector already "
                            "(decimal.handling.mode=precise keeps all digits)");
    default: return parked(f, "no number", "not_a_number");
    }
}

static struct field_source as_time(enum payload_field f, const struct column_branch *c)
{
    static const char *const ticks[] = {[3] = "time in UTC, from milliseconds",
                                        [6] = "time in UTC, from microseconds",
                                        [9] = "time in UTC, from nanoseconds"};
    if (c->sort == SORT_TEXT)
        return fate(FIELD_FINE, "time as it is written; parked unless it is RFC 3339");
    if (c->sort == SORT_INT && c->ticks == COLUMN_TICKS_NO_TIME)
        return parked(f, "a day or a span, no point in time", "bad_time");
    if (c->sort == SORT_INT && c->ticks > 0)
        return fate(FIELD_FINE, ticks[c->ticks]);
    if (c->sort == SORT_INT)
        return fate(FIELD_DOUBTFUL, "time in UTC; taken for milliseconds, which nothing says");
    return parked(f, "no time", "bad_time");
}

static const char *if_null(enum payload_field f)
{
    if (payload_field_rules[f].shape == SHAPE_TIME)
        return "; null: the event's own time";
    return payload_field_rules[f].required ? "; null is parked" : "; null: \"\"";
}

static struct field_source as_branch(enum payload_field f, const struct column_branch *branch,
                                     const char *column, int64_t decimals)
{
    return payload_field_rules[f].shape == SHAPE_TIME   ? as_time(f, branch)
           : payload_field_rules[f].shape == SHAPE_TEXT ? as_text(f, branch, column)
                                                        : as_number(f, branch, column, decimals);
}

/* A union's values are each what their branch is: hopeless only where every branch is. */
static struct field_source combine(const struct field_source *a, const struct field_source *b)
{
    struct field_source both = *a;
    bool mixed = (a->fate == FIELD_HOPELESS) != (b->fate == FIELD_HOPELESS);
    both.fate = mixed ? FIELD_DOUBTFUL : a->fate > b->fate ? a->fate : b->fate;
    if (strstr(a->becomes, b->becomes) == NULL)
        add(both.becomes, "; or %s", b->becomes);
    return both;
}

static struct field_source present(enum payload_field f, const struct column_type *c,
                                   int64_t decimals)
{
    struct field_source source = as_branch(f, &c->branches[0], c->column, decimals);
    for (size_t i = 1; i < c->branch_count; i++) {
        struct field_source other = as_branch(f, &c->branches[i], c->column, decimals);
        source = combine(&source, &other);
    }
    if (c->nullable && source.fate != FIELD_HOPELESS)
        add(source.becomes, "%s", if_null(f));
    if (c->null_is_default && source.fate != FIELD_HOPELESS) {
        source.fate = FIELD_DOUBTFUL;
        add(source.becomes,
            "; the converter writes the column's default in place of a null, and nothing tells "
            "them apart: drop the default or forbid the null (ALTER TABLE), or set "
            "ignore.default.for.nullables=true (Confluent's converter; Apicurio's has no such "
            "option)");
    }
    return source;
}

/* ---- the whole schema ---- */

struct mapping {
    const struct schema *schema;
    const json_t *row;
    const struct plan_options *options;
    int64_t amount_decimals;
    struct field_map *map;
};

static void map_field(const struct mapping *m, enum payload_field f)
{
    char option[64];
    struct field_source *source = &m->map->field[f];
    struct column_type c = column_type_of(m->schema, m->row, m->options->columns[f]);
    if (c.branch_count > 0) {
        *source = present(f, &c, m->amount_decimals);
    } else if (c.nullable) {
        *source = payload_field_rules[f].required
                      ? parked(f, "always null", "missing")
                      : fate(FIELD_DOUBTFUL, "always null; map a column that holds something");
    } else {
        struct column_hint hint = column_hint_of(m->schema, m->row, payload_field_names[f]);
        snprintf(option, sizeof option, "payload.fields.%s", payload_field_names[f]);
        *source = absent(f);
        advise_absent(&hint, option, source->becomes);
        m->map->has_absent = true;
    }
    snprintf(source->type, sizeof source->type, "%s", c.name);
}

static void map_rule(const struct mapping *m)
{
    struct field_source *rule = &m->map->rule;
    struct column_type c = column_type_of(m->schema, m->row, m->options->rule_column);
    bool holds_text = false;
    for (size_t i = 0; i < c.branch_count; i++)
        holds_text |= c.branches[i].sort == SORT_TEXT;
    *rule = fate(holds_text ? FIELD_FINE : FIELD_HOPELESS,
                 holds_text ? "text, compared with rule.value" : "no text: it is never rule.value");
    if (c.name[0] == '\0') {
        struct column_hint hint = column_hint_of(m->schema, m->row, "status");
        snprintf(rule->becomes, sizeof rule->becomes, "no such column: no order is ever sent");
        advise_absent(&hint, "rule.column", rule->becomes);
        m->map->has_absent = true;
    } else if (!holds_text) {
        add(rule->becomes, "; set rule.column to a column of text");
    }
    snprintf(rule->type, sizeof rule->type, "%s", c.name);
}

static struct field_source as_value(const struct column_branch *branch)
{
    if (branch->is_boolean)
        return fate(FIELD_FINE, "true or false");
    if (branch->sort == SORT_OTHER)
        return fate(FIELD_DOUBTFUL, "no text, number or boolean: parked, if it is one");
    if (branch->is_day)
        return fate(FIELD_FINE, "date, YYYY-MM-DD");
    if (branch->sort == SORT_INT && branch->ticks == COLUMN_TICKS_NO_TIME)
        return fate(FIELD_DOUBTFUL, "number: a count of a day's time, or of a span");
    if (branch->sort == SORT_INT && branch->ticks > 0)
        return fate(FIELD_FINE, "time in UTC");
    return fate(FIELD_FINE, branch->sort == SORT_TEXT   ? "text"
                            : branch->sort == SORT_REAL ? "number"
                                                        : "number with exactly its digits");
}

/* A column of payload.template. */
static void map_extra(const struct mapping *m, size_t i)
{
    struct field_source *source = &m->map->extra[i];
    struct column_type c = column_type_of(m->schema, m->row, m->options->extra_columns[i]);
    if (c.name[0] == '\0') {
        *source = fate(FIELD_HOPELESS, "no such column: its partitions stop; correct the name in "
                                       "payload.template");
        m->map->has_absent = true;
    } else {
        *source =
            c.branch_count > 0 ? as_value(&c.branches[0]) : fate(FIELD_DOUBTFUL, "always null");
        for (size_t b = 1; b < c.branch_count; b++) {
            struct field_source other = as_value(&c.branches[b]);
            *source = combine(source, &other);
        }
        if (c.nullable && c.branch_count > 0)
            add(source->becomes, "; or null");
    }
    snprintf(source->type, sizeof source->type, "%s", c.name);
}

static void map_owner(const struct mapping *m)
{
    struct field_source *owner = &m->map->owner;
    struct column_type c = column_type_of(m->schema, m->row, m->options->owner_column);
    bool is_subject = false;
    for (size_t i = 0; i < c.branch_count; i++)
        is_subject |= c.branches[i].sort == SORT_TEXT || c.branches[i].sort == SORT_INT;
    *owner = is_subject
                 ? fate(FIELD_FINE, "whose it is: compared with a token's sub")
                 : fate(FIELD_DOUBTFUL, "neither text nor a whole number: no customer sees or "
                                        "syncs an order; set auth.owner_column to the column that "
                                        "holds a token's sub");
    if (c.name[0] == '\0') {
        *owner = fate(FIELD_DOUBTFUL, "no such column: no customer sees or syncs an order; set "
                                      "auth.owner_column to the column that holds a token's sub");
        m->map->has_absent = true;
    }
    snprintf(owner->type, sizeof owner->type, "%s", c.name);
}

static void list_columns(const struct mapping *m)
{
    struct column_type c;
    size_t len = 0;
    for (size_t i = 0; column_type_at(m->schema, m->row, i, &c); i++) {
        size_t left = FIELD_MAP_COLUMNS - len;
        int wrote =
            snprintf(m->map->columns + len, left, "%s%s %s", len > 0 ? ", " : "", c.column, c.name);
        if (wrote <= 0 || (size_t)wrote + sizeof ", …" >= left) {
            snprintf(m->map->columns + len, left, ", …");
            return;
        }
        len += (size_t)wrote;
    }
}

static void name_schema(const struct schema *schema, struct field_map *map)
{
    const json_t *json = column_top(schema);
    const char *space = json_string_value(json_object_get(json, "namespace"));
    const char *name = json_string_value(json_object_get(json, "name"));
    if (space == NULL || name == NULL || strchr(name, '.') != NULL)
        space = "";
    snprintf(map->schema, sizeof map->schema, "%s%s%s", space, *space != '\0' ? "." : "",
             name != NULL ? name : "");
}

bool field_map_of(const char *schema, size_t len, const struct plan_options *options,
                  int64_t amount_decimals, struct field_map *ret_map, struct error *err)
{
    struct schema parsed = {0};
    struct error refused = {0};
    bool is_envelope = false;
    struct plan *plan = plan_compile(schema, len, options, &refused);
    if (refused.code != ERROR_NONE && refused.code != ERROR_CONFIG)
        return error_set(err, refused.code, "%s", refused.text);
    if (plan != NULL && plan_refusal(plan) != NULL)
        error_set(&refused, ERROR_CONFIG, "%s", plan_refusal(plan));
    *ret_map = (struct field_map){.refused = refused};
    bool ok = schema_parse(&parsed, schema, len, err);
    struct mapping m = {
        .schema = &parsed, .options = options, .amount_decimals = amount_decimals, .map = ret_map};
    m.row = ok ? column_row(&parsed, &is_envelope) : NULL;
    ret_map->shape = plan != NULL ? plan_shape(plan) : is_envelope ? PLAN_ENVELOPE : PLAN_UNWRAPPED;
    for (size_t f = 0; ok && f < FIELD_COUNT; f++)
        map_field(&m, (enum payload_field)f);
    if (ok) {
        map_rule(&m);
        for (size_t i = 0; i < options->extra_count; i++)
            map_extra(&m, i);
        if (options->owner_column != NULL)
            map_owner(&m);
        list_columns(&m);
        name_schema(&parsed, ret_map);
    }
    plan_free(plan);
    schema_done(&parsed);
    return ok;
}
