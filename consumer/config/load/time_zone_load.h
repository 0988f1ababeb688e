/* time_zone_load: payload.time_zone, read from the system's time zone database.
 *
 * The database is read through the C library, which holds one zone at a time, that of TZ
 * in the environment: TZ is set while the zone is read, before the first thread starts, and never
 * again. */
#ifndef CONFIG_LOAD_TIME_ZONE_LOAD_H
#define CONFIG_LOAD_TIME_ZONE_LOAD_H

#include "config/config.h"

/* Sets config->zone (NULL for UTC), which is never freed. CONFIG, with the place where the option
 * was set, when the database has no such zone. A second zone in one process is checked but not
 * read: it takes effect at the next start. Not thread-safe. */
bool time_zone_load(struct config *config, struct error *err) must_check;

#endif
