#include "order/near_miss.h"

#include "base/utf8.h"

#include <stdint.h>
#include <string.h>

enum { LETTERS_MAX = 64, FUZZY_FROM = 6 };

/* The basic letters of U+00C0 to U+017F; '.' where there is none. */
static const char latin[] = "AAAAAAACEEEEIIIIDNOOOOO.OUUUUY.saaaaaaaceeeeiiiidnooooo.ouuuuy.y"
                            "AaAaAaCcCcCcCcDdDdEeEeEeEeEeGgGgGgGgHhHhIiIiIiIiIiIiJjKkkLlLlLlL"
                            "lLlNnNnNnnNnOoOoOoOoRrRrRrSsSsSsSsTtTtTtUuUuUuUuUuUuWwYyYZzZzZzs";

/* Letters of other scripts that look like a Latin one. */
static const struct {
    uint32_t code;
    char letter;
} lookalikes[] = {
    {0x0391, 'a'}, {0x0392, 'b'}, {0x0395, 'e'}, {0x0396, 'z'}, {0x0397, 'h'}, {0x0399, 'i'},
    {0x039a, 'k'}, {0x039c, 'm'}, {0x039d, 'n'}, {0x039f, 'o'}, {0x03a1, 'p'}, {0x03a4, 't'},
    {0x03a5, 'y'}, {0x03a7, 'x'}, {0x03b1, 'a'}, {0x03b5, 'e'}, {0x03b9, 'i'}, {0x03ba, 'k'},
    {0x03bd, 'v'}, {0x03bf, 'o'}, {0x03c1, 'p'}, {0x03c4, 't'}, {0x03c5, 'u'}, {0x03c7, 'x'},
    {0x0405, 's'}, {0x0406, 'i'}, {0x0408, 'j'}, {0x0410, 'a'}, {0x0412, 'b'}, {0x0415, 'e'},
    {0x041a, 'k'}, {0x041c, 'm'}, {0x041d, 'h'}, {0x041e, 'o'}, {0x0420, 'p'}, {0x0421, 'c'},
    {0x0422, 't'}, {0x0423, 'y'}, {0x0425, 'x'}, {0x0430, 'a'}, {0x0432, 'b'}, {0x0435, 'e'},
    {0x043a, 'k'}, {0x043c, 'm'}, {0x043d, 'h'}, {0x043e, 'o'}, {0x0440, 'p'}, {0x0441, 'c'},
    {0x0442, 't'}, {0x0443, 'y'}, {0x0445, 'x'}, {0x0455, 's'}, {0x0456, 'i'}, {0x0458, 'j'},
    {0x0501, 'd'}, {0x051b, 'q'}, {0x051d, 'w'}, {0x0570, 'h'}, {0x0578, 'n'}, {0x057d, 'u'},
    {0x0585, 'o'}, {0x0261, 'g'}, {0x0131, 'i'},
};

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Spaces, punctuation, combining marks and characters without width: ignored. */
static bool is_ornament(uint32_t code)
{
    return (code < 0x30) || (code >= 0x3a && code < 0x41) || (code >= 0x5b && code < 0x61) ||
           (code >= 0x7b && code < 0xc0) || (code >= 0x300 && code < 0x370) || code == 0x1680 ||
           (code >= 0x2000 && code < 0x2070) || code == 0x3000 || code == 0xfeff;
}

/* A character's shape: a lower-case letter, a digit, or itself; 0: ignored.
 */
static uint32_t shape_of(uint32_t code)
{
    if (is_ornament(code))
        return 0;
    if (code < 0x80)
        return (unsigned char)lower((char)code);
    if (code >= 0xff10 && code < 0xff5b) /* full width */
        return shape_of(code - 0xff10 + 0x30);
    for (size_t i = 0; i < sizeof lookalikes / sizeof *lookalikes; i++)
        if (lookalikes[i].code == code)
            return (unsigned char)lookalikes[i].letter;
    if (code < 0xc0 + sizeof latin - 1 && latin[code - 0xc0] != '.')
        return (unsigned char)lower(latin[code - 0xc0]);
    return code;
}

/* The shapes of a text's first letters, at most `max`; SIZE_MAX when there are more, or it is not
 * UTF-8. */
static size_t shapes(const char *text, size_t len, uint32_t *ret, size_t max)
{
    size_t count = 0;
    while (len > 0) {
        size_t size = utf8_char_size(text, len);
        if (size == 0)
            return SIZE_MAX;
        uint32_t shape = shape_of(utf8_code_point(text, size));
        if (shape != 0 && count == max)
            return SIZE_MAX;
        if (shape != 0)
            ret[count++] = shape;
        text += size;
        len -= size;
    }
    return count;
}

static bool same(const uint32_t *a, const uint32_t *b, size_t count)
{
    return memcmp(a, b, count * sizeof *a) == 0;
}

static bool is_digit(uint32_t shape)
{
    return shape >= '0' && shape <= '9';
}

/* One letter more, one less, or another one. An extra digit is not a typing error: it names
 * something else. */
static bool one_apart(const uint32_t *a, size_t a_count, const uint32_t *b, size_t b_count)
{
    size_t i = 0, shorter = a_count < b_count ? a_count : b_count;
    if (a_count > b_count + 1 || b_count > a_count + 1)
        return false;
    while (i < shorter && a[i] == b[i])
        i++;
    if ((i < a_count && is_digit(a[i])) || (i < b_count && is_digit(b[i])))
        return false;
    if (a_count == b_count)
        return i == shorter || same(a + i + 1, b + i + 1, shorter - i - 1);
    return a_count > b_count ? same(a + i + 1, b + i, b_count - i)
                             : same(a + i, b + i + 1, a_count - i);
}

bool case_mismatch(const char *text, size_t len, const char *value)
{
    uint32_t a[LETTERS_MAX], b[LETTERS_MAX];
    unsigned char begin = len > 0 ? (unsigned char)text[0] : 0;
    bool is_plain = begin > 0x40 && begin < 0x80 && !is_ornament(begin);
    if (is_plain && (unsigned char)*value < 0x80 && !is_ornament((unsigned char)*value) &&
        lower(*text) != lower(*value))
        return false;
    size_t value_len = strlen(value);
    if (len == value_len && memcmp(text, value, len) == 0)
        return false;
    size_t a_count = shapes(text, len, a, LETTERS_MAX);
    size_t b_count = shapes(value, value_len, b, LETTERS_MAX);
    if (a_count == SIZE_MAX || b_count == SIZE_MAX || a_count == 0 || b_count == 0)
        return false;
    if (a_count == b_count && same(a, b, a_count))
        return true;
    return a[0] == b[0] && a_count >= FUZZY_FROM && b_count >= FUZZY_FROM &&
           one_apart(a, a_count, b, b_count);
}
