/* reference, inside: an option as each of its forms shows it. */
#ifndef CONFIG_REFERENCE_REFERENCE_INTERNAL_H
#define CONFIG_REFERENCE_REFERENCE_INTERNAL_H

#include "config/config.h"

/* The open-ended options, which the table does not contain. */
extern const struct open_ended {
    const char *name, *help; /* the name ends with ".*" */
} open_ended[];
extern const size_t open_ended_count;

#endif
