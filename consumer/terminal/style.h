/* style: the terminal that a command writes to: its width, and its colours if it has any. */
#ifndef TERMINAL_STYLE_H
#define TERMINAL_STYLE_H

#include <stdbool.h>
#include <stddef.h>

enum { TERMINAL_WIDTH = 80 }; /* columns where there is no terminal, or it does not tell */

/* The columns of the terminal at fd, 40 at least. */
size_t terminal_width(int fd);

/* True for a terminal that moves its cursor (TERM is set, and not "dumb"). */
bool terminal_is_there(int fd);

/* The sequences that begin a style (ECMA-48, SGR), and `off` which ends any of them. */
struct terminal_style {
    const char *good, *warn, *bad, *strong, *faint, *off;
};

/* Every sequence is "" where fd is no terminal, TERM is "dumb" or missing, or NO_COLOR is set and
 * not empty (https://no-color.org). Static. */
const struct terminal_style *terminal_style(int fd);

/* The style of a text that is written somewhere else: nothing but "". */
extern const struct terminal_style terminal_plain;

#endif
