/* span: what happened from one time to another, as OpenTelemetry writes it: OTLP in JSON
 * (opentelemetry.io/docs/specs/otlp, "JSON Protobuf Encoding"). Pure.
 *
 *   span_request_begin(b, &resource);
 *   span_write(&span, b);  span_request_next(b);  span_write(&other, b);
 *   span_request_end(b);                        one ExportTraceServiceRequest
 *
 * No personal data: who reads traces may not read orders. */
#ifndef TRACING_SPAN_H
#define TRACING_SPAN_H

#include "base/buf.h"
#include "http/headers/traceparent.h"

enum span_kind { SPAN_CLIENT = 3, SPAN_CONSUMER = 5 }; /* OTLP's numbers */

struct span_attribute {
    const char *name;
    const char *text; /* NULL: the number counts */
    int64_t number;
};
#define SPAN_TEXT(name, text) ((struct span_attribute){(name), (text), 0})
#define SPAN_NUMBER(name, number) ((struct span_attribute){(name), 0, (number)})

/* Everything is borrowed. */
struct span {
    const struct trace_context *context; /* its own */
    const char *parent_id;               /* 16 hex digits; "": the first of its trace */
    bool parent_is_remote;               /* of another process */
    const char *name[2];                 /* joined by a space; the second may be NULL */
    enum span_kind kind;
    int64_t start_ms, end_ms; /* wall clock */
    const char *failure;      /* why it failed; NULL: it did not */
    const struct span_attribute *attributes;
    size_t attribute_count;
};

/* The process that the spans are of. */
struct span_resource {
    const char *version, *instance;
};

void span_write(const struct span *span, struct buf *b);

void span_request_begin(struct buf *b, const struct span_resource *resource);
void span_request_next(struct buf *b);
void span_request_end(struct buf *b);

#endif
