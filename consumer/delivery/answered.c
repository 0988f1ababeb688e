/* answered: two hash sets of digests. The younger takes what is noted; once it is full the elder is
 * emptied, and they change places. */
#include "delivery/answered.h"

#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct digest {
    uint64_t half[2]; /* of a SHA-256; both 0: none */
};

struct answered {
    struct digest *young, *old;
    size_t capacity, count, room; /* of each; room is a power of two, twice the capacity or more */
};

struct answered *answered_new(size_t capacity)
{
    struct answered *a = calloc(1, sizeof *a);
    if (a == NULL)
        return NULL;
    a->capacity = capacity > 0 ? capacity : 1;
    for (a->room = 4; a->room < 2 * a->capacity;)
        a->room *= 2;
    a->young = calloc(a->room, sizeof *a->young);
    a->old = calloc(a->room, sizeof *a->old);
    if (a->young != NULL && a->old != NULL)
        return a;
    answered_free(a);
    return NULL;
}

void answered_free(struct answered *a)
{
    if (a == NULL)
        return;
    free(a->young);
    free(a->old);
    free(a);
}

static struct digest digest_of(const struct answered_record *record)
{
    unsigned char hash[SHA256_DIGEST_LENGTH];
    char text[128];
    struct digest digest;
    int len =
        snprintf(text, sizeof text, "%s %ld %lld %lld", record->webhook_id, (long)record->partition,
                 (long long)record->offset, (long long)record->timestamp_ms);
    SHA256((const unsigned char *)text, (size_t)len < sizeof text ? (size_t)len : sizeof text,
           hash);
    memcpy(&digest, hash, sizeof digest);
    return digest;
}

static bool is_none(const struct digest *d)
{
    return d->half[0] == 0 && d->half[1] == 0;
}

/* Its place in the set, or the free one where it would be. */
static struct digest *find(const struct answered *a, struct digest *set, const struct digest *d)
{
    size_t at = (size_t)d->half[0] & (a->room - 1);
    while (!is_none(&set[at]) && memcmp(&set[at], d, sizeof *d) != 0)
        at = (at + 1) & (a->room - 1);
    return &set[at];
}

void answered_note(struct answered *a, const struct answered_record *record)
{
    struct digest digest = digest_of(record);
    if (a->count == a->capacity) {
        struct digest *emptied = a->old;
        memset(emptied, 0, a->room * sizeof *emptied);
        a->old = a->young;
        a->young = emptied;
        a->count = 0;
    }
    struct digest *place = find(a, a->young, &digest);
    a->count += is_none(place);
    *place = digest;
}

bool answered_has(const struct answered *a, const struct answered_record *record)
{
    struct digest digest = digest_of(record);
    return !is_none(find(a, a->young, &digest)) || !is_none(find(a, a->old, &digest));
}

void answered_forget(struct answered *a)
{
    memset(a->young, 0, a->room * sizeof *a->young);
    memset(a->old, 0, a->room * sizeof *a->old);
    a->count = 0;
}
