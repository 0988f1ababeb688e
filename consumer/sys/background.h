/* background: one piece of work that blocks, in a thread that ends with it.
 *
 * librdkafka answers some questions only to a caller that waits. The loop must not wait, so such a
 * call is made here. The two threads never share anything at a time: the work owns its context from
 * background_start until background_take returns true. */
#ifndef SYS_BACKGROUND_H
#define SYS_BACKGROUND_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

struct background {
    void (*work)(void *context);
    void *context;
    int wake_fd; /* a wakeup, signalled at the end; -1: none */
    bool running;
    pthread_t thread;
    atomic_bool ended;
};

/* Begins; false without a thread, or while another piece of work is under way. The struct must stay
 * where it is until the end is taken. */
bool background_start(struct background *b, void (*work)(void *context), void *context,
                      int wake_fd);

/* From background_start until background_take returns true. */
bool background_is_running(const struct background *b);

/* True once for each piece of work, when it has ended. */
bool background_take(struct background *b);

/* Waits for the end, if one is under way. */
void background_join(struct background *b);

#endif
