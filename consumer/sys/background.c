#include "sys/background.h"

#include "sys/wakeup.h"

static void *run(void *context)
{
    struct background *b = context;
    int wake_fd = b->wake_fd;
    b->work(b->context);
    atomic_store(&b->ended, true);
    wakeup_signal(wake_fd);
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
