/* auth_hostile_test: tokens and sets of keys made by an attacker who knows the public half of
 * everything. */
#include "dashboard/auth/token.h"

#include "base/buf.h"
#include "fakes/key_bytes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cjose/cjose.h>
#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>

#define CLAIMS "{\"exp\":1800000060,\"sub\":\"u\",\"role\":\"service_role\"}"
enum { NOW = 1800000000, TEXT = 8192 };

static const struct auth_rules no_rules;

static void add_encoded(struct buf *b, const void *data, size_t len)
{
    char *text;
    size_t size;
    assert_true(cjose_base64url_encode(data, len, &text, &size, NULL));
    buf_add(b, text, size);
    free(text);
}

static char *finish(struct buf *b)
{
    size_t len;
    buf_text(b);
    return buf_take(b, &len);
}

/* HEADER.CLAIMS, encoded; the caller's. */
static char *unsigned_token(const char *header)
{
    struct buf b;
    buf_init(&b, TEXT);
    add_encoded(&b, header, strlen(header));
    buf_add_char(&b, '.');
    add_encoded(&b, CLAIMS, strlen(CLAIMS));
    return finish(&b);
}

/* Consumes the first half. */
static char *with_signature(char *half, const void *signature, size_t len)
{
    struct buf b;
    buf_init(&b, TEXT);
    buf_add_text(&b, half);
    buf_add_char(&b, '.');
    add_encoded(&b, signature, len);
    free(half);
    return finish(&b);
}

static char *by_secret(const char *header, const char *secret)
{
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned size;
    char *half = unsigned_token(header);
    HMAC(EVP_sha256(), secret, (int)strlen(secret), (const unsigned char *)half, strlen(half), mac,
         &size);
    return with_signature(half, mac, size);
}

/* DER, as OpenSSL has signatures. Returns its length. */
static size_t sign_der(EVP_PKEY *key, const char *text, unsigned char der[512])
{
    size_t len = 512;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    assert_int_equal(EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key), 1);
    assert_int_equal(EVP_DigestSign(context, der, &len, (const unsigned char *)text, strlen(text)),
                     1);
    EVP_MD_CTX_free(context);
    return len;
}

/* ---- one key in a file ---- */

struct one {
    EVP_PKEY *key;
    struct keys keys;
    char pem[2048], path[32];
};

static void open_one(struct one *o, EVP_PKEY *key)
{
    struct error err = {0};
    memset(o, 0, sizeof *o);
    o->key = key;
    strcpy(o->path, "/tmp/auth_hostile.XXXXXX");
    int fd = mkstemp(o->path);
    FILE *file = fdopen(fd, "w+");
    assert_int_equal(PEM_write_PUBKEY(file, key), 1);
    rewind(file);
    o->pem[fread(o->pem, 1, sizeof o->pem - 1, file)] = '\0';
    fclose(file);
    assert_true(keys_add_file(&o->keys, o->path, &err));
}

static void close_one(struct one *o)
{
    keys_done(&o->keys);
    EVP_PKEY_free(o->key);
    unlink(o->path);
}

/* Consumes the token. */
static enum auth_verdict verdict_of(const struct keys *keys, char *token)
{
    struct caller caller;
    enum auth_verdict verdict = auth_check(keys, &no_rules, slice_of(token), NOW, &caller);
    assert_true(verdict == AUTH_VALID || caller.right == AUTH_NOBODY);
    free(token);
    return verdict;
}

