/* auth_test: tokens: which are taken, for what, and every way in which one can be bad. */
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

#define SECRET "a secret of the shop, long enough: 0123456789"
#define PLAIN "{\"alg\":\"HS256\",\"typ\":\"JWT\"}"
enum { NOW = 1800000000 };

static const struct auth_rules no_rules;

/* ---- making tokens ---- */

static char *take(struct buf *b)
{
    size_t len;
    return buf_take(b, &len);
}

static void add_encoded(struct buf *b, const void *data, size_t len)
{
    char *text;
    size_t size;
    assert_true(cjose_base64url_encode(data, len, &text, &size, NULL));
    buf_add(b, text, size);
    free(text);
}

/* Signed by SECRET whatever the header says; the caller frees it. */
static char *signed_token(const char *header, const char *claims)
{
    struct buf b;
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned size;
    buf_init(&b, 1 << 20);
    add_encoded(&b, header, strlen(header));
    buf_add_char(&b, '.');
    add_encoded(&b, claims, strlen(claims));
    HMAC(EVP_sha256(), SECRET, strlen(SECRET), (unsigned char *)b.data, b.len, mac, &size);
    buf_add_char(&b, '.');
    add_encoded(&b, mac, size);
    buf_text(&b);
    return take(&b);
}

static char *with_key(cjose_jwk_t *jwk, const char *algorithm, const char *kid, const char *claims)
{
    const char *compact;
    cjose_header_t *header = cjose_header_new(NULL);
    cjose_header_set(header, "alg", algorithm, NULL);
    if (kid != NULL)
        cjose_header_set(header, "kid", kid, NULL);
    cjose_jws_t *jws = cjose_jws_sign(jwk, header, (const uint8_t *)claims, strlen(claims), NULL);
    assert_non_null(jws);
    assert_true(cjose_jws_export(jws, &compact, NULL));
    char *token = strdup(compact);
    cjose_jws_release(jws);
    cjose_header_release(header);
    return token;
}

static const char *claims_at(int64_t expires, const char *more)
{
    static char text[512];
    snprintf(text, sizeof text, "{\"exp\":%lld,\"sub\":\"u-1\"%s}", (long long)expires, more);
    return text;
}

#define CUSTOMER ",\"role\":\"authenticated\""

/* ---- checking them ---- */

static struct keys secret_keys(void)
{
    struct keys keys = {.count = 0};
    struct error err = {0};
    assert_true(keys_add_secret(&keys, SECRET, &err));
    return keys;
}

static enum auth_verdict check(const struct keys *keys, const struct auth_rules *rules, char *token,
                               struct caller *ret)
{
    enum auth_verdict verdict = auth_check(keys, rules, slice_of(token), NOW, ret);
    free(token);
    return verdict;
}

static enum auth_verdict verdict_of(const struct auth_rules *rules, const char *header,
                                    const char *claims, struct caller *ret)
{
    struct keys keys = secret_keys();
    enum auth_verdict verdict = check(&keys, rules, signed_token(header, claims), ret);
    keys_done(&keys);
    return verdict;
}

static enum auth_right right_of(const struct auth_rules *rules, const char *more)
{
    struct caller caller;
    assert_int_equal(verdict_of(rules, PLAIN, claims_at(NOW + 60, more), &caller), AUTH_VALID);
    return caller.right;
}

static void assert_refused(const char *header, const char *claims)
{
    struct caller caller;
    enum auth_verdict verdict = verdict_of(&no_rules, header, claims, &caller);
    if (verdict == AUTH_VALID || verdict == AUTH_EXPIRED || caller.right != AUTH_NOBODY)
        fail_msg("taken: %s %s", header, claims);
}

static void rights_are_two(void **state)
{
    (void)state;
    assert_int_equal(right_of(&no_rules, CUSTOMER), AUTH_USER);
    assert_int_equal(right_of(&no_rules, ",\"role\":\"service_role\""), AUTH_OPERATOR);
    assert_int_equal(right_of(&no_rules, ",\"role\":\"anon\""), AUTH_NOBODY);
    assert_int_equal(right_of(&no_rules, ""), AUTH_NOBODY);
    assert_int_equal(right_of(&no_rules, ",\"role\":[\"service_role\"]"), AUTH_NOBODY);
    assert_int_equal(right_of(&no_rules, CUSTOMER ",\"is_anonymous\":true"), AUTH_NOBODY);
    assert_int_equal(right_of(&no_rules, CUSTOMER ",\"is_anonymous\":\"no\""), AUTH_NOBODY);
    assert_int_equal(right_of(&no_rules, CUSTOMER ",\"is_anonymous\":false"), AUTH_USER);
}

