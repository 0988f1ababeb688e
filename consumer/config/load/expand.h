/* expand: ${NAME} in a value of the configuration file becomes the environment's value.
 *
 *   "https://${HOST}/apis"    HOST must be set, and not empty
 *   "${PORT:-9092}"           the text behind :- when PORT is unset or empty
 *   "$${"                     the two characters "${" themselves
 *
 * Pure: the look-up is the caller's. */
#ifndef CONFIG_LOAD_EXPAND_H
#define CONFIG_LOAD_EXPAND_H

#include "base/error.h"

/* A variable's value, NULL when it is unset or empty. */
typedef const char *config_look_up(const void *context, const char *name);

/* An environment variable's value; NULL when it is unset or empty. environment: char *const *. */
const char *config_look_up_variable(const void *environment, const char *name);

/* The text with every reference replaced; the caller frees it. NULL with err, which may name a
 * variable but never shows a value. */
char *config_expand(const char *text, config_look_up *look_up, const void *context,
                    struct error *err) must_check;

#endif
