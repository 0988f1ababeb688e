#include "fakes/pseudo_terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE_S = 30 };

static void must(bool ok, const char *what)
{
    if (!ok) {
        perror(what);
        abort();
    }
}

/* Reads until the slave's last descriptor is closed (EIO). */
static void *read_all(void *context)
{
    struct pseudo_terminal *t = context;
    char piece[4096];
    ssize_t got;
    while ((got = read(t->master, piece, sizeof piece)) > 0) {
        pthread_mutex_lock(&t->lock);
        must(t->len + (size_t)got < sizeof t->text, "more text than there is room for");
        memcpy(t->text + t->len, piece, (size_t)got);
        t->len += (size_t)got;
        t->text[t->len] = '\0';
        pthread_cond_broadcast(&t->arrived);
        pthread_mutex_unlock(&t->lock);
    }
    return NULL;
}

void pseudo_terminal_begin(struct pseudo_terminal *t, unsigned short columns)
{
    struct termios modes;
    const struct winsize size = {.ws_row = 40, .ws_col = columns};
    memset(t, 0, sizeof *t);
    must(openpty(&t->master, &t->slave, NULL, NULL, &size) == 0, "openpty");
    fcntl(t->master, F_SETFD, FD_CLOEXEC);
    must(tcgetattr(t->slave, &modes) == 0, "tcgetattr");
    cfmakeraw(&modes);
    must(tcsetattr(t->slave, TCSANOW, &modes) == 0, "tcsetattr");
    pthread_mutex_init(&t->lock, NULL);
    pthread_cond_init(&t->arrived, NULL);
    must(pthread_create(&t->reader, NULL, read_all, t) == 0, "pthread_create");
    fflush(stdout);
    for (int fd = 0; fd < 3; fd++) {
        t->before[fd] = dup(fd);
        must(dup2(t->slave, fd) == fd, "dup2");
    }
}

void pseudo_terminal_end(struct pseudo_terminal *t)
{
    fflush(stdout);
    for (int fd = 0; fd < 3; fd++) {
        dup2(t->before[fd], fd);
        close(t->before[fd]);
    }
    close(t->slave);
    pthread_join(t->reader, NULL);
    close(t->master);
    pthread_mutex_destroy(&t->lock);
    pthread_cond_destroy(&t->arrived);
}

bool pseudo_terminal_await(struct pseudo_terminal *t, const char *text)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += PATIENCE_S;
    int late = 0;
    pthread_mutex_lock(&t->lock);
    while (strstr(t->text, text) == NULL && late != ETIMEDOUT)
        late = pthread_cond_clockwait(&t->arrived, &t->lock, CLOCK_MONOTONIC, &until);
    bool found = strstr(t->text, text) != NULL;
    pthread_mutex_unlock(&t->lock);
    return found;
}

void pseudo_terminal_type(struct pseudo_terminal *t, const char *text)
{
    must(write(t->master, text, strlen(text)) == (ssize_t)strlen(text), "write");
}
