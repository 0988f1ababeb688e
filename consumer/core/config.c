#include "core/config.h"

#include "core/config_value.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum type {
    TYPE_TEXT,
    TYPE_SECRET,
    TYPE_SWITCH,
    TYPE_COUNT,
    TYPE_DURATION,
    TYPE_SIZE,
    TYPE_CHOICE
};

#define IS_SECRET(type) (TYPE_##type == TYPE_SECRET)

const struct config_option config_options[] = {
#define X(member, name, type, fallback, min, max, allowed, help) \
    {name, #type, fallback, allowed, help, min, max, IS_SECRET(type)},
    CONFIG_OPTIONS(X)
#undef X
};
const size_t config_option_count = sizeof config_options / sizeof *config_options;

/* Where each option's value lives, beside the public table. */
static const struct {
    enum type type;
    size_t place;
} members[] = {
#define X(member, name, type, fallback, min, max, allowed, help) \
    {TYPE_##type, offsetof(struct config, member)},
    CONFIG_OPTIONS(X)
#undef X
};

static const char properties_prefix[] = "kafka.properties.";
static const char fields_prefix[] = "payload.fields.";

static void *place_of(struct config *config, size_t option)
{
    return (char *)config + members[option].place;
}

static bool is_text(size_t option)
{
    return members[option].type == TYPE_TEXT || members[option].type == TYPE_SECRET;
}

/* Replaces an owned text; false without memory, the old one then stays. */
static bool set_text(char **place, const char *value, struct error *err)
{
    char *copy = strdup(value);
    if (copy == NULL)
        return error_set(err, ERROR_NO_MEMORY, "no memory for the configuration");
    free(*place);
    *place = copy;
    return true;
}

static const char *duration_text(int64_t ms, char *text, size_t size)
{
    if (ms >= 1000 && ms % 1000 == 0)
        snprintf(text, size, "%" PRId64 "s", ms / 1000);
    else
        snprintf(text, size, "%" PRId64 "ms", ms);
    return text;
}

static bool in_range(size_t option, int64_t value, const char *text, struct error *err)
{
    const struct config_option *o = &config_options[option];
    if (value >= o->min && value <= o->max)
        return true;
    char least[32], most[32];
    if (members[option].type == TYPE_DURATION) {
        duration_text(o->min, least, sizeof least);
        duration_text(o->max, most, sizeof most);
    } else {
        snprintf(least, sizeof least, "%" PRId64, o->min);
        snprintf(most, sizeof most, "%" PRId64, o->max);
    }
    return error_set(err, ERROR_CONFIG, "\"%s\" is out of range: %s to %s", text, least, most);
}

static bool read_whole(size_t option, const char *text, int64_t *ret_value, struct error *err)
{
    switch (members[option].type) {
    case TYPE_DURATION: return config_parse_duration(text, ret_value, err);
    case TYPE_SIZE: return value_read_size(text, ret_value, err);
    default: return value_read_count(text, ret_value, err);
    }
}

static bool set_option(struct config *config, size_t option, const char *value, struct error *err)
{
    void *place = place_of(config, option);
    int64_t whole;
    switch (members[option].type) {
    case TYPE_TEXT:
    case TYPE_SECRET: return set_text(place, value, err);
    case TYPE_SWITCH: return value_read_switch(value, place, err);
    case TYPE_CHOICE: return value_read_choice(value, config_options[option].allowed, place, err);
    default: break;
    }
    if (!read_whole(option, value, &whole, err) || !in_range(option, whole, value, err))
        return false;
    *(int64_t *)place = whole;
    return true;
}

static bool set_defaults(struct config *config)
{
    struct error err = {0};
    for (size_t i = 0; i < config_option_count; i++) {
        if (members[i].type == TYPE_CHOICE)
            *(int *)place_of(config, i) = -1;
        if (config_options[i].fallback != NULL &&
            !set_option(config, i, config_options[i].fallback, &err))
            return false;
    }
    for (size_t f = 0; f < FIELD_COUNT; f++)
        if (!set_text(&config->payload_column[f], payload_field_columns[f], &err))
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
        if (is_text(i))
            free(*(char **)place_of(config, i));
    for (size_t f = 0; f < FIELD_COUNT; f++)
        free(config->payload_column[f]);
    for (size_t i = 0; i < config->kafka_property_count; i++) {
        free(config->kafka_properties[i].name);
        free(config->kafka_properties[i].value);
    }
    free(config->kafka_properties);
    free(config);
}

/* ---- kafka.properties.* ---- */

/* Properties that would break what the program promises, and what to use instead. */
static const struct {
    const char *name, *instead;
} refused[] = {
    {"bootstrap.servers", "use kafka.brokers"},
    {"metadata.broker.list", "use kafka.brokers"},
    {"group.id", "use kafka.group"},
    {"auto.offset.reset", "use kafka.start; an offset out of range must never be skipped silently"},
    {"enable.auto.commit", "offsets are committed only once their records are settled"},
    {"enable.auto.offset.store", "offsets are committed only once their records are settled"},
    {"enable.partition.eof", "the program needs it as it is"},
    {"allow.auto.create.topics", "a mistyped topic must be an error"},
    {"acks", "parked records are always acknowledged by all replicas"},
    {"request.required.acks", "parked records are always acknowledged by all replicas"},
    {"enable.idempotence", "parked records are always written idempotently"},
};

bool config_property_is_secret(const char *property)
{
    static const char *const endings[] = {"password", "secret", "jaas.config", "key.pem"};
    size_t len = strlen(property);
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        size_t size = strlen(endings[i]);
        if (len >= size && strcmp(property + len - size, endings[i]) == 0)
            return true;
    }
    return false;
}

static struct config_pair *property_entry(struct config *config, const char *name,
                                          struct error *err)
{
    for (size_t i = 0; i < config->kafka_property_count; i++)
        if (strcmp(config->kafka_properties[i].name, name) == 0)
            return &config->kafka_properties[i];
    size_t count = config->kafka_property_count + 1;
    struct config_pair *more = realloc(config->kafka_properties, count * sizeof *more);
    if (more != NULL) {
        config->kafka_properties = more;
        more[count - 1] = (struct config_pair){.name = strdup(name)};
        if (more[count - 1].name != NULL) {
            config->kafka_property_count = count;
            return &more[count - 1];
        }
    }
    error_set(err, ERROR_NO_MEMORY, "no memory for the configuration");
    return NULL;
}

static bool set_property(struct config *config, const char *name, const char *value,
                         struct error *err)
{
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        if (strcmp(refused[i].name, name) == 0)
            return error_set(err, ERROR_CONFIG, "cannot be set: %s", refused[i].instead);
    if (*name == '\0')
        return error_set(err, ERROR_CONFIG, "the property's name is missing");
    struct config_pair *pair = property_entry(config, name, err);
    return pair != NULL && set_text(&pair->value, value, err);
}

/* ---- by name ---- */

static bool set_field(struct config *config, const char *name, const char *value, struct error *err)
{
    for (size_t f = 0; f < FIELD_COUNT; f++)
        if (strcmp(payload_field_names[f], name) == 0)
            return *value != '\0' ? set_text(&config->payload_column[f], value, err)
                                  : error_set(err, ERROR_CONFIG, "the column's name is missing");
    char all[256] = "";
    for (size_t f = 0, at = 0; f < FIELD_COUNT; f++)
        at += (size_t)snprintf(all + at, sizeof all - at, " %s", payload_field_names[f]);
    return error_set(err, ERROR_CONFIG, "\"%s\" is no payload field; there are%s", name, all);
}

static const char *after_prefix(const char *name, const char *prefix)
{
    size_t len = strlen(prefix);
    return strncmp(name, prefix, len) == 0 ? name + len : NULL;
}

static bool find_option(const char *name, size_t *ret_option)
{
    for (size_t i = 0; i < config_option_count; i++)
        if (strcmp(config_options[i].name, name) == 0) {
            *ret_option = i;
            return true;
        }
    return false;
}

static bool refuse_unknown(const char *name, struct error *err)
{
    enum { NEAR = 6 };
    const char *nearest = NULL;
    unsigned best = NEAR;
    for (size_t i = 0; i < config_option_count; i++) {
        unsigned distance = value_distance(name, config_options[i].name, NEAR);
        if (distance < best) {
            best = distance;
            nearest = config_options[i].name;
        }
    }
    if (nearest != NULL)
        return error_set(err, ERROR_CONFIG, "unknown option; did you mean \"%s\"?", nearest);
    return error_set(err, ERROR_CONFIG, "unknown option; elementor-sync --help lists all");
}

static bool set_by_name(struct config *config, const char *name, const char *value,
                        struct error *err)
{
    size_t option;
    const char *rest;
    if (strpbrk(value, "\r\n") != NULL)
        return error_set(err, ERROR_CONFIG, "the value has a line break in it");
    if ((rest = after_prefix(name, properties_prefix)) != NULL)
        return set_property(config, rest, value, err);
    if ((rest = after_prefix(name, fields_prefix)) != NULL)
        return set_field(config, rest, value, err);
    if (find_option(name, &option))
        return set_option(config, option, value, err);
    return refuse_unknown(name, err);
}

bool config_set(struct config *config, const char *name, const char *value, const char *origin,
                struct error *err)
{
    struct error why = {0};
    if (set_by_name(config, name, value, &why))
        return true;
    return error_set(err, why.code, "%s: %s: %s", origin, name, why.text);
}

/* ---- what is needed, what contradicts ---- */

static bool need(const char *value, const char *name, struct error *err)
{
    char variable[64];
    if (value != NULL && *value != '\0')
        return true;
    return error_set(err, ERROR_CONFIG,
                     "%s is missing: set it in the file, or %s in the environment", name,
                     config_environment_name(name, variable, sizeof variable));
}

static bool check_needs(const struct config *c, unsigned needs, struct error *err)
{
    if ((needs & CONFIG_NEED_KAFKA) &&
        !(need(c->kafka_brokers, "kafka.brokers", err) && need(c->kafka_topic, "kafka.topic", err)))
        return false;
    if ((needs & CONFIG_NEED_REGISTRY) && !need(c->registry_url, "registry.url", err))
        return false;
    if ((needs & CONFIG_NEED_WEBHOOK) && !need(c->webhook_url, "webhook.url", err))
        return false;
    if ((needs & CONFIG_NEED_START) && c->kafka_start < 0)
        return error_set(
            err, ERROR_CONFIG,
            "kafka.start is missing: \"latest\" begins with what is confirmed from now "
            "on, \"earliest\" sends every confirmation that the topic still holds");
    return true;
}

bool config_finish(const struct config *c, unsigned needs, struct error *err)
{
    if (!check_needs(c, needs, err))
        return false;
    if (c->retry_base > c->retry_cap)
        return error_set(err, ERROR_CONFIG, "retry.base is longer than retry.cap");
    if ((c->registry_user == NULL) != (c->registry_password == NULL))
        return error_set(err, ERROR_CONFIG,
                         "registry.user and registry.password go together: one of them is missing");
    if (c->registry_user != NULL && c->registry_token != NULL)
        return error_set(err, ERROR_CONFIG,
                         "registry.user and registry.token contradict: choose one");
    return true;
}

const char *config_environment_name(const char *name, char *text, size_t size)
{
    size_t i = 0;
    for (; name[i] != '\0' && i + 1 < size; i++)
        text[i] = name[i] == '.' ? '_' : (char)toupper((unsigned char)name[i]);
    text[i] = '\0';
    return text;
}
