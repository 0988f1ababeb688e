#include "sys/background.h"

#include <stdint.h>
#include <unistd.h>

static void *run(void *context)
{
    static const uint64_t one = 1;
    struct background *b = context;
    int wake_fd = b->wake_fd;
    b->work(b->context);
    atomic_store(&b->ended, true);
    if (wake_fd >= 0)
        (void)!write(wake_fd, &one, sizeof one);
    return NULL;
}

bool background_start(struct background *b, void (*work)(void *context), void *context, int wake_fd)
{
    if (b->running)
        return false;
    b->work = work;
    b->context = context;
    b->wake_fd = wake_fd;
    atomic_store(&b->ended, false);
    b->running = pthread_create(&b->thread, NULL, run, b) == 0;
    return b->running;
}

bool background_is_running(const struct background *b)
{
    return b->running;
}

bool background_take(struct background *b)
{
    if (!b->running || !atomic_load(&b->ended))
        return false;
    background_join(b);
    return true;
}

void background_join(struct background *b)
{
    if (b->running)
        pthread_join(b->thread, NULL);
    b->running = false;
}
