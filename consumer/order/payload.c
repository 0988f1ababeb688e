#include "order/payload.h"

#include "base/decimal.h"
#include "base/time_text.h"
#include "base/utf8.h"

#include <stdio.h>
#include <string.h>

#define TEXT_MAX (256 * 1024) /* bytes of one text column */

static bool is_null(const struct column *c)
{
    return c->kind == COLUMN_ABSENT || c->kind == COLUMN_NULL;
}

/* Appends a number's JSON text. */
/* number * 10^-decimals, with as many decimals. */
static bool add_integer(struct buf *b, int64_t number, int32_t decimals)
{
    uint8_t bytes[sizeof number];
    if (decimals == 0) {
        buf_add_int(b, number);
        return true;
    }
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)((uint64_t)number >> 8 * (sizeof bytes - 1 - i));
    return decimal_add(b, bytes, sizeof bytes, decimals);
}

static enum reject_reason add_number(struct buf *b, const struct column *c, int32_t decimals)
{
    bool ok = false;
    switch (c->kind) {
    case COLUMN_ABSENT:
    case COLUMN_NULL: return REJECT_MISSING;
    case COLUMN_INT: ok = add_integer(b, c->number, decimals); break;
    case COLUMN_DECIMAL: ok = decimal_add(b, (const uint8_t *)c->data, c->len, c->scale); break;
    case COLUMN_FLOAT:
    case COLUMN_DOUBLE: ok = decimal_add_real(b, c->real, c->kind == COLUMN_FLOAT); break;
    case COLUMN_TEXT:
        ok = decimal_is_json_number(c->data, c->len);
        if (ok)
            buf_add(b, c->data, c->len);
        break;
    case COLUMN_BOOLEAN:
    case COLUMN_OTHER: break;
    }
    return ok ? REJECT_NONE : REJECT_NOT_A_NUMBER;
}

/* Below zero: a minus, and a digit other than 0 before any exponent. */
static bool is_negative(const char *text, size_t len)
{
    if (text[0] != '-')
        return false;
    for (size_t i = 1; i < len && text[i] != 'e' && text[i] != 'E'; i++)
        if (text[i] >= '1' && text[i] <= '9')
            return true;
    return false;
}

/* Digits that do not begin with 0, then at most zeros behind the point: 2, 2.00. */
static bool is_whole(const char *text, size_t len)
{
    size_t i = 0;
    if (text[0] < '1' || text[0] > '9')
        return false;
    while (i < len && text[i] >= '0' && text[i] <= '9')
        i++;
    if (i == len)
        return true;
    if (text[i] != '.')
        return false;
    for (i++; i < len && text[i] == '0';)
        i++;
    return i == len;
}

static enum reject_reason add_amount(struct buf *b, const struct column *c, enum field_shape shape,
                                     int32_t decimals)
{
    size_t start = b->len;
    enum reject_reason reason = add_number(b, c, decimals);
    if (reason != REJECT_NONE || !buf_ok(b))
        return reason;
    const char *text = b->data + start;
    size_t len = b->len - start;
    if (is_negative(text, len))
        return REJECT_NEGATIVE;
    return shape == SHAPE_WHOLE && !is_whole(text, len) ? REJECT_NOT_WHOLE : REJECT_NONE;
}

static enum reject_reason add_text(struct buf *b, const struct column *c, bool required)
{
    if (is_null(c)) {
        buf_add_text(b, "\"\"");
        return required ? REJECT_MISSING : REJECT_NONE;
    }
    if (c->kind != COLUMN_TEXT) { /* a number's digits, in quotes */
        buf_add_char(b, '"');
        enum reject_reason reason = add_number(b, c, 0);
        buf_add_char(b, '"');
        return reason;
    }
    json_add_valid(b, c->data, c->len);
    return required && utf8_is_blank(c->data, c->len) ? REJECT_MISSING : REJECT_NONE;
}

enum { MILLISECONDS = 3 };

/* A null confirmed_at is the event's own time, else the Kafka record's. */
static enum reject_reason add_event_time(struct buf *b, const struct change *change,
                                         int64_t record_ms)
{
    if (change->event_ms.kind == COLUMN_INT)
        return timestamp_add(b, change->event_ms.number, MILLISECONDS) ? REJECT_NONE
                                                                       : REJECT_BAD_TIME;
    return record_ms >= 0 && timestamp_add(b, record_ms, MILLISECONDS) ? REJECT_NONE
                                                                       : REJECT_BAD_TIME;
}

/* No order was confirmed outside these years: a time beyond them has another unit, or is an
 * infinity. */
#define YEAR_1990 INT64_C(631152000)
#define YEAR_2100 INT64_C(4102444800)

static bool is_plausible(int64_t seconds)
{
    return seconds >= YEAR_1990 && seconds < YEAR_2100;
}

/* Without an annotation (connect.meta.data=false), the number's size shows its unit: the years 1990
 * to 2099 in milli-, micro- and nanoseconds do not overlap. */
static unsigned digits_of(const struct column *c)
{
    if (c->ticks != 0)
        return c->ticks;
    for (unsigned digits = 6; digits <= 9; digits += 3)
        if (is_plausible(c->number / timestamp_unit(digits)))
            return digits;
    return MILLISECONDS;
}

static bool add_count(struct buf *b, const struct column *c, const struct time_zone *zone)
{
    if (c->ticks == COLUMN_TICKS_NO_TIME)
        return false;
    unsigned digits = digits_of(c);
    int64_t unit = timestamp_unit(digits), seconds = c->number / unit, shift = 0;
    if (!is_plausible(seconds))
        return false;
    if (c->local && zone != NULL)
        shift = time_zone_instant(zone, seconds) - seconds;
    return is_plausible(seconds + shift) && timestamp_add(b, c->number + shift * unit, digits);
}

