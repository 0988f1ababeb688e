#include "core/parked_list.h"

#include <stdlib.h>
#include <string.h>

void parked_list_done(struct parked_list *list)
{
    free(list->entries);
    *list = (struct parked_list){0};
}

bool parked_list_add(struct parked_list *list, const struct parked_entry *entry)
{
    if (list->count == list->room) {
        size_t room = list->room > 0 ? 2 * list->room : 64;
        struct parked_entry *entries = realloc(list->entries, room * sizeof *entries);
        if (entries == NULL)
            return false;
        list->entries = entries;
        list->room = room;
    }
    list->entries[list->count++] = *entry;
    return true;
}

static int compare(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int compare_hashes(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int compare_sources(const struct parked_source *a, const struct parked_source *b)
{
    int d = compare_hashes(a->topic, b->topic);
    d = d != 0 ? d : compare(a->partition, b->partition);
    return d != 0 ? d : compare(a->offset, b->offset);
}

/* By source record, then the time of parking. */
static int by_source(const void *left, const void *right)
{
    const struct parked_entry *a = left, *b = right;
    int d = compare_sources(&a->source, &b->source);
    d = d != 0 ? d : compare(a->parked_ms, b->parked_ms);
    return d != 0 ? d : compare(a->parked_offset, b->parked_offset);
}

/* By order, then source record. */
static int by_order(const void *left, const void *right)
{
    const struct parked_entry *a = left, *b = right;
    int d = compare_hashes(a->order, b->order);
    return d != 0 ? d : compare_sources(&a->source, &b->source);
}

static int by_place(const void *left, const void *right)
{
    const struct parked_entry *a = left, *b = right;
    int d = compare(a->parked_partition, b->parked_partition);
    return d != 0 ? d : compare(a->parked_offset, b->parked_offset);
}

static void sort(struct parked_list *list, int (*by)(const void *, const void *))
{
    if (list->count > 0)
        qsort(list->entries, list->count, sizeof *list->entries, by);
}

static bool same_source(const struct parked_entry *a, const struct parked_entry *b)
{
    return compare_sources(&a->source, &b->source) == 0;
}

void parked_list_sort(struct parked_list *list)
{
    size_t kept = 0;
    sort(list, by_source);
    for (size_t i = 0; i < list->count; i++) {
        struct parked_entry *e = &list->entries[i];
        bool last = i + 1 == list->count || !same_source(e, e + 1);
        if (last)
            list->entries[kept++] = *e;
        else if (e[1].order == 0)
            e[1].order = e->order;
    }
    list->count = kept;
    sort(list, by_order);
}

/* The first entry that is not before this one. */
static size_t lower_bound(const struct parked_list *list, const struct parked_entry *key)
{
    size_t low = 0, high = list->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (by_order(&list->entries[middle], key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void parked_list_outcome(struct parked_list *list, uint64_t order, bool parked,
                         const struct parked_source *source)
{
    const struct parked_entry orderless = {.source = *source};
    const struct parked_entry first = {.order = order,
                                       .source = {.partition = INT32_MIN, .offset = INT64_MIN}};
    size_t at = lower_bound(list, &orderless);
    if (at < list->count && by_order(&list->entries[at], &orderless) == 0)
        list->entries[at].settled = !parked;
    for (at = lower_bound(list, &first);
         at < list->count && order != 0 && list->entries[at].order == order; at++) {
        struct parked_entry *e = &list->entries[at];
        e->settled = !parked || compare_sources(&e->source, source) != 0;
    }
}

void parked_list_select(struct parked_list *list, const char *reason, int64_t since_ms)
{
    size_t kept = 0, len = strlen(reason);
    bool prefix = len > 0 && reason[len - 1] == ':';
    for (size_t i = 0; i < list->count; i++) {
        const struct parked_entry *e = &list->entries[i];
        bool fits = len == 0 || (prefix ? strncmp(e->reason, reason, len) == 0
                                        : strcmp(e->reason, reason) == 0);
        if (fits && !e->settled && e->parked_ms >= since_ms)
            list->entries[kept++] = *e;
    }
    list->count = kept;
    if (kept > 0)
        qsort(list->entries, kept, sizeof *list->entries, by_place);
}

bool parked_list_has(const struct parked_list *list, int32_t parked_partition,
                     int64_t parked_offset)
{
    const struct parked_entry key = {.parked_partition = parked_partition,
                                     .parked_offset = parked_offset};
    return list->count > 0 &&
           bsearch(&key, list->entries, list->count, sizeof key, by_place) != NULL;
}
