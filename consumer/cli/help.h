/* help: what the program and each of its commands say of themselves, from the commands' tables. */
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include "base/buf.h"
#include "cli/command.h"

enum { HELP_MAX = 65536, HELP_WIDTH = 80 }; /* bytes of a text, columns without a terminal */

/* Appends the list of commands, or all of one command: its arguments, examples and exit codes; no
 * line wider than `width` columns as far as words allow. */
void help_add_all(struct buf *b, const struct command *const *commands, size_t width);
void help_add_command(struct buf *b, const struct command *command, size_t width);

/* True when the words of a command line ask for help: help, help COMMAND, or --help or -h anywhere.
 * *ret_command: whose; NULL: the list of commands, to which help belongs. */
bool help_is_wanted(int argc, char *const *argv, const struct command *const *commands,
                    const struct command **ret_command);

/* Columns of the terminal at standard output; HELP_WIDTH where there is none. */
size_t help_terminal_width(void);

#endif
