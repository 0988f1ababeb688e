/* key_bytes: keys and signatures as tests make them, by OpenSSL. */
#ifndef FAKES_KEY_BYTES_H
#define FAKES_KEY_BYTES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

/* A key that is for PSS alone. The caller frees it. */
static inline EVP_PKEY *key_bytes_make_pss(void)
{
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA-PSS", NULL);
    assert_int_equal(EVP_PKEY_keygen_init(context), 1);
    assert_true(EVP_PKEY_CTX_set_rsa_keygen_bits(context, 2048) > 0);
    assert_int_equal(EVP_PKEY_generate(context, &key), 1);
    EVP_PKEY_CTX_free(context);
    return key;
}

/* Of an ECDSA signature in DER, its two numbers of `bytes` bytes each, as JWS has them (RFC 7518,
 * 3.4). `ret_flat` may be `der` itself. */
static inline void key_bytes_flatten(const unsigned char *der, size_t len, int bytes,
                                     unsigned char *ret_flat)
{
    ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &der, (long)len);
    assert_non_null(sig);
    assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_r(sig), ret_flat, bytes), bytes);
    assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_s(sig), ret_flat + bytes, bytes), bytes);
    ECDSA_SIG_free(sig);
}

#endif
