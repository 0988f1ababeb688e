#include "config/config.h"

#include "base/fingerprint.h"
#include "base/utf8.h"
#include "config/safety.h"
#include "config/suggest.h"
#include "config/value.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define PROPERTY_PREFIX "kafka.properties."
#define HEADER_PREFIX "webhook.headers."
#define REGISTRY_HEADER_PREFIX "registry.headers."
#define FIELD_PREFIX "payload.fields."
#define DURATION_MAX_MS (INT64_C(365) * 24 * 60 * 60 * 1000)

enum type {
    TYPE_TEXT,
    TYPE_SECRET,
    TYPE_SWITCH,
    TYPE_COUNT,
    TYPE_DURATION,
    TYPE_SIZE,
    TYPE_CHOICE,
    TYPE_PROPERTY, /* kafka.properties.*: not in the table */
    TYPE_HEADER,   /* webhook.headers.*: neither */
    TYPE_REGISTRY_HEADER
};

const struct config_option config_options[] = {
#define X(member, option_name, option_type, default_text, least, most, words, help_text) \
    {.name = option_name,                                                                \
     .type = #option_type,                                                               \
     .fallback = default_text,                                                           \
     .allowed = words,                                                                   \
     .help = help_text,                                                                  \
     .min = least,                                                                       \
     .max = most,                                                                        \
     .secret = TYPE_##option_type == TYPE_SECRET},
    CONFIG_OPTIONS(X)
#undef X
};

const size_t config_option_count = sizeof config_options / sizeof *config_options;

/* Where each option of the table lives in struct config. */
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

/* What a name stands for. */
struct option_target {
    enum type type;
    void *member;                       /* of CONFIG_C_<type>; NULL for a property */
    const struct config_option *option; /* NULL for what is not in the table */
    const char *property;               /* PROPERTY, HEADER: the name without its prefix; or "" */
};

/* The text behind the prefix; NULL when it does not begin with it. */
static const char *behind(const char *text, const char *prefix)
{
    size_t len = strlen(prefix);
    return strncmp(text, prefix, len) == 0 ? text + len : NULL;
}

static bool find_target(struct config *config, const char *name, struct option_target *ret_target)
{
    for (size_t i = 0; i < config_option_count; i++) {
        if (strcmp(config_options[i].name, name) == 0) {
            *ret_target = (struct option_target){slots[i].type, (char *)config + slots[i].offset,
                                                 &config_options[i], ""};
            return true;
        }
    }
    const char *rest = behind(name, FIELD_PREFIX);
    for (size_t f = 0; rest != NULL && f < FIELD_COUNT; f++) {
        if (strcmp(payload_field_names[f], rest) == 0) {
            *ret_target = (struct option_target){TYPE_TEXT, &config->payload_column[f], NULL, ""};
            return true;
        }
    }
    rest = behind(name, HEADER_PREFIX);
    if (rest != NULL && *rest != '\0' && config_name_is_plain(name)) {
        *ret_target = (struct option_target){TYPE_HEADER, NULL, NULL, rest};
        return true;
    }
    rest = behind(name, REGISTRY_HEADER_PREFIX);
    if (rest != NULL && *rest != '\0' && config_name_is_plain(name)) {
        *ret_target = (struct option_target){TYPE_REGISTRY_HEADER, NULL, NULL, rest};
        return true;
    }
    rest = behind(name, PROPERTY_PREFIX);
    if (rest == NULL || *rest == '\0' || !config_name_is_plain(name))
        return false;
    *ret_target = (struct option_target){TYPE_PROPERTY, NULL, NULL, rest};
    return true;
}

const char *config_environment_name(const char *name, char *text, size_t size)
{
    snprintf(text, size, "%s", name);
    for (char *c = text; *c != '\0'; c++)
        *c = (char)(*c == '.' ? '_' : toupper((unsigned char)*c));
    return text;
}

/* ---- Kafka's properties ---- */

/* Those that would break what the program promises, and why. */
static const char *refusal(const char *property)
{
    static const char by_us[] = "the program commits offsets, once their records are settled";
    static const char parking[] = "records are parked with acks=all and idempotence, or they could "
                                  "be lost; this cannot be changed";
    static const struct {
        const char *name, *why;
    } refused[] = {
        {"bootstrap.servers", "use kafka.brokers"},
        {"metadata.broker.list", "use kafka.brokers"},
        {"group.id", "use kafka.group"},
        {"auto.offset.reset", "a lost offset must not be skipped silently; kafka.start sets where "
                              "a partition without a commit begins"},
        {"enable.auto.commit", by_us},
        {"auto.commit.enable", by_us},
        {"enable.auto.offset.store", by_us},
        {"enable.partition.eof", "the program depends on the value that it sets"},
        {"allow.auto.create.topics", "a mistyped topic must be an error, not a new topic"},
        {"acks", parking},
        {"request.required.acks", parking},
        {"enable.idempotence", parking},
    };
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        if (strcmp(refused[i].name, property) == 0)
            return refused[i].why;
    return NULL;
}

bool config_name_is_secret(const char *name)
{
    for (size_t i = 0; i < config_option_count; i++)
        if (strcmp(config_options[i].name, name) == 0)
            return config_options[i].secret;
    const char *property = behind(name, PROPERTY_PREFIX);
    return behind(name, HEADER_PREFIX) != NULL || behind(name, REGISTRY_HEADER_PREFIX) != NULL ||
           (property != NULL && config_property_is_secret(property));
}

bool config_property_is_secret(const char *property)
{
    static const char *const endings[] = {"password", "secret", "jaas.config", "oauthbearer.config",
                                          "key.pem"};
    size_t len = strlen(property);
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        size_t size = strlen(endings[i]);
        if (len >= size && strcmp(property + len - size, endings[i]) == 0)
            return true;
    }
    return false;
}