static void the_operator_claim_is_one_of_its_values(void **state)
{
    (void)state;
    const struct auth_rules rules = {.operator_claim = "app_metadata.role",
                                     .operator_values = "admin operator"};
    assert_int_equal(right_of(&rules, CUSTOMER ",\"app_metadata\":{\"role\":\"operator\"}"),
                     AUTH_OPERATOR);
    assert_int_equal(right_of(&rules, CUSTOMER ",\"app_metadata\":{\"role\":[\"x\",\"admin\"]}"),
                     AUTH_OPERATOR);
    assert_int_equal(right_of(&rules, CUSTOMER ",\"app_metadata\":{\"role\":\"oper\"}"), AUTH_USER);
    assert_int_equal(right_of(&rules, CUSTOMER ",\"app_metadata\":{\"role\":true}"), AUTH_USER);
    assert_int_equal(right_of(&rules, CUSTOMER ",\"user_metadata\":{\"role\":\"admin\"}"),
                     AUTH_USER);
    assert_int_equal(right_of(&rules, ",\"role\":\"anon\",\"app_metadata\":{\"role\":\"admin\"}"),
                     AUTH_NOBODY);
}

static void a_claim_may_have_a_providers_name(void **state)
{
    const struct auth_rules url = {.operator_claim = "https://shop.example/role",
                                   .operator_values = "admin"},
                            quoted = {.operator_claim = "\"https://h.io/jwt/claims\".x-role",
                                      .operator_values = "admin"},
                            dotted = {.operator_claim = "app_metadata.\"shop.role\"",
                                      .operator_values = "admin"};
    (void)state;
    assert_int_equal(right_of(&url, CUSTOMER ",\"https://shop.example/role\":\"admin\""),
                     AUTH_OPERATOR);
    assert_int_equal(right_of(&url, CUSTOMER ",\"https://shop\":{\"example/role\":\"admin\"}"),
                     AUTH_USER);
    assert_int_equal(
        right_of(&quoted, CUSTOMER ",\"https://h.io/jwt/claims\":{\"x-role\":\"admin\"}"),
        AUTH_OPERATOR);
    assert_int_equal(right_of(&dotted, CUSTOMER ",\"app_metadata\":{\"shop.role\":[\"admin\"]}"),
                     AUTH_OPERATOR);
    assert_int_equal(
        right_of(&dotted, CUSTOMER ",\"app_metadata\":{\"shop\":{\"role\":\"admin\"}}"), AUTH_USER);
}

static void a_second_factor_is_noted(void **state)
{
    static const struct {
        const char *more;
        bool is_strong;
        enum auth_right as_user;
    } cases[] = {
        {CUSTOMER ",\"op\":\"yes\",\"aal\":\"aal2\"", true, AUTH_USER},
        {CUSTOMER ",\"op\":\"yes\",\"aal\":\"aal1\"", false, AUTH_USER},
        {CUSTOMER ",\"op\":\"yes\",\"aal\":[\"aal2\"]", false, AUTH_USER},
        {CUSTOMER ",\"op\":\"yes\",\"aal\":\"aal22\"", false, AUTH_USER},
        {",\"op\":\"yes\"", false, AUTH_NOBODY},
        {",\"role\":\"service_role\"", true, AUTH_NOBODY},
    };
    const struct auth_rules rules = {.operator_claim = "op", .operator_values = "yes"};
    struct caller caller;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(verdict_of(&rules, PLAIN, claims_at(NOW + 60, cases[i].more), &caller),
                         AUTH_VALID);
        assert_int_equal(caller.right, AUTH_OPERATOR);
        assert_int_equal(caller.is_strong, cases[i].is_strong);
        assert_int_equal(caller.right_as_user, cases[i].as_user);
    }
}

