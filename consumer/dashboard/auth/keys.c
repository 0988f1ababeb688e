#include "dashboard/auth/keys.h"

#include "base/hash.h"
#include "sys/log.h"

#include <jansson.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBER_MAX = 1024, SKIPPED_LOGGED_MAX = 8 };

static bool add(struct keys *keys, cjose_jwk_t *jwk, const char *algorithm, const char *id,
                bool of_set)
{
    if (jwk == NULL)
        return false;
    if (keys->count == KEYS_MAX) {
        cjose_jwk_release(jwk);
        return false;
    }
    struct key *key = &keys->list[keys->count++];
    *key = (struct key){.jwk = jwk, .algorithm = algorithm, .of_set = of_set};
    snprintf(key->id, sizeof key->id, "%s", id);
    return true;
}

bool keys_add_secret(struct keys *keys, const char *secret, struct error *err)
{
    cjose_jwk_t *jwk = cjose_jwk_create_oct_spec((const uint8_t *)secret, strlen(secret), NULL);
    return add(keys, jwk, "HS256", "", false) ||
           error_set(err, ERROR_FAILED, "auth.hs256_secret: cannot be used");
}

/* ---- JSON Web Keys ---- */

/* Imports the public part of a key that jwk_algorithm has accepted. */
static cjose_jwk_t *import(const json_t *jwk)
{
    const char *names[] = {"kty", "crv", "x", "y", "n", "e"};
    json_t *public = json_object();
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (json_is_string(json_object_get(jwk, names[i])))
            json_object_set(public, names[i], json_object_get(jwk, names[i]));
    char *text = json_dumps(public, JSON_COMPACT);
    json_decref(public);
    cjose_jwk_t *key = text != NULL ? cjose_jwk_import(text, strlen(text), NULL) : NULL;
    free(text);
    return key;
}

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
        const char *why, *algorithm = jwk_algorithm(jwk, &why);
        const char *id = json_string_value(json_object_get(jwk, "kid"));
        if (algorithm != NULL && !add(keys, import(jwk), algorithm, id != NULL ? id : "", true))
            why = keys->count == KEYS_MAX ? "more than 32 keys" : "refused by libcjose";
        if (why != NULL && is_new && skipped++ < SKIPPED_LOGGED_MAX)
            log_skipped(jwk, i, why);
    }
    if (skipped > SKIPPED_LOGGED_MAX)
        log_warn("more keys skipped", LOG_I("keys", (int64_t)(skipped - SKIPPED_LOGGED_MAX)));
}

static void release(struct keys *keys)
{
    for (size_t i = 0; i < keys->count; i++)
        cjose_jwk_release(keys->list[i].jwk);
    keys->count = 0;
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
                         "the set of keys has none for RS256 (2048 bits or more) or ES256");
    size_t kept = 0;
    for (size_t i = 0; i < keys->count; i++) {
        if (keys->list[i].of_set)
            cjose_jwk_release(keys->list[i].jwk);
        else
            keys->list[kept++] = keys->list[i];
    }
    keys->count = kept;
    for (size_t i = 0; i < fresh.count; i++) {
        if (keys->count < KEYS_MAX)
            keys->list[keys->count++] = fresh.list[i];
        else
            cjose_jwk_release(fresh.list[i].jwk);
    }
    return true;
}

/* ---- a file ---- */

static bool put_number(json_t *jwk, const char *name, const EVP_PKEY *key, const char *parameter,
                       int bytes)
{
    BIGNUM *number = NULL;
    unsigned char raw[NUMBER_MAX];
    char *text = NULL;
    size_t len;
    if (EVP_PKEY_get_bn_param(key, parameter, &number) != 1)
        return false;
    int size = bytes > 0 ? bytes : BN_num_bytes(number);
    bool ok = size <= NUMBER_MAX && BN_bn2binpad(number, raw, size) == size &&
              cjose_base64url_encode(raw, (size_t)size, &text, &len, NULL) &&
              json_object_set_new(jwk, name, json_stringn(text, len)) == 0;
    free(text);
    BN_free(number);
    return ok;
}

/* As a JSON Web Key; NULL when it is of another kind. */
static json_t *public_key(const EVP_PKEY *key)
{
    enum { P256_BYTES = 32 };
    char group[64] = "";
    json_t *jwk = json_object();
    bool ok = false;
    if (EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA) {
        json_object_set_new(jwk, "kty", json_string("RSA"));
        ok = put_number(jwk, "n", key, OSSL_PKEY_PARAM_RSA_N, 0) &&
             put_number(jwk, "e", key, OSSL_PKEY_PARAM_RSA_E, 0);
    } else if (EVP_PKEY_get_base_id(key) == EVP_PKEY_EC &&
               EVP_PKEY_get_group_name(key, group, sizeof group, NULL) == 1 &&
               strcmp(group, "prime256v1") == 0) {
        json_object_set_new(jwk, "kty", json_string("EC"));
        json_object_set_new(jwk, "crv", json_string("P-256"));
        ok = put_number(jwk, "x", key, OSSL_PKEY_PARAM_EC_PUB_X, P256_BYTES) &&
             put_number(jwk, "y", key, OSSL_PKEY_PARAM_EC_PUB_Y, P256_BYTES);
    }
    if (ok)
        return jwk;
    json_decref(jwk);
    return NULL;
}

bool keys_add_file(struct keys *keys, const char *path, struct error *err)
{
    FILE *file = fopen(path, "re");
    EVP_PKEY *key = file != NULL ? PEM_read_PUBKEY(file, NULL, NULL, NULL) : NULL;
    if (file != NULL)
        fclose(file);
    json_t *jwk = key != NULL ? public_key(key) : NULL;
    EVP_PKEY_free(key);
    const char *why, *algorithm = jwk != NULL ? jwk_algorithm(jwk, &why) : NULL;
    bool ok = algorithm != NULL && add(keys, import(jwk), algorithm, "", false);
    json_decref(jwk);
    return ok || error_set(err, ERROR_CONFIG, "auth.public_key_file: %s: %s", path,
                           file == NULL ? "cannot be read"
                                        : "holds no PUBLIC KEY in PEM of RSA (2048 bits or more) "
                                          "or P-256");
}

void keys_done(struct keys *keys)
{
    release(keys);
}
