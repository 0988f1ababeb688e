/* jwk_test: sets of keys with one member of one key changed in every way that JSON allows: no
 * input ends the process, and the good key beside it is used. */
#include "dashboard/auth/jwk.h"
#include "dashboard/auth/keys.h"

#include "sys/log.h"

#include <openssl/evp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define X "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
#define Y "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
/* An RSA modulus of 2048 bits: any odd number with its first bit set has the form. */
static const char *modulus(void)
{
    static char text[343];
    memset(text, 'A', 342);
    text[0] = '_';
    text[341] = 'Q'; /* …0001: odd, and no bit left over */
    return text;
}

static json_t *good_key(const char *kty)
{
    if (strcmp(kty, "P-384") == 0) /* the curve's base point */
        return json_pack("{s:s, s:s, s:s, s:s}", "kty", "EC", "crv", "P-384", "x",
                         "qofKIr6LBTeOscce8yCtdG4dO2KLp5uYWfdB4IJUKjhVAvJdv1UpbDpUXjhydgq3", "y",
                         "NhfeSpYmLG9dnpi_kpLcKfj0Hb0omhR86doxE7XwuMAKYLHOHX6BnXpDHXyQ6g5f");
    if (strcmp(kty, "OKP") == 0) /* of RFC 8037, A.2 */
        return json_pack("{s:s, s:s, s:s}", "kty", "OKP", "crv", "Ed25519", "x",
                         "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
    if (strcmp(kty, "EC") == 0)
        return json_pack("{s:s, s:s, s:s, s:s}", "kty", "EC", "crv", "P-256", "x", X, "y", Y);
    return json_pack("{s:s, s:s, s:s}", "kty", "RSA", "n", modulus(), "e", "AQAB");
}

/* How many keys the set gives in which this one stands before a good one. Takes the key. */
static size_t read_with(json_t *key)
{
    struct keys keys = {.count = 0};
    struct error err = {0};
    json_t *good = good_key("EC");
    json_object_set_new(good, "kid", json_string("good"));
    json_t *set = json_pack("{s:[o, o]}", "keys", key, good);
    char *text = json_dumps(set, JSON_COMPACT);
    assert_non_null(text);
    if (!keys_read_set(&keys, slice_of(text), &err))
        fail_msg("%s: %s", err.text, text);
    size_t count = keys.count;
    assert_in_range(count, 1, 2);
    assert_string_equal(keys.list[count - 1].id, "good");
    keys_done(&keys);
    json_decref(set);
    free(text);
    return count;
}

static json_t *text_of(size_t len, char c)
{
    char *text = malloc(len + 1);
    memset(text, c, len);
    text[len] = '\0';
    json_t *value = json_stringn(text, len);
    free(text);
    return value;
}

/* Values that no member may have; the caller's, NULL after the last. */
static json_t *odd_value(size_t at)
{
    switch (at) {
    case 0: return json_null();
    case 1: return json_true();
    case 2: return json_integer(0);
    case 3: return json_integer(INT64_MAX);
    case 4: return json_real(1e300);
    case 5: return json_array();
    case 6: return json_object();
    case 7: return json_pack("[s]", X);
    case 8: return json_string("");
    case 9: return json_string("!");
    case 10: return json_string("====");
    case 11: return json_string("AA==");
    case 12: return json_string("A A A");
    case 13: return json_string("\xc3\xa9\xc3\xa9");
    case 14: return json_stringn("AQAB\0AQAB", 9);
    case 15: return json_string("AAAA");
    case 16: return text_of(42, 'A');
    case 17: return text_of(43, 'B');
    case 18: return text_of(44, 'A');
    case 19: return text_of(342, 'A');
    case 20: return text_of(100000, 'A');
    case 21: return text_of(100001, '_');
    case 22: return text_of(1366, '_');
    default: return NULL;
    }
}

static void every_member_may_be_anything(void **state)
{
    static const char *const kinds[] = {"EC", "RSA", "P-384", "OKP"};
    static const char *const members[] = {"kty", "crv", "x",   "y",   "n",       "e",  "d",
                                          "k",   "alg", "use", "kid", "key_ops", "x5c"};
    (void)state;
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
        for (size_t m = 0; m < sizeof members / sizeof *members; m++) {
            json_t *key = good_key(kinds[k]), *value;
            json_object_del(key, members[m]);
            (void)read_with(key);
            for (size_t v = 0; (value = odd_value(v)) != NULL; v++) {
                key = good_key(kinds[k]);
                json_object_set_new(key, members[m], value);
                (void)read_with(key);
            }
        }
}

/* Base64url of this many bytes, the first of which is `first`; the last is odd. */
static json_t *number_of(size_t bytes, unsigned char first)
{
    static unsigned char number[2048];
    static char text[4096];
    memset(number, 0x55, bytes);
    number[0] = first;
    int len = EVP_EncodeBlock((unsigned char *)text, number, (int)bytes);
    for (int i = 0; i < len; i++)
        text[i] = text[i] == '+' ? '-' : text[i] == '/' ? '_' : text[i];
    return json_stringn(text, strcspn(text, "="));
}

/* Each fault by its own check, whatever OpenSSL would say of it later. */
static void a_refusal_has_its_reason(void **state)
{
    const struct {
        const char *kind, *member, *why;
        json_t *value;
    } cases[] = {
        {"RSA", "n", "n is not the base64url of a number of at most 8192 bits", number_of(1026, 1)},
        {"RSA", "n", "n has more than 8192 bits", number_of(1025, 1)},
        {"RSA", "n", "n has less than 2048 bits", number_of(255, 0xff)},
        {"RSA", "n", "n is even", text_of(344, 'C')},
        {"RSA", "e", "e is not the base64url of a number of at most 64 bits", number_of(9, 1)},
        {"RSA", "e", "e is even, or 1, or has more than 64 bits", json_string("Ag")},
        {"RSA", "e", "e is even, or 1, or has more than 64 bits", json_string("AQ")},
        {"EC", "x", "x or y is not the base64url of as many bytes as the curve has",
         number_of(31, 1)},
        {"EC", "y", "x or y is not the base64url of as many bytes as the curve has",
         number_of(33, 1)},
        {"EC", "x", "x and y are not a point of its curve", number_of(32, 1)},
        {"EC", "crv", "its curve is not P-256 or P-384", json_string("secp256k1")},
        {"OKP", "x", "x is not the base64url of 32 bytes", number_of(31, 1)},
        {"OKP", "crv", "its curve is not Ed25519", json_string("X25519")},
        {"RSA", "kty", "its kty is not RSA, EC or OKP", json_stringn("RSA\0", 4)},
        {"EC", "crv", "its kty is not RSA, EC or OKP", json_stringn("P-256\0", 6)},
        {"EC", "use", "use is not sig", json_string("enc")},
        {"EC", "use", "use, alg or kid is not a text, or has a NUL in it", json_stringn("\0", 1)},
        {"EC", "alg", "use, alg or kid is not a text, or has a NUL in it", json_integer(1)},
        {"EC", "kid", "kid is longer than 127 bytes", text_of(128, 'A')},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct algorithm *algorithm;
        const char *why = NULL;
        json_t *key = good_key(cases[i].kind);
        json_object_set_new(key, cases[i].member, cases[i].value);
        assert_null(jwk_read(key, &algorithm, &why));
        assert_string_equal(why, cases[i].why);
        json_decref(key);
    }
}

static void every_length_of_a_number_is_read(void **state)
{
    static const char *const members[][2] = {{"EC", "x"},  {"EC", "y"},    {"RSA", "n"},
                                             {"RSA", "e"}, {"P-384", "x"}, {"P-384", "y"},
                                             {"OKP", "x"}};
    (void)state;
    for (size_t m = 0; m < sizeof members / sizeof *members; m++)
        for (size_t len = 0; len < 400; len++) {
            json_t *key = good_key(members[m][0]);
            json_object_set_new(key, members[m][1], text_of(len, len % 2 ? 'A' : '_'));
            (void)read_with(key);
        }
}

static void every_kind_is_read(void **state)
{
    static const char *const kinds[] = {"EC", "RSA", "oct", "OKP", "ec", "", "EC ", "AKP"};
    static const char *const curves[] = {"P-256",   "P-384", "P-521", "secp256k1",
                                         "Ed25519", "X",     ""};
    (void)state;
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
        for (size_t c = 0; c < sizeof curves / sizeof *curves; c++) {
            json_t *key =
                json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "kty", kinds[k], "crv", curves[c],
                          "x", X, "y", Y, "n", modulus(), "e", "AQAB", "k", "AAAA");
            bool is_key = strcmp(kinds[k], "RSA") == 0 || (strcmp(kinds[k], "EC") == 0 && c == 0) ||
                          (strcmp(kinds[k], "OKP") == 0 && strcmp(curves[c], "Ed25519") == 0);
            size_t expected = is_key ? 2 : 1;
            assert_int_equal(read_with(key), expected);
        }
}