/* A text goes out as it is, unless it is a local time that was written as if it were UTC. */
static bool add_written(struct buf *b, const struct column *c, const struct time_zone *zone)
{
    struct timestamp t;
    if (!timestamp_read(c->data, c->len, &t) || !is_plausible(t.seconds))
        return false;
    if (c->local && zone != NULL)
        return timestamp_add_text(b, time_zone_instant(zone, t.seconds), t.fraction,
                                  t.fraction_len);
    buf_add(b, c->data, c->len);
    return true;
}

static enum reject_reason add_time(struct buf *b, const struct column *c,
                                   const struct change *change, int64_t record_ms,
                                   const struct time_zone *zone)
{
    enum reject_reason reason = REJECT_BAD_TIME;
    buf_add_char(b, '"');
    if (is_null(c))
        reason = add_event_time(b, change, record_ms);
    else if ((c->kind == COLUMN_INT && add_count(b, c, zone)) ||
             (c->kind == COLUMN_TEXT && add_written(b, c, zone)))
        reason = REJECT_NONE;
    buf_add_char(b, '"');
    return reason;
}

/* For every text field. */
static bool is_bad_text(const struct column *c)
{
    return c->kind == COLUMN_TEXT && (c->len > TEXT_MAX || !utf8_is_valid(c->data, c->len));
}

static enum reject_reason add_field(struct buf *b, const struct change *change,
                                    enum payload_field field, int64_t record_ms,
                                    const struct payload_options *options)
{
    const struct column *c = &change->field[field];
    if (column_is_unavailable(c))
        return REJECT_UNAVAILABLE;
    if (is_bad_text(c))
        return REJECT_BAD_TEXT;
    switch (payload_field_rules[field].shape) {
    case SHAPE_NUMBER: return add_amount(b, c, SHAPE_NUMBER, options->amount_decimals);
    case SHAPE_WHOLE: return add_amount(b, c, SHAPE_WHOLE, 0);
    case SHAPE_TIME: return add_time(b, c, change, record_ms, options->zone);
    default: return add_text(b, c, payload_field_rules[field].required);
    }
}

static void add_name(struct buf *b, const char *name)
{
    buf_add_char(b, '"');
    buf_add_text(b, name);
    buf_add_text(b, "\":");
}

bool payload_render(const struct change *change, int64_t record_ms,
                    const struct payload_options *options, struct buf *body,
                    struct rejection *ret_rejection)
{
    bool nested = options->shape == PAYLOAD_NESTED;
    buf_add_text(body, "{\"form_name\":");
    json_add_string(body, options->form_name, strlen(options->form_name));
    buf_add_text(body, nested ? ",\"fields\":{" : ",");
    for (size_t f = 0; f < FIELD_COUNT; f++) {
        if (f > 0)
            buf_add_char(body, ',');
        add_name(body, payload_field_names[f]);
        enum reject_reason reason =
            add_field(body, change, (enum payload_field)f, record_ms, options);
        if (reason == REJECT_NONE && !buf_ok(body))
            reason = REJECT_BAD_TEXT; /* all together too long */
        if (reason != REJECT_NONE) {
            *ret_rejection = (struct rejection){.reason = reason, .field = (enum payload_field)f};
            return false;
        }
    }
    buf_add_text(body, nested ? "}}" : "}");
    if (buf_ok(body))
        return true;
    *ret_rejection = (struct rejection){.reason = REJECT_BAD_TEXT, .field = FIELD_COUNT - 1};
    return false;
}

/* ---- for people ---- */

/* The column's value, where the payload cannot have it. */
static void add_raw(struct buf *b, const struct column *c)
{
    if (c->kind == COLUMN_TEXT && !is_bad_text(c))
        json_add_valid(b, c->data, c->len);
    else if (c->kind == COLUMN_BOOLEAN)
        buf_add_text(b, c->number != 0 ? "true" : "false");
    else if (c->kind != COLUMN_TEXT && !is_null(c)) {
        size_t before = b->len;
        if (add_number(b, c, 0) != REJECT_NONE)
            b->len = before;
    }
}

bool payload_show(const struct change *change, int64_t record_ms,
                  const struct payload_options *options, struct buf *b,
                  struct payload_shown ret[FIELD_COUNT])
{
    size_t from[FIELD_COUNT + 1] = {b->len};
    for (size_t f = 0; f < FIELD_COUNT; f++) {
        ret[f].reason = add_field(b, change, (enum payload_field)f, record_ms, options);
        if (ret[f].reason != REJECT_NONE && buf_ok(b)) {
            b->len = from[f];
            add_raw(b, &change->field[f]);
        }
        from[f + 1] = b->len;
    }
    for (size_t f = 0; f < FIELD_COUNT && buf_ok(b); f++) /* the buffer has moved meanwhile */
        ret[f].token = (struct slice){b->data + from[f], from[f + 1] - from[f]};
    return buf_ok(b);
}

const char *reject_reason_name(enum reject_reason reason)
{
    static const char *const names[] = {
#define X(id, name) name,
        REJECT_REASONS(X)
#undef X
    };
    return names[reason];
}

const char *rejection_text(const struct rejection *rejection, char *text, size_t size)
{
    snprintf(text, size, "%s:%s", reject_reason_name(rejection->reason),
             rejection->column != NULL ? rejection->column : payload_field_names[rejection->field]);
    return text;
}
