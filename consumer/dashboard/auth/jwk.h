/* jwk: checks a public JSON Web Key (RFC 7517, 7518).
 *
 * libcjose does not check keys and aborts on some malformed ones, so each is checked before it is
 * imported. Pure. */
#ifndef DASHBOARD_AUTH_JWK_H
#define DASHBOARD_AUTH_JWK_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum { JWK_ID_MAX = 128, JWK_RSA_BITS_MIN = 2048, JWK_RSA_BITS_MAX = 8192 };

/* The algorithm that the key is for: "RS256" (2048 to 8192 bits) or "ES256" (a point of P-256).
 * NULL: another algorithm, or malformed; *ret_why then has the reason, without the key's own text.
 */
const char *jwk_algorithm(const json_t *jwk, const char **ret_why);

/* Decodes unpadded base64url (RFC 4648, 5) and returns the number of bytes; 0 when it is invalid,
 * or longer than `size` bytes. Only one encoding of each byte string is valid. */
size_t jwk_decode(const char *text, size_t len, uint8_t *bytes, size_t size);

#endif