static void good_keys_are_taken(void **state)
{
    (void)state;
    assert_int_equal(read_with(good_key("EC")), 2);
    assert_int_equal(read_with(good_key("RSA")), 2);
    assert_int_equal(read_with(good_key("P-384")), 2);
    assert_int_equal(read_with(good_key("OKP")), 2);
    json_t *key = good_key("RSA"); /* as some write it: a zero byte before the first bit */
    char text[346] = "AP";
    memset(text + 2, 'A', 342);
    text[343] = 'B';
    text[344] = '\0';
    json_object_set_new(key, "n", json_string(text));
    (void)read_with(key);
    key = good_key("EC");
    json_object_set_new(key, "kid", json_null());
    assert_int_equal(read_with(key), 2);
}

/* A key says what it is for: its type allows one algorithm, RSA's one of two. */
static void a_key_is_for_one_algorithm(void **state)
{
    static const struct {
        const char *kty, *said, *algorithm; /* NULL: it is refused */
    } cases[] = {{"RSA", NULL, "RS256"},      {"RSA", "RS256", "RS256"}, {"RSA", "PS256", "PS256"},
                 {"RSA", "RS512", NULL},      {"RSA", "PS384", NULL},    {"RSA", "HS256", NULL},
                 {"RSA", "ES256", NULL},      {"EC", NULL, "ES256"},     {"EC", "ES256", "ES256"},
                 {"EC", "ES384", NULL},       {"EC", "HS256", NULL},     {"EC", "none", NULL},
                 {"P-384", NULL, "ES384"},    {"P-384", "ES256", NULL},  {"OKP", NULL, "EdDSA"},
                 {"OKP", "Ed25519", "EdDSA"}, {"OKP", "Ed448", NULL},    {"OKP", "HS256", NULL}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct keys keys = {.count = 0};
        struct error err = {0};
        json_t *key = good_key(cases[i].kty);
        if (cases[i].said != NULL)
            json_object_set_new(key, "alg", json_string(cases[i].said));
        json_t *set = json_pack("{s:[o]}", "keys", key);
        char *text = json_dumps(set, JSON_COMPACT);
        assert_true(keys_read_set(&keys, slice_of(text), &err) == (cases[i].algorithm != NULL));
        if (cases[i].algorithm != NULL)
            assert_string_equal(keys.list[0].algorithm->name, cases[i].algorithm);
        keys_done(&keys);
        json_decref(set);
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_keys_are_taken),
        cmocka_unit_test(every_kind_is_read),
        cmocka_unit_test(every_member_may_be_anything),
        cmocka_unit_test(a_refusal_has_its_reason),
        cmocka_unit_test(every_length_of_a_number_is_read),
        cmocka_unit_test(a_key_is_for_one_algorithm),
    };
    log_setup(LOG_ERROR, false);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
