#include "tracing/span.h"

#include "base/printable.h"

#include <stdio.h>
#include <string.h>

#define SERVICE "elementor-sync"

enum { NAME_MAX_BYTES = 512 }; /* a topic's has 249 at most */

static void add_text(struct buf *b, const char *text)
{
    printable_add_json(b, text, strlen(text));
}

/* 64-bit numbers are texts in proto3's JSON. */
static void add_attribute(struct buf *b, const struct span_attribute *attribute)
{
    buf_add_text(b, "{\"key\":\"");
    buf_add_text(b, attribute->name);
    if (attribute->text != NULL) {
        buf_add_text(b, "\",\"value\":{\"stringValue\":");
        add_text(b, attribute->text);
        buf_add_text(b, "}}");
    } else {
        buf_add_text(b, "\",\"value\":{\"intValue\":\"");
        buf_add_int(b, attribute->number);
        buf_add_text(b, "\"}}");
    }
}

static void add_attributes(struct buf *b, const struct span_attribute *attributes, size_t count)
{
    buf_add_text(b, "\"attributes\":[");
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buf_add_char(b, ',');
        add_attribute(b, &attributes[i]);
    }
    buf_add_char(b, ']');
}

/* In nanoseconds, whatever the clock tells apart. */
static void add_time(struct buf *b, const char *name, int64_t ms)
{
    buf_add_text(b, name);
    buf_add_int(b, ms);
    buf_add_text(b, "000000\"");
}

static void add_name(struct buf *b, const struct span *span)
{
    char name[NAME_MAX_BYTES];
    snprintf(name, sizeof name, "%s%s%s", span->name[0], span->name[1] != NULL ? " " : "",
             span->name[1] != NULL ? span->name[1] : "");
    buf_add_text(b, ",\"name\":");
    add_text(b, name);
}

/* The flags of the trace in the first byte; then that it is known where the parent lives, and
 * whether that is elsewhere. */
static int64_t flags_of(const struct span *span)
{
    enum { HAS_IS_REMOTE = 0x100, IS_REMOTE = 0x200 };
    return span->context->flags | HAS_IS_REMOTE | (span->parent_is_remote ? IS_REMOTE : 0);
}

void span_write(const struct span *span, struct buf *b)
{
    enum { STATUS_ERROR = 2 };
    buf_add_text(b, "{\"traceId\":\"");
    buf_add_text(b, span->context->trace_id);
    buf_add_text(b, "\",\"spanId\":\"");
    buf_add_text(b, span->context->span_id);
    if (*span->parent_id != '\0') {
        buf_add_text(b, "\",\"parentSpanId\":\"");
        buf_add_text(b, span->parent_id);
    }
    buf_add_text(b, "\",\"flags\":");
    buf_add_int(b, flags_of(span));
    add_name(b, span);
    buf_add_text(b, ",\"kind\":");
    buf_add_int(b, span->kind);
    add_time(b, ",\"startTimeUnixNano\":\"", span->start_ms);
    add_time(b, ",\"endTimeUnixNano\":\"", span->end_ms);
    buf_add_char(b, ',');
    add_attributes(b, span->attributes, span->attribute_count);
    buf_add_text(b, ",\"status\":{");
    if (span->failure != NULL) {
        buf_add_text(b, "\"code\":");
        buf_add_int(b, STATUS_ERROR);
        buf_add_text(b, ",\"message\":");
        add_text(b, span->failure);
    }
    buf_add_text(b, "}}");
}

void span_request_begin(struct buf *b, const struct span_resource *resource)
{
    const struct span_attribute attributes[] = {
        SPAN_TEXT("service.name", SERVICE), SPAN_TEXT("service.version", resource->version),
        SPAN_TEXT("service.instance.id", resource->instance)};
    buf_add_text(b, "{\"resourceSpans\":[{\"resource\":{");
    add_attributes(b, attributes, sizeof attributes / sizeof *attributes);
    buf_add_text(b, "},\"scopeSpans\":[{\"scope\":{\"name\":\"" SERVICE "\",\"version\":");
    add_text(b, resource->version);
    buf_add_text(b, "},\"spans\":[");
}

void span_request_next(struct buf *b)
{
    buf_add_char(b, ',');
}

void span_request_end(struct buf *b)
{
    buf_add_text(b, "]}]}]}");
}
