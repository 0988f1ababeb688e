/* pseudo_terminal: standard streams on a terminal of a test's own (pty(7)), in raw mode, so that
 * every byte is as the program wrote it. */
#ifndef FAKES_PSEUDO_TERMINAL_H
#define FAKES_PSEUDO_TERMINAL_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

enum { PSEUDO_TERMINAL_TEXT = 262144 };

struct pseudo_terminal {
    int master, slave, before[3];
    pthread_t reader;
    pthread_mutex_t lock;
    pthread_cond_t arrived;
    size_t len;
    char text[PSEUDO_TERMINAL_TEXT]; /* ends in a NUL; read it after the end */
};

/* Standard input, output and error are a terminal of so many columns until the end. */
void pseudo_terminal_begin(struct pseudo_terminal *t, unsigned short columns);
void pseudo_terminal_end(struct pseudo_terminal *t);

/* True when the text was shown within 30 s of the call, or before it. */
bool pseudo_terminal_await(struct pseudo_terminal *t, const char *text);

void pseudo_terminal_type(struct pseudo_terminal *t, const char *text);

#endif
