#include "cli/audit.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Under sudo the user who called it, instead of root. In a container without a user's name its
 * number. */
static void name_user(char *ret, size_t size)
{
    const struct passwd *entry = getpwuid(getuid());
    const char *caller = getuid() == 0 ? getenv("SUDO_USER") : NULL;
    if (caller != NULL && *caller != '\0')
        snprintf(ret, size, "%s", caller);
    else if (entry != NULL)
        snprintf(ret, size, "%s", entry->pw_name);
    else
        snprintf(ret, size, "uid-%ld", (long)getuid());
}

void command_who(char ret[COMMAND_WHO_MAX])
{
    char user[128], host[128] = "";
    name_user(user, sizeof user);
    if (gethostname(host, sizeof host - 1) != 0)
        snprintf(host, sizeof host, "unknown");
    snprintf(ret, COMMAND_WHO_MAX, "%s@%s", user, host);
}

void command_audit(const char *what, const struct log_field *more)
{
    char who[COMMAND_WHO_MAX];
    struct log_field fields[COMMAND_AUDIT_FIELDS_MAX + 3];
    size_t count = 0;
    command_who(who);
    fields[count++] = LOG_S("who", who);
    fields[count++] = LOG_S("what", what);
    for (; more->name != NULL && count < COMMAND_AUDIT_FIELDS_MAX + 2; more++)
        fields[count++] = *more;
    fields[count] = (struct log_field){0};
    log_event(LOG_AUDIT, "audit", fields);
}