/* Each refusal has its cause, for the log: none has a part of the token in it. */
static void causes_are_told_apart(void **state)
{
    static const struct {
        const char *header, *claims, *cause;
    } cases[] = {
        {"{\"alg\":\"none\"}", "{}", "not signed"},
        {"{\"alg\":\"nOnE\"}", "{}", "not signed"},
        {"{}", "{}", "no alg"},
        {"[]", "{}", "header is not"},
        {"{\"alg\":\"HS256\",\"jku\":\"https://c4nary\"}", "{}", "brings a key"},
        {"{\"alg\":\"HS256\",\"kid\":7}", "{}", "kid"},
        {"{\"alg\":\"C4NARY\",\"kid\":\"c4nary\"}", "{}", "no key is for its alg"},
        {PLAIN, "[]", "claims are not"},
        {PLAIN, "{\"sub\":\"c4nary\"}", "exp"},
        {PLAIN, "{\"exp\":1800000060,\"nbf\":1800000050}", "not valid yet"},
        {PLAIN, "{\"exp\":1800000060,\"nbf\":\"c4nary\"}", "nbf is not"},
        {PLAIN, "{\"exp\":1700000000,\"iss\":\"me\",\"aud\":\"us\"}", "expired"},
        {PLAIN, "{\"exp\":1800000060,\"iss\":\"c4nary\",\"aud\":\"us\"}", "auth.issuer"},
        {PLAIN, "{\"exp\":1700000000,\"iss\":\"c4nary\",\"aud\":\"us\"}", "auth.issuer"},
        {PLAIN, "{\"exp\":1800000060,\"iss\":\"me\",\"aud\":\"c4nary\"}", "auth.audience"},
        {PLAIN, "{\"exp\":1800000060,\"iss\":\"me\",\"aud\":\"us\",\"role\":\"c4nary\"}",
         "its role is neither"},
        {PLAIN, "{\"exp\":1800000060,\"iss\":\"me\",\"aud\":\"us\",\"role\":\"anon\"}",
         "anonymous"},
        {PLAIN, "{\"exp\":1800000060,\"iss\":\"me\",\"aud\":\"us\",\"role\":\"authenticated\"}",
         "sub is missing"},
        {PLAIN,
         "{\"exp\":1800000060,\"iss\":\"me\",\"aud\":\"us\",\"role\":\"authenticated\","
         "\"sub\":\"c4nary\"}",
         "a customer's"},
    };
    const struct auth_rules rules = {.issuer = "me", .audience = "us"};
    struct caller caller;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        (void)verdict_of(&rules, cases[i].header, cases[i].claims, &caller);
        if (caller.cause == NULL || strstr(caller.cause, cases[i].cause) == NULL)
            fail_msg("%s %s: %s", cases[i].header, cases[i].claims, caller.cause);
        assert_null(strcasestr(caller.cause, "c4nary"));
    }
    struct keys keys = secret_keys();
    assert_int_equal(auth_check(&keys, &rules, slice_of("c4nary"), NOW, &caller), AUTH_INVALID);
    assert_non_null(strstr(caller.cause, "not a JSON Web Token"));
    char *token = signed_token(PLAIN, "{}");
    token[strlen(token) - 10] ^= 1;
    assert_int_equal(check(&keys, &rules, token, &caller), AUTH_INVALID);
    assert_string_equal(caller.cause, "its signature does not verify");
    keys_done(&keys);
}

static void expiry_is_required_and_whole(void **state)
{
    (void)state;
    struct caller caller;
    assert_refused(PLAIN, "{\"sub\":\"u\",\"role\":\"service_role\"}");
    assert_refused(PLAIN, "{\"exp\":\"1800000060\",\"role\":\"service_role\"}");
    assert_refused(PLAIN, "{\"exp\":1800000060.5,\"role\":\"service_role\"}");
    assert_refused(PLAIN, "{\"exp\":1e10,\"role\":\"service_role\"}");
    assert_refused(PLAIN, "{\"exp\":9223372036854775807,\"role\":\"service_role\"}");
    assert_refused(PLAIN, "{\"exp\":99999999999999999999,\"role\":\"service_role\"}");
    assert_refused(PLAIN, "{\"exp\":-1,\"role\":\"service_role\"}");
    assert_refused(PLAIN, "{\"exp\":null,\"role\":\"service_role\"}");
    assert_int_equal(verdict_of(&no_rules, PLAIN, claims_at(NOW - 31, CUSTOMER), &caller),
                     AUTH_EXPIRED);
    assert_int_equal(caller.right, AUTH_NOBODY);
    assert_int_equal(verdict_of(&no_rules, PLAIN, claims_at(NOW - 29, CUSTOMER), &caller),
                     AUTH_VALID);
}

