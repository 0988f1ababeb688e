#include "base/error.h"

#include "base/printable.h"

#include <stdarg.h>
#include <stdio.h>

bool error_set(struct error *err, enum error_code code, const char *format, ...)
{
    if (err == NULL || err->code != ERROR_NONE)
        return false;
    err->code = code;
    va_list args;
    va_start(args, format);
    vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    printable_make(
        err->text); /* the text may quote foreign data: a schema's names, a library's message */
    return false;
}

bool error_no_memory(struct error *err)
{
    return error_set(err, ERROR_NO_MEMORY, "out of memory");
}

int error_exit_code(const struct error *err)
{
    static const int exit_codes[] = {
#define X(code, exit) exit,
        ERROR_CODES(X)
#undef X
    };
    return exit_codes[err->code];
}
