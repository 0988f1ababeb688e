#include "order/status_cache.h"

#include <stdlib.h>

enum { FIRST_ENTRIES = 256 };
#define NOBODY UINT32_MAX
#define CAPACITY_MAX ((size_t)1 << 30)

/* Entries form a ring from most to least recent. */
struct entry {
    struct hash_wide hash;
    uint32_t newer, older, status_epoch;
    uint32_t triggered : 1, time : 31;
};

/* An index by hash with linear probing, half empty: the tag spares a look at the entry, which is
 * elsewhere in memory. at = entry + 1; 0: free. */
struct slot {
    uint32_t tag, at;
};

struct status_cache {
    struct entry *entries;
    struct slot *slots; /* twice as many as entries have room for: a power of two */
    size_t room, held, capacity;
    uint32_t newest, oldest;
    struct hash_key key;
    struct status_cache_stats stats;
};

struct status_cache *status_cache_new(size_t capacity, const struct hash_key *key)
{
    struct status_cache *m = calloc(1, sizeof *m);
    if (m == NULL)
        return NULL;
    m->capacity = capacity < CAPACITY_MAX ? capacity : CAPACITY_MAX;
    m->key = *key;
    m->newest = m->oldest = NOBODY;
    return m;
}

void status_cache_free(struct status_cache *m)
{
    if (m == NULL)
        return;
    free(m->entries);
    free(m->slots);
    free(m);
}

static uint32_t tag_of(struct hash_wide hash)
{
    return (uint32_t)(hash.half[0] >> 32);
}

static size_t next_slot(const struct status_cache *m, size_t i)
{
    return (i + 1) & (2 * m->room - 1);
}

static size_t home_of(const struct status_cache *m, uint32_t tag)
{
    return tag & (2 * m->room - 1);
}

static void enter(struct status_cache *m, uint32_t at)
{
    uint32_t tag = tag_of(m->entries[at].hash);
    size_t i = home_of(m, tag);
    while (m->slots[i].at != 0)
        i = next_slot(m, i);
    m->slots[i] = (struct slot){tag, at + 1};
}

/* Frees the entry's slot; those behind it that it kept from their home move up. */
static void leave(struct status_cache *m, uint32_t at)
{
    size_t mask = 2 * m->room - 1, gap = home_of(m, tag_of(m->entries[at].hash));
    while (m->slots[gap].at != at + 1)
        gap = next_slot(m, gap);
    for (size_t i = next_slot(m, gap); m->slots[i].at != 0; i = next_slot(m, i)) {
        size_t from_home = (i - home_of(m, m->slots[i].tag)) & mask;
        if (from_home < ((i - gap) & mask))
            continue;
        m->slots[gap] = m->slots[i];
        gap = i;
    }
    m->slots[gap].at = 0;
}

/* Doubles the room and enters all entries again; without memory the index stays as it is. */
static bool grow(struct status_cache *m)
{
    size_t room = m->room ? m->room * 2 : FIRST_ENTRIES;
    struct entry *entries = realloc(m->entries, room * sizeof *entries);
    if (entries == NULL)
        return false;
    m->entries = entries;
    struct slot *slots = calloc(2 * room, sizeof *slots);
    if (slots == NULL)
        return false;
    free(m->slots);
    m->slots = slots;
    m->room = room;
    for (size_t i = 0; i < m->held; i++)
        enter(m, (uint32_t)i);
    return true;
}

static void unlink_entry(struct status_cache *m, uint32_t at)
{
    struct entry *e = &m->entries[at];
    *(e->newer == NOBODY ? &m->newest : &m->entries[e->newer].older) = e->older;
    *(e->older == NOBODY ? &m->oldest : &m->entries[e->older].newer) = e->newer;
}

static void link_newest(struct status_cache *m, uint32_t at)
{
    m->entries[at].newer = NOBODY;
    m->entries[at].older = m->newest;
    *(m->newest == NOBODY ? &m->oldest : &m->entries[m->newest].newer) = at;
    m->newest = at;
}

/* A free entry: a new one, or that of the least recent order. */
static uint32_t claim(struct status_cache *m)
{
    if (m->held < m->capacity && (m->held < m->room || grow(m)))
        return (uint32_t)m->held++;
    if (m->held == 0)
        return NOBODY;
    uint32_t at = m->oldest;
    unlink_entry(m, at);
    leave(m, at);
    m->stats.evictions++;
    return at;
}

static uint32_t find(const struct status_cache *m, struct hash_wide hash)
{
    uint32_t tag = tag_of(hash);
    if (m->room == 0)
        return NOBODY;
    for (size_t i = home_of(m, tag); m->slots[i].at != 0; i = next_slot(m, i)) {
        if (m->slots[i].tag != tag)
            continue;
        const struct entry *e = &m->entries[m->slots[i].at - 1];
        if (e->hash.half[0] == hash.half[0] && e->hash.half[1] == hash.half[1])
            return m->slots[i].at - 1;
    }
    return NOBODY;
}

/* The order's entry, taken out of the ring; a new one has no status epoch yet. */
static uint32_t take_entry(struct status_cache *m, const void *id, size_t len, bool *ret_known)
{
    struct hash_wide hash = hash_keyed_wide(&m->key, id, len);
    uint32_t at = find(m, hash);
    *ret_known = at != NOBODY;
    if (*ret_known) {
        unlink_entry(m, at);
    } else if ((at = claim(m)) != NOBODY) {
        m->entries[at].hash = hash;
        enter(m, at);
    }
    return at;
}

bool memory_exchange(struct status_cache *m, const void *id, size_t len,
                     const struct memory_note *now, struct memory_note *ret_before)
{
    bool known;
    uint32_t at = take_entry(m, id, len, &known);
    struct entry *e = at != NOBODY ? &m->entries[at] : NULL;
    if (known)
        *ret_before = (struct memory_note){e->status_epoch, e->time, e->triggered};
    *(known && e->status_epoch == now->status_epoch ? &m->stats.hits : &m->stats.misses) += 1;
    if (e == NULL)
        return known;
    e->status_epoch = now->status_epoch;
    e->time = now->time & INT32_MAX;
    e->triggered = now->triggered;
    link_newest(m, at);
    return known;
}

enum status_cache_answer status_cache_swap(struct status_cache *m, const void *id, size_t len,
                                           uint32_t status_epoch, bool triggered)
{
    const struct memory_note now = {.status_epoch = status_epoch, .triggered = triggered};
    struct memory_note before;
    if (!memory_exchange(m, id, len, &now, &before) || before.status_epoch != status_epoch)
        return STATUS_CACHE_UNKNOWN;
    return before.triggered ? STATUS_CACHE_TRIGGERED : STATUS_CACHE_OTHER;
}

uint32_t memory_time(const void *text, size_t len)
{
    static const struct hash_key plain; /* of no table: no time is looked for by it */
    uint32_t hash = (uint32_t)(hash_keyed(&plain, text, len) & INT32_MAX);
    return hash != 0 ? hash : 1;
}

struct status_cache_stats status_cache_stats(const struct status_cache *m)
{
    struct status_cache_stats stats = m->stats;
    stats.held = m->held;
    return stats;
}
