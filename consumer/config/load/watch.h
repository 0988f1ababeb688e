/* watch: notices that a secret's file (NAME_FILE) has changed, and reads the configuration again.
 *
 * Files are looked at by name, not watched: a secret that is mounted into a container is replaced
 * through symbolic links. A change counts once two looks have seen the same file, so that a
 * half-written one is not read. Not thread-safe. */
#ifndef CONFIG_LOAD_WATCH_H
#define CONFIG_LOAD_WATCH_H

#include "config/config.h"

#include <stdbool.h>

struct reload;

/* Looks at the files that config_load found for `config`, which is borrowed. NULL without memory.
 */
struct reload *reload_new(const struct config *config);
void reload_free(struct reload *reload); /* accepts NULL */

/* True when a file has changed since the last of reload_new, reload_note and `true`. Some calls of
 * stat(2); call it once a second or so. */
bool reload_look(struct reload *reload);

/* The present files are about to be read: their change is not reported again. */
void reload_note(struct reload *reload);

/* Reads all sources of `config` once more; the caller frees the result. NULL with err when it
 * cannot be read or does not pass config_finish(needs). */
struct config *reload_read(const struct config *config, unsigned needs, struct error *err);

#endif
