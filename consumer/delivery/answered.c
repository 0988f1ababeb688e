/* answered: two hash sets of digests. The younger takes what is noted; once it is full the elder is
 * emptied, and they change places. */
#include "delivery/answered.h"

#include "order/webhook_id.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct answered {
    struct hash_key key;
    struct hash_wide *young, *old; /* both halves 0: none */
    size_t capacity, count, room;  /* of each; room is a power of two, twice the capacity or more */
};

struct answered *answered_new(size_t capacity, const struct hash_key *key)
{
    struct answered *a = calloc(1, sizeof *a);
    if (a == NULL)
        return NULL;
    a->key = *key;
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

/* The numbers first: they are equally long in every record, so that no two have the same bytes. */
static struct hash_wide digest_of(const struct answered *a, const struct answered_record *record)
{
    enum { OFFSET_AT = sizeof record->partition };
    enum { TIMESTAMP_AT = OFFSET_AT + sizeof record->offset };
    enum { ID_AT = TIMESTAMP_AT + sizeof record->timestamp_ms };
    char bytes[ID_AT + WEBHOOK_ID_MAX];
    size_t id_len = strlen(record->webhook_id);
    assert(id_len < WEBHOOK_ID_MAX);
    memcpy(bytes, &record->partition, sizeof record->partition);
    memcpy(bytes + OFFSET_AT, &record->offset, sizeof record->offset);
    memcpy(bytes + TIMESTAMP_AT, &record->timestamp_ms, sizeof record->timestamp_ms);
    memcpy(bytes + ID_AT, record->webhook_id, id_len);
    return hash_keyed_wide(&a->key, bytes, ID_AT + id_len);
}

static bool is_none(const struct hash_wide *d)
{
    return d->half[0] == 0 && d->half[1] == 0;
}

/* Its place in the set, or the free one where it would be. */
static struct hash_wide *find(const struct answered *a, struct hash_wide *set,
                              const struct hash_wide *d)
{
    size_t at = (size_t)d->half[0] & (a->room - 1);
    while (!is_none(&set[at]) && memcmp(&set[at], d, sizeof *d) != 0)
        at = (at + 1) & (a->room - 1);
    return &set[at];
}

void answered_note(struct answered *a, const struct answered_record *record)
{
    struct hash_wide digest = digest_of(a, record);
    if (a->count == a->capacity) {
        struct hash_wide *emptied = a->old;
        memset(emptied, 0, a->room * sizeof *emptied);
        a->old = a->young;
        a->young = emptied;
        a->count = 0;
    }
    struct hash_wide *place = find(a, a->young, &digest);
    a->count += is_none(place);
    *place = digest;
}

bool answered_has(const struct answered *a, const struct answered_record *record)
{
    struct hash_wide digest = digest_of(a, record);
    return !is_none(find(a, a->young, &digest)) || !is_none(find(a, a->old, &digest));
}

void answered_forget(struct answered *a)
{
    memset(a->young, 0, a->room * sizeof *a->young);
    memset(a->old, 0, a->room * sizeof *a->old);
    a->count = 0;
}
