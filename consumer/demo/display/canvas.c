#include "demo/display/canvas.h"

#include "base/utf8.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { FRAME_MAX = 256 * 1024, TEXT_MAX = 2048 };

static const char *const codes[] = {
    [CANVAS_PLAIN] = "",         [CANVAS_BOLD] = "\033[1m",    [CANVAS_DIM] = "\033[2m",
    [CANVAS_GREEN] = "\033[32m", [CANVAS_YELLOW] = "\033[33m", [CANVAS_RED] = "\033[31m",
    [CANVAS_CYAN] = "\033[36m"};

void canvas_init(struct canvas *c)
{
    *c = (struct canvas){0};
    buf_init(&c->out, FRAME_MAX);
}

void canvas_done(struct canvas *c)
{
    buf_done(&c->out);
}

void canvas_begin(struct canvas *c, int width, int height, bool colour)
{
    buf_reset(&c->out);
    c->width = c->terminal_width = width;
    c->height = height;
    c->colour = colour;
    c->column = c->row = 0;
    buf_add_text(&c->out, "\033[H");
}

/* Columns of one character: 0 for combining ones, 2 for wide ones. */
static int columns(uint32_t code)
{
    if ((code >= 0x300 && code <= 0x36f) || (code >= 0x200b && code <= 0x200f) ||
        (code >= 0xfe00 && code <= 0xfe0f))
        return 0;
    bool wide = (code >= 0x1100 && code <= 0x115f) || (code >= 0x2e80 && code <= 0xa4cf) ||
                (code >= 0xac00 && code <= 0xd7a3) || (code >= 0xf900 && code <= 0xfaff) ||
                (code >= 0xff00 && code <= 0xff60) || (code >= 0x1f300 && code <= 0x1faff);
    return wide ? 2 : 1;
}

/* The next character: its bytes (1 where it is not UTF-8) and its columns. */
static size_t look(const char *text, size_t len, int *ret_columns, bool *ret_control)
{
    size_t size = utf8_char_size(text, len);
    uint32_t code = size > 0 ? utf8_code_point(text, size) : 0;
    *ret_control = size == 0 || code < 0x20 || (code >= 0x7f && code < 0xa0);
    *ret_columns = *ret_control ? 1 : columns(code);
    return size > 0 ? size : 1;
}

int canvas_width(const char *text)
{
    int sum = 0, wide;
    bool control;
    for (size_t at = 0, len = strlen(text); at < len; sum += wide)
        at += look(text + at, len - at, &wide, &control);
    return sum;
}

static void add_clipped(struct canvas *c, const char *text)
{
    int wide, room = c->width - c->column, left = canvas_width(text);
    bool control;
    for (size_t at = 0, len = strlen(text), size; at < len; at += size) {
        size = look(text + at, len - at, &wide, &control);
        if (left > room && wide >= room) { /* the last column shows that text was cut */
            if (room > 0)
                buf_add_text(&c->out, "…");
            c->column += room > 0;
            return;
        }
        if (control)
            buf_add_char(&c->out, ' ');
        else
            buf_add(&c->out, text + at, size);
        room -= wide;
        left -= wide;
        c->column += wide;
    }
}

static bool is_below(const struct canvas *c)
{
    return c->row >= c->height;
}

void canvas_put(struct canvas *c, enum canvas_style style, const char *format, ...)
{
    char text[TEXT_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (is_below(c))
        return;
    bool styled = c->colour && style != CANVAS_PLAIN;
    buf_add_text(&c->out, styled ? codes[style] : "");
    add_clipped(c, text);
    buf_add_text(&c->out, styled ? "\033[0m" : "");
}

void canvas_column(struct canvas *c, int column)
{
    for (; !is_below(c) && c->column < column && c->column < c->width; c->column++)
        buf_add_char(&c->out, ' ');
}

void canvas_right(struct canvas *c, enum canvas_style style, const char *text)
{
    int at = c->width - canvas_width(text);
    if (at <= c->column)
        return;
    canvas_column(c, at);
    canvas_put(c, style, "%s", text);
}

/* Clears to the end of the line and goes to the next, without scrolling at the last. */
void canvas_line(struct canvas *c)
{
    if (is_below(c))
        return;
    if (c->column < c->width)
        buf_add_text(&c->out, "\033[K");
    c->row++;
    c->column = 0;
    if (!is_below(c))
        buf_add_text(&c->out, "\r\n");
}

void canvas_unbroken(struct canvas *c, enum canvas_style style, const char *text)
{
    int rows = ((int)strlen(text) + c->terminal_width - 1) / c->terminal_width;
    if (c->row + rows >= c->height || c->column > 0)
        return;
    buf_add_text(&c->out, c->colour ? codes[style] : "");
    buf_add_text(&c->out, text);
    buf_add_text(&c->out, c->colour ? "\033[0m" : "");
    if ((int)strlen(text) % c->terminal_width != 0)
        buf_add_text(&c->out, "\033[K");
    buf_add_text(&c->out, "\r\n");
    c->row += rows;
}

void canvas_end(struct canvas *c)
{
    if (!is_below(c))
        buf_add_text(&c->out, "\033[J");
}
