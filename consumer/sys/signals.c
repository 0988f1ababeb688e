#include "sys/signals.h"

#include "sys/wakeup.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

int signals_open(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* ---- of a command ---- */

static volatile sig_atomic_t told_fd = -1, told;

static void tell(int number)
{
    int before = errno;
    if (told)
        _exit(128 + number);
    told = 1;
    wakeup_signal(told_fd); /* write(2), as a handler may */
    errno = before;
}

int signals_of_command(void)
{
    static const int numbers[] = {SIGTERM, SIGINT, SIGHUP};
    struct sigaction action = {.sa_handler = tell, .sa_flags = SA_RESTART};
    sigset_t set;
    sigemptyset(&set);
    sigemptyset(&action.sa_mask);
    told_fd = wakeup_new();
    told = 0;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        struct sigaction before;
        sigaction(numbers[i], NULL, &before);
        if (numbers[i] != SIGHUP || before.sa_handler != SIG_IGN) /* nohup(1) */
            sigaction(numbers[i], &action, NULL);
        sigaddset(&set, numbers[i]);
    }
    signal(SIGPIPE, SIG_IGN);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    return told_fd;
}

void signals_close(int stop_fd)
{
    told = 1;
    told_fd = -1;
    wakeup_free(stop_fd);
}

bool signals_go_on(int stop_fd, struct error *err)
{
    struct pollfd fd = {.fd = stop_fd, .events = POLLIN};
    return poll(&fd, 1, 0) <= 0 || error_set(err, ERROR_FAILED, "stopped; nothing was done");
}
