#include "config/load/environment.h"

#include "base/slice.h"
#include "config/load/expand.h"
#include "config/load/load_internal.h"
#include "config/suggest.h"
#include "config/value.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define PROPERTY_VARIABLE "KAFKA_PROPERTIES_"
#define PROPERTY_NAME "kafka.properties."
#define FILE_SUFFIX "_FILE"

enum { VARIABLE_MAX = CONFIG_NAME_MAX + sizeof FILE_SUFFIX };

/* ---- one variable ---- */

/* The value of NAME, or of the file that NAME_FILE names. */
struct file_option {
    char origin[VARIABLE_MAX]; /* the variable it came from */
    char *value;               /* owned by the caller; NULL when there is none */
};

static bool read_variable(struct config *config, char *const *environment, const char *variable,
                          bool secret, struct file_option *ret_reading, struct error *err)
{
    char file_variable[VARIABLE_MAX];
    snprintf(file_variable, sizeof file_variable, "%s" FILE_SUFFIX, variable);
    const char *value = config_look_up_variable(environment, variable);
    const char *path = secret ? config_look_up_variable(environment, file_variable) : NULL;
    struct file_option reading = {.value = NULL};
    if (value != NULL && path != NULL)
        return error_set(err, ERROR_CONFIG, "%s and %s are both set; keep one", variable,
                         file_variable);
    snprintf(reading.origin, sizeof reading.origin, "%s", path != NULL ? file_variable : variable);
    if (path != NULL) {
        reading.value = config_file_read_secret(path, file_variable, err);
        if (reading.value != NULL)
            config_warn_of_public(config, path, file_variable);
        if (!config_note_secret_file(config, path))
            error_no_memory(err);
    }
    if (value != NULL && (reading.value = strdup(value)) == NULL)
        error_no_memory(err);
    if ((path != NULL || value != NULL) && reading.value == NULL)
        return false;
    *ret_reading = reading;
    return true;
}

static bool load_variable(struct config *config, char *const *environment, const char *variable,
                          const char *option, bool secret, struct error *err)
{
    struct file_option reading = {.value = NULL};
    if (!read_variable(config, environment, variable, secret, &reading, err))
        return false;
    bool ok =
        reading.value == NULL || config_set(config, option, reading.value, reading.origin, err);
    config_forget_secret(&reading.value);
    return ok;
}

/* ---- the environment ---- */

static bool load_option(struct config *config, char *const *environment, const char *option,
                        bool secret, struct error *err)
{
    char variable[CONFIG_NAME_MAX];
    config_environment_name(option, variable, sizeof variable);
    return load_variable(config, environment, variable, option, secret, err);
}

/* webhook.url has two names in the environment, which must agree. */
static bool load_webhook_url(struct config *config, char *const *environment, struct error *err)
{
    struct file_option plain = {.value = NULL}, elementor = {.value = NULL};
    bool ok = read_variable(config, environment, "WEBHOOK_URL", true, &plain, err) &&
              read_variable(config, environment, "ELEMENTOR_WEBHOOK_URL", true, &elementor, err);
    if (ok && plain.value != NULL && elementor.value != NULL &&
        strcmp(plain.value, elementor.value) != 0)
        ok = error_set(err, ERROR_CONFIG, "%s and %s are both webhook.url and differ; keep one",
                       elementor.origin, plain.origin);
    const struct file_option *reading = elementor.value != NULL ? &elementor : &plain;
    if (ok && reading->value != NULL)
        ok = config_set(config, "webhook.url", reading->value, reading->origin, err);
    config_forget_secret(&plain.value);
    config_forget_secret(&elementor.value);
    return ok;
}

/* Cuts "_FILE" off KAFKA_PROPERTIES_SASL_PASSWORD_FILE; ssl.key.file's own name stays. */
static void cut_file_suffix(char *variable, char *option)
{
    static const char as_option[] = ".file";
    size_t len = strlen(option), suffix = sizeof as_option - 1;
    if (len <= suffix || strcmp(option + len - suffix, as_option) != 0)
        return;
    option[len - suffix] = '\0';
    if (config_property_is_secret(option))
        variable[strlen(variable) - suffix] = '\0';
    else
        option[len - suffix] = '.';
}

static bool begins_longer(const char *text, const char *prefix)
{
    const char *rest = after_prefix(text, prefix);
    return rest != NULL && *rest != '\0';
}

/* The option of a variable's name behind its prefix, in lower case, sign in place of each "_". */
static void fold(const char *prefix, const char *rest, char sign, char ret_option[CONFIG_NAME_MAX])
{
    size_t at = strlen(prefix);
    snprintf(ret_option, CONFIG_NAME_MAX, "%s%s", prefix, rest);
    for (char *c = ret_option + at; *c != '\0'; c++)
        *c = (char)(*c == '_' ? sign : tolower((unsigned char)*c));
}

/* KAFKA_PROPERTIES_SASL_PASSWORD=x is kafka.properties.sasl.password. */
static bool load_property(struct config *config, char *const *environment, char *variable,
                          struct error *err)
{
    char option[CONFIG_NAME_MAX];
    fold(PROPERTY_NAME, variable + strlen(PROPERTY_VARIABLE), '.', option);
    cut_file_suffix(variable, option);
    return load_variable(config, environment, variable, option, config_property_is_secret(option),
                         err);
}

