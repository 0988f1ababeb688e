#include "edge/config_load.h"

#include "core/buf.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

enum { FILE_MAX = 1024 * 1024, SECRET_MAX = 64 * 1024, NAME_MAX_LEN = 256, DEPTH_MAX = 8 };

/* Reads a whole file of at most `limit` bytes into b. */
static bool read_file(const char *path, size_t limit, struct buf *b, struct error *err)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return error_set(err, ERROR_CONFIG, "%s: cannot be read: %s", path, strerror(errno));
    char chunk[4096];
    size_t len;
    buf_init(b, limit);
    while ((len = fread(chunk, 1, sizeof chunk, file)) > 0)
        buf_add(b, chunk, len);
    bool failed = ferror(file) != 0;
    fclose(file);
    if (failed)
        return error_set(err, ERROR_CONFIG, "%s: cannot be read: %s", path, strerror(errno));
    if (!buf_ok(b))
        return error_set(err, ERROR_CONFIG, "%s: longer than %zu bytes", path, limit);
    return true;
}

/* ---- the YAML file ---- */

/* Nested mappings become dotted names: where the parser is, and the names set so far. */
struct yaml_reader {
    struct config *config;
    const char *path;
    yaml_parser_t parser;
    char name[NAME_MAX_LEN]; /* of the mapping at hand, "" at the top */
    char **seen;
    size_t seen_count;
};

static bool yaml_fail(const struct yaml_reader *y, size_t line, const char *what, struct error *err)
{
    return error_set(err, ERROR_CONFIG, "%s:%zu: %s%s%s", y->path, line + 1, y->name,
                     *y->name ? ": " : "", what);
}

static bool next_event(struct yaml_reader *y, yaml_event_t *event, struct error *err)
{
    if (yaml_parser_parse(&y->parser, event))
        return true;
    const char *problem = y->parser.problem != NULL ? y->parser.problem : "not YAML";
    const char *hint = strstr(problem, "cannot start any token") != NULL
                           ? " (is it indented with a tab? use spaces)"
                           : "";
    return error_set(err, ERROR_CONFIG, "%s:%zu: %s%s", y->path, y->parser.problem_mark.line + 1,
                     problem, hint);
}

static bool note_name(struct yaml_reader *y, size_t line, struct error *err)
{
    for (size_t i = 0; i < y->seen_count; i++)
        if (strcmp(y->seen[i], y->name) == 0)
            return yaml_fail(y, line, "set twice", err);
    char **more = realloc(y->seen, (y->seen_count + 1) * sizeof *more);
    if (more != NULL)
        y->seen = more;
    char *copy = more != NULL ? strdup(y->name) : NULL;
    if (copy == NULL)
        return error_set(err, ERROR_NO_MEMORY, "no memory for the configuration");
    y->seen[y->seen_count++] = copy;
    return true;
}

static bool set_scalar(struct yaml_reader *y, const yaml_event_t *event, struct error *err)
{
    char origin[NAME_MAX_LEN + 32];
    size_t line = event->start_mark.line;
    const char *value = (const char *)event->data.scalar.value;
    bool plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    if (strlen(value) != event->data.scalar.length)
        return yaml_fail(y, line, "the value has a NUL in it", err);
    if (plain && (*value == '\0' || strcmp(value, "~") == 0 || strcmp(value, "null") == 0))
        return yaml_fail(y, line, "has no value", err);
    if (!note_name(y, line, err))
        return false;
    snprintf(origin, sizeof origin, "%s:%zu", y->path, line + 1);
    return config_set(y->config, y->name, value, origin, err);
}

static bool read_mapping(struct yaml_reader *y, unsigned depth, struct error *err);

static bool read_value(struct yaml_reader *y, unsigned depth, struct error *err)
{
    yaml_event_t event;
    if (!next_event(y, &event, err))
        return false;
    bool ok;
    switch (event.type) {
    case YAML_SCALAR_EVENT: ok = set_scalar(y, &event, err); break;
    case YAML_MAPPING_START_EVENT: ok = read_mapping(y, depth + 1, err); break;
    case YAML_SEQUENCE_START_EVENT:
        ok = yaml_fail(y, event.start_mark.line, "is a list; a single value belongs here", err);
        break;
    default: ok = yaml_fail(y, event.start_mark.line, "aliases are not supported", err);
    }
    yaml_event_delete(&event);
    return ok;
}

