#include "edge/log.h"

#include "core/buf.h"
#include "core/payload.h"
#include "core/timestamp.h"
#include "core/utf8.h"
#include "edge/clock.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 4096, VALUE_MAX_BYTES = 512 };

static enum log_level least_level = LOG_INFO;
static bool as_json;

void log_setup(enum log_level least, bool json)
{
    least_level = least;
    as_json = json;
}

static const char *level_name(enum log_level level)
{
    static const char *const names[] = {"debug", "info", "warn", "error"};
    return names[level];
}

/* A value's first bytes, without cutting a character in two. */
static size_t cut(const char *text)
{
    size_t len = strnlen(text, VALUE_MAX_BYTES + 1);
    if (len <= VALUE_MAX_BYTES)
        return len;
    for (len = VALUE_MAX_BYTES; len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80;)
        len--;
    return len;
}

static bool is_bare(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)text[i] <= ' ' || text[i] == '"' || text[i] == '=' || text[i] == '\\' ||
            text[i] == 0x7f)
            return false;
    return len > 0;
}

/* What is no valid UTF-8 is shown byte by byte. */
static void add_bytes(struct buf *b, const char *text, size_t len)
{
    buf_add_char(b, '"');
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c >= 0x20 && c < 0x7f && c != '"' && c != '\\')
            buf_add_char(b, (char)c);
        else
            buf_addf(b, as_json ? "\\\\x%02x" : "\\x%02x", c);
    }
    buf_add_char(b, '"');
}

static void add_text(struct buf *b, const char *text)
{
    size_t len = cut(text);
    if (!utf8_is_valid(text, len))
        add_bytes(b, text, len);
    else if (!as_json && is_bare(text, len))
        buf_add(b, text, len);
    else
        json_add_string(b, text, len);
}

static void add_name(struct buf *b, const char *name)
{
    if (as_json)
        buf_addf(b, ",\"%s\":", name);
    else
        buf_addf(b, " %s=", name);
}

static void add_head(struct buf *b, enum log_level level, const char *event)
{
    buf_add_text(b, as_json ? "{\"ts\":\"" : "ts=");
    timestamp_add(b, clock_wall_ms(), 3);
    buf_add_text(b, as_json ? "\",\"level\":\"" : " level=");
    buf_add_text(b, level_name(level));
    buf_add_text(b, as_json ? "\",\"event\":" : " event=");
    json_add_string(b, event, strlen(event));
}

static void add_field(struct buf *b, const struct log_field *field)
{
    size_t before = b->len;
    add_name(b, field->name);
    if (field->text != NULL)
        add_text(b, field->text);
    else
        buf_addf(b, "%" PRId64, field->number);
    if (!buf_ok(b)) { /* no room: the fields before it still stand */
        b->failed = false;
        b->len = before;
    }
}

static void write_line(struct buf *b)
{
    if (write(STDERR_FILENO, b->data, b->len) < 0)
        return; /* standard error is gone: there is nobody left to tell */
}

void log_event(enum log_level level, const char *event, const struct log_field *fields)
{
    if (level < least_level)
        return;
    struct buf b;
    buf_init(&b, LINE_MAX_BYTES);
    add_head(&b, level, event);
    for (; fields->name != NULL; fields++)
        add_field(&b, fields);
    b.limit += 2;
    buf_add_text(&b, as_json ? "}\n" : "\n");
    if (buf_ok(&b))
        write_line(&b);
    buf_done(&b);
}

enum { TROUBLE_FIELDS_MAX = 16 };

/* The fields, and how often the same was left unsaid since. */
static void log_with_repeats(enum log_level level, const char *event,
                             const struct log_field *fields, int64_t repeats)
{
    struct log_field all[TROUBLE_FIELDS_MAX + 2] = {0};
    size_t count = 0;
    while (count < TROUBLE_FIELDS_MAX && fields[count].name != NULL) {
        all[count] = fields[count];
        count++;
    }
    if (repeats > 0)
        all[count] = LOG_I("repeats", repeats);
    log_event(level, event, all);
}

void log_trouble(struct log_trouble *t, int64_t now_ms, int64_t every_ms, const char *event,
                 const struct log_field *fields)
{
    if (t->on && now_ms - t->last_ms < every_ms) {
        t->repeats++;
        return;
    }
    log_with_repeats(LOG_WARN, event, fields, t->repeats);
    *t = (struct log_trouble){.on = true, .last_ms = now_ms};
}

void log_trouble_over(struct log_trouble *t, const char *event, const struct log_field *fields)
{
    if (!t->on)
        return;
    log_with_repeats(LOG_INFO, event, fields, t->repeats);
    *t = (struct log_trouble){0};
}
