/* yaml: the file's nested mappings, flattened to dotted names, as calls of config_set.
 *
 *   kafka:                            config_set("kafka.brokers", "a:9092", "shop.yaml:2")
 *     brokers: a:9092
 *
 * libyaml's events, one at a time: no document is built, so nothing can be expanded in it. */
#include "config/load/expand.h"
#include "config/load/load_internal.h"
#include "config/value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

enum { FILE_MAX = 1024 * 1024, KEYS_MAX = 1000, SHOWN_MAX = 160 };

#define HOW_TO_WRITE "write options as NAME: VALUE, such as kafka.brokers: localhost:9092"

struct yaml_key { /* owned by the reader */
    char *name;
    size_t line;
};

struct yaml_reader {
    struct config *config;
    char *const *environment;
    char path[SHOWN_MAX]; /* as messages show it */
    bool public, warned;  /* every user may read the file; a secret in it was warned of */
    const char *text;     /* the file's */
    size_t len;
    yaml_parser_t parser;
    yaml_event_t event;             /* the present one */
    char name[CONFIG_NAME_MAX];     /* of the mapping or value at hand, dotted; "" at the top */
    struct yaml_key keys[KEYS_MAX]; /* all there were */
    size_t key_count;
    struct error *err;
};

/* ---- errors ---- */

static size_t line_of(const yaml_event_t *event)
{
    return event->start_mark.line + 1;
}

static bool fail(struct yaml_reader *r, const char *problem)
{
    return error_set(r->err, ERROR_CONFIG, "%s:%zu: %s%s%s", r->path, line_of(&r->event), r->name,
                     *r->name != '\0' ? ": " : "", problem);
}

static size_t line_at(const struct yaml_reader *r, size_t offset)
{
    size_t line = 1;
    for (size_t i = 0; i < offset && i < r->len; i++)
        line += r->text[i] == '\n';
    return line;
}

static bool has_tab_indent(const struct yaml_reader *r, size_t line)
{
    const char *text = r->text;
    while (--line > 0 && (text = strchr(text, '\n')) != NULL)
        text++;
    return text != NULL && text[strspn(text, " ")] == '\t';
}

/* libyaml's own message, which never quotes the file. */
static bool fail_syntax(struct yaml_reader *r)
{
    const yaml_parser_t *p = &r->parser;
    if (p->error == YAML_MEMORY_ERROR)
        return error_no_memory(r->err);
    size_t line =
        p->error == YAML_READER_ERROR ? line_at(r, p->problem_offset) : p->problem_mark.line + 1;
    return error_set(r->err, ERROR_CONFIG, "%s:%zu: not YAML: %s%s%s%s", r->path, line, p->problem,
                     p->context != NULL ? " " : "", p->context != NULL ? p->context : "",
                     has_tab_indent(r, line) ? "; indent with spaces, not tabs" : "");
}

/* ---- events ---- */

static bool refuse_references(struct yaml_reader *r)
{
    const yaml_event_t *e = &r->event;
    bool anchor = false, tag = false;
    if (e->type == YAML_SCALAR_EVENT) {
        anchor = e->data.scalar.anchor != NULL;
        tag = e->data.scalar.tag != NULL;
    } else if (e->type == YAML_MAPPING_START_EVENT) {
        anchor = e->data.mapping_start.anchor != NULL;
        tag = e->data.mapping_start.tag != NULL;
    } else if (e->type == YAML_SEQUENCE_START_EVENT) {
        anchor = e->data.sequence_start.anchor != NULL;
        tag = e->data.sequence_start.tag != NULL;
    }
    if (anchor || e->type == YAML_ALIAS_EVENT)
        return fail(r, "anchors (&) and aliases (*) are not supported; quote a value that begins "
                       "with one of these");
    return !tag || fail(r, "tags (!) are not supported; quote a value that begins with one");
}

/* Makes the next event the present one. */
static bool next(struct yaml_reader *r)
{
    yaml_event_delete(&r->event);
    if (!yaml_parser_parse(&r->parser, &r->event))
        return fail_syntax(r);
    return refuse_references(r);
}

static const char *scalar_text(const yaml_event_t *event)
{
    return (const char *)event->data.scalar.value;
}

