/* loop: epoll behind a list of changes.
 *
 *   loop_watch ─▶ wanted ─▶ dirty list ─▶ (loop_wait) epoll_ctl where wanted != applied ─▶ applied
 *
 * Watches live in an array indexed by fd. Every registration carries a generation, so that an event
 * that was already collected for a forgotten fd never reaches the next owner of its number. */
#include "sys/loop.h"

#include "sys/clock.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { WATCHES_MIN = 64, EVENTS_PER_WAIT = 256, NO_FD = -1 };

struct watch {
    loop_callback *callback;
    void *context;
    unsigned wanted;     /* LOOP_*, as last asked for */
    unsigned applied;    /* LOOP_*, as the kernel knows it; 0 = not registered */
    uint32_t generation; /* counts the owners of this fd number */
    bool dirty;
    int next_dirty;
};

struct loop {
    int epoll;
    struct watch *watches; /* by fd */
    size_t count;
    int first_dirty;
    int64_t woken_ms, longest_ms; /* woken_ms 0: it has not waited yet */
};

struct loop *loop_new(struct error *err)
{
    struct loop *loop = calloc(1, sizeof *loop);
    if (loop == NULL) {
        error_no_memory(err);
        return NULL;
    }
    loop->first_dirty = NO_FD;
    loop->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (loop->epoll < 0) {
        error_set(err, ERROR_FAILED, "epoll: %s", strerror(errno));
        free(loop);
        return NULL;
    }
    return loop;
}

void loop_free(struct loop *loop)
{
    if (loop == NULL)
        return;
    close(loop->epoll);
    free(loop->watches);
    free(loop);
}

static bool make_room(struct loop *loop, int fd)
{
    size_t need = (size_t)fd + 1;
    if (need <= loop->count)
        return true;
    size_t count = loop->count ? loop->count : WATCHES_MIN;
    while (count < need)
        count *= 2;
    struct watch *watches = realloc(loop->watches, count * sizeof *watches);
    if (watches == NULL)
        return false;
    memset(watches + loop->count, 0, (count - loop->count) * sizeof *watches);
    loop->watches = watches;
    loop->count = count;
    return true;
}

bool loop_watch(struct loop *loop, int fd, unsigned events, loop_callback *callback, void *context)
{
    if (fd < 0 || !make_room(loop, fd))
        return false;
    struct watch *watch = &loop->watches[fd];
    watch->callback = callback;
    watch->context = context;
    watch->wanted = events;
    if (!watch->dirty && watch->wanted != watch->applied) {
        watch->dirty = true;
        watch->next_dirty = loop->first_dirty;
        loop->first_dirty = fd;
    }
    return true;
}

void loop_forget(struct loop *loop, int fd)
{
    if (fd < 0 || (size_t)fd >= loop->count)
        return;
    struct watch *watch = &loop->watches[fd];
    if (watch->applied != 0)
        epoll_ctl(loop->epoll, EPOLL_CTL_DEL, fd, NULL);
    watch->applied = 0;
    watch->wanted = 0;
    watch->generation++;
}

/* Tells the kernel what is wanted of one fd. */
static void apply(struct loop *loop, int fd)
{
    struct watch *watch = &loop->watches[fd];
    if (watch->wanted == watch->applied)
        return;
    struct epoll_event event = {.data.u64 = (uint64_t)watch->generation << 32 | (uint32_t)fd};
    if (watch->wanted & LOOP_READ)
        event.events |= EPOLLIN;
    if (watch->wanted & LOOP_WRITE)
        event.events |= EPOLLOUT;
    int op = EPOLL_CTL_MOD;
    if (watch->wanted == 0)
        op = EPOLL_CTL_DEL;
    else if (watch->applied == 0)
        op = EPOLL_CTL_ADD;
    /* An fd that the kernel refuses (closed meanwhile, no memory) is not watched; every waiter has
     * a time limit. */
    watch->applied = epoll_ctl(loop->epoll, op, fd, &event) == 0 ? watch->wanted : 0;
}

static void apply_changes(struct loop *loop)
{
    while (loop->first_dirty != NO_FD) {
        int fd = loop->first_dirty;
        loop->first_dirty = loop->watches[fd].next_dirty;
        loop->watches[fd].dirty = false;
        apply(loop, fd);
    }
}

/* Runs the callback of one event; false when its fd is not watched any more. */
static bool dispatch(struct loop *loop, const struct epoll_event *event)
{
    int fd = (int)(uint32_t)event->data.u64;
    struct watch *watch = &loop->watches[fd];
    if (watch->generation != (uint32_t)(event->data.u64 >> 32))
        return false;
    unsigned events = 0;
    if (event->events & EPOLLIN)
        events |= LOOP_READ;
    if (event->events & EPOLLOUT)
        events |= LOOP_WRITE;
    if (event->events & (EPOLLERR | EPOLLHUP))
        events |= LOOP_READ | LOOP_WRITE; /* reading or writing returns the error */
    events &= watch->wanted;
    if (events == 0)
        return false;
    watch->callback(watch->context, fd, events);
    return true;
}

static void note_turn(struct loop *loop)
{
    int64_t turn_ms = loop->woken_ms > 0 ? clock_mono_ms() - loop->woken_ms : 0;
    if (turn_ms > loop->longest_ms)
        loop->longest_ms = turn_ms;
}

int64_t loop_longest_turn_ms(const struct loop *loop)
{
    return loop->longest_ms;
}

int loop_wait(struct loop *loop, int64_t timeout_ms)
{
    note_turn(loop);
    apply_changes(loop);
    if (timeout_ms < 0)
        timeout_ms = -1;
    else if (timeout_ms > INT_MAX)
        timeout_ms = INT_MAX;
    struct epoll_event events[EVENTS_PER_WAIT];
    int ready = epoll_wait(loop->epoll, events, EVENTS_PER_WAIT, (int)timeout_ms);
    int ran = 0;
    loop->woken_ms = clock_mono_ms();
    for (int i = 0; i < ready; i++)
        ran += dispatch(loop, &events[i]);
    return ran;
}
