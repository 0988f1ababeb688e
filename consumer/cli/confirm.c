#include "cli/confirm.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

bool command_confirm(const char *question, bool yes, int stop_fd, struct error *err)
{
    char answer[16];
    struct pollfd fds[] = {{.fd = STDIN_FILENO, .events = POLLIN},
                           {.fd = stop_fd, .events = POLLIN}};
    if (yes)
        return true;
    if (!isatty(STDIN_FILENO))
        return error_set(err, ERROR_CONFIG,
                         "nothing was done: there is no terminal to ask on; --yes confirms");
    fprintf(stderr, "%s [y/N] ", question);
    ssize_t len = -1;
    if (poll(fds, 2, -1) > 0 && fds[1].revents == 0)
        len = read(STDIN_FILENO, answer, sizeof answer - 1);
    answer[len > 0 ? len : 0] = '\0';
    answer[strcspn(answer, "\r\n")] = '\0';
    return strcmp(answer, "y") == 0 || strcmp(answer, "yes") == 0 ||
           error_set(err, ERROR_FAILED, "nothing was done");
}
