#include "config/reference/reference.h"

#include "base/slice.h"
#include "config/config.h"
#include "config/reference/reference_internal.h"
#include "config/value.h"

#include <stdio.h>
#include <string.h>

enum { LIMIT_MAX = 32, NAME_WIDTH = 26, FORM_WIDTH = 18 };

const char *reference_form(const struct config_option *o, char *text, size_t size)
{
    static const struct {
        const char *type;
        enum config_quantity quantity;
    } quantities[] = {{"COUNT", CONFIG_QUANTITY_COUNT},
                      {"DURATION", CONFIG_QUANTITY_DURATION},
                      {"SIZE", CONFIG_QUANTITY_SIZE}};
    char least[LIMIT_MAX], most[LIMIT_MAX];
    if (strcmp(o->type, "SWITCH") == 0)
        return "true|false";
    if (strcmp(o->type, "CHOICE") == 0)
        return o->allowed;
    if (strcmp(o->type, "SECRET") == 0)
        return "secret";
    for (size_t i = 0; i < sizeof quantities / sizeof *quantities; i++) {
        enum config_quantity quantity = quantities[i].quantity;
        if (strcmp(o->type, quantities[i].type) != 0)
            continue;
        snprintf(text, size, "%s to %s",
                 config_quantity_format(quantity, o->min, least, sizeof least),
                 config_quantity_format(quantity, o->max, most, sizeof most));
        return text;
    }
    return "text";
}

/* The group that an option is listed in, *ret_len bytes long: its name's first part; the program's
 * own topics are one group. */
static const char *group_of(const char *name, size_t *ret_len)
{
    const char *dot = strchr(name, '.');
    bool kafka = has_prefix(name, "kafka.");
    if (!kafka && strcmp(dot, ".topic") == 0)
        name = "topics";
    *ret_len = strcspn(name, ".");
    return name;
}

static bool begins_group(size_t i)
{
    size_t len, before_len;
    const char *group = group_of(config_options[i].name, &len);
    if (i == 0)
        return true;
    const char *before = group_of(config_options[i - 1].name, &before_len);
    return len != before_len || memcmp(group, before, len) != 0;
}

const struct open_ended open_ended[] = {
    {"kafka.properties.*", "any property of librdkafka, such as security.protocol; those that "
                           "would break a promise of the program are refused"},
    {"webhook.headers.*", "a header more with every request; values are secrets (X-Api-Key: "
                          "WEBHOOK_HEADERS_X_API_KEY, or …_FILE)"},
    {"registry.headers.*", "the same for the registry, such as X-Registry-GroupId for the group "
                           "that Apicurio keeps referenced schemas in"},
    {"trace.headers.*", "the same for trace.url, such as a collector's token (Authorization: "
                        "TRACE_HEADERS_AUTHORIZATION, or …_FILE)"},
    {"payload.fields.*", "the column that feeds this field of the payload"},
    {"payload.labels.*", "the label of this field in the shapes elementor and elementor-advanced; "
                         "default: the field's name"},
};
const size_t open_ended_count = sizeof open_ended / sizeof *open_ended;

void config_reference_text(struct buf *b)
{
    char form[REFERENCE_FORM_MAX];
    for (size_t i = 0; i < config_option_count; i++) {
        const struct config_option *o = &config_options[i];
        if (i > 0 && begins_group(i))
            buf_add_char(b, '\n');
        buf_addf(b, "%-*s %-*s %s", NAME_WIDTH, o->name, FORM_WIDTH,
                 reference_form(o, form, sizeof form), o->help);
        if (o->fallback != NULL)
            buf_addf(b, "; default %s", o->fallback);
        buf_add_char(b, '\n');
    }
    buf_add_char(b, '\n');
    for (size_t i = 0; i < open_ended_count; i++)
        buf_addf(b, "%-*s %-*s %s\n", NAME_WIDTH, open_ended[i].name, FORM_WIDTH, "text",
                 open_ended[i].help);
    for (size_t f = 0; f < FIELD_COUNT; f++)
        buf_addf(b, "  payload.fields.%-*s default %s\n", NAME_WIDTH + FORM_WIDTH - 16,
                 payload_field_names[f], payload_field_columns[f]);
}

/* A cell of a table, with its delimiter escaped. */
static void add_cell(struct buf *b, const char *text, const char *quote)
{
    buf_addf(b, " %s", quote);
    for (; *text != '\0'; text++) {
        if (*text == '|')
            buf_add_char(b, '\\');
        buf_add_char(b, *text);
    }
    buf_addf(b, "%s |", quote);
}

static void add_row(struct buf *b, const struct config_option *o)
{
    char form[REFERENCE_FORM_MAX], variable[CONFIG_NAME_MAX];
    buf_add_char(b, '|');
    add_cell(b, o->name, "`");
    add_cell(b, config_environment_name(o->name, variable, sizeof variable), "`");
    add_cell(b, reference_form(o, form, sizeof form), "");
    add_cell(b, o->fallback != NULL ? o->fallback : "", o->fallback != NULL ? "`" : "");
    add_cell(b, o->help, "");
    buf_add_char(b, '\n');
}

static void add_open_ended(struct buf *b)
{
    buf_add_text(b, "\n## Names of your own\n\n| option | what it is |\n|---|---|\n");
    for (size_t i = 0; i < open_ended_count; i++) {
        buf_add_char(b, '|');
        add_cell(b, open_ended[i].name, "`");
        add_cell(b, open_ended[i].help, "");
        buf_add_char(b, '\n');
    }
    buf_add_text(b, "\n| field of the payload | default column |\n|---|---|\n");
    for (size_t f = 0; f < FIELD_COUNT; f++)
        buf_addf(b, "| `payload.fields.%s` | `%s` |\n", payload_field_names[f],
                 payload_field_columns[f]);
}

void config_reference_markdown(struct buf *b)
{
    buf_add_text(
        b, "<!-- Written by `elementor-sync options --markdown`; a test fails when it is stale. "
           "-->\n# Options\n\n"
           "The file (YAML) < the environment < `--set name=value`. In the file, `${NAME}` and\n"
           "`${NAME:-default}` are filled in from the environment. Every secret is also read from "
           "the file\nthat its variable with `_FILE` behind it names. Durations are written "
           "`250ms`, `5s`, `2m`, `1h`,\n`7d`; sizes `65536`, `64KiB`, `8MiB`. An unknown name is "
           "an error.\n");
    for (size_t i = 0; i < config_option_count; i++) {
        if (begins_group(i)) {
            size_t len;
            const char *group = group_of(config_options[i].name, &len);
            buf_addf(b,
                     "\n## %.*s\n\n| option | environment | takes | default | what it is "
                     "|\n|---|---|---|---|---|\n",
                     (int)len, group);
        }
        add_row(b, &config_options[i]);
    }
    add_open_ended(b);
}
