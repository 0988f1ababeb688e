/* audit: the log line of a command that changed something. */
#ifndef CLI_AUDIT_H
#define CLI_AUDIT_H

#include "sys/log.h"

enum { COMMAND_AUDIT_FIELDS_MAX = 8, COMMAND_WHO_MAX = 260 };

/* "user@host" of the user who runs the command. */
void command_who(char ret[COMMAND_WHO_MAX]);

/* Writes level=audit, who (user@host), what, then up to COMMAND_AUDIT_FIELDS_MAX fields of `more`.
 * Call it only after the change: a failed one leaves no line. */
void command_audit(const char *what, const struct log_field *more);

#endif
