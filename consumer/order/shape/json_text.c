#include "order/shape/json_text.h"

#include "base/utf8.h"

#include <stdint.h>
#include <string.h>

static void add_escape(struct buf *b, unsigned char c)
{
    static const char *const shorts[] = {
        ['\b'] = "\\b", ['\t'] = "\\t", ['\n'] = "\\n", ['\f'] = "\\f",
        ['\r'] = "\\r", ['"'] = "\\\"", ['\\'] = "\\\\"};
    if (c < sizeof shorts / sizeof *shorts && shorts[c] != NULL)
        buf_add_text(b, shorts[c]);
    else
        buf_addf(b, "\\u%04x", c);
}

static bool needs_escape(unsigned char c)
{
    return c < 0x20 || c == '"' || c == '\\';
}

/* The bytes at the beginning that need no escape, in whole eights: most texts have none that does.
 * A byte that is 0 or less than 0x20 borrows from its highest bit, which the others leave as it is.
 */
static size_t plain_prefix(const char *text, size_t len)
{
    static const uint64_t each = 0x0101010101010101u;
    size_t at = 0;
    for (uint64_t word; at + 8 <= len; at += 8) {
        memcpy(&word, text + at, 8);
        uint64_t quote = word ^ each * '"', backslash = word ^ each * '\\';
        if ((((word - each * 0x20) & ~word) | ((quote - each) & ~quote) |
             ((backslash - each) & ~backslash)) &
            each * 0x80)
            break;
    }
    return at;
}

void json_add_escaped(struct buf *b, const char *text, size_t len)
{
    size_t plain = 0; /* where the stretch without escapes begins */
    for (size_t i = plain_prefix(text, len); i < len; i++) {
        if (!needs_escape((unsigned char)text[i]))
            continue;
        buf_add(b, text + plain, i - plain);
        add_escape(b, (unsigned char)text[i]);
        plain = i + 1;
    }
    buf_add(b, text + plain, len - plain);
}

void json_add_valid(struct buf *b, const char *text, size_t len)
{
    buf_add_char(b, '"');
    json_add_escaped(b, text, len);
    buf_add_char(b, '"');
}

bool json_add_string(struct buf *b, const char *text, size_t len)
{
    if (!utf8_is_valid(text, len))
        return false;
    json_add_valid(b, text, len);
    return true;
}
