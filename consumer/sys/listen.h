/* listen: a listening TCP socket from "host:port". */
#ifndef SYS_LISTEN_H
#define SYS_LISTEN_H

#include "base/error.h"

/* "127.0.0.1:9464", "[::1]:9464", "localhost:9464", ":9464" (every address); port 0: a free one.
 * The socket does not block and is closed on exec; the caller closes it. -1 with err, which opens
 * with the option's name. */
int listen_open(const char *address, const char *option, struct error *err);

/* The port it is bound to; -1: not bound. */
int listen_port(int fd);

#endif
