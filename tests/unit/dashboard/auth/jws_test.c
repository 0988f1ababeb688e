/* jws_test: every algorithm with every key: only its own verifies, and only its own form. */
#include "dashboard/auth/keys.h"

#include "fakes/key_bytes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

enum { RAW_MAX = 1024 };

static const struct slice text = {"header.claims", sizeof "header.claims" - 1};

struct one {
    const char *name; /* of the algorithm */
    EVP_PKEY *key;
    const struct algorithm *algorithm;
    unsigned char raw[RAW_MAX]; /* its signature of the text, as a token has it */
    size_t len;
};

enum { RS256, PS256, PSS_KEY, ES256, ES384, EDDSA, KINDS };

static void sign(struct one *o, const char *digest, bool is_pss, int salt)
{
    EVP_PKEY_CTX *of_key;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    assert_int_equal(EVP_DigestSignInit_ex(context, &of_key, digest, NULL, NULL, o->key, NULL), 1);
    if (is_pss) {
        assert_true(EVP_PKEY_CTX_set_rsa_padding(of_key, RSA_PKCS1_PSS_PADDING) > 0);
        assert_true(EVP_PKEY_CTX_set_rsa_pss_saltlen(of_key, salt) > 0);
    }
    o->len = sizeof o->raw;
    assert_int_equal(
        EVP_DigestSign(context, o->raw, &o->len, (const unsigned char *)text.data, text.len), 1);
    EVP_MD_CTX_free(context);
}

static void flatten(struct one *o, int bytes)
{
    key_bytes_flatten(o->raw, o->len, bytes, o->raw);
    o->len = 2 * (size_t)bytes;
}

static struct one made[KINDS];

/* Once for all tests: three keys of RSA are most of their time. */
static int make(void **state)
{
    struct one *all = made;
    const char *why;
    (void)state;
    all[RS256] = (struct one){.name = "RS256", .key = EVP_RSA_gen(2048)};
    all[PS256] = (struct one){.name = "PS256", .key = EVP_RSA_gen(2048)};
    all[PSS_KEY] = (struct one){.name = "PS256", .key = key_bytes_make_pss()};
    all[ES256] = (struct one){.name = "ES256", .key = EVP_EC_gen("P-256")};
    all[ES384] = (struct one){.name = "ES384", .key = EVP_EC_gen("P-384")};
    all[EDDSA] = (struct one){.name = "EdDSA", .key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519")};
    for (int i = 0; i < KINDS; i++) {
        all[i].algorithm = jws_algorithm(all[i].key, i == PS256 ? "PS256" : "", &why);
        assert_non_null(all[i].algorithm);
        assert_string_equal(all[i].algorithm->name, all[i].name);
    }
    sign(&all[RS256], "SHA256", false, 0);
    sign(&all[PS256], "SHA256", true, 32);
    sign(&all[PSS_KEY], "SHA256", true, 32);
    sign(&all[ES256], "SHA256", false, 0);
    flatten(&all[ES256], 32);
    sign(&all[ES384], "SHA384", false, 0);
    flatten(&all[ES384], 48);
    sign(&all[EDDSA], NULL, false, 0);
    return 0;
}

static int drop(void **state)
{
    (void)state;
    for (int i = 0; i < KINDS; i++)
        EVP_PKEY_free(made[i].key);
    return 0;
}

static bool verifies(const struct one *key, const unsigned char *raw, size_t len)
{
    return jws_verifies(key->algorithm, key->key, text, (struct slice){(const char *)raw, len});
}

static void only_its_own_key_verifies(void **state)
{
    struct one all[KINDS];
    (void)state;
    memcpy(all, made, sizeof made);
    for (int k = 0; k < KINDS; k++)
        for (int s = 0; s < KINDS; s++)
            if (verifies(&all[k], all[s].raw, all[s].len) != (k == s))
                fail_msg("key %s, signature %s", all[k].name, all[s].name);
    assert_int_equal(ERR_peek_error(), 0); /* nothing is left for libcurl to find */
}

static void every_byte_counts(void **state)
{
    struct one all[KINDS];
    unsigned char raw[RAW_MAX + 1] = {0};
    (void)state;
    memcpy(all, made, sizeof made);
    for (int i = 0; i < KINDS; i++) {
        memcpy(raw, all[i].raw, all[i].len);
        for (size_t at = 0; at < all[i].len; at += 7) {
            raw[at] ^= 0x10;
            assert_false(verifies(&all[i], raw, all[i].len));
            raw[at] ^= 0x10;
        }
        raw[all[i].len] = 0;
        assert_false(verifies(&all[i], raw, all[i].len + 1));
        assert_false(verifies(&all[i], raw, all[i].len - 1));
        assert_false(verifies(&all[i], raw, 0));
        memset(raw, 0, sizeof raw);
        assert_false(verifies(&all[i], raw, all[i].len));
        memset(raw, 0xff, sizeof raw);
        assert_false(verifies(&all[i], raw, all[i].len));
    }
}

/* PS256 has one salt length and one digest: OpenSSL alone would take others. */
static void pss_has_one_form(void **state)
{
    struct one all[KINDS];
    (void)state;
    memcpy(all, made, sizeof made);
    static const int salts[] = {0, 20, 31, 33, 64};
    for (size_t i = 0; i < sizeof salts / sizeof *salts; i++) {
        sign(&all[PS256], "SHA256", true, salts[i]);
        assert_false(verifies(&all[PS256], all[PS256].raw, all[PS256].len));
    }
    sign(&all[PS256], "SHA384", true, 32);
    assert_false(verifies(&all[PS256], all[PS256].raw, all[PS256].len));
    sign(&all[PS256], "SHA256", false, 0); /* PKCS #1 by the same key */
    assert_false(verifies(&all[PS256], all[PS256].raw, all[PS256].len));
}

/* Ed25519 as in RFC 8032, 7.1, TEST 2; and its twin with s + L, which is another spelling. */
static void ed25519_is_that_of_its_rfc(void **state)
{
    static const unsigned char public[] = {0x3d, 0x40, 0x17, 0xc3, 0xe8, 0x43, 0x89, 0x5a,
                                           0x92, 0xb7, 0x0a, 0xa7, 0x4d, 0x1b, 0x7e, 0xbc,
                                           0x9c, 0x98, 0x2c, 0xcf, 0x2e, 0xc4, 0x96, 0x8c,
                                           0xc0, 0xcd, 0x55, 0xf1, 0x2a, 0xf4, 0x66, 0x0c};
    unsigned char raw[] = {0x92, 0xa0, 0x09, 0xa9, 0xf0, 0xd4, 0xca, 0xb8, 0x72, 0x0e, 0x82,
                           0x0b, 0x5f, 0x64, 0x25, 0x40, 0xa2, 0xb2, 0x7b, 0x54, 0x16, 0x50,
                           0x3f, 0x8f, 0xb3, 0x76, 0x22, 0x23, 0xeb, 0xdb, 0x69, 0xda, 0x08,
                           0x5a, 0xc1, 0xe4, 0x3e, 0x15, 0x99, 0x6e, 0x45, 0x8f, 0x36, 0x13,
                           0xd0, 0xf1, 0x1d, 0x8c, 0x38, 0x7b, 0x2e, 0xae, 0xb4, 0x30, 0x2a,
                           0xee, 0xb0, 0x0d, 0x29, 0x16, 0x12, 0xbb, 0x0c, 0x00};
    static const unsigned char order[] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,
                                          0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
                                          0,    0,    0,    0,    0,    0,    0,    0,
                                          0,    0,    0,    0,    0,    0,    0,    0x10};
    const char *why;
    EVP_PKEY *key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, public, sizeof public);
    const struct algorithm *algorithm = jws_algorithm(key, "", &why);
    const struct slice signature = {(const char *)raw, sizeof raw};
    (void)state;
    assert_true(jws_verifies(algorithm, key, (struct slice){"\x72", 1}, signature));
    assert_false(jws_verifies(algorithm, key, (struct slice){"\x73", 1}, signature));
    unsigned carry = 0;
    for (size_t i = 0; i < sizeof order; i++) {
        carry += raw[32 + i] + order[i];
        raw[32 + i] = (unsigned char)carry;
        carry >>= 8;
    }
    assert_false(jws_verifies(algorithm, key, (struct slice){"\x72", 1}, signature));
    EVP_PKEY_free(key);
}

