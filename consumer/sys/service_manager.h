/* service_manager: tells systemd how the service is, as Type=notify and WatchdogSec= want it.
 *
 * Each message is one datagram to the socket that NOTIFY_SOCKET names (sd_notify(3), which offers
 * the protocol to programs without systemd's library). The watchdog's sign of life leaves from the
 * loop: a loop that stands still sends none, and systemd starts the service again. A process that
 * no manager started sends nothing. */
#ifndef SYS_SERVICE_MANAGER_H
#define SYS_SERVICE_MANAGER_H

#include "sys/loop.h"

struct service_manager;

/* Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID, and takes them out of the environment: they
 * are not meant for child processes. NULL: there is no manager, or no memory. */
struct service_manager *service_manager_open(struct loop *loop);
void service_manager_close(struct service_manager *m); /* accepts NULL */

/* Both accept NULL. Ready: the loop runs from now on. */
void service_manager_tell_ready(struct service_manager *m);
void service_manager_tell_stopping(struct service_manager *m);

#endif
