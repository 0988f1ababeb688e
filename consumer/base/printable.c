#include "base/printable.h"

#include "base/utf8.h"

#include <string.h>

int32_t printable_steers(const char *text, size_t size)
{
    static const struct {
        uint32_t first, last;
    } ranges[] = {{0, 0x1f},          {0x7f, 0x9f},     {0x61c, 0x61c},   {0x200e, 0x200f},
                  {0x2028, 0x202e},   {0x2066, 0x206f}, {0xfff9, 0xfffb}, {0xfffe, 0xffff},
                  {0xe0000, 0xe007f}, {0xfeff, 0xfeff}};
    if (size == 0)
        return 0xfffd;
    uint32_t code = utf8_code_point(text, size);
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (code >= ranges[i].first && code <= ranges[i].last)
            return (int32_t)code;
    return -1;
}

void printable_make(char *text)
{
    char *to = text;
    size_t len = text != NULL ? strlen(text) : 0;
    while (len > 0) {
        size_t size = utf8_char_size(text, len), step = size > 0 ? size : 1;
        int32_t code = printable_steers(text, size);
        if (code < 0) {
            memmove(to, text, size);
            to += size;
        } else {
            *to++ = code >= '\t' && code <= '\r' ? ' ' : '?';
        }
        text += step;
        len -= step;
    }
    if (to != NULL)
        *to = '\0';
}

const char *printable(const char *text, char *ret_text, size_t size)
{
    size_t len = strnlen(text, size - 1);
    while (text[len] != '\0' && len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80)
        len--; /* a character stays whole */
    memcpy(ret_text, text, len);
    ret_text[len] = '\0';
    printable_make(ret_text);
    return ret_text;
}

static void add_escaped(struct buf *b, uint32_t code)
{
    if (code > 0xffff) { /* a pair of surrogates */
        code -= 0x10000;
        buf_addf(b, "\\u%04x", (unsigned)(0xd800 + (code >> 10)));
        code = 0xdc00 + (code & 0x3ff);
    }
    buf_addf(b, "\\u%04x", (unsigned)code);
}

void printable_add_json(struct buf *b, const char *text, size_t len)
{
    buf_add_char(b, '"');
    for (size_t i = 0; i < len;) {
        size_t size = utf8_char_size(text + i, len - i);
        int32_t code = printable_steers(text + i, size);
        if (code >= 0)
            add_escaped(b, (uint32_t)code);
        else if (text[i] == '"' || text[i] == '\\')
            buf_addf(b, "\\%c", text[i]);
        else
            buf_add(b, text + i, size);
        i += size > 0 ? size : 1;
    }
    buf_add_char(b, '"');
}
