#include "terminal/style.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { WIDTH_MIN = 40 };

const struct terminal_style terminal_plain = {"", "", "", "", "", ""};

/* Of the sixteen colours that every terminal has and its user chose; no blue, which is unreadable
 * on black by many a default. */
static const struct terminal_style colours = {"\033[32m", "\033[33m", "\033[1;31m",
                                              "\033[1m",  "\033[2m",  "\033[0m"};

size_t terminal_width(int fd)
{
    struct winsize size;
    bool known = isatty(fd) && ioctl(fd, TIOCGWINSZ, &size) == 0;
    return known && size.ws_col >= WIDTH_MIN ? size.ws_col : TERMINAL_WIDTH;
}

bool terminal_is_there(int fd)
{
    const char *kind = getenv("TERM");
    return isatty(fd) && kind != NULL && *kind != '\0' && strcmp(kind, "dumb") != 0;
}

const struct terminal_style *terminal_style(int fd)
{
    const char *no_colour = getenv("NO_COLOR");
    bool wanted = no_colour == NULL || *no_colour == '\0';
    return wanted && terminal_is_there(fd) ? &colours : &terminal_plain;
}
