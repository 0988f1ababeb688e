#include "base/decimal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK = 1000000000, CHUNK_DIGITS = 9, DIGITS_MAX = DECIMAL_BYTES_MAX * 5 / 2 + 2 };

/* The magnitude of a two's complement number as 32-bit words, most significant first. */
static size_t magnitude(const uint8_t *bytes, size_t len, bool negative, uint32_t *words)
{
    size_t count = (len + 3) / 4;
    memset(words, negative ? 0xff : 0, count * sizeof *words);
    for (size_t i = 0; i < len; i++) {
        size_t from_end = len - 1 - i;
        uint32_t *word = &words[count - 1 - from_end / 4];
        unsigned shift = (unsigned)(from_end % 4) * 8;
        *word = (*word & ~(0xffu << shift)) | (uint32_t)bytes[i] << shift;
    }
    uint64_t carry = 1;
    for (size_t i = count; negative && i-- > 0;) {
        carry += (uint32_t)~words[i];
        words[i] = (uint32_t)carry;
        carry >>= 32;
    }
    return count;
}

/* Divides in place by 10^9; returns the remainder. */
static uint32_t divide(uint32_t *words, size_t count)
{
    uint64_t rest = 0;
    for (size_t i = 0; i < count; i++) {
        rest = rest << 32 | words[i];
        words[i] = (uint32_t)(rest / CHUNK);
        rest %= CHUNK;
    }
    return (uint32_t)rest;
}

/* Writes the digits so that they end at `end`; returns where they begin, without leading zeros. */
static char *write_digits(uint32_t *words, size_t count, char *end)
{
    size_t first = 0;
    char *at = end;
    while (first < count && words[first] == 0)
        first++;
    while (first < count) {
        uint32_t chunk = divide(words + first, count - first);
        for (int i = 0; i < CHUNK_DIGITS; i++, chunk /= 10)
            *--at = (char)('0' + chunk % 10);
        while (first < count && words[first] == 0)
            first++;
    }
    while (at < end && *at == '0')
        at++;
    return at;
}

static void add_zeros(struct buf *b, size_t count)
{
    for (; count > 0; count--)
        buf_add_char(b, '0');
}

/* Digits without a leading zero, and where the point goes. */
static void add_scaled(struct buf *b, const char *digits, size_t count, int32_t scale)
{
    if (scale <= 0) {
        buf_add(b, count > 0 ? digits : "0", count > 0 ? count : 1);
        add_zeros(b, count > 0 ? (size_t)-scale : 0);
        return;
    }
    size_t behind = (size_t)scale, before = count > behind ? count - behind : 0;
    buf_add(b, before > 0 ? digits : "0", before > 0 ? before : 1);
    buf_add_char(b, '.');
    add_zeros(b, behind - (count - before));
    buf_add(b, digits + before, count - before);
}

bool decimal_add(struct buf *b, const uint8_t *unscaled, size_t len, int32_t scale)
{
    if (len > DECIMAL_BYTES_MAX || scale > DECIMAL_SCALE_MAX || scale < -DECIMAL_SCALE_MAX)
        return false;
    uint32_t words[DECIMAL_BYTES_MAX / 4];
    char digits[DIGITS_MAX + CHUNK_DIGITS];
    bool negative = len > 0 && unscaled[0] >= 0x80;
    size_t count = magnitude(unscaled, len, negative, words);
    char *end = digits + sizeof digits, *at = write_digits(words, count, end);
    if (negative)
        buf_add_char(b, '-');
    add_scaled(b, at, (size_t)(end - at), scale);
    return true;
}

static bool reads_back(const char *text, double value, bool single)
{
    return single ? strtof(text, NULL) == (float)value : strtod(text, NULL) == value;
}

/* Adds one to the last digit of "d.ddde±x"; false when all digits are 9. */
static bool round_up(char *text)
{
    for (char *at = strchr(text, 'e') - 1; at >= text; at--) {
        if (*at >= '0' && *at < '9') {
            ++*at;
            return true;
        }
        if (*at == '9')
            *at = '0';
    }
    return false;
}

/* The fewest significant digits that read back the same, as "d.ddde±x": of each length the nearest
 * text is tried. Just below a power of two doubles lie twice as close as above it, so there the
 * nearest may read back as a neighbour while the next one up is still right (2^-44). Floats do
 * without that, as the reference does: three powers of two show one digit more than they need. */
static void shortest(double value, bool single, char *text, size_t size)
{
    int exponent;
    bool lopsided = !single && fabs(frexp(value, &exponent)) == 0.5;
    for (int precision = 0; precision < 17; precision++) {
        snprintf(text, size, "%.*e", precision, value);
        if (reads_back(text, value, single))
            return;
        if (lopsided && round_up(text) && reads_back(text, value, single))
            return;
    }
}

