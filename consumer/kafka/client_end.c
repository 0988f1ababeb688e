#include "kafka/client_end.h"

#include "sys/background.h"
#include "sys/wakeup.h"

#include <stdlib.h>

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

bool kafka_end(rd_kafka_t *rk, int flags, int timeout_ms)
{
    struct ending *e = calloc(1, sizeof *e);
    if (e == NULL)
        return false; /* the process ends soon, the client with it */
    e->rk = rk;
    e->flags = flags;
    e->fd = wakeup_new();
    if (e->fd < 0 || !background_start(&e->background, destroy, e, e->fd)) {
        wakeup_free(e->fd);
        free(e);
        return false;
    }
    if (!wakeup_wait(e->fd, timeout_ms))
        return false; /* the thread has what it uses, until the process ends */
    background_join(&e->background);
    wakeup_free(e->fd);
    free(e);
    return true;
}
