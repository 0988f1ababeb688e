/* safety: what is well-formed but gives a secret or a right to those who should not have it.
 */
#ifndef CONFIG_SAFETY_H
#define CONFIG_SAFETY_H

#include "config/config.h"

/* Refuses what can only be a mistake, each with what to do, and notes the rest in config->warnings.
 * `needs` as in config_finish. */
bool config_check_safety(struct config *config, unsigned needs, struct error *err) must_check;

#endif