static void es256_in_der_is_refused(void **state)
{
    struct one o;
    unsigned char der[512], flat[64];
    (void)state;
    open_one(&o, EVP_EC_gen("P-256"));
    char *half = unsigned_token("{\"alg\":\"ES256\"}");
    size_t len = sign_der(o.key, half, der);
    key_bytes_flatten(der, len, 32, flat);
    assert_int_equal(verdict_of(&o.keys, with_signature(strdup(half), flat, sizeof flat)),
                     AUTH_VALID); /* the very same signature */
    assert_int_equal(verdict_of(&o.keys, with_signature(strdup(half), der, len)), AUTH_INVALID);
    assert_int_equal(verdict_of(&o.keys, with_signature(strdup(half), flat, 63)), AUTH_INVALID);
    unsigned char longer[66] = {0};
    memcpy(longer + 1, flat, sizeof flat);
    assert_int_equal(verdict_of(&o.keys, with_signature(strdup(half), longer, 65)), AUTH_INVALID);
    assert_int_equal(verdict_of(&o.keys, with_signature(strdup(half), longer, 66)), AUTH_INVALID);
    memset(flat, 0, 32); /* r = 0 alone */
    assert_int_equal(verdict_of(&o.keys, with_signature(strdup(half), flat, 64)), AUTH_INVALID);
    memset(flat, 0xff, 64); /* past the order of the curve */
    assert_int_equal(verdict_of(&o.keys, with_signature(half, flat, 64)), AUTH_INVALID);
    close_one(&o);
}

static void a_public_keys_text_is_no_secret(void **state)
{
    static const char *const headers[] = {"{\"alg\":\"HS256\"}", "{\"alg\":\"HS256\",\"kid\":\"\"}",
                                          "{\"alg\":\"RS256\"}", "{\"alg\":\"ES256\"}"};
    EVP_PKEY *made[] = {EVP_RSA_gen(2048), EVP_EC_gen("P-256")};
    (void)state;
    for (size_t k = 0; k < 2; k++) {
        struct one o;
        open_one(&o, made[k]);
        char trimmed[2048];
        snprintf(trimmed, sizeof trimmed, "%.*s", (int)strlen(o.pem) - 1, o.pem);
        for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
            assert_int_not_equal(verdict_of(&o.keys, by_secret(headers[i], o.pem)), AUTH_VALID);
            assert_int_not_equal(verdict_of(&o.keys, by_secret(headers[i], trimmed)), AUTH_VALID);
            assert_int_not_equal(verdict_of(&o.keys, by_secret(headers[i], "")), AUTH_VALID);
        }
        close_one(&o);
    }
}

/* A key in the token, a place where one is, a file that has a known content: nothing is looked at.
 */
static void a_token_brings_no_key(void **state)
{
    struct one o;
    unsigned char der[512], flat[64];
    char header[1024];
    (void)state;
    open_one(&o, EVP_EC_gen("P-256"));
    cjose_jwk_t *evil = cjose_jwk_create_EC_random(CJOSE_JWK_EC_P_256, NULL);
    char *jwk = cjose_jwk_to_json(evil, false, NULL);
    cjose_header_t *h = cjose_header_new(NULL);
    cjose_header_set(h, "alg", "ES256", NULL);
    cjose_header_set_raw(h, "jwk", jwk, NULL);
    cjose_jws_t *jws = cjose_jws_sign(evil, h, (const uint8_t *)CLAIMS, strlen(CLAIMS), NULL);
    const char *compact;
    assert_true(cjose_jws_export(jws, &compact, NULL));
    assert_int_equal(verdict_of(&o.keys, strdup(compact)), AUTH_INVALID);
    cjose_jws_release(jws);
    cjose_header_release(h);
    cjose_jwk_release(evil);
    free(jwk);
    /* not even when the right key has signed it */
    static const char *const more[] = {"\"jku\":\"https://project.supabase.co/keys\"",
                                       "\"x5u\":\"file:///etc/passwd\"",
                                       "\"x5c\":[\"MIIB\"]",
                                       "\"crit\":[]",
                                       "\"crit\":[\"exp\"]",
                                       "\"b64\":false",
                                       "\"zip\":\"DEF\"",
                                       "\"jwk\":null",
                                       "\"kid\":{}",
                                       "\"kid\":null"};
    for (size_t i = 0; i < sizeof more / sizeof *more; i++) {
        snprintf(header, sizeof header, "{\"alg\":\"ES256\",%s}", more[i]);
        char *half = unsigned_token(header);
        key_bytes_flatten(der, sign_der(o.key, half, der), 32, flat);
        assert_int_equal(verdict_of(&o.keys, with_signature(half, flat, 64)), AUTH_INVALID);
    }
    static const char *const kids[] = {"../../../../dev/null", "/etc/passwd", "' OR 1=1 --",
                                       "http://evil/keys", "|id"};
    for (size_t i = 0; i < sizeof kids / sizeof *kids; i++) {
        snprintf(header, sizeof header, "{\"alg\":\"HS256\",\"kid\":\"%s\"}", kids[i]);
        assert_int_not_equal(verdict_of(&o.keys, by_secret(header, "")), AUTH_VALID);
    }
    close_one(&o);
}

