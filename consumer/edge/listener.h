/* listener: a TCP socket that listens where an option says ("127.0.0.1:8080", "[::1]:0", ":8080").
 */
#ifndef EDGE_LISTENER_H
#define EDGE_LISTENER_H

#include "core/error.h"

#include <stddef.h>

enum { LISTENER_ADDRESS_MAX = 64 };

/* The socket, non-blocking; the caller closes it. ret_address is what it is really bound to ("port
 * 0" is resolved). -1 with CONFIG when the text is no address of this machine, FAILED when it is
 * taken. name is the option's, for the error. */
int listener_open(const char *name, const char *text, char ret_address[LISTENER_ADDRESS_MAX],
                  struct error *err) must_check;

#endif
