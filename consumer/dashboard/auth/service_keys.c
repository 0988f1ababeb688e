#include "dashboard/auth/service_keys.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

static bool hash(struct slice key, unsigned char ret[SERVICE_KEY_HASH])
{
    unsigned len = 0;
    return EVP_Digest(key.data, key.len, ret, &len, EVP_sha256(), NULL) == 1 &&
           len == SERVICE_KEY_HASH;
}

bool service_keys_read(struct service_keys *keys, const char *words, struct error *err)
{
    struct slice key;
    while ((key = words_next(&words)).len > 0) {
        if (keys->count == SERVICE_KEYS_MAX)
            return error_set(err, ERROR_CONFIG, "auth.service_keys holds more than %d keys",
                             SERVICE_KEYS_MAX);
        if (key.len > SERVICE_KEY_BYTES_MAX)
            return error_set(err, ERROR_CONFIG,
                             "auth.service_keys holds a key of more than %d bytes",
                             SERVICE_KEY_BYTES_MAX);
        if (!hash(key, keys->hashes[keys->count]))
            return error_set(err, ERROR_FAILED, "auth.service_keys: SHA-256 is not available");
        keys->count++;
    }
    return true;
}

size_t service_keys_place(const struct service_keys *keys, struct slice key)
{
    unsigned char own[SERVICE_KEY_HASH];
    size_t place = 0;
    if (keys->count == 0 || key.len == 0 || key.len > SERVICE_KEY_BYTES_MAX || !hash(key, own))
        return 0;
    for (size_t i = 0; i < keys->count; i++)
        if (CRYPTO_memcmp(own, keys->hashes[i], sizeof own) == 0)
            place = i + 1;
    return place;
}
