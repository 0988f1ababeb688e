#include "config/load/template_load.h"

#include "base/slice.h"
#include "config/load/load_internal.h"
#include "config/suggest.h"
#include "config/value.h"

#include <ctype.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEMPLATE_FILE_MAX = 256 * 1024, SHOWN_MAX = 160 };

#define COLUMN_PREFIX "column:"

static const char *const constant_names[] = {
#define X(id, name) name,
    TEMPLATE_CONSTANTS(X)
#undef X
};
enum { CONSTANTS = sizeof constant_names / sizeof *constant_names };

struct template_reader {
    const char *shown;
    const char *at, *end;
    size_t line;
    struct payload_template *template;
    char *bytes; /* where the next byte of text goes, behind the parts */
    struct error *err;
};

static bool fail(const struct template_reader *r, const char *problem)
{
    return error_set(r->err, ERROR_CONFIG, "%s:%zu: %s", r->shown, r->line, problem);
}

/* ---- parts ---- */

static struct template_part *last_part(const struct template_reader *r)
{
    struct payload_template *t = r->template;
    return t->part_count > 0 ? &t->parts[t->part_count - 1] : NULL;
}

static void add_byte(struct template_reader *r, char byte)
{
    struct template_part *part = last_part(r);
    if (part == NULL || part->kind != TEMPLATE_TEXT) {
        part = &r->template->parts[r->template->part_count++];
        *part = (struct template_part){.kind = TEMPLATE_TEXT, .text = {r->bytes, 0}};
    }
    *r->bytes++ = byte;
    part->text.len++;
}

static void add_bytes(struct template_reader *r, const char *from, const char *to)
{
    while (from < to)
        add_byte(r, *from++);
}

static void add_value(struct template_reader *r, enum template_part_kind kind, size_t index,
                      bool in_text)
{
    r->template->parts[r->template->part_count++] =
        (struct template_part){.kind = kind, .index = index, .in_text = in_text};
}

/* ---- names ---- */

static bool fail_unknown(const struct template_reader *r, struct slice name)
{
    char asked[CONFIG_NAME_MAX], problem[ERROR_TEXT_MAX];
    const char *nearest = NULL;
    snprintf(asked, sizeof asked, "%.*s", (int)(name.len < 60 ? name.len : 60), name.data);
    size_t least = strlen(asked) / 3 + 2; /* one more than is let pass */
    for (size_t i = 0; i < FIELD_COUNT + CONSTANTS; i++) {
        const char *known =
            i < FIELD_COUNT ? payload_field_names[i] : constant_names[i - FIELD_COUNT];
        size_t distance = config_distance(asked, known);
        if (distance < least) {
            least = distance;
            nearest = known;
        }
    }
    if (strcmp(asked, "sent_at") == 0 || strcmp(asked, "now") == 0)
        snprintf(problem, sizeof problem,
                 "unknown placeholder ${%s}: the body is the same in every attempt; ${event_at} is "
                 "when the change was made, and the header webhook-timestamp when it was sent",
                 asked);
    else if (nearest != NULL)
        snprintf(problem, sizeof problem,
                 "unknown placeholder ${%s}; did you mean ${%s}? (a column of the table is "
                 "${column:NAME})",
                 asked, nearest);
    else
        snprintf(problem, sizeof problem,
                 "unknown placeholder ${%s}; a column of the table is ${column:%s}, and the names "
                 "of all others stand in consumer/doc/receivers.md",
                 asked, asked);
    return fail(r, problem);
}

/* The column's place among those that are named, each once. */
static bool add_column(struct template_reader *r, struct slice name, bool in_text)
{
    struct payload_template *t = r->template;
    char problem[80];
    size_t i = 0;
    while (i < t->column_count && !slice_is(name, t->columns[i]))
        i++;
    if (name.len == 0)
        return fail(r, "${column:} names no column");
    if (i == CHANGE_EXTRA_MAX) {
        snprintf(problem, sizeof problem, "more columns than the %d that a template may name",
                 CHANGE_EXTRA_MAX);
        return fail(r, problem);
    }
    if (i == t->column_count) {
        t->columns[t->column_count++] = memcpy(r->bytes, name.data, name.len);
        r->bytes += name.len;
        *r->bytes++ = '\0';
    }
    add_value(r, TEMPLATE_COLUMN, i, in_text);
    return true;
}

static bool add_placeholder(struct template_reader *r, struct slice name, bool in_text)
{
    static const char prefix[] = COLUMN_PREFIX;
    enum { PREFIX = sizeof prefix - 1 };
    if (memchr(name.data, '\\', name.len) != NULL)
        return fail(r, "a placeholder's name holds a backslash; write the characters themselves");
    if (name.len >= PREFIX && memcmp(name.data, prefix, PREFIX) == 0)
        return add_column(r, (struct slice){name.data + PREFIX, name.len - PREFIX}, in_text);
    for (size_t f = 0; f < FIELD_COUNT; f++)
        if (slice_is(name, payload_field_names[f])) {
            add_value(r, TEMPLATE_FIELD, f, in_text);
            return true;
        }
    for (size_t i = 0; i < CONSTANTS; i++)
        if (slice_is(name, constant_names[i])) {
            add_value(r, TEMPLATE_CONSTANT, i, in_text);
            return true;
        }
    return fail_unknown(r, name);
}

