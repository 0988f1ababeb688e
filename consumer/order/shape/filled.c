#include "order/shape/filled.h"

#include "base/decimal.h"
#include "base/time_text.h"
#include "base/utf8.h"
#include "order/shape/json_text.h"

#include <string.h>

enum { MILLISECONDS = 3 };

/* A token of a nested body: within a text without its quotes, whose escapes fit there too. */
static void add_token(struct buf *b, struct slice token, bool in_text)
{
    if (in_text && token.data[0] == '"')
        token = (struct slice){token.data + 1, token.len - 2};
    buf_add(b, token.data, token.len);
}

static void add_text(struct buf *b, const char *text, size_t len, bool in_text)
{
    (in_text ? json_add_escaped : json_add_valid)(b, text, len);
}

static void add_null(struct buf *b, bool in_text)
{
    if (!in_text)
        buf_add_text(b, "null");
}

static bool add_time(struct buf *b, int64_t value, unsigned digits, bool in_text)
{
    if (!in_text)
        buf_add_char(b, '"');
    bool ok = timestamp_add(b, value, digits);
    if (!in_text)
        buf_add_char(b, '"');
    return ok;
}

/* The instant of a column's count, whose local time is that of the zone. False for one that is not
 * within the numbers, as an infinity's. */
static bool find_instant(const struct column *c, const struct time_zone *zone, int64_t *ret)
{
    int64_t unit = timestamp_unit(c->ticks);
    *ret = c->number;
    if (!c->local || zone == NULL)
        return true;
    int64_t seconds = c->number / unit - (c->number % unit < 0);
    int64_t shift = (time_zone_instant(zone, seconds) - seconds) * unit;
    return !__builtin_add_overflow(c->number, shift, ret);
}

/* "2026-11-22" of a count of days. */
static bool add_day(struct buf *b, int64_t days, bool in_text)
{
    enum { DATE_LEN = 10, DAYS_MAX = 4000000 };
    const int64_t tenths_of_day = INT64_C(864000);
    char text[DATE_LEN + sizeof "T00:00:00.0Z"];
    struct buf whole = {.data = text, .cap = sizeof text, .limit = sizeof text - 1};
    if (days < -DAYS_MAX || days > DAYS_MAX || !timestamp_add(&whole, days * tenths_of_day, 1))
        return false;
    add_text(b, text, DATE_LEN, in_text);
    return true;
}

static enum filled_fault add_column(struct buf *b, const struct column *c, bool in_text,
                                    const struct time_zone *zone)
{
    bool ok = false;
    if (column_is_unavailable(c))
        return FILLED_UNAVAILABLE;
    switch (c->kind) {
    case COLUMN_ABSENT:
    case COLUMN_NULL: add_null(b, in_text); return FILLED_FINE;
    case COLUMN_TEXT:
        if (!utf8_is_valid(c->data, c->len))
            return FILLED_BAD_TEXT;
        add_text(b, c->data, c->len, in_text);
        return FILLED_FINE;
    case COLUMN_INT:
        if (c->is_day)
            return add_day(b, c->number, in_text) ? FILLED_FINE : FILLED_BAD_TIME;
        if (c->ticks != 0 && c->ticks != COLUMN_TICKS_NO_TIME) {
            int64_t at;
            ok = find_instant(c, zone, &at) && add_time(b, at, c->ticks, in_text);
            return ok ? FILLED_FINE : FILLED_BAD_TIME;
        }
        buf_add_int(b, c->number);
        return FILLED_FINE;
    case COLUMN_BOOLEAN: buf_add_text(b, c->number != 0 ? "true" : "false"); return FILLED_FINE;
    case COLUMN_DECIMAL: ok = decimal_add(b, (const uint8_t *)c->data, c->len, c->scale); break;
    case COLUMN_FLOAT:
    case COLUMN_DOUBLE: ok = decimal_add_real(b, c->real, c->kind == COLUMN_FLOAT); break;
    case COLUMN_OTHER: break;
    }
    return ok ? FILLED_FINE : FILLED_NO_VALUE;
}

static enum filled_fault add_constant(struct buf *b, enum template_constant constant,
                                      const struct filled_values *values, bool in_text)
{
    const char *text = constant == TEMPLATE_EVENT_ID ? values->event_id : values->form_name;
    if (constant != TEMPLATE_EVENT_AT)
        add_text(b, text, strlen(text), in_text);
    else if (values->event_ms < 0)
        add_null(b, in_text);
    else if (!add_time(b, values->event_ms, MILLISECONDS, in_text))
        return FILLED_BAD_TIME;
    return FILLED_FINE;
}

enum filled_fault filled_write(const struct payload_template *template,
                               const struct filled_values *values, struct buf *b,
                               const char **ret_column)
{
    enum filled_fault fault = FILLED_FINE;
    *ret_column = NULL;
    for (size_t i = 0; fault == FILLED_FINE && i < template->part_count; i++) {
        const struct template_part *part = &template->parts[i];
        switch (part->kind) {
        case TEMPLATE_TEXT: buf_add(b, part->text.data, part->text.len); break;
        case TEMPLATE_FIELD: add_token(b, values->fields->token[part->index], part->in_text); break;
        case TEMPLATE_CONSTANT:
            fault = add_constant(b, (enum template_constant)part->index, values, part->in_text);
            break;
        case TEMPLATE_COLUMN:
            *ret_column = template->columns[part->index];
            fault = add_column(b, &values->columns[part->index], part->in_text, values->zone);
            break;
        }
    }
    if (fault == FILLED_FINE)
        *ret_column = NULL;
    return fault == FILLED_FINE && !buf_ok(b) ? FILLED_BAD_TEXT : fault;
}