const char *config_property(const struct config *config, const char *property)
{
    for (size_t i = 0; i < config->kafka_property_count; i++)
        if (strcmp(config->kafka_properties[i].name, property) == 0)
            return config->kafka_properties[i].value;
    return NULL;
}

static bool set_text(char **member, const char *value, struct error *err)
{
    char *copy = strdup(value);
    if (copy == NULL)
        return error_set(err, ERROR_NO_MEMORY, "out of memory");
    free(*member);
    *member = copy;
    return true;
}

/* The pair of this name in a list, made if need be; NULL without memory. */
static struct config_pair *pair_named(struct config_pair **list, size_t *count, const char *name)
{
    for (size_t i = 0; i < *count; i++)
        if (strcmp((*list)[i].name, name) == 0)
            return &(*list)[i];
    struct config_pair *pairs = realloc(*list, (*count + 1) * sizeof *pairs);
    if (pairs == NULL)
        return NULL;
    *list = pairs;
    pairs[*count] = (struct config_pair){.name = strdup(name)};
    if (pairs[*count].name == NULL)
        return NULL;
    return &pairs[(*count)++];
}

static bool set_pair(struct config_pair **list, size_t *count, const char *name, const char *value,
                     struct error *err)
{
    char *copy = strdup(value);
    struct config_pair *pair = copy != NULL ? pair_named(list, count, name) : NULL;
    if (pair == NULL) {
        free(copy);
        return error_set(err, ERROR_NO_MEMORY, "out of memory");
    }
    free(pair->value);
    pair->value = copy;
    return true;
}

static bool set_property(struct config *config, const char *name, const char *value,
                         struct error *err)
{
    const char *why_not = refusal(name);
    if (strcmp(name, "isolation.level") == 0 && strcasecmp(value, "read_committed") != 0)
        return error_set(err, ERROR_CONFIG,
                         "cannot be set to anything but read_committed: records of a transaction "
                         "that was rolled back would be sent as orders");
    if (why_not != NULL)
        return error_set(err, ERROR_CONFIG, "cannot be set: %s", why_not);
    return set_pair(&config->kafka_properties, &config->kafka_property_count, name, value, err);
}

