#include "dashboard/auth/jws.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>
#include <string.h>

const struct algorithm jws_hs256 = {.name = "HS256"};

/* The first of a type that is not PSS is the one of a key that names none. */
static const struct algorithm of_public_keys[] = {
    {.name = "RS256", .type = "RSA", .digest = "SHA256"},
    {.name = "PS256", .type = "RSA", .digest = "SHA256", .is_pss = true},
    {.name = "PS256", .type = "RSA-PSS", .digest = "SHA256", .is_pss = true},
    {.name = "ES256",
     .type = "EC",
     .group = "prime256v1",
     .curve = "P-256",
     .digest = "SHA256",
     .number_bytes = 32},
    {.name = "ES384",
     .type = "EC",
     .group = "secp384r1",
     .curve = "P-384",
     .digest = "SHA384",
     .number_bytes = 48},
    {.name = "EdDSA", .alias = "Ed25519", .type = "ED25519"}, /* RFC 9864 */
};

enum { ALGORITHMS = sizeof of_public_keys / sizeof *of_public_keys };

bool jws_is_named(const struct algorithm *algorithm, const char *name)
{
    return strcmp(algorithm->name, name) == 0 ||
           (algorithm->alias != NULL && strcmp(algorithm->alias, name) == 0);
}

const struct algorithm *jws_curve(const char *curve)
{
    for (size_t i = 0; i < ALGORITHMS; i++)
        if (of_public_keys[i].curve != NULL && strcmp(of_public_keys[i].curve, curve) == 0)
            return &of_public_keys[i];
    return NULL;
}

/* ---- which key is for which ---- */

static const char *check_numbers(const BIGNUM *modulus, const BIGNUM *exponent)
{
    enum { EXPONENT_BITS_MAX = 64 };
    if (BN_num_bits(modulus) < JWS_RSA_BITS_MIN)
        return "n has less than 2048 bits";
    if (BN_num_bits(modulus) > JWS_RSA_BITS_MAX)
        return "n has more than 8192 bits";
    if (!BN_is_odd(modulus))
        return "n is even";
    if (!BN_is_odd(exponent) || BN_is_one(exponent) || BN_num_bits(exponent) > EXPONENT_BITS_MAX)
        return "e is even, or 1, or has more than 64 bits";
    return NULL;
}

static const char *check_rsa(const EVP_PKEY *key)
{
    BIGNUM *modulus = NULL, *exponent = NULL;
    const char *why = "n or e is missing";
    if (EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &modulus) == 1 &&
        EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &exponent) == 1)
        why = check_numbers(modulus, exponent);
    BN_free(modulus);
    BN_free(exponent);
    return why;
}

static bool is_for(const struct algorithm *algorithm, const EVP_PKEY *key, const char *said)
{
    char group[64] = "";
    if (EVP_PKEY_is_a(key, algorithm->type) == 0)
        return false;
    if (algorithm->group != NULL)
        return EVP_PKEY_get_group_name(key, group, sizeof group, NULL) == 1 &&
               strcmp(group, algorithm->group) == 0;
    return *said == '\0' || jws_is_named(algorithm, said);
}

const struct algorithm *jws_algorithm(const EVP_PKEY *key, const char *said, const char **ret_why)
{
    const struct algorithm *found = NULL;
    bool is_rsa = EVP_PKEY_is_a(key, "RSA") == 1 || EVP_PKEY_is_a(key, "RSA-PSS") == 1;
    for (size_t i = 0; found == NULL && i < ALGORITHMS; i++)
        if (is_for(&of_public_keys[i], key, said))
            found = &of_public_keys[i];
    *ret_why = "its algorithm is none of RS256, PS256, ES256, ES384 and EdDSA";
    if (found == NULL)
        return NULL;
    *ret_why = is_rsa ? check_rsa(key) : NULL;
    if (*ret_why == NULL && *said != '\0' && !jws_is_named(found, said))
        *ret_why = "alg is not the one of its type";
    return *ret_why == NULL ? found : NULL;
}

/* ---- verifying ---- */

/* The numbers r and s, each of the curve's size (RFC 7518, 3.4), as OpenSSL has them: DER. Returns
 * its length; 0: it is no such signature. The caller frees *ret_der. */
static size_t der_of(const struct algorithm *algorithm, struct slice signature,
                     unsigned char **ret_der)
{
    size_t bytes = algorithm->number_bytes;
    const unsigned char *raw = (const unsigned char *)signature.data;
    *ret_der = NULL;
    if (signature.len != 2 * bytes)
        return 0;
    BIGNUM *r = BN_bin2bn(raw, (int)bytes, NULL), *s = BN_bin2bn(raw + bytes, (int)bytes, NULL);
    ECDSA_SIG *both = ECDSA_SIG_new();
    if (r == NULL || s == NULL || both == NULL || ECDSA_SIG_set0(both, r, s) != 1) {
        BN_free(r);
        BN_free(s);
        ECDSA_SIG_free(both);
        return 0;
    }
    int len = i2d_ECDSA_SIG(both, ret_der);
    ECDSA_SIG_free(both);
    return len > 0 ? (size_t)len : 0;
}

/* The salt has the digest's length (RFC 7518, 3.5), and so has every other choice its own. */
static bool set_padding(const struct algorithm *algorithm, EVP_PKEY_CTX *context)
{
    return !algorithm->is_pss ||
           (EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) > 0 &&
            EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) > 0 &&
            EVP_PKEY_CTX_set_rsa_mgf1_md_name(context, algorithm->digest, NULL) > 0);
}

static bool verifies(const struct algorithm *algorithm, EVP_PKEY *key, struct slice text,
                     struct slice signature)
{
    EVP_PKEY_CTX *of_key; /* the other context's */
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool ok =
        context != NULL &&
        EVP_DigestVerifyInit_ex(context, &of_key, algorithm->digest, NULL, NULL, key, NULL) == 1 &&
        set_padding(algorithm, of_key) &&
        EVP_DigestVerify(context, (const unsigned char *)signature.data, signature.len,
                         (const unsigned char *)text.data, text.len) == 1;
    EVP_MD_CTX_free(context);
    return ok;
}

/* The errors of a bad signature are not left in OpenSSL's queue: libcurl would read them on this
 * thread.
 */
bool jws_verifies(const struct algorithm *algorithm, EVP_PKEY *key, struct slice text,
                  struct slice signature)
{
    unsigned char *der = NULL;
    bool ok = false;
    ERR_set_mark();
    if (algorithm->number_bytes > 0) {
        size_t len = der_of(algorithm, signature, &der);
        ok = len > 0 && verifies(algorithm, key, text, (struct slice){(const char *)der, len});
    } else if (signature.len == (size_t)EVP_PKEY_get_size(key)) {
        ok = verifies(algorithm, key, text, signature);
    }
    ERR_pop_to_mark();
    OPENSSL_free(der);
    return ok;
}

/* ---- HS256 ---- */

bool jws_hs256_make(const char *secret, struct slice text, unsigned char ret[JWS_HS256_BYTES])
{
    unsigned len = 0;
    return HMAC(EVP_sha256(), secret, (int)strlen(secret), (const unsigned char *)text.data,
                text.len, ret, &len) != NULL &&
           len == JWS_HS256_BYTES;
}

bool jws_hs256_verifies(const char *secret, struct slice text, struct slice signature)
{
    unsigned char own[JWS_HS256_BYTES];
    return signature.len == sizeof own && jws_hs256_make(secret, text, own) &&
           CRYPTO_memcmp(own, signature.data, sizeof own) == 0;
}
