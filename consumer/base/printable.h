/* printable: foreign text made safe for a terminal, a log and an error's text.
 *
 * Characters that could control a terminal or reorder its text are neutralised: the control
 * characters of C0 and C1, DEL, marks that change the direction of text (Unicode UAX 9), line and
 * paragraph separators, tags and annotations, and bytes that are not UTF-8. */
#ifndef BASE_PRINTABLE_H
#define BASE_PRINTABLE_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>

/* The code point that text begins with, size bytes long (utf8_char_size), if it is one of those; -1
 * when it may be shown. A size of 0 is a byte that is not UTF-8: 0xfffd. */
int32_t printable_steers(const char *text, size_t size);

/* In place: one "?" for each of those, a blank for a tab or a line's end. NULL stays as it is. */
void printable_make(char *text);

/* The same of a copy, cut to size bytes with its NUL at a character's end; returns ret_text. */
const char *printable(const char *text, char *ret_text, size_t size);

/* A JSON string of the same text: those are escaped (RFC 8259 7), and bytes that are not UTF-8 are
 * U+FFFD. */
void printable_add_json(struct buf *b, const char *text, size_t len);

#endif
