/* hash_test: SipHash-2-4 against what its authors published, and against OpenSSL's for every
 * length. */
#include "base/hash.h"
#include "unit/base/chosen_ids.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>

enum { LENGTH_MAX = 64 };

/* The key and the message of all published vectors: 00 01 02 … */
static const struct hash_key key = {{0x0706050403020100, 0x0f0e0d0c0b0a0908}};

static void fill(unsigned char bytes[LENGTH_MAX])
{
    for (unsigned i = 0; i < LENGTH_MAX; i++)
        bytes[i] = (unsigned char)i;
}

/* The paper's, appendix A, and the first and last of the reference implementation's table. */
static void the_published_vectors_hold(void **state)
{
    unsigned char bytes[LENGTH_MAX];
    (void)state;
    fill(bytes);
    assert_true(hash_keyed(&key, bytes, 15) == 0xa129ca6149be45e5);
    assert_true(hash_keyed(&key, bytes, 0) == 0x726fdb47dd0e0e31);
    assert_true(hash_keyed(&key, bytes, 1) == 0x74f839c593dc67fd);
    assert_true(hash_keyed(&key, bytes, 63) == 0x958a324ceb064572);
    struct hash_wide wide = hash_keyed_wide(&key, bytes, 0);
    assert_true(wide.half[0] == 0xe6a825ba047f81a3 && wide.half[1] == 0x930255c71472f66d);
}

/* Little-endian, as all of SipHash is. */
static uint64_t openssl_hash(const unsigned char *bytes, size_t len, size_t size, size_t half)
{
    unsigned char raw_key[16], out[16];
    size_t out_len;
    uint64_t value = 0;
    for (unsigned i = 0; i < sizeof raw_key; i++)
        raw_key[i] = (unsigned char)i;
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "SIPHASH", NULL);
    EVP_MAC_CTX *context = EVP_MAC_CTX_new(mac);
    const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_size_t(OSSL_MAC_PARAM_SIZE, &size),
                                     OSSL_PARAM_construct_end()};
    assert_int_equal(EVP_MAC_init(context, raw_key, sizeof raw_key, parameters), 1);
    assert_int_equal(EVP_MAC_update(context, bytes, len), 1);
    assert_int_equal(EVP_MAC_final(context, out, &out_len, sizeof out), 1);
    assert_int_equal(out_len, size);
    EVP_MAC_CTX_free(context);
    EVP_MAC_free(mac);
    for (size_t i = 0; i < 8; i++)
        value |= (uint64_t)out[8 * half + i] << (8 * i);
    return value;
}

static void every_length_is_as_openssl_has_it(void **state)
{
    unsigned char bytes[LENGTH_MAX];
    (void)state;
    fill(bytes);
    for (size_t len = 0; len <= LENGTH_MAX; len++) {
        struct hash_wide wide = hash_keyed_wide(&key, bytes, len);
        assert_true(hash_keyed(&key, bytes, len) == openssl_hash(bytes, len, 8, 0));
        assert_true(wide.half[0] == openssl_hash(bytes, len, 16, 0));
        assert_true(wide.half[1] == openssl_hash(bytes, len, 16, 1));
    }
}

static void another_key_is_another_hash(void **state)
{
    struct hash_key other = key;
    (void)state;
    other.half[1] ^= (uint64_t)1 << 63;
    assert_true(hash_keyed(&key, "order", 5) != hash_keyed(&other, "order", 5));
    assert_true(hash_keyed(&key, NULL, 0) != hash_keyed(&other, NULL, 0));
}

/* In a table of as many buckets, 20,000 ids at random leave at most 8 or so in one. */
static void chosen_ids_spread_as_any_others(void **state)
{
    enum { BUCKETS = 32768, MANY = 16 };
    static chosen_id ids[CHOSEN_IDS];
    static unsigned counts[4][BUCKETS];
    (void)state;
    choose_ids(ids);
    for (size_t i = 0; i < CHOSEN_IDS; i++) {
        assert_true(unkeyed_hash(ids[i]) == unkeyed_hash(ids[0]));
        uint64_t hash = hash_keyed(&key, ids[i], CHOSEN_ID_LEN);
        struct hash_wide wide = hash_keyed_wide(&key, ids[i], CHOSEN_ID_LEN);
        const uint64_t used[] = {hash, hash >> 32, wide.half[0], wide.half[0] >> 32};
        for (size_t u = 0; u < 4; u++)
            assert_true(++counts[u][used[u] % BUCKETS] <= MANY);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_published_vectors_hold),
        cmocka_unit_test(every_length_is_as_openssl_has_it),
        cmocka_unit_test(another_key_is_another_hash),
        cmocka_unit_test(chosen_ids_spread_as_any_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