static bool is_header_name(const char *name)
{
    return name[strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")] ==
           '\0';
}

/* Those that the program sends itself, and those that would break the request. */
static bool set_header(struct config *config, const char *name, const char *value,
                       struct error *err)
{
    static const char *const own[] = {"content-type",      "content-length",    "host",
                                      "transfer-encoding", "connection",        "expect",
                                      "webhook-id",        "webhook-timestamp", "webhook-signature",
                                      "webhook-attempt",   "webhook-source",    "idempotency-key"};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (strcasecmp(own[i], name) == 0)
            return error_set(err, ERROR_CONFIG, "cannot be set: the program sends it itself");
    if (!is_header_name(name))
        return error_set(err, ERROR_CONFIG, "is no header name: letters, digits, - and _");
    if (config->webhook_header_count >= CONFIG_HEADERS_MAX)
        return error_set(err, ERROR_CONFIG, "more than %d extra headers", CONFIG_HEADERS_MAX);
    return set_pair(&config->webhook_headers, &config->webhook_header_count, name, value, err);
}

static bool set_registry_header(struct config *config, const char *name, const char *value,
                                struct error *err)
{
    static const char *const own[] = {"accept", "authorization", "content-length", "host",
                                      "connection"};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (strcasecmp(own[i], name) == 0)
            return error_set(err, ERROR_CONFIG, "cannot be set: the program sends it itself");
    if (!is_header_name(name))
        return error_set(err, ERROR_CONFIG, "is no header name: letters, digits, - and _");
    if (config->registry_header_count >= CONFIG_HEADERS_MAX)
        return error_set(err, ERROR_CONFIG, "more than %d extra headers", CONFIG_HEADERS_MAX);
    return set_pair(&config->registry_headers, &config->registry_header_count, name, value, err);
}

/* ---- values ---- */

/* Holds for every type; never shows the value, which may be a secret's. */
static bool check_text(const struct option_target *target, const char *value, struct error *err)
{
    if (*value == '\0' && target->type != TYPE_PROPERTY)
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
    const char *digits = behind(value, "hex:");
    if (digits == NULL)
        return true;
    size_t len = strlen(digits);
    return (len > 0 && len % 2 == 0 && strspn(digits, "0123456789abcdefABCDEF") == len) ||
           error_set(err, ERROR_CONFIG, "write an even number of hex digits behind hex:");
}

static bool assign(struct config *config, const struct option_target *target, const char *value,
                   struct error *err)
{
    if (!check_text(target, value, err) ||
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
    case TYPE_HEADER: return set_header(config, target->property, value, err);
    case TYPE_REGISTRY_HEADER: return set_registry_header(config, target->property, value, err);
    default: return set_property(config, target->property, value, err);
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
    if (assign(config, &target, value, &why) &&
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

static void free_pairs(struct config_pair *pairs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(pairs[i].name);
        free(pairs[i].value);
    }
    free(pairs);
}

void config_free(struct config *config)
{
    if (config == NULL)
        return;
    for (size_t i = 0; i < config_option_count; i++)
        if (slots[i].type == TYPE_TEXT || slots[i].type == TYPE_SECRET)
            free(*(char **)(void *)((char *)config + slots[i].offset));
    free_pairs(config->kafka_properties, config->kafka_property_count);
    free_pairs(config->webhook_headers, config->webhook_header_count);
    free_pairs(config->registry_headers, config->registry_header_count);
    for (size_t f = 0; f < FIELD_COUNT; f++)
        free(config->payload_column[f]);
    for (size_t i = 0; i < config->warning_count; i++)
        free(config->warnings[i]);
    for (size_t i = 0; i < config->secret_file_count; i++)
        free(config->secret_files[i]);
    free(config->secret_files);
    free(config->time_zone_origin);
    free(config);
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
