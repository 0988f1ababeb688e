#include "dashboard/auth/jwk.h"

#include "dashboard/auth/base64url.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <string.h>

enum {
    POINT_NUMBER_MAX = 48,
    RSA_BYTES_MAX = JWS_RSA_BITS_MAX / 8,
    EXPONENT_BYTES_MAX = 8,
    ED25519_BYTES = 32
};

/* Bytes of a member in base64url; 0: missing or invalid. */
static size_t decode_member(const json_t *jwk, const char *name, uint8_t *bytes, size_t size)
{
    const json_t *value = json_object_get(jwk, name);
    if (!json_is_string(value))
        return 0;
    return base64url_decode((struct slice){json_string_value(value), json_string_length(value)},
                            bytes, size);
}

/* ---- the three kinds ---- */

/* NULL: OpenSSL does not take it. For a curve it checks that the point is on it: another one would
 * allow invalid-curve attacks. */
static EVP_PKEY *import(const char *type, OSSL_PARAM *params)
{
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    if (context == NULL || params == NULL || EVP_PKEY_fromdata_init(context) != 1 ||
        EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
        key = NULL;
    EVP_PKEY_CTX_free(context);
    return key;
}

static EVP_PKEY *import_rsa(const BIGNUM *modulus, const BIGNUM *exponent)
{
    OSSL_PARAM *params = NULL;
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    if (modulus != NULL && exponent != NULL && builder != NULL &&
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, modulus) == 1 &&
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, exponent) == 1)
        params = OSSL_PARAM_BLD_to_param(builder);
    EVP_PKEY *key = import("RSA", params);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(builder);
    return key;
}

static EVP_PKEY *read_rsa(const json_t *jwk, const char **ret_why)
{
    /* some encoders put a zero before a number whose first bit is set */
    uint8_t modulus[RSA_BYTES_MAX + 1], exponent[EXPONENT_BYTES_MAX];
    size_t modulus_len = decode_member(jwk, "n", modulus, sizeof modulus),
           exponent_len = decode_member(jwk, "e", exponent, sizeof exponent);
    *ret_why = "n is not the base64url of a number of at most 8192 bits";
    if (modulus_len == 0)
        return NULL;
    *ret_why = "e is not the base64url of a number of at most 64 bits";
    if (exponent_len == 0)
        return NULL;
    BIGNUM *n = BN_bin2bn(modulus, (int)modulus_len, NULL),
           *e = BN_bin2bn(exponent, (int)exponent_len, NULL);
    EVP_PKEY *key = import_rsa(n, e);
    BN_free(n);
    BN_free(e);
    *ret_why = "n and e are not taken by OpenSSL";
    return key;
}

static EVP_PKEY *read_point(const json_t *jwk, const char *curve, const char **ret_why)
{
    uint8_t point[2 * POINT_NUMBER_MAX + 1] = {POINT_CONVERSION_UNCOMPRESSED};
    const struct algorithm *algorithm = jws_curve(curve);
    *ret_why = "its curve is not P-256 or P-384";
    if (algorithm == NULL)
        return NULL;
    size_t bytes = algorithm->number_bytes;
    *ret_why = "x or y is not the base64url of as many bytes as the curve has";
    if (decode_member(jwk, "x", point + 1, bytes) != bytes ||
        decode_member(jwk, "y", point + 1 + bytes, bytes) != bytes)
        return NULL;
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME,
                                         (char *)(uintptr_t)algorithm->group, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, 1 + 2 * bytes),
        OSSL_PARAM_construct_end()};
    *ret_why = "x and y are not a point of its curve";
    return import("EC", params);
}

static EVP_PKEY *read_ed25519(const json_t *jwk, const char *curve, const char **ret_why)
{
    uint8_t x[ED25519_BYTES];
    *ret_why = "its curve is not Ed25519";
    if (strcmp(curve, "Ed25519") != 0)
        return NULL;
    *ret_why = "x is not the base64url of 32 bytes";
    return decode_member(jwk, "x", x, sizeof x) == sizeof x
               ? EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, x, sizeof x)
               : NULL;
}

/* ---- a key ---- */

/* An optional member: a text without a NUL; "": missing; NULL: something else. */
static const char *text_of(const json_t *jwk, const char *name)
{
    const json_t *value = json_object_get(jwk, name);
    const char *text = json_string_value(value);
    if (value == NULL || json_is_null(value))
        return "";
    return text != NULL && strlen(text) == json_string_length(value) ? text : NULL;
}

static const char *check_purpose(const json_t *jwk)
{
    const char *use = text_of(jwk, "use"), *id = text_of(jwk, "kid");
    if (use == NULL || id == NULL || text_of(jwk, "alg") == NULL)
        return "use, alg or kid is not a text, or has a NUL in it";
    if (strlen(id) >= JWK_ID_MAX)
        return "kid is longer than 127 bytes";
    return *use != '\0' && strcmp(use, "sig") != 0 ? "use is not sig" : NULL;
}

static EVP_PKEY *read_kind(const json_t *jwk, const char **ret_why)
{
    const char *kty = text_of(jwk, "kty"), *crv = text_of(jwk, "crv");
    if (kty != NULL && strcmp(kty, "RSA") == 0)
        return read_rsa(jwk, ret_why);
    if (kty != NULL && strcmp(kty, "EC") == 0 && crv != NULL)
        return read_point(jwk, crv, ret_why);
    if (kty != NULL && strcmp(kty, "OKP") == 0 && crv != NULL)
        return read_ed25519(jwk, crv, ret_why);
    *ret_why = "its kty is not RSA, EC or OKP";
    return NULL;
}

EVP_PKEY *jwk_read(const json_t *jwk, const struct algorithm **ret_algorithm, const char **ret_why)
{
    *ret_why = check_purpose(jwk);
    if (*ret_why != NULL)
        return NULL;
    ERR_set_mark();
    EVP_PKEY *key = read_kind(jwk, ret_why);
    if (key != NULL)
        *ret_algorithm = jws_algorithm(key, text_of(jwk, "alg"), ret_why);
    ERR_pop_to_mark();
    if (key != NULL && *ret_why != NULL) {
        EVP_PKEY_free(key);
        key = NULL;
    }
    return key;
}
