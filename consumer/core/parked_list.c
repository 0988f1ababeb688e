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

static int by_order(const struct parked_entry *a, const struct parked_entry *b)
{
    return (a->order > b->order) - (a->order < b->order);
}

/* By order, then source record, then the time of parking. */
static int by_source(const void *left, const void *right)
{
    const struct parked_entry *a = left, *b = right;
    int d = by_order(a, b);
    d = d != 0 ? d : compare(a->partition, b->partition);
    d = d != 0 ? d : compare(a->offset, b->offset);
    d = d != 0 ? d : compare(a->parked_ms, b->parked_ms);
    return d != 0 ? d : compare(a->parked_offset, b->parked_offset);
}

static int by_place(const void *left, const void *right)
{
    const struct parked_entry *a = left, *b = right;
    int d = compare(a->parked_partition, b->parked_partition);
    return d != 0 ? d : compare(a->parked_offset, b->parked_offset);
}

static bool same_source(const struct parked_entry *a, const struct parked_entry *b)
{
    return a->order == b->order && a->partition == b->partition && a->offset == b->offset;
}

void parked_list_sort(struct parked_list *list)
{
    size_t kept = 0;
    if (list->count > 0)
        qsort(list->entries, list->count, sizeof *list->entries, by_source);
    for (size_t i = 0; i < list->count; i++) {
        bool last = i + 1 == list->count || !same_source(&list->entries[i], &list->entries[i + 1]);
        if (last)
            list->entries[kept++] = list->entries[i];
    }
    list->count = kept;
}

void parked_list_outcome(struct parked_list *list, uint64_t order, bool parked, int32_t partition,
                         int64_t offset)
{
    size_t low = 0, high = list->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (list->entries[middle].order < order)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < list->count && list->entries[low].order == order; low++) {
        struct parked_entry *e = &list->entries[low];
        e->settled = !parked || e->partition != partition || e->offset != offset;
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
