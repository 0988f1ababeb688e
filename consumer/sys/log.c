#include "sys/log.h"

#include "base/buf.h"
#include "base/printable.h"
#include "base/time_text.h"
#include "base/utf8.h"
#include "sys/clock.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

enum {
    LINE_MAX_BYTES = 4096, /* with its newline; a pipe takes that much in one piece (PIPE_BUF) */
    ENDING_BYTES = 6,      /* kept free for a cut value's `…"` and the line's `}` and newline */
    FULL_BYTES = LINE_MAX_BYTES - ENDING_BYTES,
    VALUE_MAX_BYTES = 512, /* so that no value displaces those behind it */
    NUMBER_BYTES = 24      /* the longest number, and what is around it and its name */
};

static enum log_level least_level = LOG_INFO;
static bool as_json;

void log_setup(enum log_level least, bool json)
{
    least_level = least;
    as_json = json;
}

bool log_is_on(enum log_level level)
{
    return level >= least_level;
}

static const char *level_name(enum log_level level)
{
    static const char *const names[] = {"debug", "info", "warn", "error", "audit"};
    return names[level];
}

/* One character in its quoted form; size 0: a byte that is not UTF-8. */
static void add_char(struct buf *b, const char *text, size_t size)
{
    int32_t code = printable_steers(text, size);
    if (size == 0 && as_json)
        buf_add_text(b, "\ufffd");
    else if (size == 0)
        buf_addf(b, "\\x%02x", (unsigned char)text[0]);
    else if (code == '\n')
        buf_add_text(b, "\\n");
    else if (code == '\r')
        buf_add_text(b, "\\r");
    else if (code == '\t')
        buf_add_text(b, "\\t");
    else if (code > 0xffff)
        buf_addf(b, as_json ? "\\u%04x\\u%04x" : "\\U%04x%04x",
                 0xd800 + (((unsigned)code - 0x10000) >> 10),
                 0xdc00 + (((unsigned)code - 0x10000) & 0x3ff));
    else if (code >= 0)
        buf_addf(b, "\\u%04x", (unsigned)code);
    else if (text[0] == '"' || text[0] == '\\')
        buf_addf(b, "\\%c", text[0]);
    else
        buf_add(b, text, size);
}

/* A value's bytes as far as they matter: the last character that may be shown is whole. */
static size_t length(const char *text)
{
    return strnlen(text, VALUE_MAX_BYTES + 4);
}

/* Adds a value's characters, up to where it or the line is cut. */
static void add_chars(struct buf *b, const char *text)
{
    size_t len = length(text);
    for (size_t at = 0; at < len;) {
        size_t before = b->len, size = utf8_char_size(text + at, len - at);
        add_char(b, text + at, size);
        at += size > 0 ? size : 1;
        if (at > VALUE_MAX_BYTES || b->len > FULL_BYTES) {
            b->len = before;
            buf_add_text(b, "…");
            return;
        }
    }
}

static void add_quoted(struct buf *b, const char *text)
{
    buf_add_char(b, '"');
    add_chars(b, text);
    buf_add_char(b, '"');
}

/* True when logfmt shows the text without quotes. */
static bool is_bare(const char *text)
{
    size_t len = length(text);
    for (size_t at = 0, size; at < len && at < VALUE_MAX_BYTES; at += size) {
        size = utf8_char_size(text + at, len - at);
        if (size == 0 || printable_steers(text + at, size) >= 0 ||
            strchr(" \"=\\", text[at]) != NULL)
            return false;
    }
    return len > 0;
}

static void add_head(struct buf *b, enum log_level level, const char *event)
{
    buf_add_text(b, as_json ? "{\"ts\":\"" : "ts=");
    timestamp_add(b, clock_wall_ms(), 3);
    buf_add_text(b, as_json ? "\",\"level\":\"" : " level=");
    buf_add_text(b, level_name(level));
    buf_add_text(b, as_json ? "\",\"event\":" : " event=");
    add_quoted(b, event);
}

static void add_field(struct buf *b, const struct log_field *field)
{
    if (b->len + strlen(field->name) + NUMBER_BYTES > FULL_BYTES)
        return; /* no room: the fields before it are kept */
    buf_addf(b, as_json ? ",\"%s\":" : " %s=", field->name);
    if (field->text == NULL)
        buf_addf(b, "%" PRId64, field->number);
    else if (!as_json && is_bare(field->text))
        add_chars(b, field->text);
    else
        add_quoted(b, field->text);
}

static void write_line(const struct buf *b)
{
    while (write(STDERR_FILENO, b->data, b->len) < 0 && errno == EINTR)
        continue; /* any other failure: standard error is gone, and so is every way to report it */
}

void log_event(enum log_level level, const char *event, const struct log_field *fields)
{
    if (!log_is_on(level))
        return;
    struct buf b;
    buf_init(&b, LINE_MAX_BYTES);
    add_head(&b, level, event);
    for (; fields->name != NULL; fields++)
        add_field(&b, fields);
    buf_add_text(&b, as_json ? "}\n" : "\n");
    if (buf_ok(&b))
        write_line(&b);
    buf_done(&b);
}

enum { TROUBLE_FIELDS_MAX = 16 };

/* The fields, and how often the same event was suppressed since. */
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

void log_limited(struct log_limited *t, int64_t now_ms, int64_t every_ms, const char *event,
                 const struct log_field *fields)
{
    if (t->ever && now_ms - t->last_ms < every_ms) {
        t->repeats++;
        return;
    }
    log_with_repeats(LOG_WARN, event, fields, t->repeats);
    *t = (struct log_limited){.ever = true, .said = true, .last_ms = now_ms};
}

void log_recovered(struct log_limited *t, const char *event, const struct log_field *fields)
{
    if (!t->said)
        return;
    log_with_repeats(LOG_INFO, event, fields, t->repeats);
    t->said = false;
    t->repeats = 0;
}
