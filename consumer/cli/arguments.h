/* arguments: the command line, read by a command's table. */
#ifndef CLI_ARGUMENTS_H
#define CLI_ARGUMENTS_H

#include "cli/command.h"

enum { ARGUMENTS_SETS_MAX = 256 };

struct invocation {
    const struct command *command;
    const char *config_path;              /* NULL: none */
    const char *sets[ARGUMENTS_SETS_MAX]; /* of --set */
    size_t set_count;
    char *hidden[ARGUMENTS_SETS_MAX]; /* copies of those that argv no longer shows */
    size_t hidden_count;
    _Alignas(max_align_t) unsigned char options[COMMAND_OPTIONS_MAX]; /* the command's own struct */
};

/* The command of this name in a NULL-terminated list; NULL: none, as for a name that is NULL. */
const struct command *arguments_command(const char *name, const struct command *const *commands);

/* Texts stay borrowed from argv. Values follow their argument, or a = behind it. Errors name the
 * argument, and the one that may be meant. */
bool arguments_parse(int argc, char *const *argv, const struct command *const *commands,
                     struct invocation *ret, struct error *err) must_check;

/* Secrets that were given by --set leave argv, which every user of the machine can read: call keeps
 * them until arguments_done, and a warning is noted. argv must be writable. */
bool arguments_hide(struct invocation *call, struct config *config, struct error *err) must_check;
void arguments_done(struct invocation *call);

#endif
