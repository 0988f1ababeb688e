/* confirm: asks the operator before something is sent or reset. */
#ifndef CLI_CONFIRM_H
#define CLI_CONFIRM_H

#include "base/error.h"

/* True with --yes, or when the operator answers y at the terminal. Otherwise FAILED; CONFIG when
 * there is no terminal to ask on. */
bool command_confirm(const char *question, bool yes, int stop_fd, struct error *err) must_check;

/* The same of a command whose standard input has data: asks on the controlling terminal. */
bool command_confirm_apart(const char *question, bool yes, int stop_fd,
                           struct error *err) must_check;

#endif
