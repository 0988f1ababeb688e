#include "dashboard/auth/jwk.h"

#include <openssl/ec.h>
#include <openssl/obj_mac.h>
#include <string.h>

enum { P256_BYTES = 32, RSA_BYTES_MAX = JWK_RSA_BITS_MAX / 8, EXPONENT_BYTES_MAX = 8 };

static int value_of(char c)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const char *at = c != '\0' ? strchr(alphabet, c) : NULL;
    return at != NULL ? (int)(at - alphabet) : -1;
}

size_t jwk_decode(const char *text, size_t len, uint8_t *bytes, size_t size)
{
    uint32_t bits = 0;
    unsigned held = 0;
    size_t count = 0;
    if (len % 4 == 1)
        return 0;
    for (size_t i = 0; i < len; i++) {
        int value = value_of(text[i]);
        if (value < 0)
            return 0;
        bits = (bits << 6 | (uint32_t)value) & 0xffff;
        held += 6;
        if (held < 8)
            continue;
        held -= 8;
        if (count == size)
            return 0;
        bytes[count++] = (uint8_t)(bits >> held);
    }
    return (bits & ((1u << held) - 1)) == 0 ? count : 0;
}

/* Bytes of a member in base64url; 0: missing or invalid. */
static size_t decode_member(const json_t *jwk, const char *name, uint8_t *bytes, size_t size)
{
    const json_t *value = json_object_get(jwk, name);
    if (!json_is_string(value))
        return 0;
    return jwk_decode(json_string_value(value), json_string_length(value), bytes, size);
}

static unsigned bits_of(const uint8_t *bytes, size_t len)
{
    size_t zeros = 0; /* some encoders put one before a number whose first bit is set */
    while (zeros < len && bytes[zeros] == 0)
        zeros++;
    unsigned bits = (unsigned)(len - zeros) * 8;
    for (uint8_t mask = 0x80; bits > 0 && mask != 0 && (bytes[zeros] & mask) == 0; mask >>= 1)
        bits--;
    return bits;
}

static const char *check_rsa(const json_t *jwk)
{
    uint8_t modulus[RSA_BYTES_MAX + 1], exponent[EXPONENT_BYTES_MAX];
    size_t modulus_len = decode_member(jwk, "n", modulus, sizeof modulus),
           exponent_len = decode_member(jwk, "e", exponent, sizeof exponent);
    if (modulus_len == 0 || bits_of(modulus, modulus_len) > JWK_RSA_BITS_MAX)
        return "n is not the base64url of a number of at most 8192 bits";
    if (exponent_len == 0)
        return "e is not the base64url of a number of at most 64 bits";
    if (bits_of(modulus, modulus_len) < JWK_RSA_BITS_MIN)
        return "n has less than 2048 bits";
    if ((modulus[modulus_len - 1] & 1) == 0)
        return "n is even";
    if ((exponent[exponent_len - 1] & 1) == 0 || bits_of(exponent, exponent_len) < 2)
        return "e is even, or 1";
    return NULL;
}

/* A point outside the curve would allow invalid-curve attacks. */
static bool is_on_curve(const uint8_t *x, const uint8_t *y)
{
    uint8_t encoded[1 + 2 * P256_BYTES] = {POINT_CONVERSION_UNCOMPRESSED};
    memcpy(encoded + 1, x, P256_BYTES);
    memcpy(encoded + 1 + P256_BYTES, y, P256_BYTES);
    EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
    EC_POINT *point = group != NULL ? EC_POINT_new(group) : NULL;
    bool ok = point != NULL &&
              EC_POINT_oct2point(group, point, encoded, sizeof encoded, NULL) == 1 &&
              EC_POINT_is_at_infinity(group, point) == 0;
    EC_POINT_free(point);
    EC_GROUP_free(group);
    return ok;
}

static const char *check_ec(const json_t *jwk)
{
    uint8_t x[P256_BYTES], y[P256_BYTES];
    if (decode_member(jwk, "x", x, sizeof x) != P256_BYTES ||
        decode_member(jwk, "y", y, sizeof y) != P256_BYTES)
        return "x or y is not the base64url of 32 bytes";
    return is_on_curve(x, y) ? NULL : "x and y are not a point of P-256";
}

/* An optional member: a text without a NUL; "": missing; NULL: something else. */
static const char *text_of(const json_t *jwk, const char *name)
{
    const json_t *value = json_object_get(jwk, name);
    const char *text = json_string_value(value);
    if (value == NULL || json_is_null(value))
        return "";
    return text != NULL && strlen(text) == json_string_length(value) ? text : NULL;
}

static const char *check_purpose(const json_t *jwk, const char *algorithm)
{
    const char *use = text_of(jwk, "use"), *said = text_of(jwk, "alg"), *id = text_of(jwk, "kid");
    if (use == NULL || said == NULL || id == NULL)
        return "use, alg or kid is not a text, or has a NUL in it";
    if (strlen(id) >= JWK_ID_MAX)
        return "kid is longer than 127 bytes";
    if (*use != '\0' && strcmp(use, "sig") != 0)
        return "use is not sig";
    return *said != '\0' && strcmp(said, algorithm) != 0 ? "alg is not the one of its type" : NULL;
}

const char *jwk_algorithm(const json_t *jwk, const char **ret_why)
{
    const char *kty = text_of(jwk, "kty"), *crv = text_of(jwk, "crv"), *algorithm = NULL;
    bool is_ec = kty != NULL && strcmp(kty, "EC") == 0;
    *ret_why = "not RSA, nor EC with P-256";
    if (is_ec && crv != NULL && strcmp(crv, "P-256") == 0)
        algorithm = "ES256";
    else if (kty != NULL && strcmp(kty, "RSA") == 0)
        algorithm = "RS256";
    if (algorithm == NULL)
        return NULL;
    *ret_why = check_purpose(jwk, algorithm);
    if (*ret_why == NULL)
        *ret_why = is_ec ? check_ec(jwk) : check_rsa(jwk);
    return *ret_why == NULL ? algorithm : NULL;
}
