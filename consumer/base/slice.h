/* slice: borrowed bytes. */
#ifndef BASE_SLICE_H
#define BASE_SLICE_H

#include <stddef.h>
#include <string.h>

struct slice {
    const char *data; /* NULL: nothing at all, which is not the same as no bytes */
    size_t len;
};

static inline struct slice slice_of(const char *text)
{
    return (struct slice){text, text != NULL ? strlen(text) : 0};
}

#endif
