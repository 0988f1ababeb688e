/* reference, inside: what each of its forms shows of an option. */
#ifndef CONFIG_REFERENCE_REFERENCE_INTERNAL_H
#define CONFIG_REFERENCE_REFERENCE_INTERNAL_H

#include "config/config.h"

enum { REFERENCE_FORM_MAX = 128 };

/* The form of the option's value: "text", "secret", "true|false", "100ms to 5m". text: room for it,
 * REFERENCE_FORM_MAX bytes; the result may point elsewhere. */
const char *reference_form(const struct config_option *option, char *text, size_t size);

/* The open-ended options, which the table does not contain. */
extern const struct open_ended {
    const char *name, *help; /* the name ends with ".*" */
} open_ended[];
extern const size_t open_ended_count;

#endif
