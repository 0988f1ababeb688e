#include "core/memory.h"

#include "core/hash.h"

#include <stdlib.h>

enum { FIRST_ENTRIES = 256 };
#define NOBODY UINT32_MAX

/* Entries form a ring from most to least recent, and a chain per bucket. */
struct entry {
    uint64_t hash, check;
    uint32_t newer, older;
    uint32_t next : 31; /* in the bucket's chain */
    uint32_t triggered : 1;
};

#define CHAIN_END ((1u << 31) - 1)

struct memory {
    struct entry *entries;
    uint32_t *buckets; /* as many as entries have room for: a power of two */
    size_t room, held, capacity;
    uint32_t newest, oldest;
    struct memory_stats stats;
};

struct memory *memory_new(size_t capacity)
{
    struct memory *m = calloc(1, sizeof *m);
    if (m == NULL)
        return NULL;
    m->capacity = capacity < CHAIN_END ? capacity : CHAIN_END - 1;
    m->newest = m->oldest = NOBODY;
    return m;
}

void memory_free(struct memory *m)
{
    if (m == NULL)
        return;
    free(m->entries);
    free(m->buckets);
    free(m);
}

static uint32_t *bucket_of(struct memory *m, uint64_t hash)
{
    return &m->buckets[hash & (m->room - 1)];
}

static void chain(struct memory *m, uint32_t at)
{
    uint32_t *bucket = bucket_of(m, m->entries[at].hash);
    m->entries[at].next = *bucket & CHAIN_END;
    *bucket = at;
}

static void unchain(struct memory *m, uint32_t at)
{
    uint32_t *bucket = bucket_of(m, m->entries[at].hash);
    if (*bucket == at) {
        *bucket = m->entries[at].next;
        return;
    }
    uint32_t before = *bucket;
    while (m->entries[before].next != at)
        before = m->entries[before].next;
    m->entries[before].next = m->entries[at].next;
}

/* Doubles the room and chains everything anew; without memory what is there stays as it is. */
static bool grow(struct memory *m)
{
    size_t room = m->room ? m->room * 2 : FIRST_ENTRIES;
    struct entry *entries = realloc(m->entries, room * sizeof *entries);
    if (entries == NULL)
        return false;
    m->entries = entries;
    uint32_t *buckets = malloc(room * sizeof *buckets);
    if (buckets == NULL)
        return false;
    free(m->buckets);
    m->buckets = buckets;
    m->room = room;
    for (size_t i = 0; i < room; i++)
        buckets[i] = CHAIN_END;
    for (size_t i = 0; i < m->held; i++)
        chain(m, (uint32_t)i);
    return true;
}

static void unlink_entry(struct memory *m, uint32_t at)
{
    struct entry *e = &m->entries[at];
    *(e->newer == NOBODY ? &m->newest : &m->entries[e->newer].older) = e->older;
    *(e->older == NOBODY ? &m->oldest : &m->entries[e->older].newer) = e->newer;
}

static void link_newest(struct memory *m, uint32_t at)
{
    m->entries[at].newer = NOBODY;
    m->entries[at].older = m->newest;
    *(m->newest == NOBODY ? &m->oldest : &m->entries[m->newest].newer) = at;
    m->newest = at;
}

/* A free entry: a new one, or that of the least recent order. */
static uint32_t claim(struct memory *m)
{
    if (m->held < m->capacity && (m->held < m->room || grow(m)))
        return (uint32_t)m->held++;
    if (m->held == 0)
        return NOBODY;
    uint32_t at = m->oldest;
    unlink_entry(m, at);
    unchain(m, at);
    m->stats.evictions++;
    return at;
}

static uint32_t find(struct memory *m, uint64_t hash, uint64_t check)
{
    if (m->room == 0)
        return NOBODY;
    for (uint32_t at = *bucket_of(m, hash); at != CHAIN_END; at = m->entries[at].next)
        if (m->entries[at].hash == hash && m->entries[at].check == check)
            return at;
    return NOBODY;
}

enum memory_answer memory_swap(struct memory *m, const void *id, size_t len, bool triggered)
{
    uint64_t hash = hash_bytes(id, len, 0), check = hash_bytes(id, len, 0x2545f4914f6cdd1du);
    uint32_t at = find(m, hash, check);
    enum memory_answer answer = MEMORY_UNKNOWN;
    if (at != NOBODY) {
        m->stats.hits++;
        answer = m->entries[at].triggered ? MEMORY_TRIGGERED : MEMORY_OTHER;
        unlink_entry(m, at);
    } else {
        m->stats.misses++;
        at = claim(m);
        if (at == NOBODY)
            return answer;
        m->entries[at].hash = hash;
        m->entries[at].check = check;
        chain(m, at);
    }
    m->entries[at].triggered = triggered;
    link_newest(m, at);
    return answer;
}

struct memory_stats memory_stats(const struct memory *m)
{
    struct memory_stats stats = m->stats;
    stats.held = m->held;
    return stats;
}
