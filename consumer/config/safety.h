/* safety: well-formed settings that give a secret or a right to the wrong people.
 */
#ifndef CONFIG_SAFETY_H
#define CONFIG_SAFETY_H

#include "config/config.h"

/* Refuses settings that can only be mistakes, each with a hint, and adds the rest to
 * config->warnings. `needs` as in config_finish. */
bool config_check_safety(struct config *config, unsigned needs, struct error *err) must_check;

#endif
