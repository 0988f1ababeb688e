/* hash: 64 well-mixed bits of some bytes, for tables; not cryptographic, not for the outside. */
#ifndef CORE_HASH_H
#define CORE_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint64_t hash_mix(uint64_t a, uint64_t b)
{
    __extension__ unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t hash_bytes(const void *data, size_t len, uint64_t seed)
{
    const unsigned char *at = data;
    uint64_t hash = seed ^ 0x9e3779b97f4a7c15u ^ len;
    for (; len >= 8; at += 8, len -= 8) {
        uint64_t word;
        memcpy(&word, at, 8);
        hash = hash_mix(hash ^ word, 0xd6e8feb86659fd93u);
    }
    uint64_t word = 0;
    memcpy(&word, at, len);
    hash = hash_mix(hash ^ word, 0xa0761d6478bd642fu);
    return hash_mix(hash, 0xe7037ed1a0b428dbu);
}

#endif
