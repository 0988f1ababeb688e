/* tool: how the programs beside the tests end when they cannot go on. */
#ifndef TOOLS_TOOL_H
#define TOOLS_TOOL_H

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

static inline _Noreturn void die(const char *what, const char *why)
{
    fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what, why);
    exit(1);
}

static inline void need(bool ok, const char *what, const char *why)
{
    if (!ok)
        die(what, why);
}

#endif
