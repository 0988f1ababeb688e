#include "dashboard/auth/base64url.h"

#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static int value_of(char c)
{
    const char *at = c != '\0' ? strchr(alphabet, c) : NULL;
    return at != NULL ? (int)(at - alphabet) : -1;
}

bool base64url_has(char c)
{
    return value_of(c) >= 0;
}

size_t base64url_decode(struct slice text, uint8_t *bytes, size_t size)
{
    uint32_t bits = 0;
    unsigned held = 0;
    size_t count = 0;
    if (text.len % 4 == 1)
        return 0;
    for (size_t i = 0; i < text.len; i++) {
        int value = value_of(text.data[i]);
        if (value < 0)
            return 0;
        bits = (bits << 6 | (uint32_t)value) & 0xffff;
        held += 6;
        if (held < 8)
            continue;
        held -= 8;
        if (count == size)
            return 0;
        bytes[count++] = (uint8_t)(bits >> held);
    }
    return (bits & ((1u << held) - 1)) == 0 ? count : 0;
}

void base64url_add(struct buf *b, const void *bytes, size_t len)
{
    uint32_t bits = 0;
    unsigned held = 0;
    for (size_t i = 0; i < len; i++) {
        bits = (bits << 8 | ((const uint8_t *)bytes)[i]) & 0xffff;
        for (held += 8; held >= 6;) {
            held -= 6;
            buf_add_char(b, alphabet[bits >> held & 0x3f]);
        }
    }
    if (held > 0)
        buf_add_char(b, alphabet[bits << (6 - held) & 0x3f]);
}
