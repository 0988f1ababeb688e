#include "terminal/progress.h"

#include "base/buf.h"
#include "base/printable.h"
#include "sys/clock.h"
#include "terminal/style.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    FIRST_MS = 1000,
    EVERY_MS = 100,
    SECOND_MS = 1000,
    BAR = 20,
    WHAT_MAX = 160,
    LINE_MAX = 640
};

#define ERASED "\r\033[K"

static struct {
    pthread_mutex_t lock; /* of all below but the count */
    pthread_cond_t changed;
    pthread_t thread;
    bool running, drawn;
    int64_t began_ms, total;
    char what[WHAT_MAX];
    atomic_int_fast64_t count;
} line = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static void write_all(const struct buf *b)
{
    while (write(STDERR_FILENO, b->data, b->len) < 0 && errno == EINTR)
        continue;
}

static void add_bar(struct buf *b, int64_t count, int64_t total)
{
    static const char full[] = "####################";
    int filled = count >= total ? BAR : (int)(count * BAR / total);
    buf_addf(b, "[%.*s%*s] ", filled, full, BAR - filled, "");
}

/* "[#####     ] reading topic orders: 17 of 1200, 3 s", cut where the terminal ends: a line that
 * wraps could not be erased. The cursor goes back to its beginning, so that a line of the log is
 * written over it. */
static void draw(int64_t now_ms)
{
    struct buf text, b;
    int64_t count = atomic_load(&line.count);
    buf_init(&text, LINE_MAX);
    buf_init(&b, 2 * LINE_MAX);
    if (line.total > 0)
        add_bar(&text, count, line.total);
    buf_add_text(&text, line.what);
    if (count > 0)
        buf_addf(&text, ": %" PRId64, count);
    if (count > 0 && line.total > 0)
        buf_addf(&text, " of %" PRId64, line.total);
    buf_addf(&text, ", %" PRId64 " s", (now_ms - line.began_ms) / SECOND_MS);
    char shown[LINE_MAX];
    size_t width = terminal_width(STDERR_FILENO);
    buf_add_text(&b, ERASED);
    buf_add_text(&b, printable(buf_text(&text), shown, width < LINE_MAX ? width : LINE_MAX));
    buf_add_char(&b, '\r');
    if (buf_ok(&b))
        write_all(&b);
    line.drawn = true;
    buf_done(&text);
    buf_done(&b);
}

static void erase(void)
{
    struct buf b;
    if (!line.drawn)
        return;
    buf_init(&b, LINE_MAX);
    buf_add_text(&b, ERASED);
    if (buf_ok(&b))
        write_all(&b);
    buf_done(&b);
    line.drawn = false;
}

static struct timespec at_ms(int64_t ms)
{
    return (struct timespec){.tv_sec = ms / SECOND_MS,
                             .tv_nsec = (long)(ms % SECOND_MS) * (1000000000L / SECOND_MS)};
}

static void *draw_until_ended(void *context)
{
    (void)context;
    pthread_mutex_lock(&line.lock);
    int64_t next_ms = line.began_ms + FIRST_MS;
    while (line.running) {
        const struct timespec next = at_ms(next_ms);
        pthread_cond_clockwait(&line.changed, &line.lock, CLOCK_MONOTONIC, &next);
        int64_t now_ms = clock_mono_ms();
        if (!line.running || now_ms < next_ms)
            continue;
        draw(now_ms);
        next_ms = now_ms + EVERY_MS;
    }
    pthread_mutex_unlock(&line.lock);
    return NULL;
}

/* Signals are the command's. */
static bool start_thread(void)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    bool ok = pthread_create(&line.thread, NULL, draw_until_ended, NULL) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return ok;
}

void progress_step(const char *what, int64_t total)
{
    if (!terminal_is_there(STDERR_FILENO))
        return;
    pthread_mutex_lock(&line.lock);
    printable(what, line.what, sizeof line.what);
    line.total = total;
    atomic_store(&line.count, 0);
    if (!line.running) {
        line.began_ms = clock_mono_ms();
        line.running = true;
        line.running = start_thread();
    }
    pthread_mutex_unlock(&line.lock);
}

void progress_reading(const char *topic)
{
    char what[WHAT_MAX];
    snprintf(what, sizeof what, "reading topic %s", topic);
    progress_step(what, -1);
}

void progress_at(int64_t count)
{
    atomic_store(&line.count, count);
}

void progress_one_more(void)
{
    atomic_fetch_add(&line.count, 1);
}

void progress_end(void)
{
    if (!line.running)
        return;
    pthread_mutex_lock(&line.lock);
    line.running = false;
    erase();
    pthread_cond_signal(&line.changed);
    pthread_mutex_unlock(&line.lock);
    pthread_join(line.thread, NULL);
}