/* A key in PEM has been through no JWK: verifying takes time in proportion to the exponent. */
static void a_long_exponent_is_refused(void **state)
{
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    BIGNUM *exponent = BN_new();
    const char *why;
    (void)state;
    assert_true(BN_set_bit(exponent, 64) == 1 && BN_set_bit(exponent, 0) == 1);
    assert_int_equal(EVP_PKEY_keygen_init(context), 1);
    assert_true(EVP_PKEY_CTX_set_rsa_keygen_bits(context, 2048) > 0);
    assert_true(EVP_PKEY_CTX_set1_rsa_keygen_pubexp(context, exponent) > 0);
    assert_int_equal(EVP_PKEY_generate(context, &key), 1);
    assert_null(jws_algorithm(key, "", &why));
    assert_string_equal(why, "e is even, or 1, or has more than 64 bits");
    EVP_PKEY_free(key);
    BN_free(exponent);
    EVP_PKEY_CTX_free(context);
}

static void hs256_is_32_bytes(void **state)
{
    unsigned char raw[JWS_HS256_BYTES + 1] = {0};
    (void)state;
    assert_true(jws_hs256_make("a secret", text, raw));
    const char *mac = (const char *)raw;
    assert_true(jws_hs256_verifies("a secret", text, (struct slice){mac, 32}));
    assert_false(jws_hs256_verifies("a secret", text, (struct slice){mac, 31}));
    assert_false(jws_hs256_verifies("a secret", text, (struct slice){mac, 33}));
    assert_false(jws_hs256_verifies("a secret", text, (struct slice){mac, 0}));
    assert_false(jws_hs256_verifies("another", text, (struct slice){mac, 32}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_its_own_key_verifies),  cmocka_unit_test(every_byte_counts),
        cmocka_unit_test(pss_has_one_form),           cmocka_unit_test(ed25519_is_that_of_its_rfc),
        cmocka_unit_test(a_long_exponent_is_refused), cmocka_unit_test(hs256_is_32_bytes),
    };
    return cmocka_run_group_tests(tests, make, drop);
}
