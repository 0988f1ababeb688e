#include "topics/outcome_record.h"

#include "base/utf8.h"
#include "order/payload.h"
#include "topics/json_field.h"

#include <stddef.h>
#include <stdlib.h>

static const struct field {
    const char *name, *lead; /* lead: what stands before its value */
    size_t lead_len, at;
    bool is_text;
} fields[] = {
#define LEAD(name) ",\"" #name "\":"
#define FIELD(name, is_text) \
    {#name, LEAD(name), sizeof LEAD(name) - 1, offsetof(struct outcome_record, name), is_text},
#define TEXT(name) FIELD(name, true)
#define NUMBER(name) FIELD(name, false)
    OUTCOME_FIELDS(TEXT, NUMBER)
#undef TEXT
#undef NUMBER
#undef FIELD
#undef LEAD
};

enum { FIELDS = sizeof fields / sizeof *fields, DIGITS_MAX = 18 };

static const char begin[] = "{\"version\":1";

static struct slice *text_at(struct outcome_record *record, size_t at)
{
    return (struct slice *)((char *)record + at);
}

static int64_t *number_at(struct outcome_record *record, size_t at)
{
    return (int64_t *)((char *)record + at);
}

/* ---- writing: without printf, since one is written for each delivery ---- */

static bool add_text(struct buf *b, struct slice text, const char *none)
{
    if (text.len > 0)
        return json_add_string(b, text.data, text.len);
    buf_add_text(b, none);
    return true;
}

static void add_number(struct buf *b, int64_t number)
{
    if (number >= 0)
        buf_add_int(b, number);
    else
        buf_add_text(b, "null");
}

bool outcome_record_write(const struct outcome_record *r, struct buf *b)
{
    bool ok = true;
    buf_add(b, begin, sizeof begin - 1);
    for (size_t i = 0; i < FIELDS; i++) {
        const void *value = (const char *)r + fields[i].at;
        buf_add(b, fields[i].lead, fields[i].lead_len);
        if (!fields[i].is_text)
            add_number(b, *(const int64_t *)value);
        else
            ok &= add_text(b, *(const struct slice *)value, value == &r->reason ? "\"\"" : "null");
    }
    if (r->owner.len > 0) {
        buf_add_text(b, ",\"owner\":");
        ok &= add_text(b, r->owner, "");
    }
    if (r->response.len > 0) {
        buf_add_text(b, ",\"response\":");
        ok &= add_text(b, r->response, "");
    }
    if (r->tries.len > 0) {
        buf_add_text(b, ",\"tries\":");
        buf_add(b, r->tries.data, r->tries.len);
    }
    buf_add_text(b, ",\"previous\":");
    buf_add_text(b, r->previous.len > 0 ? r->previous.data : "[]");
    buf_add_char(b, '}');
    return ok && buf_ok(b);
}

/* ---- reading fast ---- */

static bool skip(struct slice *from, const char *text, size_t len)
{
    if (from->len < len || memcmp(from->data, text, len) != 0)
        return false;
    from->data += len;
    from->len -= len;
    return true;
}

static bool skip_null(struct slice *from)
{
    return skip(from, "null", 4);
}

/* From behind its opening quote. */
static bool take_text(struct slice *from, struct slice *ret)
{
    size_t len = 0;
    while (len < from->len && from->data[len] != '"') {
        if (from->data[len] == '\\' || (unsigned char)from->data[len] < 0x20)
            return false;
        len++;
    }
    *ret = (struct slice){from->data, len};
    from->data += len;
    from->len -= len;
    return skip(from, "\"", 1);
}

/* A text with its escapes, from behind its opening quote to behind the other. */
static bool skip_text(struct slice *from)
{
    size_t len = 0;
    while (len < from->len && from->data[len] != '"')
        len += from->data[len] == '\\' ? 2 : 1;
    if (len >= from->len)
        return false;
    from->data += len + 1;
    from->len -= len + 1;
    return true;
}

static bool take_number(struct slice *from, int64_t *ret)
{
    size_t len = 0;
    *ret = 0;
    for (; len < from->len && len < DIGITS_MAX; len++) {
        char c = from->data[len];
        if (c < '0' || c > '9')
            break;
        *ret = *ret * 10 + (c - '0');
    }
    bool ok = len == 1 || (len > 1 && from->data[0] != '0');
    from->data += len;
    from->len -= len;
    return ok; /* whatever else belongs to the number is not what comes next */
}

static bool take(struct slice *from, const struct field *field, struct outcome_record *ret)
{
    if (!skip(from, field->lead, field->lead_len))
        return false;
    if (skip_null(from)) {
        if (field->is_text)
            *text_at(ret, field->at) = (struct slice){0};
        else
            *number_at(ret, field->at) = -1;
        return true;
    }
    return field->is_text ? skip(from, "\"", 1) && take_text(from, text_at(ret, field->at))
                          : take_number(from, number_at(ret, field->at));
}

bool outcome_record_read(struct slice bytes, struct outcome_record *ret)
{
    static const char end[] = ",\"previous\":[]}", owner[] = ",\"owner\":\"",
                      response[] = ",\"response\":\"";
    struct outcome_record found = {0};
    if (!skip(&bytes, begin, sizeof begin - 1) || !utf8_is_valid(bytes.data, bytes.len))
        return false;
    for (size_t i = 0; i < FIELDS; i++)
        if (!take(&bytes, &fields[i], &found))
            return false;
    if (skip(&bytes, owner, sizeof owner - 1) && !take_text(&bytes, &found.owner))
        return false;
    if (skip(&bytes, response, sizeof response - 1)) {
        const char *quote = bytes.data - 1;
        if (!skip_text(&bytes))
            return false;
        found.response_json = (struct slice){quote, (size_t)(bytes.data - quote)};
    }
    if (!skip(&bytes, end, sizeof end - 1) || bytes.len > 0)
        return false;
    *ret = found;
    return true;
}

/* ---- reading with a parser ---- */

struct slice outcome_slice(const json_t *record, const char *name)
{
    const json_t *value = json_object_get(record, name);
    return (struct slice){json_string_value(value), json_string_length(value)};
}

bool outcome_read(struct slice bytes, struct outcome *ret)
{
    *ret = (struct outcome){0};
    if (outcome_record_read(bytes, &ret->record))
        return true;
    json_t *parsed = json_loadb(bytes.data, bytes.len, JSON_REJECT_DUPLICATES, NULL);
    const json_t *previous = json_object_get(parsed, "previous");
    const json_t *tries = json_object_get(parsed, "tries");
    for (size_t i = 0; i < FIELDS; i++)
        if (fields[i].is_text)
            *text_at(&ret->record, fields[i].at) = outcome_slice(parsed, fields[i].name);
        else
            *number_at(&ret->record, fields[i].at) = json_count(parsed, fields[i].name);
    ret->parsed = parsed;
    ret->previous = json_array_size(previous) > 0 ? json_dumps(previous, JSON_COMPACT) : NULL;
    ret->record.previous = slice_of(ret->previous);
    ret->tries = json_array_size(tries) > 0 ? json_dumps(tries, JSON_COMPACT) : NULL;
    ret->record.tries = slice_of(ret->tries);
    ret->record.owner = outcome_slice(parsed, "owner");
    ret->dismissed = json_dumps(json_object_get(parsed, "dismissed"), JSON_COMPACT);
    ret->record.dismissed = slice_of(ret->dismissed);
    ret->record.is_dismissed = outcome_is_dismissed(parsed);
    ret->response_json = json_dumps(json_object_get(parsed, "response"), JSON_ENCODE_ANY);
    ret->record.response_json = slice_of(ret->response_json);
    return json_is_object(parsed);
}

void outcome_done(struct outcome *outcome)
{
    json_decref(outcome->parsed);
    free(outcome->previous);
    free(outcome->response_json);
    free(outcome->tries);
    free(outcome->dismissed);
}

/* ---- dismissals ---- */

bool outcome_is_dismissed(const json_t *outcome)
{
    const json_t *dismissed = json_object_get(outcome, "dismissed");
    return slice_is(outcome_slice(outcome, "state"), "parked") && json_is_object(dismissed) &&
           json_object_get(dismissed, "undone_ms") == NULL;
}

bool outcome_dismiss(json_t *outcome, const char *by, const char *reason, int64_t at_ms)
{
    json_t *dismissed =
        json_pack("{s:I, s:s, s:s}", "at_ms", (json_int_t)at_ms, "by", by, "reason", reason);
    return json_object_set_new(outcome, "dismissed", dismissed) == 0;
}

bool outcome_restore(json_t *outcome, const char *by, int64_t at_ms)
{
    json_t *dismissed = json_object_get(outcome, "dismissed");
    return json_object_set_new(dismissed, "undone_ms", json_integer(at_ms)) == 0 &&
           json_object_set_new(dismissed, "undone_by", json_string(by)) == 0;
}
