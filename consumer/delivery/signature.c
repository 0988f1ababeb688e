#include "delivery/signature.h"

#include "base/slice.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX "whsec_"
enum { DIGEST_BYTES = 32, BASE64_KEY_MAX = (SIGNATURE_KEY_MAX + 2) / 3 * 4 };

/* EVP_DecodeBlock counts the padding as bytes and skips white space, so both are looked at here. */
static bool parse_key(const char *text, size_t len, uint8_t *bytes, size_t *ret_len)
{
    unsigned char decoded[BASE64_KEY_MAX];
    char padded[BASE64_KEY_MAX + 1];
    while (len > 0 && text[len - 1] == '=')
        len--;
    size_t full = (len + 3) / 4 * 4;
    if (len % 4 == 1 || full > BASE64_KEY_MAX)
        return false;
    memcpy(padded, text, len);
    memset(padded + len, '=', full - len);
    padded[full] = '\0';
    if (strcspn(padded, " \t\r\n=") != len ||
        EVP_DecodeBlock(decoded, (const unsigned char *)padded, (int)full) < 0)
        return false;
    *ret_len = len / 4 * 3 + (len % 4 ? len % 4 - 1 : 0);
    if (*ret_len < SIGNATURE_KEY_MIN || *ret_len > SIGNATURE_KEY_MAX)
        return false;
    memcpy(bytes, decoded, *ret_len);
    return true;
}

bool signature_keys_parse(const char *text, struct signature_keys *ret_keys, struct error *err)
{
    *ret_keys = (struct signature_keys){0};
    struct slice key;
    while ((key = words_next(&text)).len > 0) {
        size_t n = ret_keys->count;
        if (n == SIGNATURE_KEYS_MAX)
            return error_set(err, ERROR_CONFIG, "more than %d signing keys", SIGNATURE_KEYS_MAX);
        if (!slice_has_prefix(key, PREFIX) ||
            !parse_key(key.data + strlen(PREFIX), key.len - strlen(PREFIX), ret_keys->keys[n].bytes,
                       &ret_keys->keys[n].len))
            return error_set(err, ERROR_CONFIG,
                             "signing key %zu is not whsec_ and the base64 of 24 to 64 bytes",
                             n + 1);
        ret_keys->count++;
    }
    return ret_keys->count > 0 || error_set(err, ERROR_CONFIG, "it contains no signing key");
}

bool signature_write(const struct signature_keys *keys, const char *id, int64_t timestamp_s,
                     const char *body, size_t body_len, char text[SIGNATURE_TEXT_MAX])
{
    size_t id_len = strlen(id);
    char *at = text, *message = malloc(id_len + 32 + body_len);
    if (message == NULL)
        return false;
    int head = sprintf(message, "%s.%" PRId64 ".", id, timestamp_s);
    memcpy(message + head, body, body_len);
    bool ok = true;
    for (size_t i = 0; ok && i < keys->count; i++) {
        unsigned char digest[EVP_MAX_MD_SIZE];
        unsigned len;
        ok = HMAC(EVP_sha256(), keys->keys[i].bytes, (int)keys->keys[i].len,
                  (const unsigned char *)message, (size_t)head + body_len, digest, &len) != NULL &&
             len == DIGEST_BYTES;
        at += sprintf(at, i > 0 ? " v1," : "v1,");
        at += EVP_EncodeBlock((unsigned char *)at, digest, DIGEST_BYTES);
    }
    free(message);
    return ok;
}