/* WEBHOOK_HEADERS_X_API_KEY=x is webhook.headers.x-api-key; any header may be a secret. */
static bool load_header(struct config *config, char *const *environment, const char *prefix,
                        const char *option_prefix, char *variable, struct error *err)
{
    char option[CONFIG_NAME_MAX];
    size_t len = strlen(variable), suffix = strlen(FILE_SUFFIX);
    if (len > strlen(prefix) + suffix && strcmp(variable + len - suffix, FILE_SUFFIX) == 0)
        variable[len - suffix] = '\0';
    fold(option_prefix, variable + strlen(prefix), '-', option);
    return load_variable(config, environment, variable, option, true, err);
}

/* Variables whose names are the shop's own. */
static bool load_open(struct config *config, char *const *environment, const char *assignment,
                      struct error *err)
{
    static const struct {
        const char *variable, *option;
    } headers[] = {{"WEBHOOK_HEADERS_", "webhook.headers."},
                   {"REGISTRY_HEADERS_", "registry.headers."},
                   {"TRACE_HEADERS_", "trace.headers."}};
    char variable[CONFIG_NAME_MAX];
    size_t len = strcspn(assignment, "=");
    if (len >= sizeof variable)
        return true; /* not ours */
    snprintf(variable, sizeof variable, "%.*s", (int)len, assignment);
    if (begins_longer(variable, PROPERTY_VARIABLE))
        return load_property(config, environment, variable, err);
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
        if (begins_longer(variable, headers[i].variable))
            return load_header(config, environment, headers[i].variable, headers[i].option,
                               variable, err);
    return true;
}

/* ---- typing errors ---- */

struct near_name {
    const char *wanted; /* the variable that is there */
    size_t least;
    char nearest[VARIABLE_MAX];
    bool known, only_secrets; /* the latter: NAME_FILE of an option that is no secret */
};

static void compare(struct near_name *near, const char *option, bool secret)
{
    char variable[CONFIG_NAME_MAX], file[VARIABLE_MAX];
    config_environment_name(option, variable, sizeof variable);
    snprintf(file, sizeof file, "%s" FILE_SUFFIX, variable);
    near->known |= strcmp(near->wanted, variable) == 0;
    near->known |= secret && strcmp(near->wanted, file) == 0;
    near->only_secrets |= !secret && strcmp(near->wanted, file) == 0;
    const char *const names[] = {variable, file};
    size_t count = secret ? 2 : 1, wanted = strlen(near->wanted);
    for (size_t i = 0; i < count; i++) {
        size_t len = strlen(names[i]);
        if ((len > wanted ? len - wanted : wanted - len) >= near->least)
            continue; /* as many letters would have to be added or left out */
        size_t distance = config_distance(near->wanted, names[i]);
        if (distance < near->least) {
            near->least = distance;
            snprintf(near->nearest, sizeof near->nearest, "%s", names[i]);
        }
    }
}

static void compare_all(struct near_name *near)
{
    char field[CONFIG_NAME_MAX];
    for (size_t i = 0; i < config_option_count; i++)
        compare(near, config_options[i].name, config_options[i].secret);
    compare(near, "elementor.webhook.url", true);
    for (size_t f = 0; f < FIELD_COUNT; f++) {
        snprintf(field, sizeof field, "payload.fields.%s", payload_field_names[f]);
        compare(near, field, false);
        snprintf(field, sizeof field, "payload.labels.%s", payload_field_names[f]);
        compare(near, field, false);
    }
}

/* Others' variables may look alike too: few errors in a long name are meant. */
static void warn_of_near(struct config *config, const char *assignment)
{
    enum { LEN_MIN = 8, LETTERS_AN_ERROR = 8 };
    char variable[CONFIG_NAME_MAX];
    size_t len = strcspn(assignment, "=");
    bool is_set = assignment[len] == '=' && assignment[len + 1] != '\0';
    if (!is_set || len < LEN_MIN || len >= sizeof variable)
        return;
    snprintf(variable, sizeof variable, "%.*s", (int)len, assignment);
    struct near_name near = {.wanted = variable, .least = len / LETTERS_AN_ERROR + 1};
    compare_all(&near);
    if (near.known)
        return;
    if (near.only_secrets)
        config_warn(config, "%s has no effect: only secrets are read from files", variable);
    else if (near.nearest[0] != '\0')
        config_warn(config, "the variable %s has no effect; did you mean %s?", variable,
                    near.nearest);
}

bool environment_load(struct config *config, char *const *environment, struct error *err)
{
    char field[CONFIG_NAME_MAX];
    for (size_t i = 0; i < config_option_count; i++) {
        const struct config_option *option = &config_options[i];
        if (strcmp(option->name, "webhook.url") != 0 && /* load_webhook_url's */
            !load_option(config, environment, option->name, option->secret, err))
            return false;
    }
    for (size_t f = 0; f < FIELD_COUNT; f++) {
        snprintf(field, sizeof field, "payload.fields.%s", payload_field_names[f]);
        if (!load_option(config, environment, field, false, err))
            return false;
        snprintf(field, sizeof field, "payload.labels.%s", payload_field_names[f]);
        if (!load_option(config, environment, field, false, err))
            return false;
    }
    for (char *const *e = environment; *e != NULL; e++) {
        if (!load_open(config, environment, *e, err))
            return false;
        warn_of_near(config, *e);
    }
    return load_webhook_url(config, environment, err);
}
