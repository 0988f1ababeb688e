/* buf: a growing byte buffer, whose limit is set when it is made.
 *
 *   0          len         cap        limit
 *   |==========|-----------|...........|
 *    held bytes  room now    may grow to
 *
 * Appending past the limit, or without memory, marks the buffer failed; every later append is a
 * no-op. So a renderer appends freely and checks buf_ok() once at the end. Not thread-safe. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
    char *data; /* NULL until the first append; not NUL-terminated unless buf_text() was called */
    size_t len, cap, limit;
    bool failed;
};

void buf_init(struct buf *b, size_t limit); /* allocates nothing; limit in bytes */
void buf_done(struct buf *b);               /* frees the contents; b may be used again after init */
void buf_reset(struct buf *b);              /* empties it, keeps its memory, clears failed */

void buf_add(struct buf *b, const void *data, size_t len);
void buf_add_char(struct buf *b, char c);
void buf_add_text(struct buf *b, const char *text);    /* without its NUL */
void buf_add_int(struct buf *b, int64_t number);       /* decimal; cheaper than buf_addf */
void buf_add_escaped(struct buf *b, const char *text); /* %XX but for a URL's unreserved ones */
void buf_addf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

bool buf_ok(const struct buf *b);

/* The contents as a NUL-terminated string, borrowed until the next call on b; "" after a failure.
 */
const char *buf_text(struct buf *b);

/* Moves the memory out to the caller, who frees it with free(); b is left empty. NULL if failed. */
char *buf_take(struct buf *b, size_t *ret_len);

#endif
