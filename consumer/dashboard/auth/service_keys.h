/* service_keys: opaque keys of services (auth.service_keys), such as Supabase's sb_secret_….
 *
 * Only their SHA-256 is kept: the keys are random (32 bytes at least), so a plain hash gives none
 * of them away. */
#ifndef DASHBOARD_AUTH_SERVICE_KEYS_H
#define DASHBOARD_AUTH_SERVICE_KEYS_H

#include "base/error.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stddef.h>

enum { SERVICE_KEYS_MAX = 16, SERVICE_KEY_BYTES_MAX = 512, SERVICE_KEY_HASH = 32 };

struct service_keys {
    unsigned char hashes[SERVICE_KEYS_MAX][SERVICE_KEY_HASH];
    size_t count;
};

/* Words separated by spaces or commas. */
bool service_keys_read(struct service_keys *keys, const char *words, struct error *err) must_check;

/* The key's place in the list, from 1; 0: it is none of them. Takes the same time wherever they
 * differ. */
size_t service_keys_place(const struct service_keys *keys, struct slice key);

#endif
