/* jwk: reads a public JSON Web Key (RFC 7517, 7518, 8037).
 *
 * A set of keys comes from elsewhere: each member is checked before OpenSSL sees it. Pure. */
#ifndef DASHBOARD_AUTH_JWK_H
#define DASHBOARD_AUTH_JWK_H

#include "dashboard/auth/jws.h"

#include <jansson.h>

enum { JWK_ID_MAX = 128 };

/* The public key and the algorithm that it is for; EVP_PKEY_free() it. RSA of 2048 to 8192 bits,
 * for RS256 unless its alg is PS256; a point of P-256 or P-384; Ed25519. NULL: of another kind, or
 * malformed; *ret_why then has the reason, without the key's own text. */
EVP_PKEY *jwk_read(const json_t *jwk, const struct algorithm **ret_algorithm, const char **ret_why);

#endif
