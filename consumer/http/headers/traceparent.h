/* traceparent: the header that joins what several systems record of one request (W3C Trace Context,
 * section 3.2): 00-<trace, 32 hex>-<parent, 16 hex>-<flags, 2 hex>. Pure. */
#ifndef HTTP_HEADERS_TRACEPARENT_H
#define HTTP_HEADERS_TRACEPARENT_H

#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

enum { TRACEPARENT_TEXT = 56, TRACE_ID_TEXT = 33, SPAN_ID_TEXT = 17 }; /* their NUL included */

/* The value in version 00. False, ret_text untouched, when it is not well-formed: other lengths,
 * capitals, a trace or parent of zeros, version ff. Of a later version the fields of 00 are read,
 * as the specification asks. */
bool traceparent_read(struct slice value, char ret_text[TRACEPARENT_TEXT]);

/* One of our own, derived from the id: every attempt, of whatever process, has the same. */
void traceparent_make(const char *id, char ret_text[TRACEPARENT_TEXT]);

/* Its parts. */
struct trace_context {
    char trace_id[TRACE_ID_TEXT], span_id[SPAN_ID_TEXT]; /* hex */
    uint8_t flags;
};
enum { TRACE_SAMPLED = 1 }; /* of the flags: the caller records this trace */

/* The parts of a text that one of the two above wrote; and a text of such parts. */
struct trace_context traceparent_split(const char text[TRACEPARENT_TEXT]);
void traceparent_join(const struct trace_context *context, char ret_text[TRACEPARENT_TEXT]);

/* Whether a trace is among the share (0 to 1) that is recorded: by the last 56 bits of its id, as
 * OpenTelemetry's samplers decide, so that all who are asked for the same share agree. */
bool trace_is_among(const char trace_id[TRACE_ID_TEXT], double share);

#endif
