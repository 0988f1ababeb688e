#include "check/report.h"

#include "base/printable.h"
#include "base/utf8.h"
#include "order/payload.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIELDS "fields"

enum { WIDTH_MIN = 50, WIDTH_MAX = 200, NAME_WIDTH = 16, INDENT = 8, TEXT_LEAST = 34 };

struct finding {
    enum report_level level;
    const char *area;
    char *name, *text, *column, *type; /* owned; column and type of fields only */
};

struct report {
    struct finding *findings;
    size_t count, room;
    size_t failures, warnings;
    enum error_code code; /* of the first failure */
    bool lost;
};

struct report *report_new(void)
{
    return calloc(1, sizeof(struct report));
}

static void finding_done(struct finding *f)
{
    free(f->name);
    free(f->text);
    free(f->column);
    free(f->type);
}

void report_free(struct report *report)
{
    if (report == NULL)
        return;
    for (size_t i = 0; i < report->count; i++)
        finding_done(&report->findings[i]);
    free(report->findings);
    free(report);
}

/* Adds the finding, whose texts may be missing for lack of memory. */
static void keep(struct report *report, struct finding f)
{
    if (report->count == report->room) {
        size_t room = report->room > 0 ? report->room * 2 : 64;
        struct finding *findings = realloc(report->findings, room * sizeof *findings);
        if (findings != NULL) {
            report->findings = findings;
            report->room = room;
        }
    }
    if (f.name == NULL || f.text == NULL || report->count == report->room) {
        report->lost = true;
        finding_done(&f);
        return;
    }
    /* Foreign text: names of columns, topics and clients, values of a status. */
    printable_make(f.name);
    printable_make(f.text);
    printable_make(f.column);
    printable_make(f.type);
    report->findings[report->count++] = f;
    report->failures += f.level == REPORT_FAIL;
    report->warnings += f.level == REPORT_WARN;
    if (f.level == REPORT_FAIL && report->code == ERROR_NONE)
        report->code = ERROR_FAILED;
}

void report_add(struct report *report, enum report_level level, const char *area, const char *name,
                const char *format, ...)
{
    struct finding f = {.level = level, .area = area, .name = strdup(name)};
    va_list args;
    va_start(args, format);
    if (vasprintf(&f.text, format, args) < 0)
        f.text = NULL;
    va_end(args);
    keep(report, f);
}

void report_fail(struct report *report, const struct error *why, const char *area, const char *name)
{
    if (report->code == ERROR_NONE)
        report->code = why->code;
    report_add(report, REPORT_FAIL, area, name, "%s", why->text);
}

void report_field(struct report *report, enum report_level level, const char *name,
                  const char *column, const char *type, const char *becomes)
{
    keep(report, (struct finding){.level = level,
                                  .area = FIELDS,
                                  .name = strdup(name),
                                  .text = strdup(becomes),
                                  .column = strdup(column),
                                  .type = strdup(type)});
}

bool report_verdict(const struct report *report, struct error *err)
{
    if (report->lost)
        return error_no_memory(err);
    return report->failures == 0 ||
           error_set(err, report->code, "%zu check%s failed; see the FAIL lines above",
                     report->failures, report->failures == 1 ? "" : "s");
}

/* ---- for people ---- */

static const char *level_name(enum report_level level)
{
    static const char *const names[] = {"detail", "-", "ok", "warn", "FAIL"};
    return names[level];
}

static const char *level_colour(enum report_level level, const struct terminal_style *style)
{
    const char *const colours[] = {"", style->faint, style->good, style->warn, style->bad};
    return colours[level];
}

/* The columns that len bytes take: one for each character. */
static size_t columns_of(const char *text, size_t len)
{
    size_t columns = 0;
    for (size_t i = 0; i < len; i++)
        columns += ((unsigned char)text[i] & 0xc0) != 0x80;
    return columns;
}

/* Adds text word by word from column `at` on, going on at `indent` where a line is full. */
static void add_wrapped(struct buf *b, const char *text, size_t at, size_t indent, size_t width)
{
    bool begins = true; /* a line, or right behind a column */
    while (*text != '\0') {
        size_t len = strcspn(text, " "), columns = columns_of(text, len);
        if (!begins && at + 1 + columns > width) {
            buf_addf(b, "\n%*s", (int)indent, "");
            at = indent;
        } else if (!begins) {
            buf_add_char(b, ' ');
            at++;
        }
        buf_add(b, text, len);
        at += columns;
        begins = false;
        text += len + (text[len] == ' ');
    }
    buf_add_char(b, '\n');
}

