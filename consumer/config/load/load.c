#include "config/load/load.h"

#include "config/load/environment.h"
#include "config/load/labels_check.h"
#include "config/load/load_internal.h"
#include "config/load/template_load.h"
#include "config/load/time_zone_load.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

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

/* Certificates and keys are looked at as secret files are; who shows them reads them. */
static bool note_identities(struct config *config, struct error *err)
{
    const char *const files[] = {config->webhook_cert_file,  config->webhook_key_file,
                                 config->registry_cert_file, config->registry_key_file,
                                 config->trace_cert_file,    config->trace_key_file};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (files[i] != NULL && !config_note_secret_file(config, files[i]))
            return error_no_memory(err);
    if (config->webhook_key_file != NULL)
        config_warn_of_public(config, config->webhook_key_file, "webhook.key_file");
    if (config->registry_key_file != NULL)
        config_warn_of_public(config, config->registry_key_file, "registry.key_file");
    if (config->trace_key_file != NULL)
        config_warn_of_public(config, config->trace_key_file, "trace.key_file");
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
    if (!environment_load(config, environment, err))
        return false;
    for (size_t i = 0; i < set_count; i++)
        if (!load_set(config, sets[i], err))
            return false;
    return note_identities(config, err) && time_zone_load(config, err) &&
           labels_check(config, err) && template_load(config, err);
}