/* Puts a key behind the name of the mapping it stands in; *ret_old_len restores it. */
static bool enter_key(struct yaml_reader *y, const yaml_event_t *key, size_t *ret_old_len,
                      struct error *err)
{
    size_t len = strlen(y->name);
    if (key->type != YAML_SCALAR_EVENT)
        return yaml_fail(y, key->start_mark.line, "a name was expected here", err);
    int added = snprintf(y->name + len, sizeof y->name - len, "%s%s", len > 0 ? "." : "",
                         (const char *)key->data.scalar.value);
    *ret_old_len = len;
    if (added < 0 || (size_t)added >= sizeof y->name - len) {
        y->name[len] = '\0';
        return yaml_fail(y, key->start_mark.line, "the name is too long", err);
    }
    return true;
}

/* The pairs of a mapping whose start was read already, its end included. */
static bool read_mapping(struct yaml_reader *y, unsigned depth, struct error *err)
{
    for (;;) {
        yaml_event_t key;
        size_t old_len = 0;
        if (!next_event(y, &key, err))
            return false;
        if (key.type == YAML_MAPPING_END_EVENT) {
            yaml_event_delete(&key);
            return true;
        }
        bool ok = depth < DEPTH_MAX || yaml_fail(y, key.start_mark.line, "nested too deeply", err);
        ok = ok && enter_key(y, &key, &old_len, err);
        yaml_event_delete(&key);
        if (!ok || !read_value(y, depth, err))
            return false;
        y->name[old_len] = '\0';
    }
}

/* Up to the document's top-level mapping, and through it; an empty file is fine. */
static bool read_document(struct yaml_reader *y, struct error *err)
{
    for (;;) {
        yaml_event_t event;
        if (!next_event(y, &event, err))
            return false;
        yaml_event_type_t type = event.type;
        size_t line = event.start_mark.line;
        bool empty = type == YAML_SCALAR_EVENT && event.data.scalar.length == 0;
        yaml_event_delete(&event);
        if (type == YAML_STREAM_END_EVENT)
            return true;
        if (type == YAML_MAPPING_START_EVENT && !read_mapping(y, 0, err))
            return false;
        if (type == YAML_SEQUENCE_START_EVENT || (type == YAML_SCALAR_EVENT && !empty))
            return yaml_fail(y, line, "options are written as \"name: value\"", err);
    }
}

static bool load_file(struct config *config, const char *path, struct error *err)
{
    struct buf text;
    struct yaml_reader y = {.config = config, .path = path};
    buf_init(&text, FILE_MAX);
    bool ok = read_file(path, FILE_MAX, &text, err);
    if (ok && !yaml_parser_initialize(&y.parser)) {
        ok = error_set(err, ERROR_NO_MEMORY, "no memory for the configuration");
    } else if (ok) {
        yaml_parser_set_input_string(&y.parser, (const unsigned char *)buf_text(&text), text.len);
        ok = read_document(&y, err);
        yaml_parser_delete(&y.parser);
    }
    for (size_t i = 0; i < y.seen_count; i++)
        free(y.seen[i]);
    free(y.seen);
    buf_done(&text);
    return ok;
}

/* ---- the environment ---- */

/* The value of a variable, NULL when unset or empty. */
static const char *variable(char *const *environment, const char *name)
{
    size_t len = strlen(name);
    for (; *environment != NULL; environment++)
        if (strncmp(*environment, name, len) == 0 && (*environment)[len] == '=')
            return (*environment)[len + 1] != '\0' ? *environment + len + 1 : NULL;
    return NULL;
}

/* A secret's text: without a BOM before it and one line break behind it. */
static bool clean_secret(struct buf *b, const char *path, struct error *err)
{
    static const char bom[] = "\xef\xbb\xbf";
    if (b->len >= 3 && memcmp(b->data, bom, 3) == 0)
        memmove(b->data, b->data + 3, b->len -= 3);
    if (b->len > 0 && b->data[b->len - 1] == '\n')
        b->len--;
    if (b->len > 0 && b->data[b->len - 1] == '\r')
        b->len--;
    if (b->len == 0)
        return error_set(err, ERROR_CONFIG, "%s: the secret's file is empty", path);
    for (size_t i = 0; i < b->len; i++)
        if (iscntrl((unsigned char)b->data[i]))
            return error_set(err, ERROR_CONFIG,
                             "%s: the secret has a control character or a second line", path);
    return true;
}

static bool set_from_secret_file(struct config *config, const char *option, const char *name,
                                 const char *path, struct error *err)
{
    struct buf secret;
    struct error why = {0};
    buf_init(&secret, SECRET_MAX);
    bool ok = read_file(path, SECRET_MAX, &secret, &why) && clean_secret(&secret, path, &why) &&
              config_set(config, option, buf_text(&secret), name, err);
    if (why.code != ERROR_NONE)
        error_set(err, why.code, "%s: %s", name, why.text);
    buf_done(&secret);
    return ok;
}