static void nothing_unsigned_is_taken(void **state)
{
    static const char *const headers[] = {"{\"alg\":\"none\"}",
                                          "{\"alg\":\"NONE\"}",
                                          "{\"alg\":\"nOnE\"}",
                                          "{\"alg\":\"\"}",
                                          "{\"alg\":null}",
                                          "{\"alg\":[\"ES256\"]}",
                                          "{}"};
    struct one o;
    (void)state;
    open_one(&o, EVP_EC_gen("P-256"));
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        char *half = unsigned_token(headers[i]), text[TEXT];
        snprintf(text, sizeof text, "%s.", half);
        assert_int_not_equal(verdict_of(&o.keys, strdup(text)), AUTH_VALID);
        assert_int_not_equal(verdict_of(&o.keys, strdup(half)), AUTH_VALID);
        assert_int_not_equal(verdict_of(&o.keys, with_signature(half, "", 1)), AUTH_VALID);
    }
    close_one(&o);
}

/* base64url has one spelling: no padding, no other alphabet, nothing between. */
static void other_spellings_are_refused(void **state)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    static const char signs[] = "+/=. \t\r\n~\x80\xff\x01";
    struct one o;
    unsigned char der[512], flat[64];
    (void)state;
    open_one(&o, EVP_EC_gen("P-256"));
    char *half = unsigned_token("{\"alg\":\"ES256\"}");
    key_bytes_flatten(der, sign_der(o.key, half, der), 32, flat);
    char *good = with_signature(half, flat, 64);
    size_t len = strlen(good);
    for (size_t at = 0; at <= len; at++)
        for (const char *sign = signs; *sign != '\0'; sign++) {
            char *bad = malloc(len + 2);
            memcpy(bad, good, at);
            bad[at] = *sign;
            memcpy(bad + at + 1, good + at, len + 1 - at);
            assert_int_not_equal(verdict_of(&o.keys, bad), AUTH_VALID);
        }
    for (const char *last = alphabet; *last != '\0'; last++) { /* its bits past the 512 are zero */
        char *bad = strdup(good);
        bad[len - 1] = *last;
        if (verdict_of(&o.keys, bad) == AUTH_VALID && *last != good[len - 1])
            fail_msg("%c is taken for %c", *last, good[len - 1]);
    }
    for (size_t at = 0; at < len; at++) /* cut short anywhere */
        assert_int_not_equal(verdict_of(&o.keys, strndup(good, at)), AUTH_VALID);
    assert_int_equal(verdict_of(&o.keys, good), AUTH_VALID);
    close_one(&o);
}

/* ---- sets of keys ---- */

#define EC_KEY                                                                                \
    "\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\"," \
    "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"" /* of RFC 7515, A.3 */

static size_t count_of(const char *json)
{
    struct keys keys = {.count = 0};
    struct error err = {0};
    bool ok = keys_read_set(&keys, slice_of(json), &err);
    size_t count = keys.count;
    assert_true(ok == (count > 0));
    assert_true(ok || err.code != ERROR_NONE);
    keys_done(&keys);
    return count;
}

