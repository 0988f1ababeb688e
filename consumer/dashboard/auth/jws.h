/* jws: the algorithms of tokens' signatures (RFC 7518, 8037), by OpenSSL.
 *
 * A key is for one algorithm. A token names its own too, and is refused where the two differ. */
#ifndef DASHBOARD_AUTH_JWS_H
#define DASHBOARD_AUTH_JWS_H

#include "base/slice.h"

#include <openssl/evp.h>
#include <stdbool.h>

enum {
    JWS_RSA_BITS_MIN = 2048,
    JWS_RSA_BITS_MAX = 8192,
    JWS_BYTES_MAX = JWS_RSA_BITS_MAX / 8,
    JWS_HS256_BYTES = 32
};

struct algorithm {
    const char *name;
    const char *alias;   /* another name of the same; NULL: none */
    const char *type;    /* of a public key, as OpenSSL names it; NULL: a secret */
    const char *group;   /* the curve's name in OpenSSL */
    const char *curve;   /* and in a JSON Web Key */
    const char *digest;  /* NULL: part of the algorithm */
    size_t number_bytes; /* of each of the two numbers of an ECDSA signature */
    bool is_pss;
};

extern const struct algorithm jws_hs256;

/* The algorithm that this public key is for. said: the one that comes with the key, which chooses
 * between RS256 and PS256; "": none. NULL: unusable, weak, or said is another one; *ret_why then
 * has the reason. */
const struct algorithm *jws_algorithm(const EVP_PKEY *key, const char *said, const char **ret_why);

/* The ECDSA algorithm of a curve by its name in a JSON Web Key; NULL: none. */
const struct algorithm *jws_curve(const char *curve);

bool jws_is_named(const struct algorithm *algorithm, const char *name);

/* Public keys only. */
bool jws_verifies(const struct algorithm *algorithm, EVP_PKEY *key, struct slice text,
                  struct slice signature);

/* HMAC-SHA-256. False: OpenSSL could not. */
bool jws_hs256_make(const char *secret, struct slice text, unsigned char ret[JWS_HS256_BYTES]);
bool jws_hs256_verifies(const char *secret, struct slice text, struct slice signature);

#endif
