#include "base/digest/sha256.h"

#include <assert.h>
#include <openssl/evp.h>
#include <pthread.h>

static EVP_MD *algorithm; /* for as long as the process runs */
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void fetch(void)
{
    algorithm = EVP_MD_fetch(NULL, "SHA256", NULL);
}

void sha256(const void *data, size_t len, unsigned char ret_digest[SHA256_BYTES])
{
    pthread_once(&once, fetch);
    int ok = algorithm != NULL && EVP_Digest(data, len, ret_digest, NULL, algorithm, NULL) == 1;
    assert(ok);
    (void)ok;
}
