/* error: code + fate + bounded text, on the caller's stack; the first one wins.
 *
 *   struct error err = {0};
 *   if (!thing_do(t, &err)) log_error("%s", err.text);
 *
 * A function that can fail returns bool (true = done) or a pointer (NULL = failed) and takes a
 * `struct error *` last. Text never holds a secret or personal data. */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <stdbool.h>

#define ERROR_TEXT_MAX 512

/* code, the process's exit code when this is what ends it */
#define ERROR_CODES(X)                                                           \
    X(NONE, 0)        /* no error */                                             \
    X(FAILED, 1)      /* the work could not be done */                           \
    X(CONFIG, 2)      /* usage or configuration: the operator corrects it */     \
    X(UNREACHABLE, 3) /* something outside is down: trying again later may do */ \
    X(UNDECODABLE, 1) /* bytes or a schema that can never be read */             \
    X(NO_MEMORY, 1)

enum error_code {
#define X(code, exit) ERROR_##code,
    ERROR_CODES(X)
#undef X
};

struct error {
    enum error_code code;
    char text[ERROR_TEXT_MAX]; /* one line, no control characters, NUL-terminated */
};

#define must_check __attribute__((warn_unused_result))

/* Sets code and text unless an error is already set (the first one wins); always returns false, for
 * `return error_set(...)`. A NULL err is allowed. */
bool error_set(struct error *err, enum error_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same for want of memory. */
bool error_no_memory(struct error *err);

/* The process's exit code for this error. */
int error_exit_code(const struct error *err);

#endif