static void not_before_is_kept(void **state)
{
    (void)state;
    struct caller caller;
    assert_refused(PLAIN, claims_at(NOW + 60, CUSTOMER ",\"nbf\":1800000031"));
    assert_refused(PLAIN, claims_at(NOW + 60, CUSTOMER ",\"nbf\":\"1\""));
    assert_int_equal(
        verdict_of(&no_rules, PLAIN, claims_at(NOW + 60, CUSTOMER ",\"nbf\":1800000029"), &caller),
        AUTH_VALID);
}

static void issuer_and_audience_are_compared_when_set(void **state)
{
    (void)state;
    struct caller caller;
    const struct auth_rules rules = {.issuer = "https://x/auth/v1", .audience = "authenticated"};
    const struct {
        const char *more;
        enum auth_verdict verdict;
    } cases[] = {
        {",\"iss\":\"https://x/auth/v1\",\"aud\":\"authenticated\"", AUTH_VALID},
        {",\"iss\":\"https://x/auth/v1\",\"aud\":[\"a\",\"authenticated\"]", AUTH_VALID},
        {",\"iss\":\"https://x/auth/v1\",\"aud\":\"other\"", AUTH_INVALID},
        {",\"iss\":\"https://x/auth/v1\",\"aud\":[]", AUTH_INVALID},
        {",\"iss\":\"https://x/auth/v1\"", AUTH_INVALID},
        {",\"iss\":\"https://x/auth/v1/\",\"aud\":\"authenticated\"", AUTH_INVALID},
        {",\"aud\":\"authenticated\"", AUTH_INVALID},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(verdict_of(&rules, PLAIN, claims_at(NOW + 60, cases[i].more), &caller),
                         cases[i].verdict);
}

static void headers_choose_nothing(void **state)
{
    (void)state;
    const char *claims = "{\"exp\":1800000060,\"role\":\"service_role\"}";
    assert_refused("{\"alg\":\"none\"}", claims);
    assert_refused("{\"alg\":\"None\"}", claims);
    assert_refused("{\"alg\":\"hs256\"}", claims);
    assert_refused("{\"alg\":\"HS384\"}", claims);
    assert_refused("{\"alg\":\"HS512\"}", claims);
    assert_refused("{\"alg\":\"RS256\"}", claims);
    assert_refused("{\"typ\":\"JWT\"}", claims);
    assert_refused("{\"alg\":\"HS256\",\"crit\":[\"b64\"],\"b64\":true}", claims);
    assert_refused("{\"alg\":\"HS256\",\"jku\":\"https://evil/keys\"}", claims);
    assert_refused("{\"alg\":\"HS256\",\"jwk\":{\"kty\":\"oct\",\"k\":\"AA\"}}", claims);
    assert_refused("{\"alg\":\"HS256\",\"x5u\":\"https://evil\"}", claims);
    assert_refused("{\"alg\":\"HS256\",\"kid\":7}", claims);
    assert_refused("{\"alg\":\"HS256\",\"alg\":\"none\"}", claims);
    assert_refused("[\"HS256\"]", claims);
}

static void kid_is_only_compared(void **state)
{
    (void)state;
    struct caller caller;
    assert_int_equal(verdict_of(&no_rules, "{\"alg\":\"HS256\",\"kid\":\"../../dev/null\"}",
                                claims_at(NOW + 60, CUSTOMER), &caller),
                     AUTH_VALID); /* the secret is any token's: nothing is looked up by it */
}

static void duplicate_claims_are_refused(void **state)
{
    (void)state;
    assert_refused(PLAIN, "{\"exp\":1,\"exp\":1800000060,\"role\":\"service_role\"}");
    assert_refused(PLAIN, "{\"exp\":1800000060,\"role\":\"anon\",\"role\":\"service_role\"}");
    assert_refused(PLAIN, "[]");
    assert_refused(PLAIN, "\"service_role\"");
    assert_refused(PLAIN, "");
}

static void assert_bad_form(const char *token)
{
    struct keys keys = secret_keys();
    struct caller caller;
    if (auth_check(&keys, &no_rules, slice_of(token), NOW, &caller) != AUTH_INVALID)
        fail_msg("taken: %.80s", token);
    keys_done(&keys);
}

static void form_is_strict(void **state)
{
    (void)state;
    char *good = signed_token(PLAIN, claims_at(NOW + 60, CUSTOMER)), text[1024];
    assert_bad_form("");
    assert_bad_form(".");
    assert_bad_form("..");
    assert_bad_form("a.b.c.d.e.f");
    assert_bad_form("....."); /* five dots */
    snprintf(text, sizeof text, "%s.", good);
    assert_bad_form(text);
    snprintf(text, sizeof text, "%s=", good);
    assert_bad_form(text);
    snprintf(text, sizeof text, " %s", good);
    assert_bad_form(text);
    snprintf(text, sizeof text, "%s", good);
    *strrchr(text, '.') = '\0';
    assert_bad_form(text);
    strcat(text, ".");
    assert_bad_form(text);
    snprintf(text, sizeof text, "%s", good);
    text[strlen(text) / 2] = '+';
    assert_bad_form(text);
    snprintf(text, sizeof text, "%s", good);
    text[strlen(text) - 5] ^= 1;
    assert_bad_form(text);
    free(good);
}

static void a_megabyte_is_not_looked_at(void **state)
{
    (void)state;
    size_t size = 1 << 20;
    char *big = malloc(size + 1);
    memset(big, 'a', size);
    big[100] = big[200] = '.';
    big[size] = '\0';
    assert_bad_form(big);
    free(big);
}

/* ---- public keys ---- */

static void read_set(struct keys *keys, cjose_jwk_t *jwk, const char *kid)
{
    struct error err = {0};
    struct buf b;
    cjose_jwk_set_kid(jwk, kid, strlen(kid), NULL);
    char *json = cjose_jwk_to_json(jwk, false, NULL);
    buf_init(&b, 65536);
    buf_addf(&b, "{\"keys\":[{\"kty\":\"oct\",\"k\":\"c2VjcmV0\",\"kid\":\"o\"},%s]}", json);
    assert_true(keys_read_set(keys, (struct slice){b.data, b.len}, &err));
    free(json);
    buf_done(&b);
}

static void sets_of_keys_verify(void **state)
{
    (void)state;
    struct keys keys = {.count = 0};
    struct caller caller;
    cjose_jwk_t *ec = cjose_jwk_create_EC_random(CJOSE_JWK_EC_P_256, NULL);
    cjose_jwk_t *other = cjose_jwk_create_EC_random(CJOSE_JWK_EC_P_256, NULL);
    cjose_jwk_t *rsa = cjose_jwk_create_RSA_random(2048, (const uint8_t *)"\x01\x00\x01", 3, NULL);
    const char *claims = "{\"exp\":1800000060,\"sub\":\"u\",\"role\":\"authenticated\"}";
    read_set(&keys, ec, "k1");
    assert_int_equal(keys.count, 1); /* a secret in a public set is no key */
    assert_int_equal(check(&keys, &no_rules, with_key(ec, "ES256", "k1", claims), &caller),
                     AUTH_VALID);
    assert_int_equal(check(&keys, &no_rules, with_key(ec, "ES256", NULL, claims), &caller),
                     AUTH_VALID);
    assert_int_equal(check(&keys, &no_rules, with_key(other, "ES256", "k1", claims), &caller),
                     AUTH_INVALID);
    assert_int_equal(check(&keys, &no_rules, with_key(ec, "ES256", "k2", claims), &caller),
                     AUTH_UNKNOWN_KEY);
    assert_int_equal(check(&keys, &no_rules, with_key(rsa, "RS256", "k1", claims), &caller),
                     AUTH_UNKNOWN_KEY);
    read_set(&keys, rsa, "k2"); /* replaces the first one */
    assert_int_equal(keys.count, 1);
    assert_int_equal(check(&keys, &no_rules, with_key(rsa, "RS256", "k2", claims), &caller),
                     AUTH_VALID);
    assert_int_equal(check(&keys, &no_rules, with_key(rsa, "PS256", "k2", claims), &caller),
                     AUTH_UNKNOWN_KEY);
    assert_int_equal(check(&keys, &no_rules, with_key(rsa, "RS512", "k2", claims), &caller),
                     AUTH_UNKNOWN_KEY);
    assert_int_equal(check(&keys, &no_rules, with_key(ec, "ES256", "k1", claims), &caller),
                     AUTH_UNKNOWN_KEY);
    keys_done(&keys);
    cjose_jwk_release(ec);
    cjose_jwk_release(other);
    cjose_jwk_release(rsa);
}

/* The header and claims of a token, with another signature. */
static char *resigned(const char *token, const void *signature, size_t len)
{
    struct buf b;
    buf_init(&b, 65536);
    buf_add(&b, token, (size_t)(strrchr(token, '.') + 1 - token));
    add_encoded(&b, signature, len);
    buf_text(&b);
    return take(&b);
}

static void es256_is_64_bytes_and_not_zero(void **state)
{
    (void)state;
    static const unsigned char zero[64], der[] = {0x30, 0x06, 0x02, 0x01, 0x01, 0x02, 0x01, 0x01};
    struct keys keys = {.count = 0};
    struct caller caller;
    cjose_jwk_t *ec = cjose_jwk_create_EC_random(CJOSE_JWK_EC_P_256, NULL);
    char *token = with_key(ec, "ES256", "k1", "{\"exp\":1800000060,\"role\":\"service_role\"}");
    read_set(&keys, ec, "k1");
    assert_int_equal(check(&keys, &no_rules, resigned(token, zero, sizeof zero), &caller),
                     AUTH_INVALID);
    assert_int_equal(check(&keys, &no_rules, resigned(token, der, sizeof der), &caller),
                     AUTH_INVALID);
    assert_int_equal(check(&keys, &no_rules, token, &caller), AUTH_VALID);
    keys_done(&keys);
    cjose_jwk_release(ec);
}

/* The classic confusion: HS256 with the public key's text as the secret. */
static void a_public_key_is_no_secret(void **state)
{
    (void)state;
    struct keys keys = {.count = 0};
    struct caller caller;
    cjose_jwk_t *rsa = cjose_jwk_create_RSA_random(2048, (const uint8_t *)"\x01\x00\x01", 3, NULL);
    char *public = cjose_jwk_to_json(rsa, false, NULL);
    cjose_jwk_t *as_secret =
        cjose_jwk_create_oct_spec((const uint8_t *)public, strlen(public), NULL);
    read_set(&keys, rsa, "k1");
    char *token =
        with_key(as_secret, "HS256", "k1", "{\"exp\":1800000060,\"role\":\"service_role\"}");
    assert_int_not_equal(check(&keys, &no_rules, token, &caller), AUTH_VALID);
    assert_int_equal(caller.right, AUTH_NOBODY);
    keys_done(&keys);
    cjose_jwk_release(rsa);
    cjose_jwk_release(as_secret);
    free(public);
}

static void weak_keys_are_refused(void **state)
{
    (void)state;
    struct keys keys = {.count = 0};
    struct error err = {0};
    cjose_jwk_t *rsa = cjose_jwk_create_RSA_random(1024, (const uint8_t *)"\x01\x00\x01", 3, NULL);
    char *json = cjose_jwk_to_json(rsa, false, NULL), text[4096];
    snprintf(text, sizeof text, "{\"keys\":[%s]}", json);
    assert_false(keys_read_set(&keys, slice_of(text), &err));
    assert_int_equal(keys.count, 0);
    cjose_jwk_release(rsa);
    free(json);
}

/* ---- files ---- */

static const char *write_pem(EVP_PKEY *key, char *path)
{
    int fd = mkstemp(path);
    FILE *file = fdopen(fd, "w");
    assert_non_null(file);
    assert_int_equal(PEM_write_PUBKEY(file, key), 1);
    fclose(file);
    return path;
}

/* Consumes the key. */
static bool add_file(struct keys *keys, EVP_PKEY *key, struct error *err)
{
    char path[] = "/tmp/auth_test.XXXXXX";
    assert_non_null(key);
    bool ok = keys_add_file(keys, write_pem(key, path), err);
    unlink(path);
    EVP_PKEY_free(key);
    return ok;
}

static void files_of_public_keys_are_read(void **state)
{
    static const char *const names[] = {"RS256", "PS256", "ES256", "ES384", "EdDSA"};
    struct error err = {0};
    struct keys keys = {.count = 0};
    (void)state;
    assert_true(add_file(&keys, EVP_RSA_gen(2048), &err));
    assert_true(add_file(&keys, key_bytes_make_pss(), &err));
    assert_true(add_file(&keys, EVP_EC_gen("P-256"), &err));
    assert_true(add_file(&keys, EVP_EC_gen("P-384"), &err));
    assert_true(add_file(&keys, EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), &err));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_string_equal(keys.list[i].algorithm->name, names[i]);
    assert_false(add_file(&keys, EVP_RSA_gen(1024), &err));
    assert_non_null(strstr(err.text, "less than 2048 bits"));
    static const char *const curves[] = {"P-224", "P-521", "secp256k1"};
    for (size_t i = 0; i < sizeof curves / sizeof *curves; i++) {
        err = (struct error){0};
        assert_false(add_file(&keys, EVP_EC_gen(curves[i]), &err));
        assert_non_null(strstr(err.text, "auth.public_key_file"));
    }
    assert_false(add_file(&keys, EVP_PKEY_Q_keygen(NULL, NULL, "ED448"), &err));
    assert_false(add_file(&keys, EVP_PKEY_Q_keygen(NULL, NULL, "X25519"), &err));
    assert_int_equal(keys.count, 5);
    keys_done(&keys);
}