static void sets_give_public_keys_only(void **state)
{
    (void)state;
    assert_int_equal(count_of("{\"keys\":[{" EC_KEY "}]}"), 1);
    assert_int_equal(count_of("{\"keys\":[{" EC_KEY ",\"alg\":\"ES256\",\"use\":\"sig\"}]}"), 1);
    static const char *const none[] = {
        "",
        "keys",
        "null",
        "[]",
        "{}",
        "{\"keys\":null}",
        "{\"keys\":{\"0\":{" EC_KEY "}}}",
        "{\"keys\":\"x\"}",
        "{\"keys\":[null,1,\"x\",[],{}]}",
        "{\"keys\":[{" EC_KEY "}]", /* cut off */
        "{\"keys\":[{" EC_KEY "}]} and more",
        "{\"keys\":[{" EC_KEY "}],\"keys\":[{" EC_KEY "}]}", /* which? */
        "{\"keys\":[{" EC_KEY ",\"kty\":\"oct\",\"k\":\"AA\"}]}",
        "{\"keys\":[{\"kty\":\"oct\",\"k\":\"c2VjcmV0\",\"alg\":\"HS256\"}]}",
        "{\"keys\":[{" EC_KEY ",\"alg\":\"HS256\"}]}",
        "{\"keys\":[{" EC_KEY ",\"alg\":\"none\"}]}",
        "{\"keys\":[{" EC_KEY ",\"alg\":\"RS256\"}]}",
        "{\"keys\":[{" EC_KEY ",\"use\":\"enc\"}]}",
        "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AAAA\",\"y\":\"AAAA\"}]}",
        "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"!\",\"y\":\"!\"}]}",
        "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\"}]}",
        "{\"keys\":[{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}]}", /* 17 bits */
        "{\"keys\":[{\"kty\":\"RSA\"}]}",
        "{\"keys\":[{\"kty\":\"RSA\",\"n\":1,\"e\":1}]}",
        "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AAAA\"}]}",
    };
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        if (count_of(none[i]) != 0)
            fail_msg("a key of %s", none[i]);
}

static void a_point_that_is_not_on_the_curve_is_no_key(void **state)
{
    (void)state;
    assert_int_equal(count_of("{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":"
                              "\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\",\"y\":"
                              "\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI4a0\"}]}"),
                     0);
}

static void a_huge_set_is_bounded(void **state)
{
    struct buf b;
    (void)state;
    buf_init(&b, 1 << 20);
    buf_add_text(&b, "{\"keys\":[");
    for (int i = 0; i < 1000; i++)
        buf_addf(&b, "%s{" EC_KEY ",\"kid\":\"%d\"}", i > 0 ? "," : "", i);
    buf_add_text(&b, "]}");
    assert_true(buf_ok(&b));
    char *text = finish(&b);
    assert_int_equal(count_of(text), KEYS_MAX);
    free(text);
    buf_init(&b, 1 << 20); /* and one that is deep */
    buf_add_text(&b, "{\"keys\":");
    for (int i = 0; i < 100000; i++)
        buf_add_char(&b, '[');
    text = finish(&b);
    assert_int_equal(count_of(text), 0);
    free(text);
}

/* A secret in the set, known to all, verifies nothing. */
static void a_published_secret_verifies_nothing(void **state)
{
    struct keys keys = {.count = 0};
    struct error err = {0};
    (void)state;
    assert_true(
        keys_read_set(&keys,
                      slice_of("{\"keys\":[{\"kty\":\"oct\",\"kid\":\"o\",\"alg\":\"HS256\","
                               "\"k\":\"c2VjcmV0\"},{" EC_KEY ",\"kid\":\"e\"}]}"),
                      &err));
    assert_int_equal(keys.count, 1);
    assert_int_equal(verdict_of(&keys, by_secret("{\"alg\":\"HS256\",\"kid\":\"o\"}", "secret")),
                     AUTH_UNKNOWN_KEY);
    assert_int_equal(verdict_of(&keys, by_secret("{\"alg\":\"HS256\",\"kid\":\"e\"}", "secret")),
                     AUTH_UNKNOWN_KEY);
    assert_int_equal(verdict_of(&keys, by_secret("{\"alg\":\"HS256\"}", "")), AUTH_UNKNOWN_KEY);
    keys_done(&keys);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(es256_in_der_is_refused),
        cmocka_unit_test(a_public_keys_text_is_no_secret),
        cmocka_unit_test(a_token_brings_no_key),
        cmocka_unit_test(nothing_unsigned_is_taken),
        cmocka_unit_test(other_spellings_are_refused),
        cmocka_unit_test(sets_give_public_keys_only),
        cmocka_unit_test(a_point_that_is_not_on_the_curve_is_no_key),
        cmocka_unit_test(a_huge_set_is_bounded),
        cmocka_unit_test(a_published_secret_verifies_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
