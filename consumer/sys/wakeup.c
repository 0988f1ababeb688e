#include "sys/wakeup.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

int wakeup_new(void)
{
    return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
}

void wakeup_free(int fd)
{
    if (fd >= 0)
        close(fd);
}

void wakeup_signal(int fd)
{
    static const uint64_t one = 1;
    if (fd >= 0)
        (void)!write(fd, &one, sizeof one);
}

void wakeup_clear(int fd)
{
    uint64_t count;
    if (fd >= 0)
        (void)!read(fd, &count, sizeof count);
}

bool wakeup_wait(int fd, int timeout_ms)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
    bool woken = poll(&poll_fd, 1, timeout_ms) > 0;
    wakeup_clear(fd);
    return woken;
}

static void ready(void *context, int fd, unsigned events)
{
    (void)context, (void)events;
    wakeup_clear(fd);
}

bool wakeup_watch(int fd, struct loop *loop)
{
    return loop_watch(loop, fd, LOOP_READ, ready, NULL);
}
