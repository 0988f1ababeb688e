#include "topics/owner.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>

enum { MARK_BYTES = (OWNER_MARK_MAX - 1) / 2 };

void owner_mark(const struct config *config, struct slice subject, char ret[OWNER_MARK_MAX])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    const char *key =
        config->auth_owner_secret != NULL ? config->auth_owner_secret : config->kafka_group;
    ret[0] = '\0';
    if (config->auth_owner_column == NULL || subject.len == 0 || key == NULL ||
        HMAC(EVP_sha256(), key, (int)strlen(key), (const unsigned char *)subject.data, subject.len,
             digest, NULL) == NULL)
        return;
    for (size_t i = 0; i < MARK_BYTES; i++)
        snprintf(ret + 2 * i, 3, "%02x", digest[i]);
}

bool owner_is(const struct config *config, struct slice subject, const char *mark)
{
    char own[OWNER_MARK_MAX];
    owner_mark(config, subject, own);
    return own[0] != '\0' && strlen(mark) == strlen(own) &&
           CRYPTO_memcmp(own, mark, strlen(own)) == 0;
}
