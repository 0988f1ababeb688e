#include "dashboard/keys.h"

#include <jansson.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RSA_BITS_MIN = 2048, NUMBER_MAX = 1024 };

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

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text != NULL ? text : "";
}

/* The algorithm that a public key is for; NULL: none of ours. */
static const char *algorithm_of(const json_t *jwk)
{
    const char *use = text_of(jwk, "use"), *said = text_of(jwk, "alg"), *is = NULL;
    if (strcmp(text_of(jwk, "kty"), "RSA") == 0)
        is = "RS256";
    else if (strcmp(text_of(jwk, "kty"), "EC") == 0 && strcmp(text_of(jwk, "crv"), "P-256") == 0)
        is = "ES256";
    if (is == NULL || (*use != '\0' && strcmp(use, "sig") != 0) ||
        (*said != '\0' && strcmp(said, is) != 0))
        return NULL;
    return is;
}

/* Only the public part is looked at. */
static cjose_jwk_t *import(const json_t *jwk, const char *algorithm)
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
    if (key != NULL && algorithm[0] == 'R' && cjose_jwk_get_keysize(key, NULL) < RSA_BITS_MIN) {
        cjose_jwk_release(key);
        key = NULL;
    }
    return key;
}

static void take_set(struct keys *keys, const json_t *set)
{
    const json_t *jwk;
    size_t i;
    json_array_foreach (json_object_get(set, "keys"), i, jwk) {
        const char *algorithm = algorithm_of(jwk), *id = text_of(jwk, "kid");
        if (algorithm != NULL && strlen(id) < KEY_ID_MAX)
            (void)add(keys, import(jwk, algorithm), algorithm, id, true);
    }
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
    json_t *set = json_loadb(json.data, json.len, JSON_REJECT_DUPLICATES, NULL);
    if (set == NULL)
        return error_set(err, ERROR_FAILED, "the set of keys is not JSON");
    take_set(&fresh, set);
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
    const char *algorithm = jwk != NULL ? algorithm_of(jwk) : NULL;
    bool ok = algorithm != NULL && add(keys, import(jwk, algorithm), algorithm, "", false);
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
