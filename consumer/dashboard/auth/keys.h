/* keys: the keys that verify tokens, each with the one algorithm that it may be used with.
 *
 * HS256 with a secret, RS256 and ES256 with a public key (PEM, or a set of keys, JWKS). The
 * cryptography is libcjose's and OpenSSL's. */
#ifndef DASHBOARD_AUTH_KEYS_H
#define DASHBOARD_AUTH_KEYS_H

#include "base/error.h"
#include "base/slice.h"
#include "dashboard/auth/jwk.h"

#include <cjose/cjose.h>
#include <stdbool.h>
#include <stddef.h>

enum { KEYS_MAX = 32, KEY_ID_MAX = JWK_ID_MAX };

struct key {
    cjose_jwk_t *jwk;
    const char *algorithm; /* "HS256", "RS256", "ES256" */
    char id[KEY_ID_MAX];   /* "": for any token */
    bool of_set;           /* of the JWKS: a later set replaces it */
};

struct keys {
    struct key list[KEYS_MAX];
    size_t count;
    uint64_t set_hash; /* of the last set's bytes: its skipped keys are logged once */
};

bool keys_add_secret(struct keys *keys, const char *secret, struct error *err) must_check;

/* A file with one PUBLIC KEY: RSA of at least 2048 bits, or P-256. */
bool keys_add_file(struct keys *keys, const char *path, struct error *err) must_check;

/* Replaces the keys of an earlier set. Unusable keys are passed over, and logged when the set has
 * changed; a set without a usable key is an error and changes nothing. */
bool keys_read_set(struct keys *keys, struct slice json, struct error *err) must_check;

void keys_done(struct keys *keys);

#endif
