/* chosen_ids: ids of orders that an attacker picks so that all of them have one hash, for a table
 * whose hash has no secret key. Such a hash stands here as the tables once had it. */
#ifndef UNIT_CHOSEN_IDS_H
#define UNIT_CHOSEN_IDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { CHOSEN_HALVES = 142, CHOSEN_IDS = CHOSEN_HALVES * CHOSEN_HALVES, CHOSEN_ID_LEN = 32 };

typedef char chosen_id[CHOSEN_ID_LEN + 1];

static inline uint64_t unkeyed_mix(uint64_t a, uint64_t b)
{
    __extension__ unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* A word of the id goes into the state by an exclusive or, and a state of 0 stays 0. */
static inline uint64_t unkeyed_step(uint64_t state, const char *word_at)
{
    uint64_t word;
    memcpy(&word, word_at, sizeof word);
    return unkeyed_mix(state ^ word, 0xd6e8feb86659fd93u);
}

static inline uint64_t unkeyed_begin(void)
{
    return 0x9e3779b97f4a7c15u ^ CHOSEN_ID_LEN;
}

static inline uint64_t unkeyed_hash(const char id[CHOSEN_ID_LEN])
{
    uint64_t state = unkeyed_begin();
    for (size_t at = 0; at < CHOSEN_ID_LEN; at += 8)
        state = unkeyed_step(state, id + at);
    return unkeyed_mix(unkeyed_mix(state, 0xa0761d6478bd642fu), 0xe7037ed1a0b428dbu);
}

static inline bool is_plain(uint64_t word)
{
    for (int i = 0; i < 8; i++, word >>= 8) {
        unsigned char c = (unsigned char)word;
        if (c <= 0x20 || c >= 0x7f || c == '"' || c == '\\')
            return false;
    }
    return true;
}

/* Halves that lead from this state to 0: a word that counts up, and the state that it leads to,
 * where that is plain text. */
static inline void choose_halves(uint64_t state, uint64_t halves[CHOSEN_HALVES][2])
{
    char digits[9];
    for (uint32_t number = 0, found = 0; found < CHOSEN_HALVES; number++) {
        for (int i = 0; i < 8; i++)
            digits[i] = (char)('a' + (number >> (4 * i) & 15));
        halves[found][1] = unkeyed_step(state, digits);
        memcpy(&halves[found][0], digits, 8);
        found += is_plain(halves[found][1]);
    }
}

/* Each first half with each second one. */
static inline void choose_ids(chosen_id ids[CHOSEN_IDS])
{
    uint64_t first[CHOSEN_HALVES][2], second[CHOSEN_HALVES][2];
    choose_halves(unkeyed_begin(), first);
    choose_halves(0, second);
    for (size_t i = 0; i < CHOSEN_IDS; i++) {
        memcpy(ids[i], first[i / CHOSEN_HALVES], 16);
        memcpy(ids[i] + 16, second[i % CHOSEN_HALVES], 16);
        ids[i][CHOSEN_ID_LEN] = '\0';
    }
}

#endif