static bool is_null(const yaml_event_t *event)
{
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL"};
    if (event->type != YAML_SCALAR_EVENT || event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
        return false;
    for (size_t i = 0; i < sizeof nulls / sizeof *nulls; i++)
        if (strcmp(scalar_text(event), nulls[i]) == 0)
            return true;
    return false;
}

/* ---- names and values ---- */

static bool note_key(struct yaml_reader *r)
{
    for (size_t i = 0; i < r->key_count; i++)
        if (strcmp(r->keys[i].name, r->name) == 0)
            return error_set(r->err, ERROR_CONFIG, "%s:%zu: %s: set twice, first in line %zu",
                             r->path, line_of(&r->event), r->name, r->keys[i].line);
    if (r->key_count == KEYS_MAX)
        return fail(r, "too many options");
    char *name = strdup(r->name);
    if (name == NULL)
        return error_no_memory(r->err);
    r->keys[r->key_count++] = (struct yaml_key){name, line_of(&r->event)};
    return true;
}

/* Appends the present key to the name of its mapping, which is `len` long. */
static bool enter_key(struct yaml_reader *r, size_t len)
{
    if (r->event.type != YAML_SCALAR_EVENT)
        return fail(r, HOW_TO_WRITE);
    const char *key = scalar_text(&r->event);
    size_t dot = len > 0, key_len = r->event.data.scalar.length;
    if (strlen(key) != key_len || !config_name_is_plain(key))
        return fail(r, "this is not an option's name; names look like kafka.brokers");
    if (len + dot + key_len >= sizeof r->name)
        return fail(r, "the option's name is too long");
    memcpy(r->name + len, ".", dot);
    memcpy(r->name + len + dot, key, key_len + 1);
    return note_key(r);
}

/* A secret written out in a file that every user may read. */
static void warn_of_secret(struct yaml_reader *r, const char *value)
{
    if (r->warned || !r->public || !config_name_is_secret(r->name) || strstr(value, "${") != NULL)
        return;
    r->warned = true;
    config_warn(r->config,
                "%s: %s is a secret in a file that every user of this machine can read; chmod 600 "
                "it, or take the secret from the environment",
                r->path, r->name);
}

static bool set_scalar(struct yaml_reader *r)
{
    char origin[SHOWN_MAX + 32];
    struct error why = {0};
    const char *text = scalar_text(&r->event);
    if (is_null(&r->event))
        return fail(r, "has no value");
    if (strlen(text) != r->event.data.scalar.length)
        return fail(r, "has a NUL in its value");
    char *value = config_expand(text, config_look_up_variable, r->environment, &why);
    if (value == NULL)
        return fail(r, why.text);
    warn_of_secret(r, text);
    snprintf(origin, sizeof origin, "%s:%zu", r->path, line_of(&r->event));
    bool ok = config_set(r->config, r->name, value, origin, r->err);
    free(value);
    return ok;
}

/* The pairs of a mapping, whose start is the present event, up to its end. A name's maximal length
 * bounds the depth. */
static bool read_mapping(struct yaml_reader *r)
{
    size_t len = strlen(r->name);
    while (next(r) && r->event.type != YAML_MAPPING_END_EVENT) {
        if (!enter_key(r, len) || !next(r))
            return false;
        if (r->event.type == YAML_SEQUENCE_START_EVENT)
            return fail(r, "is a list; one value is expected");
        if (!(r->event.type == YAML_SCALAR_EVENT ? set_scalar(r) : read_mapping(r)))
            return false;
        r->name[len] = '\0';
    }
    return r->event.type == YAML_MAPPING_END_EVENT;
}

/* All of the file: nothing, or one document that is a mapping. */
static bool read_stream(struct yaml_reader *r)
{
    bool had_document = false;
    while (next(r) && r->event.type != YAML_STREAM_END_EVENT) {
        if (r->event.type != YAML_DOCUMENT_START_EVENT)
            continue; /* the stream's start, a document's end */
        if (had_document)
            return fail(r, "a second document begins here; write one");
        had_document = true;
        if (!next(r))
            return false;
        if (is_null(&r->event))
            continue;
        if (r->event.type != YAML_MAPPING_START_EVENT)
            return fail(r, HOW_TO_WRITE);
        if (!read_mapping(r))
            return false;
    }
    return r->event.type == YAML_STREAM_END_EVENT;
}

/* ---- life ---- */

static struct yaml_reader *reader_new(struct config *config, const char *path,
                                      char *const *environment, struct error *err)
{
    struct yaml_reader *r = calloc(1, sizeof *r);
    if (r == NULL || !yaml_parser_initialize(&r->parser)) {
        free(r);
        error_no_memory(err);
        return NULL;
    }
    r->config = config;
    r->environment = environment;
    struct config_file_rights others = config_file_rights_of_others(path);
    r->public = others.read;
    r->err = err;
    config_show(path, r->path, sizeof r->path);
    if (others.write)
        config_warn(config,
                    "%s can be changed by every user of this machine, and with it where orders are "
                    "sent; chmod go-w it",
                    r->path);
    return r;
}

static void reader_free(struct yaml_reader *r)
{
    for (size_t i = 0; i < r->key_count; i++)
        free(r->keys[i].name);
    yaml_event_delete(&r->event);
    yaml_parser_delete(&r->parser);
    free(r);
}

bool config_yaml_load(struct config *config, const char *path, char *const *environment,
                      struct error *err)
{
    size_t len;
    char *text = config_file_read(path, FILE_MAX, &len, err);
    struct yaml_reader *r = text != NULL ? reader_new(config, path, environment, err) : NULL;
    bool ok = false;
    if (r != NULL) {
        r->text = text;
        r->len = len;
        yaml_parser_set_input_string(&r->parser, (const unsigned char *)text, len);
        ok = read_stream(r);
        reader_free(r);
    }
    free(text);
    return ok;
}
