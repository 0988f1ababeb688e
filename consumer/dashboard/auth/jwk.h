/* jwk: whether a public JSON Web Key (RFC 7517, 7518) is one that verifies tokens here.
 *
 * libcjose takes keys on trust and ends the process at some malformed ones, so each is looked at
 * before it gets there. Pure. */
#ifndef DASHBOARD_AUTH_JWK_H
#define DASHBOARD_AUTH_JWK_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum { JWK_ID_MAX = 128, JWK_RSA_BITS_MIN = 2048, JWK_RSA_BITS_MAX = 8192 };

/* The algorithm that the key is for: "RS256" (2048 to 8192 bits) or "ES256" (a point of P-256).
 * NULL: none of ours, or it is malformed; *ret_why then says why, in words without the key's own.
 */
const char *jwk_algorithm(const json_t *jwk, const char **ret_why);

/* Unpadded base64url (RFC 4648, 5) into bytes: how many there are; 0 when it is none, or of more
 * than `size` bytes. Each byte string has one spelling only. */
size_t jwk_decode(const char *text, size_t len, uint8_t *bytes, size_t size);

#endif
