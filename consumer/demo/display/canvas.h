/* canvas: lines of text for a terminal of a certain size: nothing is ever wider or higher.
 *
 *   canvas_begin(&c, 80, 24, true);
 *   canvas_put(&c, CANVAS_GREEN, "✓ ");
 *   canvas_column(&c, 20);              blanks up to column 20
 *   canvas_line(&c);                    ends the line
 *   … buf_text(&c.out)                  one write paints it all, in place: no flicker
 *
 * Colours are left out when the canvas has none. Control characters in texts are shown as blanks.
 */
#ifndef DEMO_DISPLAY_CANVAS_H
#define DEMO_DISPLAY_CANVAS_H

#include "base/buf.h"

enum canvas_style {
    CANVAS_PLAIN,
    CANVAS_BOLD,
    CANVAS_DIM,
    CANVAS_GREEN,
    CANVAS_YELLOW,
    CANVAS_RED,
    CANVAS_CYAN
};

struct canvas {
    struct buf out;
    int width, height, column, row;
    int terminal_width; /* at least width: where the terminal itself breaks lines */
    bool colour;
};

void canvas_init(struct canvas *c);
void canvas_done(struct canvas *c);
void canvas_begin(struct canvas *c, int width, int height, bool colour);
void canvas_put(struct canvas *c, enum canvas_style style, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void canvas_column(struct canvas *c, int column);
void canvas_right(struct canvas *c, enum canvas_style style, const char *text); /* at the margin */
void canvas_line(struct canvas *c);

/* A line that the terminal itself wraps, so that it can be clicked and copied as one piece. ASCII.
 */
void canvas_unbroken(struct canvas *c, enum canvas_style style, const char *text);
void canvas_end(struct canvas *c); /* clears the rows below */

/* Columns that text takes. */
int canvas_width(const char *text);

#endif