static void a_minted_token_is_an_operators(void **state)
{
    (void)state;
    struct error err = {0};
    struct keys keys = secret_keys();
    struct caller caller;
    const struct auth_rules claim = {.issuer = "me",
                                     .audience = "dash",
                                     .operator_claim = "app_metadata.shop.role",
                                     .operator_values = "admin,operator"};
    char *token = auth_mint(&no_rules, SECRET, "Léa", NOW, NOW + 60, &err);
    assert_int_equal(check(&keys, &no_rules, token, &caller), AUTH_VALID);
    assert_int_equal(caller.right, AUTH_OPERATOR);
    assert_string_equal(caller.subject, "Léa");
    token = auth_mint(&claim, SECRET, "me", NOW, NOW + 60, &err);
    assert_int_equal(check(&keys, &claim, token, &caller), AUTH_VALID);
    assert_int_equal(caller.right, AUTH_OPERATOR);
    assert_string_equal(caller.role, ""); /* nobody to whatever else trusts the secret */
    assert_false(caller.is_strong);
    struct auth_rules strong = claim;
    strong.mints_aal2 = true;
    token = auth_mint(&strong, SECRET, "me", NOW, NOW + 60, &err);
    assert_int_equal(check(&keys, &claim, token, &caller), AUTH_VALID);
    assert_true(caller.is_strong);
    keys_done(&keys);
}

