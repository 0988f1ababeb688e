#include "sys/service_manager.h"

#include "sys/log.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <unistd.h>

struct service_manager {
    struct loop *loop;
    int socket, timer; /* timer: -1 without a watchdog */
    struct sockaddr_un address;
    socklen_t address_len;
    bool failed; /* a message could not be sent; logged once */
};

static void tell(struct service_manager *m, const char *message)
{
    ssize_t sent = sendto(m->socket, message, strlen(message), MSG_NOSIGNAL,
                          (const struct sockaddr *)&m->address, m->address_len);
    if (sent < 0 && !m->failed)
        log_warn("service manager unreachable", LOG_S("error", strerror(errno)));
    m->failed = sent < 0;
}

/* A path, or a name of Linux' abstract ones, which begins with @. */
static bool read_address(struct service_manager *m, const char *name)
{
    size_t len = strlen(name);
    if ((*name != '/' && *name != '@') || len < 2 || len >= sizeof m->address.sun_path)
        return false;
    m->address.sun_family = AF_UNIX;
    memcpy(m->address.sun_path, name, len);
    if (*name == '@')
        m->address.sun_path[0] = '\0';
    m->address_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
    return true;
}

/* Microseconds between two signs of life that systemd waits for; 0: none are wanted of us. */
static int64_t watchdog_us(const char *usec, const char *pid)
{
    char *end;
    if (usec == NULL || (pid != NULL && strtoll(pid, NULL, 10) != getpid()))
        return 0;
    long long value = strtoll(usec, &end, 10);
    return *end == '\0' && value > 0 ? value : 0;
}

static void sign_of_life(void *context, int fd, unsigned events)
{
    uint64_t expirations;
    (void)events;
    if (read(fd, &expirations, sizeof expirations) == sizeof expirations)
        tell(context, "WATCHDOG=1");
}

/* Twice in the time that systemd waits, as sd_watchdog_enabled(3) advises. */
static void start_watchdog(struct service_manager *m, int64_t us)
{
    enum { SECOND_US = 1000000 };
    int64_t every_us = us / 2 > 0 ? us / 2 : 1;
    const struct timespec every = {.tv_sec = every_us / SECOND_US,
                                   .tv_nsec = every_us % SECOND_US * 1000};
    const struct itimerspec timer = {every, every};
    m->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (m->timer < 0 || timerfd_settime(m->timer, 0, &timer, NULL) != 0 ||
        !loop_watch(m->loop, m->timer, LOOP_READ, sign_of_life, m))
        log_warn("service manager unreachable", LOG_S("error", strerror(errno)));
}

static struct service_manager *open_of(struct loop *loop, const char *name, int64_t watchdog)
{
    struct service_manager *m = calloc(1, sizeof *m);
    if (m == NULL)
        return NULL;
    m->loop = loop;
    m->timer = -1;
    m->socket = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (m->socket < 0 || !read_address(m, name)) {
        log_warn("service manager unreachable", LOG_S("NOTIFY_SOCKET", name),
                 LOG_S("error", m->socket < 0 ? strerror(errno) : "not a path, nor a name with @"));
        service_manager_close(m);
        return NULL;
    }
    if (watchdog > 0)
        start_watchdog(m, watchdog);
    return m;
}

struct service_manager *service_manager_open(struct loop *loop)
{
    const char *name = getenv("NOTIFY_SOCKET");
    int64_t watchdog = watchdog_us(getenv("WATCHDOG_USEC"), getenv("WATCHDOG_PID"));
    struct service_manager *m = name != NULL ? open_of(loop, name, watchdog) : NULL;
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
    return m;
}

void service_manager_close(struct service_manager *m)
{
    if (m == NULL)
        return;
    if (m->timer >= 0) {
        loop_forget(m->loop, m->timer);
        close(m->timer);
    }
    if (m->socket >= 0)
        close(m->socket);
    free(m);
}

void service_manager_tell_ready(struct service_manager *m)
{
    if (m != NULL)
        tell(m, "READY=1");
}

void service_manager_tell_stopping(struct service_manager *m)
{
    if (m != NULL)
        tell(m, "STOPPING=1");
}
