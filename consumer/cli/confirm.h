/* confirm: asks the operator before something is sent or reset. */
#ifndef CLI_CONFIRM_H
#define CLI_CONFIRM_H

#include "base/error.h"

/* True with --yes, or when a person at the terminal answers y. Else FAILED, having done nothing;
 * CONFIG when there is no terminal to ask at. */
bool command_confirm(const char *question, bool yes, int stop_fd, struct error *err) must_check;

#endif