static void add_padded(struct buf *b, const char *text, size_t width)
{
    size_t columns = columns_of(text, strlen(text));
    buf_addf(b, "%s%*s", text, columns < width ? (int)(width - columns) : 0, "");
}

struct widths {
    size_t name, column, type;
};

static void widen(size_t *width, const char *text)
{
    size_t columns = text != NULL ? columns_of(text, strlen(text)) : 0;
    *width = columns > *width ? columns : *width;
}

static struct widths widths_of(const struct report *report, const char *area)
{
    struct widths widths = {.name = NAME_WIDTH};
    for (size_t i = 0; i < report->count; i++) {
        const struct finding *f = &report->findings[i];
        if (f->level == REPORT_DETAIL || strcmp(f->area, area) != 0)
            continue;
        widen(&widths.name, f->name);
        widen(&widths.column, f->column);
        widen(&widths.type, f->type);
    }
    return widths;
}

/* In a narrow window a finding's type and text stand below its name and column. */
static void add_below(struct buf *b, const struct finding *f, size_t width)
{
    buf_addf(b, "\n%*s", INDENT + 2, "");
    if (f->type != NULL && *f->type != '\0') {
        buf_addf(b, "%s: ", f->type);
        add_wrapped(b, f->text, INDENT + 4 + columns_of(f->type, strlen(f->type)), INDENT + 2,
                    width);
    } else {
        add_wrapped(b, f->text, INDENT + 2, INDENT + 2, width);
    }
}

static void add_finding(struct buf *b, const struct finding *f, const struct widths *widths,
                        size_t width, const struct terminal_style *style)
{
    size_t indent = INDENT + widths->name + 2;
    bool is_field = f->column != NULL;
    size_t whole = is_field ? indent + widths->column + widths->type + 4 : indent;
    bool narrow = whole + TEXT_LEAST > width;
    buf_addf(b, "  %s%-5s%s ", level_colour(f->level, style), level_name(f->level), style->off);
    if (narrow && !is_field) {
        buf_add_text(b, f->name);
        add_below(b, f, width);
        return;
    }
    add_padded(b, f->name, widths->name + 2);
    if (narrow) {
        buf_add_text(b, f->column);
        add_below(b, f, width);
        return;
    }
    if (is_field) {
        add_padded(b, f->column, widths->column + 2);
        add_padded(b, f->type, widths->type + 2);
    }
    add_wrapped(b, f->text, whole, whole, width);
}

void report_text(const struct report *report, size_t width, const struct terminal_style *style,
                 struct buf *b)
{
    width = width < WIDTH_MIN ? WIDTH_MIN : width > WIDTH_MAX ? WIDTH_MAX : width;
    const char *area = "";
    struct widths widths = {0};
    for (size_t i = 0; i < report->count; i++) {
        const struct finding *f = &report->findings[i];
        if (f->level == REPORT_DETAIL)
            continue;
        if (strcmp(f->area, area) != 0) {
            area = f->area;
            widths = widths_of(report, area);
            buf_addf(b, "%s%s%s%s\n", b->len > 0 ? "\n" : "", style->strong, area, style->off);
        }
        add_finding(b, f, &widths, width, style);
    }
    buf_addf(b, "\nfailures: %zu, warnings: %zu\n", report->failures, report->warnings);
}

/* ---- for machines ---- */

static void add_member(struct buf *b, const char *name, const char *text)
{
    if (text == NULL)
        return;
    buf_addf(b, ",\"%s\":", name);
    if (!json_add_string(b, text, strlen(text)))
        buf_add_text(b, "\"\\ufffd\""); /* not UTF-8: nothing of it can be shown */
}

void report_json(const struct report *report, const char *version, struct buf *b)
{
    static const char *const levels[] = {"detail", "note", "ok", "warn", "fail"};
    buf_addf(b,
             "{\"format\":1,\"version\":\"%s\",\"ok\":%s,\"failures\":%zu,\"warnings\":%zu,"
             "\"findings\":[",
             version, report->failures == 0 ? "true" : "false", report->failures, report->warnings);
    for (size_t i = 0; i < report->count; i++) {
        const struct finding *f = &report->findings[i];
        buf_addf(b, "%s{\"level\":\"%s\"", i > 0 ? "," : "", levels[f->level]);
        add_member(b, "area", f->area);
        add_member(b, "name", f->name);
        add_member(b, "column", f->column);
        add_member(b, "type", f->type);
        add_member(b, "text", f->text);
        buf_add_char(b, '}');
    }
    buf_add_text(b, "]}\n");
}
