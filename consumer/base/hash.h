/* hash: keyed 64 or 128 bits of some bytes, for tables whose keys come from data.
 *
 * SipHash-2-4 (Aumasson, Bernstein: "SipHash: a fast short-input PRF", 2012; the 128 bits as in its
 * reference implementation). Without its key, keys that collide cannot be chosen, so a table stays
 * as fast as it is for random keys. Each process has a key of its own: hashes are never written
 * anywhere, except in the dashboard's view, which keeps its key beside them. Not for formats,
 * signatures or secrets. */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

struct hash_key {
    uint64_t half[2]; /* the key's 16 bytes, each half read as little-endian */
};

uint64_t hash_keyed(const struct hash_key *key, const void *data, size_t len);

/* 128 bits, for keys that must never be confused. */
struct hash_wide {
    uint64_t half[2];
};
struct hash_wide hash_keyed_wide(const struct hash_key *key, const void *data, size_t len);

#endif
