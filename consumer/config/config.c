#include "config/config.h"

#include "base/fingerprint.h"
#include "base/slice.h"
#include "base/utf8.h"
#include "config/open_options.h"
#include "config/suggest.h"
#include "config/value.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIELD_PREFIX "payload.fields."
#define LABEL_PREFIX "payload.labels."
#define DURATION_MAX_MS (INT64_C(365) * 24 * 60 * 60 * 1000)

enum type {
    TYPE_TEXT,
    TYPE_SECRET,
    TYPE_SWITCH,
    TYPE_COUNT,
    TYPE_DURATION,
    TYPE_SIZE,
    TYPE_CHOICE,
    TYPE_OPEN /* config/open_options: not in the table */
};

/* The place of each option of the table in struct config. */
static const struct slot {
    enum type type;
    size_t offset;
} slots[] = {
#define X(member, name, type, fallback, min, max, allowed, help) \
    {TYPE_##type, offsetof(struct config, member)},
    CONFIG_OPTIONS(X)
#undef X
};

/* ---- names ---- */

/* The option that a name names. */
struct option_target {
    enum type type;
    void *member;                       /* of CONFIG_C_<type>; NULL for an open option */
    const struct config_option *option; /* NULL for one that is not in the table */
};

/* One of an option for each field of the payload. */
static bool find_field(const char *name, const char *prefix, char **members,
                       struct option_target *ret_target)
{
    const char *field = after_prefix(name, prefix);
    for (size_t f = 0; field != NULL && f < FIELD_COUNT; f++) {
        if (strcmp(payload_field_names[f], field) == 0) {
            *ret_target = (struct option_target){TYPE_TEXT, &members[f], NULL};
            return true;
        }
    }
    return false;
}

static bool find_target(struct config *config, const char *name, struct option_target *ret_target)
{
    for (size_t i = 0; i < config_option_count; i++) {
        if (strcmp(config_options[i].name, name) == 0) {
            *ret_target = (struct option_target){slots[i].type, (char *)config + slots[i].offset,
                                                 &config_options[i]};
            return true;
        }
    }
    if (find_field(name, FIELD_PREFIX, config->payload_column, ret_target) ||
        find_field(name, LABEL_PREFIX, config->payload_label, ret_target))
        return true;
    *ret_target = (struct option_target){TYPE_OPEN, NULL, NULL};
    return config_open_is_name(name);
}

/* ---- values ---- */

static bool set_text(char **member, const char *value, struct error *err)
{
    char *copy = strdup(value);
    if (copy == NULL)
        return error_no_memory(err);
    free(*member);
    *member = copy;
    return true;
}

/* Holds for every type; never shows the value, which may be a secret's. */
static bool check_text(const char *name, const char *value, struct error *err)
{
    if (*value == '\0' && !config_open_may_be_empty(name))
        return error_set(err, ERROR_CONFIG, "has no value; leave it out to keep the default");
    if (strpbrk(value, "\r\n") != NULL)
        return error_set(err, ERROR_CONFIG, "has a line break in its value");
    if (!utf8_is_valid(value, strlen(value)))
        return error_set(err, ERROR_CONFIG, "its value is not valid UTF-8");
    return true;
}

static bool set_quantity(const struct option_target *target, enum config_quantity quantity,
                         const char *value, struct error *err)
{
    return config_quantity_parse(quantity, value, target->option->min, target->option->max,
                                 target->member, err);
}

static bool set_choice(const struct option_target *target, const char *value, struct error *err)
{
    int choice = config_choice_parse(target->option->allowed, value, err);
    if (choice >= 0)
        *(CONFIG_C_CHOICE *)target->member = choice;
    return choice >= 0;
}

static bool set_switch(const struct option_target *target, const char *value, struct error *err)
{
    int choice = config_choice_parse("false|true", value, err);
    if (choice >= 0)
        *(CONFIG_C_SWITCH *)target->member = choice == 1;
    return choice >= 0;
}

/* hex: and two digits a byte, as the connector takes it; any other text is itself. */
static bool check_placeholder(const char *value, struct error *err)
{
    const char *digits = after_prefix(value, "hex:");
    if (digits == NULL)
        return true;
    size_t len = strlen(digits);
    return (len > 0 && len % 2 == 0 && strspn(digits, "0123456789abcdefABCDEF") == len) ||
           error_set(err, ERROR_CONFIG, "write an even number of hex digits behind hex:");
}

static bool assign(struct config *config, const struct option_target *target, const char *name,
                   const char *value, struct error *err)
{
    if (!check_text(name, value, err) ||
        (target->member == &config->rule_placeholder && !check_placeholder(value, err)))
        return false;
    switch (target->type) {
    case TYPE_TEXT:
    case TYPE_SECRET: return set_text(target->member, value, err);
    case TYPE_SWITCH: return set_switch(target, value, err);
    case TYPE_COUNT: return set_quantity(target, CONFIG_QUANTITY_COUNT, value, err);
    case TYPE_DURATION: return set_quantity(target, CONFIG_QUANTITY_DURATION, value, err);
    case TYPE_SIZE: return set_quantity(target, CONFIG_QUANTITY_SIZE, value, err);
    case TYPE_CHOICE: return set_choice(target, value, err);
    default: return config_open_set(config, name, value, err);
    }
}

bool config_set(struct config *config, const char *name, const char *value, const char *origin,
                struct error *err)
{
    struct option_target target;
    if (!find_target(config, name, &target)) {
        char text[ERROR_TEXT_MAX];
        return error_set(err, ERROR_CONFIG, "%s: %s", origin,
                         config_suggest(name, text, sizeof text));
    }
    struct error why = {0};
    bool is_zone = target.member == &config->payload_time_zone;
    if (assign(config, &target, name, value, &why) &&
        (!is_zone || set_text(&config->time_zone_origin, origin, &why)))
        return true;
    return error_set(err, why.code, "%s: %s: %s", origin, name, why.text);
}

bool config_parse_duration(const char *text, int64_t *ret_ms, struct error *err)
{
    return config_quantity_parse(CONFIG_QUANTITY_DURATION, text, 0, DURATION_MAX_MS, ret_ms, err);
}

/* ---- showing ---- */

static const char *choice_text(const char *allowed, int choice, char *text, size_t size)
{
    if (choice < 0)
        return NULL;
    for (; choice > 0; choice--)
        allowed += strcspn(allowed, "|") + 1;
    snprintf(text, size, "%.*s", (int)strcspn(allowed, "|"), allowed);
    return text;
}

static const char *quantity_text(enum config_quantity quantity, const void *member, char *text,
                                 size_t size)
{
    int64_t number = *(const int64_t *)member;
    return number < 0 ? NULL : config_quantity_format(quantity, number, text, size);
}

const char *config_value_text(const struct config *config, size_t option, char *text, size_t size)
{
    const void *member = (const char *)config + slots[option].offset;
    switch (slots[option].type) {
    case TYPE_TEXT:
        return config_holds_credentials(*(char *const *)member) ? "(not shown: it contains an @)"
                                                                : *(char *const *)member;
    case TYPE_SECRET:
        return *(char *const *)member == NULL
                   ? NULL
                   : fingerprint_show(config_options[option].name, *(char *const *)member, text);
    case TYPE_SWITCH: return *(const bool *)member ? "true" : "false";
    case TYPE_COUNT: return quantity_text(CONFIG_QUANTITY_COUNT, member, text, size);
    case TYPE_DURATION: return quantity_text(CONFIG_QUANTITY_DURATION, member, text, size);
    case TYPE_SIZE: return quantity_text(CONFIG_QUANTITY_SIZE, member, text, size);
    default: return choice_text(config_options[option].allowed, *(const int *)member, text, size);
    }
}

/* ---- life ---- */

static bool set_defaults(struct config *config)
{
    for (size_t i = 0; i < config_option_count; i++) {
        const struct config_option *option = &config_options[i];
        if (slots[i].type == TYPE_CHOICE)
            *(CONFIG_C_CHOICE *)(void *)((char *)config + slots[i].offset) = -1;
        if (slots[i].type == TYPE_DURATION)
            *(CONFIG_C_DURATION *)(void *)((char *)config + slots[i].offset) = -1;
        if (option->fallback != NULL &&
            !config_set(config, option->name, option->fallback, "default", NULL))
            return false;
    }
    for (size_t f = 0; f < FIELD_COUNT; f++)
        if (!set_text(&config->payload_column[f], payload_field_columns[f], NULL))
            return false;
    return true;
}

struct config *config_new(void)
{
    struct config *config = calloc(1, sizeof *config);
    if (config != NULL && !set_defaults(config)) {
        config_free(config);
        return NULL;
    }
    return config;
}

void config_free(struct config *config)
{
    if (config == NULL)
        return;
    for (size_t i = 0; i < config_option_count; i++)
        if (slots[i].type == TYPE_TEXT || slots[i].type == TYPE_SECRET)
            free(*(char **)(void *)((char *)config + slots[i].offset));
    config_open_free(config);
    for (size_t f = 0; f < FIELD_COUNT; f++) {
        free(config->payload_column[f]);
        free(config->payload_label[f]);
    }
    for (size_t i = 0; i < config->warning_count; i++)
        free(config->warnings[i]);
    for (size_t i = 0; i < config->secret_file_count; i++)
        free(config->secret_files[i]);
    free(config->secret_files);
    free(config->time_zone_origin);
    free(config->template);
    free(config);
}

void config_forget_secret(char **secret)
{
    if (*secret != NULL)
        explicit_bzero(*secret, strlen(*secret));
    free(*secret);
    *secret = NULL;
}

bool config_note_secret_file(struct config *config, const char *path)
{
    size_t count = config->secret_file_count;
    char **files = realloc(config->secret_files, (count + 1) * sizeof *files);
    if (files == NULL)
        return false;
    config->secret_files = files;
    files[count] = strdup(path);
    config->secret_file_count += files[count] != NULL;
    return files[count] != NULL;
}

void config_warn(struct config *config, const char *format, ...)
{
    va_list args;
    char *text = NULL;
    va_start(args, format);
    int len = vasprintf(&text, format, args);
    va_end(args);
    if (len < 0 || config->warning_count == CONFIG_WARNINGS_MAX) {
        free(len < 0 ? NULL : text);
        return;
    }
    config->warnings[config->warning_count++] = text;
}
