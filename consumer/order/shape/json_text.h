/* json_text: texts as JSON strings (RFC 8259 section 7). Only '"', '\\' and bytes below 0x20 are
 * escaped: short forms, else \u00xx in lower case. Pure. */
#ifndef ORDER_SHAPE_JSON_TEXT_H
#define ORDER_SHAPE_JSON_TEXT_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>

/* With quotes. False when it is not valid UTF-8. */
bool json_add_string(struct buf *b, const char *text, size_t len);

/* The same of valid UTF-8; and without quotes. */
void json_add_valid(struct buf *b, const char *text, size_t len);
void json_add_escaped(struct buf *b, const char *text, size_t len);

#endif
