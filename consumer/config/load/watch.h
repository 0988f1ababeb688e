/* watch: notices that a secret's file (NAME_FILE) has changed, and reads the configuration anew.
 *
 * Files are looked at by name, not watched: a secret that is mounted into a container is replaced
 * through symbolic links. A change counts once the file has been the same for two looks, so that
 * one that is being written is not taken half. Not thread-safe. */
#ifndef CONFIG_LOAD_WATCH_H
#define CONFIG_LOAD_WATCH_H

#include "config/config.h"

#include <stdbool.h>

struct reload;

/* Looks at the files that config_load found for `config`, which is borrowed. NULL without memory.
 */
struct reload *reload_new(const struct config *config);
void reload_free(struct reload *reload); /* accepts NULL */

/* Whether a file has changed since the last of reload_new, reload_note and `true`. Some calls of
 * stat(2); call it once a second or so. */
bool reload_look(struct reload *reload);

/* The files as they are now are about to be read: their change is no news any more. */
void reload_note(struct reload *reload);

/* Reads everything that `config` was loaded from once more; the caller frees it. NULL with err when
 * it cannot be read or does not pass config_finish(needs). */
struct config *reload_read(const struct config *config, unsigned needs, struct error *err);

#endif
