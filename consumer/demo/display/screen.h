/* screen: paints one frame of the live display from a snapshot. Pure. */
#ifndef DEMO_DISPLAY_SCREEN_H
#define DEMO_DISPLAY_SCREEN_H

#include "demo/display/canvas.h"
#include "demo/display/snapshot.h"

enum { SCREEN_WIDTH_MAX = 120 }; /* a wider terminal stays empty at the right: calmer to read */

/* Paints into a canvas that canvas_begin prepared. */
void screen_paint(struct canvas *c, const struct snapshot *view);

/* 1234567 -> "1,234,567"; returns text. */
const char *screen_number(uint64_t number, char text[32]);

#endif
