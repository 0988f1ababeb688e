/* terminal: shows the demo: a live display, or plain lines where standard output is not a terminal.
 */
#ifndef DEMO_DISPLAY_TERMINAL_H
#define DEMO_DISPLAY_TERMINAL_H

#include "demo/display/snapshot.h"

#include <stdint.h>

struct terminal;

struct terminal *terminal_new(void);    /* looks at standard output, TERM and NO_COLOR */
void terminal_free(struct terminal *t); /* gives the screen back; accepts NULL */

/* Paints a frame, or prints a line now and then. */
void terminal_show(struct terminal *t, const struct snapshot *view, int64_t now_ms);

/* A line of the delivering process's log. A warning also goes into the view. */
void terminal_log(struct terminal *t, const char *line);

/* Gives the screen back and writes the text. */
void terminal_end(struct terminal *t, const char *text);

#endif
