#include "cli/confirm.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

static bool ask(int fd, const char *question, int stop_fd, struct error *err)
{
    char answer[16];
    struct pollfd fds[] = {{.fd = fd, .events = POLLIN}, {.fd = stop_fd, .events = POLLIN}};
    if (!isatty(fd))
        return error_set(err, ERROR_CONFIG,
                         "nothing was done: there is no terminal to ask on; --yes confirms");
    fprintf(stderr, "%s [y/N] ", question);
    ssize_t len = -1;
    if (poll(fds, 2, -1) > 0 && fds[1].revents == 0)
        len = read(fd, answer, sizeof answer - 1);
    answer[len > 0 ? len : 0] = '\0';
    answer[strcspn(answer, "\r\n")] = '\0';
    return strcasecmp(answer, "y") == 0 || strcasecmp(answer, "yes") == 0 ||
           error_set(err, ERROR_FAILED, "nothing was done");
}

bool command_confirm(const char *question, bool yes, int stop_fd, struct error *err)
{
    return yes || ask(STDIN_FILENO, question, stop_fd, err);
}

bool command_confirm_apart(const char *question, bool yes, int stop_fd, struct error *err)
{
    if (yes)
        return true;
    int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    bool ok = ask(fd, question, stop_fd, err);
    if (fd >= 0)
        close(fd);
    return ok;
}
