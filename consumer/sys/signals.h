/* signals: the signals that end or reload the program, as a descriptor for the loop. */
#ifndef SYS_SIGNALS_H
#define SYS_SIGNALS_H

/* Blocks SIGTERM, SIGINT and SIGHUP and returns a descriptor that becomes readable when one arrives
 * (signalfd(2)), for the loop's own turn; SIGPIPE is ignored. -1 on failure. The caller closes it.
 */
int signals_open(void);

#endif
