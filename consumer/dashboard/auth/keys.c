#include "dashboard/auth/keys.h"

#include "base/hash.h"
#include "sys/log.h"

#include <jansson.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SKIPPED_LOGGED_MAX = 8 };

static void release(struct key *key)
{
    EVP_PKEY_free(key->public);
    if (key->secret != NULL)
        OPENSSL_cleanse(key->secret, strlen(key->secret));
    free(key->secret);
}

/* Takes a key; false, and it is released: there is no room. */
static bool add(struct keys *keys, struct key key)
{
    if (keys->count == KEYS_MAX) {
        release(&key);
        return false;
    }
    keys->list[keys->count++] = key;
    return true;
}

bool keys_add_secret(struct keys *keys, const char *secret, struct error *err)
{
    struct key key = {.algorithm = &jws_hs256, .secret = strdup(secret)};
    if (key.secret == NULL)
        return error_no_memory(err);
    return add(keys, key) ||
           error_set(err, ERROR_FAILED, "auth.hs256_secret: there are too many keys");
}

/* ---- JSON Web Keys ---- */

static void log_skipped(const json_t *jwk, size_t at, const char *why)
{
    const char *id = json_string_value(json_object_get(jwk, "kid"));
    log_warn("key skipped", LOG_S("kid", id != NULL ? id : ""), LOG_I("place", (int64_t)at),
             LOG_S("reason", why),
             LOG_S("hint", "the other keys of auth.jwks_url are used; tokens of this one are "
                           "refused"));
}

static void take_set(struct keys *keys, const json_t *set, bool is_new)
{
    const json_t *jwk;
    size_t i, skipped = 0;
    json_array_foreach (json_object_get(set, "keys"), i, jwk) {
        const char *why, *id = json_string_value(json_object_get(jwk, "kid"));
        struct key key = {.of_set = true};
        key.public = jwk_read(jwk, &key.algorithm, &why);
        if (key.public != NULL) {
            snprintf(key.id, sizeof key.id, "%s", id != NULL ? id : "");
            why = add(keys, key) ? NULL : "more than 32 keys";
        }
        if (why != NULL && is_new && skipped++ < SKIPPED_LOGGED_MAX)
            log_skipped(jwk, i, why);
    }
    if (skipped > SKIPPED_LOGGED_MAX)
        log_warn("more keys skipped", LOG_I("keys", (int64_t)(skipped - SKIPPED_LOGGED_MAX)));
}

bool keys_read_set(struct keys *keys, struct slice json, struct error *err)
{
    struct keys fresh = {.count = 0};
    json_t *set = json_loadb(json.data, json.len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
    if (set == NULL)
        return error_set(err, ERROR_FAILED, "the set of keys is not JSON");
    static const struct hash_key plain; /* the hash only tells one set from the next */
    uint64_t hash = hash_keyed(&plain, json.data, json.len);
    take_set(&fresh, set, hash != keys->set_hash);
    keys->set_hash = hash;
    json_decref(set);
    if (fresh.count == 0)
        return error_set(err, ERROR_FAILED,
                         "the set of keys has none for RS256 or PS256 (2048 bits or more), ES256, "
                         "ES384 or EdDSA");
    size_t kept = 0;
    for (size_t i = 0; i < keys->count; i++) {
        if (keys->list[i].of_set)
            release(&keys->list[i]);
        else
            keys->list[kept++] = keys->list[i];
    }
    keys->count = kept;
    for (size_t i = 0; i < fresh.count; i++)
        (void)add(keys, fresh.list[i]);
    return true;
}

/* ---- a file ---- */

bool keys_add_file(struct keys *keys, const char *path, struct error *err)
{
    FILE *file = fopen(path, "re");
    struct key key = {.public = file != NULL ? PEM_read_PUBKEY(file, NULL, NULL, NULL) : NULL};
    if (file != NULL)
        fclose(file);
    const char *why = file == NULL ? "it cannot be read" : "it holds no PUBLIC KEY in PEM";
    if (key.public != NULL)
        key.algorithm = jws_algorithm(key.public, "", &why);
    ERR_clear_error();
    if (key.algorithm != NULL)
        return add(keys, key) ||
               error_set(err, ERROR_FAILED, "auth.public_key_file: there are too many keys");
    release(&key);
    return error_set(err, ERROR_CONFIG,
                     "auth.public_key_file: %s: %s; it must be RSA (2048 bits or more), P-256, "
                     "P-384 or Ed25519",
                     path, why);
}

void keys_done(struct keys *keys)
{
    for (size_t i = 0; i < keys->count; i++)
        release(&keys->list[i]);
    keys->count = 0;
}
