#include "kafka/client_end.h"

#include "sys/background.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct ending {
    struct background background;
    rd_kafka_t *rk;
    int flags, fd;
};

static void destroy(void *context)
{
    const struct ending *e = context;
    rd_kafka_destroy_flags(e->rk, e->flags);
}

static bool in_time(const struct ending *e, int timeout_ms)
{
    struct pollfd fd = {.fd = e->fd, .events = POLLIN};
    return poll(&fd, 1, timeout_ms) > 0;
}

bool kafka_end(rd_kafka_t *rk, int flags, int timeout_ms)
{
    struct ending *e = calloc(1, sizeof *e);
    if (e == NULL)
        return false; /* the process ends soon, the client with it */
    e->rk = rk;
    e->flags = flags;
    e->fd = eventfd(0, EFD_CLOEXEC);
    if (e->fd < 0 || !background_start(&e->background, destroy, e, e->fd)) {
        if (e->fd >= 0)
            close(e->fd);
        free(e);
        return false;
    }
    if (!in_time(e, timeout_ms))
        return false; /* the thread has what it uses, until the process ends */
    background_join(&e->background);
    close(e->fd);
    free(e);
    return true;
}
