/* open_options: the options with free names, which are not in the table: kafka.properties.*,
 * webhook.headers.*, registry.headers.* and trace.headers.*. */
#ifndef CONFIG_OPEN_OPTIONS_H
#define CONFIG_OPEN_OPTIONS_H

#include "config/config.h"

/* True when the name is one of theirs. */
bool config_open_is_name(const char *name);

/* True when such an option may have an empty value. */
bool config_open_may_be_empty(const char *name);

/* Sets one of them; an error is without the option's name. */
bool config_open_set(struct config *config, const char *name, const char *value,
                     struct error *err) must_check;

/* Frees the values that config_open_set has set. */
void config_open_free(struct config *config);

#endif
