/* unescape: a text with every encoding around it undone, and where each of its bytes came from. For
 * comparing texts, not for showing them.
 *
 * Undone, one inside another too: percent-encoding, the escapes of JSON and PHP (\u00e9, \/, \x2f),
 * and HTML's entities (RFC 3986 2.1, RFC 8259 7, HTML 13.5). After that letters of either case are
 * the same, so are all digits of one value and all blanks (a plus too, as forms write a blank), and
 * what has no width is left out. */
#ifndef DELIVERY_UNESCAPE_H
#define DELIVERY_UNESCAPE_H

#include "base/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { UNESCAPE_MAX = 4096 };

/* bytes[i] came from [begin[i], end[i]) of the text. */
struct unescaped {
    char bytes[UNESCAPE_MAX];
    uint16_t begin[UNESCAPE_MAX], end[UNESCAPE_MAX];
    size_t len;
};

/* Of the text's first UNESCAPE_MAX bytes. Takes time in proportion to them. */
void unescape(struct slice text, struct unescaped *ret);

/* Of an unescaped text: letters lose their accents, of Unicode in either form and of Latin-1, in
 * which old servers answer, and Arabic its vowel signs. True where that changes anything. */
bool unescape_strip(struct unescaped *u);

#endif
