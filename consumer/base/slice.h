/* slice: borrowed bytes, and the words of a list. */
#ifndef BASE_SLICE_H
#define BASE_SLICE_H

#include <stdbool.h>
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

/* The same bytes; one without bytes equals any other without bytes. */
static inline bool slice_equal(struct slice a, struct slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static inline bool slice_is(struct slice slice, const char *text)
{
    return slice_equal(slice, slice_of(text));
}

/* The next word of a list, whose words are separated by spaces or commas; *rest becomes what
 * follows it. No bytes: there is none. */
static inline struct slice words_next(const char **rest)
{
    const char *word = *rest + strspn(*rest, " ,");
    size_t len = strcspn(word, " ,");
    *rest = word + len;
    return (struct slice){word, len};
}

#endif
