/* signals: the signals that end or reload the program, as a descriptor for the loop. */
#ifndef SYS_SIGNALS_H
#define SYS_SIGNALS_H

#include "base/error.h"

/* Blocks SIGTERM, SIGINT and SIGHUP and returns a descriptor that becomes readable when one arrives
 * (signalfd(2)), for the loop's own turn; SIGPIPE is ignored. -1 on failure. The caller closes it.
 */
int signals_open(void);

/* The same for a command, which may wait where no descriptor is looked at: the first signal makes
 * the descriptor readable, and a second one ends the process at once, with 128 and its number as
 * the exit code. Nothing is blocked; calls of the system return EINTR only where they cannot go on.
 * One at a time in a process; closed by signals_close. */
int signals_of_command(void);

/* Any signal ends the process at once from here on. */
void signals_close(int stop_fd);

/* True while none has arrived; else FAILED: "stopped; nothing was done". For commands that block.
 */
bool signals_go_on(int stop_fd, struct error *err);

#endif