bool decimal_add_real(struct buf *b, double value, bool single)
{
    if (!isfinite(value))
        return false;
    char text[40], digits[24] = "0";
    size_t count = 0;
    shortest(value, single, text, sizeof text);
    char *e = strchr(text, 'e');
    int exponent = atoi(e + 1);
    for (const char *at = text; at < e; at++)
        if (*at >= '0' && *at <= '9')
            digits[count++] = *at;
    while (count > 1 && digits[count - 1] == '0')
        count--;
    if (text[0] == '-')
        buf_add_char(b, '-');
    if (exponent >= -4 && exponent < 16) {
        int32_t scale = (int32_t)count - 1 - exponent;
        bool zero = digits[0] == '0';
        add_scaled(b, digits, zero ? 0 : count, zero ? 0 : scale);
    } else {
        add_scaled(b, digits, count, (int32_t)count - 1);
        buf_addf(b, "e%c%02d", exponent < 0 ? '-' : '+', abs(exponent));
    }
    return true;
}

static size_t skip_digits(const char *text, size_t len, size_t at)
{
    while (at < len && text[at] >= '0' && text[at] <= '9')
        at++;
    return at;
}

/* Position behind a fraction or exponent's digits; 0 when there is not even one. */
static size_t some_digits(const char *text, size_t len, size_t at)
{
    size_t end = skip_digits(text, len, at);
    return end > at ? end : 0;
}

bool decimal_is_json_number(const char *text, size_t len)
{
    size_t at = len > 0 && text[0] == '-' ? 1 : 0;
    size_t whole = skip_digits(text, len, at);
    if (whole == at || (text[at] == '0' && whole > at + 1))
        return false;
    at = whole;
    if (at < len && text[at] == '.' && (at = some_digits(text, len, at + 1)) == 0)
        return false;
    if (at < len && (text[at] == 'e' || text[at] == 'E')) {
        at++;
        if (at < len && (text[at] == '+' || text[at] == '-'))
            at++;
        if ((at = some_digits(text, len, at)) == 0)
            return false;
    }
    return at == len;
}

/* ---- text as bytes ---- */

/* Times ten, plus a digit; false: the sign's bit is reached. */
static bool push_digit(uint8_t *number, size_t room, unsigned digit)
{
    unsigned carry = digit;
    for (size_t i = room; i-- > 0; carry >>= 8) {
        carry += number[i] * 10u;
        number[i] = (uint8_t)carry;
    }
    return carry == 0 && (number[0] & 0x80) == 0;
}

static void negate(uint8_t *number, size_t room)
{
    unsigned carry = 1;
    for (size_t i = room; i-- > 0; carry >>= 8) {
        carry += (uint8_t)~number[i];
        number[i] = (uint8_t)carry;
    }
}

/* Bytes at the front that repeat the sign. */
static size_t spare(const uint8_t *number, size_t room)
{
    size_t at = 0;
    uint8_t sign = (number[0] & 0x80) != 0 ? 0xff : 0;
    while (at + 1 < room && number[at] == sign && ((number[at + 1] ^ sign) & 0x80) == 0)
        at++;
    return at;
}

/* The digits, the point left out, from the first one on; as many as the scale has. */
static bool push_all(const char *text, size_t len, int32_t scale, uint8_t *number, size_t room)
{
    const char *point = memchr(text, '.', len);
    size_t behind = point != NULL ? (size_t)(text + len - point - 1) : 0;
    int64_t extra = (int64_t)scale - (int64_t)behind; /* zeros to add, or (below 0) to cut off */
    int64_t left = (int64_t)len - (point != NULL) + (extra < 0 ? extra : 0);
    bool ok = len > 0 && text[0] != '.' && text[len - 1] != '.';
    for (size_t i = 0; ok && i < len; i++) {
        if (text + i == point)
            continue;
        ok = text[i] >= '0' && text[i] <= '9' &&
             (left-- > 0 ? push_digit(number, room, (unsigned)(text[i] - '0')) : text[i] == '0');
    }
    for (int64_t i = 0; ok && i < extra; i++)
        ok = push_digit(number, room, 0);
    return ok;
}

bool decimal_read(const char *text, size_t len, int32_t scale, uint8_t *ret, size_t room,
                  size_t *ret_len)
{
    bool negative = len > 0 && text[0] == '-';
    if (room == 0 || len > DIGITS_MAX || scale > DECIMAL_SCALE_MAX || scale < -DECIMAL_SCALE_MAX)
        return false;
    memset(ret, 0, room);
    if (!push_all(text + negative, len - negative, scale, ret, room))
        return false;
    if (negative)
        negate(ret, room);
    size_t at = spare(ret, room);
    *ret_len = room - at;
    memmove(ret, ret + at, *ret_len);
    return true;
}
