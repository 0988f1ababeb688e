/* config_load, inside: the file it reads and the text of files. */
#ifndef CONFIG_LOAD_LOAD_INTERNAL_H
#define CONFIG_LOAD_LOAD_INTERNAL_H

#include "config/config.h"

#include <stddef.h>

/* The whole file of at most `limit` bytes, with a NUL behind it; the caller frees it. A file that
 * cannot be read, or is longer, is an error that names it. */
char *config_file_read(const char *path, size_t limit, size_t *ret_len, struct error *err);

/* The rights of every user of the machine: to read the file, or to write it and so change what this
 * process does. */
struct config_file_rights {
    bool read, write;
};
struct config_file_rights config_file_rights_of_others(const char *path);

/* Warns of a secret's file that others may read or change. name: of the variable or option. */
void config_warn_of_public(struct config *config, const char *path, const char *name);

/* The secret in a file, without one line break at its end and a BOM; the caller frees it. variable
 * holds the path. Errors show a path only if it is absolute: any other text may be the secret
 * itself, in the wrong variable. */
char *config_file_read_secret(const char *path, const char *variable, struct error *err);

/* Sets all options of the YAML file; ${NAME} is filled in from the environment. Warns of a secret
 * in a file that every user may read. */
bool config_yaml_load(struct config *config, const char *path, char *const *environment,
                      struct error *err) must_check;

#endif
