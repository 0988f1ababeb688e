#include "config/load/load.h"

#include "config/load/expand.h"
#include "config/load/labels_check.h"
#include "config/load/load_internal.h"
#include "config/load/template_load.h"
#include "config/load/time_zone_load.h"
#include "config/value.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

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

/* A container's runtime makes secret files readable for all inside it, where there are no other
 * users.
 */
static bool is_mounted(const char *path)
{
    static const char place[] = "/run/secrets/";
    return strncmp(path, place, sizeof place - 1) == 0;
}

static void warn_of_public(struct config *config, const char *path, const char *variable)
{
    char shown[160];
    struct config_file_rights others = config_file_rights_of_others(path);
    if (!others.write && (!others.read || is_mounted(path)))
        return;
    config_warn(config,
                "%s: %s can be %s by every user of this machine; chmod 600 it (640 with the "
                "group of the program's user)",
                variable, config_show(path, shown, sizeof shown),
                !others.write  ? "read"
                : !others.read ? "changed"
                               : "read and changed");
}

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
            warn_of_public(config, path, file_variable);
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
    free(plain.value);
    free(elementor.value);
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

/* KAFKA_PROPERTIES_SASL_PASSWORD=x is kafka.properties.sasl.password. */
static bool load_property(struct config *config, char *const *environment, const char *assignment,
                          struct error *err)
{
    char variable[CONFIG_NAME_MAX], option[CONFIG_NAME_MAX];
    size_t len = strcspn(assignment, "="), prefix = strlen(PROPERTY_VARIABLE);
    if (len == prefix || len >= sizeof variable)
        return true; /* not a property's name: not ours */
    snprintf(variable, sizeof variable, "%.*s", (int)len, assignment);
    snprintf(option, sizeof option, PROPERTY_NAME "%s", variable + prefix);
    for (char *c = option; *c != '\0'; c++)
        *c = (char)(*c == '_' ? '.' : tolower((unsigned char)*c));
    cut_file_suffix(variable, option);
    return load_variable(config, environment, variable, option, config_property_is_secret(option),
                         err);
}

static bool load_environment(struct config *config, char *const *environment, struct error *err)
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
    for (char *const *e = environment; *e != NULL; e++)
        if (strncmp(*e, PROPERTY_VARIABLE, strlen(PROPERTY_VARIABLE)) == 0 &&
            !load_property(config, environment, *e, err))
            return false;
    return load_webhook_url(config, environment, err);
}

/* ---- --set ---- */

/* The text is not shown: it may be a secret without its name. */
static bool load_set(struct config *config, const char *set, struct error *err)
{
    const char *sign = strchr(set, '=');
    if (sign == NULL || sign == set)
        return error_set(err, ERROR_CONFIG,
                         "--set: write NAME=VALUE, such as --set webhook.timeout=5s");
    char *name = strndup(set, (size_t)(sign - set));
    if (name == NULL)
        return error_no_memory(err);
    bool ok = config_set(config, name, sign + 1, "--set", err);
    free(name);
    return ok;
}

/* The webhook's certificate and key are looked at as secret files are; the webhook reads them. */
static bool note_identity(struct config *config, struct error *err)
{
    const char *const files[] = {config->webhook_cert_file, config->webhook_key_file};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (files[i] != NULL && !config_note_secret_file(config, files[i]))
            return error_no_memory(err);
    if (config->webhook_key_file != NULL)
        warn_of_public(config, config->webhook_key_file, "webhook.key_file");
    return true;
}

bool config_load(struct config *config, const char *path, char *const *environment,
                 const char *const *sets, size_t set_count, struct error *err)
{
    config->origin = (struct config_origin){path, environment, sets, set_count};
    if (getrandom(&config->hash_key, sizeof config->hash_key, 0) != sizeof config->hash_key)
        return error_set(err, ERROR_FAILED, "getrandom failed: %s", strerror(errno));
    if (path != NULL && !config_yaml_load(config, path, environment, err))
        return false;
    if (!load_environment(config, environment, err))
        return false;
    for (size_t i = 0; i < set_count; i++)
        if (!load_set(config, sets[i], err))
            return false;
    return note_identity(config, err) && time_zone_load(config, err) && labels_check(config, err) &&
           template_load(config, err);
}
