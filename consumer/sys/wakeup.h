/* wakeup: a descriptor by which other threads wake the one that waits (an eventfd).
 *
 * Any thread may signal it; one thread waits for it, in the loop or by wakeup_wait. */
#ifndef SYS_WAKEUP_H
#define SYS_WAKEUP_H

#include "sys/loop.h"

/* -1 without a descriptor to spare; the functions below accept that. */
int wakeup_new(void);
void wakeup_free(int fd);

void wakeup_signal(int fd);
void wakeup_clear(int fd);

/* Waits until it is signalled or timeout_ms passed, and clears it. */
bool wakeup_wait(int fd, int timeout_ms);

/* Makes a signal end the loop's wait, without a callback of its own. False without memory. */
bool wakeup_watch(int fd, struct loop *loop) must_check;

#endif
