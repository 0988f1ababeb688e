/* scrypt: OpenSSL's, without its price. A fingerprint of a secret costs 50 ms on purpose, and
 * nearly every test of the pipeline or of check shows one. fingerprint_test and webhook_test have
 * the real one. */
#include <openssl/evp.h>
#include <string.h>

int EVP_PBE_scrypt(const char *pass, size_t passlen, const unsigned char *salt, size_t saltlen,
                   uint64_t N, uint64_t r, uint64_t p, uint64_t maxmem, unsigned char *key,
                   size_t keylen)
{
    uint64_t state = 0xcbf29ce484222325u; /* FNV-1a: another secret is another fingerprint */
    (void)salt, (void)saltlen, (void)N, (void)r, (void)p, (void)maxmem;
    for (size_t i = 0; i < passlen; i++)
        state = (state ^ (unsigned char)pass[i]) * 0x100000001b3u;
    for (size_t i = 0; i < keylen; i++)
        key[i] = (unsigned char)(state >> (8 * (i % sizeof state)));
    return 1;
}
