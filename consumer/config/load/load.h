/* load: fills a config from a YAML file, the environment and --set, in that order.
 *
 * YAML by libyaml: nested mappings ("kafka: {brokers: …}") and dotted names ("kafka.brokers: …")
 * mean the same; scalars only at the leaves, where ${NAME} and ${NAME:-default} are filled in from
 * the environment. Every secret option NAME is also read from the file named by NAME_FILE in the
 * environment (one trailing newline and a BOM are taken off; a secret with other control characters
 * is refused; one that every user of the machine can read is warned of). ELEMENTOR_WEBHOOK_URL also
 * names webhook.url. */
#ifndef CONFIG_LOAD_LOAD_H
#define CONFIG_LOAD_LOAD_H

#include "config/config.h"

/* path may be NULL (no file). environment is environ-like, NULL-terminated "NAME=value". sets are
 * the `set_count` texts "name=value" of --set. All of them are borrowed for the config's life
 * (config->origin). Errors name file and line, or variable. */
bool config_load(struct config *config, const char *path, char *const *environment,
                 const char *const *sets, size_t set_count, struct error *err) must_check;

#endif
