/* manual: the manual page and the shells' completions, from the tables of commands and options. */
#ifndef CLI_MANUAL_H
#define CLI_MANUAL_H

#include "base/buf.h"
#include "cli/command.h"

enum { MANUAL_MAX = 1024 * 1024 };

/* True when the words are "help --man" or "help --completions=SHELL" (or "--completions SHELL"):
 * *ret_ok tells whether the text was appended, else err names the shells that there are. */
bool manual_is_wanted(struct buf *b, int argc, char *const *argv,
                      const struct command *const *commands, bool *ret_ok, struct error *err);

/* elementor-sync(1), for man: groff's man macros, in UTF-8. */
void manual_add_page(struct buf *b, const struct command *const *commands);

/* A completion of "bash", "zsh" or "fish"; CONFIG for any other shell. */
bool manual_add_completions(struct buf *b, const char *shell, const struct command *const *commands,
                            struct error *err) must_check;

#endif
