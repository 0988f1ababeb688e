/* gzip: answers compressed by zlib (RFC 1952), where the client takes that (RFC 9110 12.5.3).
 *
 * A secret in an answer could be guessed by the answer's length when a stranger has a part in it
 * and sees it often (BREACH). Here a stranger cannot have an answer made at all: every call has a
 * token in its header, which no browser adds by itself. */
#ifndef DASHBOARD_WEB_GZIP_H
#define DASHBOARD_WEB_GZIP_H

#include "base/buf.h"
#include "base/slice.h"

#include <stdbool.h>

/* By the value of Accept-Encoding; NULL: there is none. */
bool gzip_is_accepted(const char *accept_encoding);

struct gzip;

/* About 130 KB, until gzip_free. NULL without memory. */
struct gzip *gzip_new(void);
void gzip_free(struct gzip *gzip); /* accepts NULL */

/* Appends to b what the bytes become, all of it: a reader can read them as soon as it has that.
 * last: nothing follows. */
void gzip_add(struct gzip *gzip, struct slice bytes, bool last, struct buf *b);

#endif
