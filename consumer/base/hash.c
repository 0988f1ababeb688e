#include "base/hash.h"

#include <endian.h>
#include <string.h>

struct sip_state {
    uint64_t v[4];
};

static inline uint64_t rotate(uint64_t value, unsigned bits)
{
    return value << bits | value >> (64 - bits);
}

static inline void turn(struct sip_state *s)
{
    uint64_t *v = s->v;
    v[0] += v[1];
    v[2] += v[3];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] = rotate(v[0], 32);
    v[2] += v[1];
    v[0] += v[3];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] = rotate(v[2], 32);
}

static inline void take(struct sip_state *s, uint64_t word)
{
    s->v[3] ^= word;
    turn(s);
    turn(s);
    s->v[0] ^= word;
}

/* Little-endian, of less than 8 bytes. */
static inline uint64_t word_of(const unsigned char *bytes, size_t len)
{
    uint64_t word = 0;
    for (size_t i = 0; i < len; i++)
        word |= (uint64_t)bytes[i] << (8 * i);
    return word;
}

static inline void begin(struct sip_state *s, const struct hash_key *key)
{
    s->v[0] = key->half[0] ^ 0x736f6d6570736575u; /* "somepseudorandomlygeneratedbytes" */
    s->v[1] = key->half[1] ^ 0x646f72616e646f6du;
    s->v[2] = key->half[0] ^ 0x6c7967656e657261u;
    s->v[3] = key->half[1] ^ 0x7465646279746573u;
}

static void take_all(struct sip_state *s, const unsigned char *at, size_t len)
{
    uint64_t last = (uint64_t)len << 56;
    for (uint64_t word; len >= 8; at += 8, len -= 8) {
        memcpy(&word, at, 8);
        take(s, le64toh(word));
    }
    take(s, last | word_of(at, len));
}

static uint64_t finish(struct sip_state *s)
{
    for (int i = 0; i < 4; i++)
        turn(s);
    return s->v[0] ^ s->v[1] ^ s->v[2] ^ s->v[3];
}

uint64_t hash_keyed(const struct hash_key *key, const void *data, size_t len)
{
    struct sip_state s;
    begin(&s, key);
    take_all(&s, data, len);
    s.v[2] ^= 0xff;
    return finish(&s);
}

struct hash_wide hash_keyed_wide(const struct hash_key *key, const void *data, size_t len)
{
    struct hash_wide wide;
    struct sip_state s;
    begin(&s, key);
    s.v[1] ^= 0xee;
    take_all(&s, data, len);
    s.v[2] ^= 0xee;
    wide.half[0] = finish(&s);
    s.v[1] ^= 0xdd;
    wide.half[1] = finish(&s);
    return wide;
}