/* ---- strings ---- */

/* A value's string, from behind its opening quote to its closing one. */
static bool read_text(struct template_reader *r, const char *at, const char *end)
{
    struct slice rest = {at, (size_t)(end - at)};
    const char *close = slice_has_prefix(rest, "${") ? memchr(at, '}', (size_t)(end - at)) : NULL;
    if (close != NULL && close + 1 == end)
        return add_placeholder(r, (struct slice){at + 2, (size_t)(close - at - 2)}, false);
    add_byte(r, '"');
    while (at < end) {
        rest = (struct slice){at, (size_t)(end - at)};
        if (slice_has_prefix(rest, "$${")) {
            add_bytes(r, at + 1, at + 3);
            at += 3;
        } else if (slice_has_prefix(rest, "${")) {
            close = memchr(at, '}', (size_t)(end - at));
            if (close == NULL)
                return fail(r, "a placeholder has no }; write $${ for the characters themselves");
            if (!add_placeholder(r, (struct slice){at + 2, (size_t)(close - at - 2)}, true))
                return false;
            at = close + 1;
        } else {
            add_byte(r, *at++);
        }
    }
    add_byte(r, '"');
    return true;
}

/* A key, or a value. */
static bool read_string(struct template_reader *r)
{
    const char *begin = ++r->at;
    while (*r->at != '"')
        r->at += *r->at == '\\' ? 2 : 1;
    const char *end = r->at++, *next = r->at;
    while (next < r->end && isspace((unsigned char)*next))
        next++;
    if (next == r->end || *next != ':')
        return read_text(r, begin, end);
    if (memmem(begin, (size_t)(end - begin), "${", 2) != NULL)
        return fail(r, "a placeholder stands in a key; only values are replaced");
    add_bytes(r, begin - 1, r->at);
    return true;
}

/* ---- the whole ---- */

/* jansson's message without what it quotes of the file. */
static bool check_json(const char *shown, const char *text, size_t len, struct error *err)
{
    json_error_t why;
    json_t *json = json_loadb(text, len, JSON_REJECT_DUPLICATES, &why);
    const char *quoted = strstr(why.text, " near '");
    if (json == NULL)
        return error_set(
            err, ERROR_CONFIG, "%s:%d: not JSON: %.*s", shown, why.line > 0 ? why.line : 1,
            (int)(quoted != NULL ? quoted - why.text : (long)strlen(why.text)), why.text);
    json_decref(json);
    return true;
}

static size_t count_placeholders(const char *text, size_t len)
{
    size_t count = 0;
    for (size_t i = 0; i + 1 < len; i++)
        count += text[i] == '$' && text[i + 1] == '{';
    return count;
}

struct payload_template *template_read(const char *shown, const char *text, size_t len,
                                       struct error *err)
{
    if (!check_json(shown, text, len, err))
        return NULL;
    /* Each byte of the file is text at most, and once more a column's name, with its NUL. */
    size_t placeholders = count_placeholders(text, len), parts = 2 * placeholders + 1;
    struct payload_template *t = calloc(1, sizeof *t + parts * sizeof *t->parts + 2 * len);
    if (t == NULL) {
        error_no_memory(err);
        return NULL;
    }
    struct template_reader r = {.shown = shown,
                                .at = text,
                                .end = text + len,
                                .line = 1,
                                .template = t,
                                .bytes = (char *)&t->parts[parts],
                                .err = err};
    while (r.at < r.end) {
        r.line += *r.at == '\n';
        if (*r.at == '"') {
            if (read_string(&r))
                continue;
            free(t);
            return NULL;
        }
        if (!isspace((unsigned char)*r.at))
            add_byte(&r, *r.at);
        r.at++;
    }
    return t;
}

bool template_load(struct config *config, struct error *err)
{
    const char *path = config->payload_template;
    bool is_wanted = config->payload_shape == PAYLOAD_TEMPLATE;
    char shown[SHOWN_MAX];
    size_t len;
    if (is_wanted && path == NULL)
        return error_set(err, ERROR_CONFIG,
                         "payload.shape is template, which needs payload.template, the name of a "
                         "JSON file with ${order_id} and the like in it");
    if (!is_wanted)
        return path == NULL ||
               error_set(err, ERROR_CONFIG,
                         "payload.template is set, and payload.shape is not template: the file "
                         "would not be used; set payload.shape to template, or leave it out");
    char *text = config_file_read(path, TEMPLATE_FILE_MAX, &len, err);
    if (text == NULL)
        return false;
    free(config->template);
    config->template = template_read(config_show(path, shown, sizeof shown), text, len, err);
    free(text);
    return config->template != NULL;
}
