/* utf8: validation and decoding of UTF-8. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Well-formed UTF-8 (RFC 3629: no surrogates, nothing overlong, at most U+10FFFF). */
bool utf8_is_valid(const char *text, size_t len);

/* Bytes of the well-formed character that text begins with, 1 to 4; 0 when there is none. */
size_t utf8_char_size(const char *text, size_t len);

/* The code point of a well-formed character of `size` bytes, as utf8_char_size returned it. */
uint32_t utf8_code_point(const char *text, size_t size);

/* True when valid UTF-8 holds nothing but white space (Unicode's, and the control characters that
 * Python's str.isspace counts). Empty text is blank. */
bool utf8_is_blank(const char *text, size_t len);

#endif
