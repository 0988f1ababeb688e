#include "order/shape/shape.h"

#include <string.h>

const char *shape_content_type(enum payload_shape shape)
{
    return shape == PAYLOAD_ELEMENTOR || shape == PAYLOAD_ELEMENTOR_ADVANCED
               ? "Content-Type: application/x-www-form-urlencoded"
               : "Content-Type: application/json";
}

/* A string to behind its closing quote, or a number to what ends it. */
static size_t token_length(struct slice at)
{
    size_t len = 0;
    if (at.len == 0 || at.data[0] != '"') {
        while (len < at.len && at.data[len] != ',' && at.data[len] != '}')
            len++;
        return len;
    }
    for (len = 1; len < at.len && at.data[len] != '"';)
        len += at.data[len] == '\\' ? 2 : 1;
    return len < at.len ? len + 1 : 0;
}

static void advance(struct slice *at, size_t len)
{
    at->data += len;
    at->len -= len;
}

static bool skip(struct slice *at, const char *text)
{
    size_t len = strlen(text);
    if (at->len < len || memcmp(at->data, text, len) != 0)
        return false;
    advance(at, len);
    return true;
}

bool shape_values_read(struct slice at, struct shape_values *ret)
{
    if (!skip(&at, "{\"form_name\":"))
        return false;
    advance(&at, token_length(at));
    if (!skip(&at, ",\"fields\":{"))
        return false;
    for (size_t f = 0; f < FIELD_COUNT; f++) {
        if ((f > 0 && !skip(&at, ",")) || !skip(&at, "\"") || !skip(&at, payload_field_names[f]) ||
            !skip(&at, "\":"))
            return false;
        size_t len = token_length(at);
        ret->token[f] = (struct slice){at.data, len};
        if (len == 0)
            return false;
        advance(&at, len);
    }
    return skip(&at, "}}") && at.len == 0;
}
