/* slice: borrowed bytes, what stands behind a prefix, and the words of a list. */
#ifndef BASE_SLICE_H
#define BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

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

/* The text behind the prefix; NULL where the text is NULL or begins otherwise. _any_case: ASCII
 * letters of either case are the same. */
static inline const char *after_prefix(const char *text, const char *prefix)
{
    size_t len = strlen(prefix);
    return text != NULL && strncmp(text, prefix, len) == 0 ? text + len : NULL;
}

static inline const char *after_prefix_any_case(const char *text, const char *prefix)
{
    size_t len = strlen(prefix);
    return text != NULL && strncasecmp(text, prefix, len) == 0 ? text + len : NULL;
}

static inline bool has_prefix(const char *text, const char *prefix)
{
    return after_prefix(text, prefix) != NULL;
}

static inline bool has_prefix_any_case(const char *text, const char *prefix)
{
    return after_prefix_any_case(text, prefix) != NULL;
}

static inline bool slice_has_prefix(struct slice text, const char *prefix)
{
    size_t len = strlen(prefix);
    return text.len >= len && memcmp(text.data, prefix, len) == 0;
}

static inline bool slice_has_prefix_any_case(struct slice text, const char *prefix)
{
    size_t len = strlen(prefix);
    return text.len >= len && strncasecmp(text.data, prefix, len) == 0;
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
