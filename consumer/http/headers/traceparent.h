/* traceparent: the header that joins what several systems record of one request (W3C Trace Context,
 * section 3.2): 00-<trace, 32 hex>-<parent, 16 hex>-<flags, 2 hex>. Pure. */
#ifndef HTTP_HEADERS_TRACEPARENT_H
#define HTTP_HEADERS_TRACEPARENT_H

#include "base/slice.h"

#include <stdbool.h>

enum { TRACEPARENT_TEXT = 56 }; /* its NUL included */

/* The value in version 00. False, ret_text untouched, when it is not well-formed: other lengths,
 * capitals, a trace or parent of zeros, version ff. Of a later version the fields of 00 are read,
 * as the specification asks. */
bool traceparent_read(struct slice value, char ret_text[TRACEPARENT_TEXT]);

/* One of our own, derived from the id: every attempt, of whatever process, has the same. */
void traceparent_make(const char *id, char ret_text[TRACEPARENT_TEXT]);

#endif
