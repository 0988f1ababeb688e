/* labels_check: payload.labels.*, as a receiver in PHP gets them. Pure. */
#ifndef CONFIG_LOAD_LABELS_CHECK_H
#define CONFIG_LOAD_LABELS_CHECK_H

#include "config/config.h"

/* Each field must reach such a receiver under a name of its own. */
bool labels_check(const struct config *config, struct error *err) must_check;

#endif
