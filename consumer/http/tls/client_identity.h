/* client_identity: the certificate and key by which this client proves who it is (mutual TLS).
 *
 * Both files are read once, and checked against each other: a pair that is half replaced is refused
 * as a whole. libcurl gets the bytes, not the paths, so a connection keeps the identity that it was
 * opened with and a new identity opens new connections. */
#ifndef HTTP_TLS_CLIENT_IDENTITY_H
#define HTTP_TLS_CLIENT_IDENTITY_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

struct client_identity {
    uint64_t number;         /* no two of a process have the same */
    char *certificate, *key; /* PEM; owned */
    size_t certificate_len, key_len;
};

/* Reads PEM files: the certificate with those that issued it behind it, and its key without a
 * passphrase. NULL with err CONFIG, which names `option` ("webhook.") and the file and never quotes
 * one. */
struct client_identity *client_identity_read(const char *option, const char *certificate_path,
                                             const char *key_path, struct error *err) must_check;
void client_identity_free(struct client_identity *identity); /* accepts NULL; wipes the key */

#endif
