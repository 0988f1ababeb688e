/* signature: the webhook-signature header of the Standard Webhooks specification, version v1.
 *
 * HMAC-SHA256 over "ID.TIMESTAMP.BODY", base64, one for each key: during a rotation the receiver
 * finds the one it has. */
#ifndef DELIVERY_SIGNATURE_H
#define DELIVERY_SIGNATURE_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SIGNATURE_KEYS_MAX = 4,
    SIGNATURE_KEY_MIN = 24, /* bytes, as the specification asks */
    SIGNATURE_KEY_MAX = 64,
    SIGNATURE_TEXT_MAX = SIGNATURE_KEYS_MAX * 48 + 1 /* "v1," + 44 characters + a space */
};

struct signature_keys {
    size_t count;
    struct {
        uint8_t bytes[SIGNATURE_KEY_MAX];
        size_t len;
    } keys[SIGNATURE_KEYS_MAX];
};

/* Keys as "whsec_BASE64", separated by spaces or commas. The error never repeats a key. */
bool signature_keys_parse(const char *text, struct signature_keys *ret_keys,
                          struct error *err) must_check;

/* Writes the header's value: "v1,… v1,…". timestamp_s: the value of webhook-timestamp. False when
 * the crypto library refuses. */
bool signature_write(const struct signature_keys *keys, const char *id, int64_t timestamp_s,
                     const char *body, size_t body_len, char text[SIGNATURE_TEXT_MAX]) must_check;

#endif
