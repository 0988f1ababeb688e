/* signals: the signals that end or reload the program, as a descriptor for the loop. */
#ifndef SYS_SIGNALS_H
#define SYS_SIGNALS_H

#include "base/error.h"

/* Blocks SIGTERM, SIGINT and SIGHUP and returns a descriptor that becomes readable when one arrives
 * (signalfd(2)), for the loop's own turn; SIGPIPE is ignored. -1 on failure. The caller closes it.
 */
int signals_open(void);

/* True while none has arrived; else FAILED: "stopped; nothing was done". For commands that block.
 */
bool signals_go_on(int stop_fd, struct error *err);

#endif
