/* help: the help of the program and of each command, from the commands' tables. */
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include "base/buf.h"
#include "cli/command.h"
#include "terminal/style.h"

enum { HELP_MAX = 65536 }; /* bytes of a text */

/* Appends the list of commands, or all of one command: its arguments, examples and exit codes; no
 * line wider than `width` columns as far as words allow. */
void help_add_all(struct buf *b, const struct command *const *commands, size_t width,
                  const struct terminal_style *style);
void help_add_command(struct buf *b, const struct command *command, size_t width,
                      const struct terminal_style *style);

/* True when the words of a command line ask for help: help, help COMMAND, or --help or -h anywhere.
 * *ret_command: that command; NULL: help on the list of commands. */
bool help_is_wanted(int argc, char *const *argv, const struct command *const *commands,
                    const struct command **ret_command);

#endif