/* One option from NAME, or from the file that NAME_FILE names. *ret_set: whether there was one. */
static bool set_from(struct config *config, char *const *environment, const char *option,
                     const char *name, bool secret, bool *ret_set, struct error *err)
{
    char file_name[NAME_MAX_LEN + 8];
    snprintf(file_name, sizeof file_name, "%s_FILE", name);
    const char *value = variable(environment, name);
    const char *path = secret ? variable(environment, file_name) : NULL;
    *ret_set = value != NULL || path != NULL;
    if (value != NULL && path != NULL)
        return error_set(err, ERROR_CONFIG, "%s and %s are both set: choose one", name, file_name);
    if (path != NULL)
        return set_from_secret_file(config, option, file_name, path, err);
    return value == NULL || config_set(config, option, value, name, err);
}

static bool load_option(struct config *config, char *const *environment, size_t i,
                        struct error *err)
{
    char name[NAME_MAX_LEN];
    bool set;
    config_environment_name(config_options[i].name, name, sizeof name);
    return set_from(config, environment, config_options[i].name, name, config_options[i].secret,
                    &set, err);
}

/* ELEMENTOR_WEBHOOK_URL is the shop's own name for webhook.url. */
static bool load_webhook_url(struct config *config, char *const *environment, struct error *err)
{
    bool set, other = variable(environment, "WEBHOOK_URL") != NULL ||
                      variable(environment, "WEBHOOK_URL_FILE") != NULL;
    if (!set_from(config, environment, "webhook.url", "ELEMENTOR_WEBHOOK_URL", true, &set, err))
        return false;
    if (set && other)
        return error_set(err, ERROR_CONFIG,
                         "ELEMENTOR_WEBHOOK_URL and WEBHOOK_URL are both set: choose one");
    return true;
}

/* KAFKA_PROPERTIES_SASL_PASSWORD sets sasl.password; …_PASSWORD_FILE reads it from a file. */
static bool load_property(struct config *config, const char *assignment, struct error *err)
{
    static const char prefix[] = "KAFKA_PROPERTIES_", file_suffix[] = "_file";
    char option[NAME_MAX_LEN] = "kafka.properties.", variable_name[NAME_MAX_LEN];
    const char *sign = strchr(assignment, '=');
    size_t len = (size_t)(sign - assignment), from = sizeof prefix - 1, at = strlen(option);
    if (len >= sizeof variable_name - 1 || sign[1] == '\0')
        return true;
    memcpy(variable_name, assignment, len);
    variable_name[len] = '\0';
    size_t end =
        len - from > 5 && strcasecmp(variable_name + len - 5, file_suffix) == 0 ? len - 5 : len;
    for (size_t i = from; i < end; i++)
        option[at++] =
            variable_name[i] == '_' ? '.' : (char)tolower((unsigned char)variable_name[i]);
    option[at] = '\0';
    if (end < len && config_property_is_secret(option))
        return set_from_secret_file(config, option, variable_name, sign + 1, err);
    if (end < len)
        strcpy(option + at, ".file");
    return config_set(config, option, sign + 1, variable_name, err);
}

static bool load_environment(struct config *config, char *const *environment, struct error *err)
{
    for (size_t i = 0; i < config_option_count; i++)
        if (!load_option(config, environment, i, err))
            return false;
    for (char *const *e = environment; *e != NULL; e++)
        if (strncmp(*e, "KAFKA_PROPERTIES_", 17) == 0 && strchr(*e, '=') != NULL &&
            !load_property(config, *e, err))
            return false;
    return load_webhook_url(config, environment, err);
}

/* ---- --set ---- */

static bool load_set(struct config *config, const char *set, struct error *err)
{
    char name[NAME_MAX_LEN];
    const char *sign = strchr(set, '=');
    if (sign == NULL || sign == set || (size_t)(sign - set) >= sizeof name)
        return error_set(err, ERROR_CONFIG,
                         "--set: write name=value, as in --set webhook.timeout=5s");
    memcpy(name, set, (size_t)(sign - set));
    name[sign - set] = '\0';
    return config_set(config, name, sign + 1, "--set", err);
}

bool config_load(struct config *config, const char *path, char *const *environment,
                 const char *const *sets, size_t set_count, struct error *err)
{
    if (path != NULL && !load_file(config, path, err))
        return false;
    if (!load_environment(config, environment, err))
        return false;
    for (size_t i = 0; i < set_count; i++)
        if (!load_set(config, sets[i], err))
            return false;
    return true;
}
