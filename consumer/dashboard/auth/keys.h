/* keys: the keys that verify tokens: a secret, a public key in a file, a set of keys (JWKS). */
#ifndef DASHBOARD_AUTH_KEYS_H
#define DASHBOARD_AUTH_KEYS_H

#include "base/error.h"
#include "base/slice.h"
#include "dashboard/auth/jwk.h"

#include <stdbool.h>
#include <stddef.h>

enum { KEYS_MAX = 32, KEY_ID_MAX = JWK_ID_MAX };

struct key {
    const struct algorithm *algorithm;
    EVP_PKEY *public;    /* NULL: it is the secret */
    char *secret;        /* owned; NULL: it is public */
    char id[KEY_ID_MAX]; /* "": for any token */
    bool of_set;         /* of the JWKS: a later set replaces it */
};

struct keys {
    struct key list[KEYS_MAX];
    size_t count;
    uint64_t set_hash; /* of the last set's bytes: its skipped keys are logged once */
};

bool keys_add_secret(struct keys *keys, const char *secret, struct error *err) must_check;

/* A file with one PUBLIC KEY: RSA or RSA-PSS of at least 2048 bits, P-256, P-384 or Ed25519. */
bool keys_add_file(struct keys *keys, const char *path, struct error *err) must_check;

/* Replaces the keys of an earlier set. Unusable keys are passed over, and logged when the set has
 * changed; a set without a usable key is an error and changes nothing. */
bool keys_read_set(struct keys *keys, struct slice json, struct error *err) must_check;

void keys_done(struct keys *keys);

#endif