static void a_minted_token_has_the_first_value(void **state)
{
    (void)state;
    struct error err = {0};
    struct keys keys = secret_keys();
    struct caller caller;
    struct auth_rules rules = {.operator_claim = "role", .operator_values = " ,admin, boss"};
    const struct auth_rules one = {.operator_claim = "role", .operator_values = "admin"};
    char *token = auth_mint(&rules, SECRET, "me", NOW, NOW + 60, &err);
    assert_int_equal(check(&keys, &one, token, &caller), AUTH_VALID);
    assert_int_equal(caller.right, AUTH_OPERATOR);
    const char *const without[] = {" , ", "", NULL};
    for (size_t i = 0; i < sizeof without / sizeof *without; i++) {
        err = (struct error){0};
        rules.operator_values = without[i];
        assert_null(auth_mint(&rules, SECRET, "me", NOW, NOW + 60, &err));
        assert_int_equal(err.code, ERROR_CONFIG);
        assert_non_null(strstr(err.text, "auth.operator_values"));
    }
    keys_done(&keys);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rights_are_two),
        cmocka_unit_test(the_operator_claim_is_one_of_its_values),
        cmocka_unit_test(a_claim_may_have_a_providers_name),
        cmocka_unit_test(a_second_factor_is_noted),
        cmocka_unit_test(causes_are_told_apart),
        cmocka_unit_test(expiry_is_required_and_whole),
        cmocka_unit_test(not_before_is_kept),
        cmocka_unit_test(issuer_and_audience_are_compared_when_set),
        cmocka_unit_test(headers_choose_nothing),
        cmocka_unit_test(kid_is_only_compared),
        cmocka_unit_test(duplicate_claims_are_refused),
        cmocka_unit_test(form_is_strict),
        cmocka_unit_test(a_megabyte_is_not_looked_at),
        cmocka_unit_test(sets_of_keys_verify),
        cmocka_unit_test(es256_is_64_bytes_and_not_zero),
        cmocka_unit_test(a_public_key_is_no_secret),
        cmocka_unit_test(weak_keys_are_refused),
        cmocka_unit_test(files_of_public_keys_are_read),
        cmocka_unit_test(a_minted_token_is_an_operators),
        cmocka_unit_test(a_minted_token_has_the_first_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
