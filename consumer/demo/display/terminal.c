#include "demo/display/terminal.h"

#include "demo/display/screen.h"
#include "demo/display/summary.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { PAINT_EVERY_MS = 200, SAY_EVERY_MS = 5000, LINE_MAX_BYTES = 2048 };
enum { WIDTH_MIN = 20, HEIGHT_MIN = 5, WIDTH_USUAL = 80, HEIGHT_USUAL = 24 };

struct terminal {
    struct canvas canvas;
    bool live, colour;
    bool said_first, said_dashboard; /* plain lines */
    int width, height;
    int64_t next_ms;
};

static void write_all(int fd, const char *text, size_t len)
{
    while (len > 0) {
        ssize_t wrote = write(fd, text, len);
        if (wrote < 0 && errno != EINTR && errno != EAGAIN)
            return; /* the reader has gone */
        if (wrote > 0) {
            text += wrote;
            len -= (size_t)wrote;
        }
    }
}

static void write_text(int fd, const char *text)
{
    write_all(fd, text, strlen(text));
}

static bool is_set(const char *name)
{
    const char *value = getenv(name);
    return value != NULL && value[0] != '\0';
}

struct terminal *terminal_new(void)
{
    struct terminal *t = calloc(1, sizeof *t);
    if (t == NULL)
        return NULL;
    const char *kind = getenv("TERM");
    t->live = isatty(STDOUT_FILENO) && kind != NULL && strcmp(kind, "dumb") != 0 && *kind != '\0';
    t->colour = !is_set("NO_COLOR");
    canvas_init(&t->canvas);
    if (t->live) /* the alternate screen, without a cursor */
        write_text(STDOUT_FILENO, "\033[?1049h\033[?25l\033[2J");
    return t;
}

static void give_back(struct terminal *t)
{
    if (t->live)
        write_text(STDOUT_FILENO, "\033[0m\033[?25h\033[?1049l");
    t->live = false;
}

void terminal_free(struct terminal *t)
{
    if (t == NULL)
        return;
    give_back(t);
    canvas_done(&t->canvas);
    free(t);
}

/* The terminal's size has changed: everything is painted again. */
static bool measure(struct terminal *t)
{
    struct winsize size = {0};
    int width = WIDTH_USUAL, height = HEIGHT_USUAL;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0) {
        width = size.ws_col < WIDTH_MIN ? WIDTH_MIN : size.ws_col;
        height = size.ws_row < HEIGHT_MIN ? HEIGHT_MIN : size.ws_row;
    }
    bool changed = t->width != width || t->height != height;
    t->width = width;
    t->height = height;
    return changed;
}

static void paint(struct terminal *t, const struct snapshot *view)
{
    if (measure(t))
        write_text(STDOUT_FILENO, "\033[2J");
    canvas_begin(&t->canvas, t->width < SCREEN_WIDTH_MAX ? t->width : SCREEN_WIDTH_MAX, t->height,
                 t->colour);
    t->canvas.terminal_width = t->width;
    screen_paint(&t->canvas, view);
    write_all(STDOUT_FILENO, t->canvas.out.data, t->canvas.out.len);
}

static void say(const struct snapshot *view)
{
    struct buf line;
    buf_init(&line, LINE_MAX_BYTES);
    report_progress(&line, view);
    buf_add_char(&line, '\n');
    write_text(STDOUT_FILENO, buf_text(&line));
    buf_done(&line);
}

static void say_first(const struct snapshot *view)
{
    struct buf line;
    buf_init(&line, LINE_MAX_BYTES);
    buf_addf(&line, "the first webhook, after %.1f s%s%s\n", (double)view->first_ms / 1000,
             view->body[0] != '\0' ? ": " : "", view->body);
    write_text(STDOUT_FILENO, buf_text(&line));
    buf_done(&line);
}

static void say_dashboard(const struct snapshot *view)
{
    struct buf line;
    buf_init(&line, LINE_MAX_BYTES);
    buf_addf(&line, "its dashboard, signed in already: %s\n", view->dashboard);
    write_text(STDOUT_FILENO, buf_text(&line));
    buf_done(&line);
}

void terminal_show(struct terminal *t, const struct snapshot *view, int64_t now_ms)
{
    if (!t->live && view->dashboard[0] != '\0' && !t->said_dashboard) {
        say_dashboard(view);
        t->said_dashboard = true;
    }
    if (!t->live && view->first_ms >= 0 && !t->said_first) {
        say_first(view);
        t->said_first = true;
    }
    if (now_ms < t->next_ms)
        return;
    t->next_ms = now_ms + (t->live ? PAINT_EVERY_MS : SAY_EVERY_MS);
    if (t->live)
        paint(t, view);
    else
        say(view);
}

void terminal_log(struct terminal *t, const char *line)
{
    if (t->live)
        return;
    write_text(STDERR_FILENO, line);
    write_text(STDERR_FILENO, "\n");
}

void terminal_end(struct terminal *t, const char *text)
{
    give_back(t);
    write_text(STDOUT_FILENO, text);
}
