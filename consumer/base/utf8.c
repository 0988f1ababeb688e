#include "base/utf8.h"

#include <stdint.h>
#include <string.h>

/* Decodes one character; returns its bytes, 0 when malformed. */
static size_t decode(const unsigned char *at, size_t len, uint32_t *ret_point)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t size = at[0] < 0x80 ? 1 : at[0] < 0xc0 ? 0 : at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : 4;
    if (size == 0 || size > len || at[0] > 0xf4)
        return 0;
    uint32_t point = size == 1 ? at[0] : at[0] & (0x7fu >> size);
    for (size_t i = 1; i < size; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return 0;
        point = point << 6 | (at[i] & 0x3fu);
    }
    if (point < least[size] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
        return 0;
    *ret_point = point;
    return size;
}

/* Eight ASCII bytes at a time: most text is. */
static size_t ascii_prefix(const char *text, size_t len)
{
    size_t at = 0;
    for (uint64_t word; at + 8 <= len; at += 8) {
        memcpy(&word, text + at, 8);
        if (word & 0x8080808080808080u)
            break;
    }
    return at;
}

size_t utf8_char_size(const char *text, size_t len)
{
    uint32_t point;
    return len > 0 ? decode((const unsigned char *)text, len, &point) : 0;
}

bool utf8_is_valid(const char *text, size_t len)
{
    for (size_t at = ascii_prefix(text, len); at < len;) {
        uint32_t point;
        size_t size = decode((const unsigned char *)text + at, len - at, &point);
        if (size == 0)
            return false;
        at += size;
    }
    return true;
}

static bool is_space(uint32_t c)
{
    return (c >= 0x09 && c <= 0x0d) || (c >= 0x1c && c <= 0x20) || c == 0x85 || c == 0xa0 ||
           c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 ||
           c == 0x202f || c == 0x205f || c == 0x3000;
}

bool utf8_is_blank(const char *text, size_t len)
{
    for (size_t at = 0; at < len;) {
        uint32_t point;
        size_t size = decode((const unsigned char *)text + at, len - at, &point);
        if (size == 0 || !is_space(point))
            return false;
        at += size;
    }
    return true;
}

uint32_t utf8_code_point(const char *text, size_t size)
{
    uint32_t point = 0;
    decode((const unsigned char *)text, size, &point);
    return point;
}
