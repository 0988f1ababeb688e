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

static bool is_set(const char *name)
{
    const char *value = getenv(name);
    return value != NULL && *value != '\0';
}

bool terminal_is_there(int fd)
{
    return isatty(fd) && is_set("TERM") && strcmp(getenv("TERM"), "dumb") != 0;
}

const struct terminal_style *terminal_style(int fd)
{
    return terminal_is_there(fd) && !is_set("NO_COLOR") ? &colours : &terminal_plain;
}
