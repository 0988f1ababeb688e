/* base64url: without padding (RFC 4648, 5), as JSON Web Tokens and Keys have it. Pure. */
#ifndef DASHBOARD_AUTH_BASE64URL_H
#define DASHBOARD_AUTH_BASE64URL_H

#include "base/buf.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

/* True: the character is one of its 64. */
bool base64url_has(char c);

/* Returns the number of bytes; 0 when the text is empty or invalid, or longer than `size` bytes.
 * The bits left over must be zero, so each byte string has one encoding only. */
size_t base64url_decode(struct slice text, uint8_t *bytes, size_t size);

void base64url_add(struct buf *b, const void *bytes, size_t len);

#endif
