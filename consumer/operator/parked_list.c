#include "operator/parked_list.h"

#include <stdlib.h>
#include <string.h>

void parked_list_done(struct parked_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free((void *)(uintptr_t)list->entries[i].order.data);
    free(list->entries);
    free(list->by_order);
    free(list->by_place);
    *list = (struct parked_list){0};
}

static bool copy(struct slice *text)
{
    char *bytes = text->len > 0 ? malloc(text->len) : NULL;
    if (text->len > 0 && bytes == NULL)
        return false;
    if (text->len > 0)
        memcpy(bytes, text->data, text->len);
    text->data = bytes;
    return true;
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
    struct parked_entry *e = &list->entries[list->count];
    *e = *entry;
    if (!copy(&e->order))
        return false;
    list->count++;
    return true;
}

/* ---- orders to sort by ---- */

static int compare(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int compare_sources(const struct parked_source *a, const struct parked_source *b)
{
    int d = compare(a->partition, b->partition);
    return d != 0 ? d : compare(a->offset, b->offset);
}

static int compare_texts(struct slice a, struct slice b)
{
    size_t least = a.len < b.len ? a.len : b.len;
    int d = least > 0 ? memcmp(a.data, b.data, least) : 0;
    return d != 0 ? d : (a.len > b.len) - (a.len < b.len);
}

/* By source record, then the time of parking. */
static int by_source(const void *left, const void *right)
{
    const struct parked_entry *a = left, *b = right;
    int d = compare_sources(&a->source, &b->source);
    d = d != 0 ? d : compare(a->parked_ms, b->parked_ms);
    return d != 0 ? d : compare(a->parked_offset, b->parked_offset);
}

static int by_order(const void *left, const void *right)
{
    const struct parked_entry *const *a = left, *const *b = right;
    return compare_texts((*a)->order, (*b)->order);
}

static int by_place(const void *left, const void *right)
{
    const struct parked_entry *const *a = left, *const *b = right;
    int d = compare((*a)->parked_partition, (*b)->parked_partition);
    return d != 0 ? d : compare((*a)->parked_offset, (*b)->parked_offset);
}

/* ---- sorting ---- */

static void move_order(struct parked_entry *from, struct parked_entry *to)
{
    if (to->order.len == 0)
        to->order = from->order;
    else
        free((void *)(uintptr_t)from->order.data);
    from->order = (struct slice){0};
}

static void keep_last_of_each(struct parked_list *list)
{
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++) {
        struct parked_entry *e = &list->entries[i];
        if (i + 1 < list->count && compare_sources(&e->source, &e[1].source) == 0)
            move_order(e, e + 1);
        else
            list->entries[kept++] = *e;
    }
    list->count = kept;
}

static bool make_index(const struct parked_list *list, struct parked_entry ***index,
                       int (*by)(const void *, const void *))
{
    *index = calloc(list->count + 1, sizeof **index); /* never of size 0 */
    if (*index == NULL)
        return false;
    for (size_t i = 0; i < list->count; i++)
        (*index)[i] = &list->entries[i];
    qsort(*index, list->count, sizeof **index, by);
    return true;
}

bool parked_list_sort(struct parked_list *list)
{
    if (list->count > 0)
        qsort(list->entries, list->count, sizeof *list->entries, by_source);
    keep_last_of_each(list);
    return make_index(list, &list->by_order, by_order) &&
           make_index(list, &list->by_place, by_place);
}

/* ---- outcomes and requests ---- */

static struct parked_entry *find_source(const struct parked_list *list,
                                        const struct parked_source *source)
{
    size_t low = 0, high = list->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_sources(&list->entries[middle].source, source) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    bool found = low < list->count && compare_sources(&list->entries[low].source, source) == 0;
    return found ? &list->entries[low] : NULL;
}

/* The first in by_order whose order is not before this one. */
static size_t find_order(const struct parked_list *list, struct slice order)
{
    size_t low = 0, high = list->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_texts(list->by_order[middle]->order, order) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void apply(struct parked_entry *e, const struct parked_outcome *outcome)
{
    e->dismissed = outcome->dismissed;
    e->settled = !outcome->parked || compare_sources(&e->source, &outcome->source) != 0;
    if (outcome->request.len > 0 &&
        slice_equal((struct slice){e->request, strlen(e->request)}, outcome->request))
        e->request[0] = '\0';
}

void parked_list_outcome(struct parked_list *list, const struct parked_outcome *outcome)
{
    struct parked_entry *e = find_source(list, &outcome->source);
    if (e != NULL && e->order.len == 0)
        apply(e, outcome);
    if (outcome->order.len == 0)
        return;
    for (size_t i = find_order(list, outcome->order);
         i < list->count && slice_equal(list->by_order[i]->order, outcome->order); i++)
        apply(list->by_order[i], outcome);
}

void parked_list_request(struct parked_list *list, const struct parked_source *source,
                         struct slice request)
{
    struct parked_entry *e = find_source(list, source);
    if (e == NULL || request.len == 0 || request.len >= sizeof e->request)
        return;
    memcpy(e->request, request.data, request.len);
    e->request[request.len] = '\0';
}

/* ---- choosing ---- */

static bool reason_fits(const char *wanted, const char *reason)
{
    size_t len = wanted != NULL ? strlen(wanted) : 0;
    if (len == 0)
        return true;
    return wanted[len - 1] == ':' ? strncmp(reason, wanted, len) == 0 : strcmp(reason, wanted) == 0;
}

static bool fits(const struct parked_choice *choice, const struct parked_entry *e)
{
    return reason_fits(choice->reason, e->reason) && e->parked_ms >= choice->since_ms &&
           (choice->until_ms == 0 || e->parked_ms < choice->until_ms) &&
           (choice->order.len == 0 || slice_equal(choice->order, e->order));
}

void parked_list_select(struct parked_list *list, const struct parked_choice *choice)
{
    list->selected = list->requested = list->dismissed = 0;
    list->with_dismissed = choice->order.len > 0;
    for (size_t i = 0; i < list->count; i++) {
        struct parked_entry *e = &list->entries[i];
        bool waits = !e->settled && fits(choice, e);
        bool dismissed = e->dismissed && !list->with_dismissed, requested = e->request[0] != '\0';
        e->selected = waits && !dismissed && !requested;
        list->selected += e->selected;
        list->dismissed += waits && dismissed;
        list->requested += waits && !dismissed && requested;
    }
}

static const struct parked_entry *find_place(const struct parked_list *list, int32_t partition,
                                             int64_t offset)
{
    const struct parked_entry place = {.parked_partition = partition, .parked_offset = offset};
    const struct parked_entry *key = &place;
    struct parked_entry *const *found = list->count > 0 ? bsearch(&key, list->by_place, list->count,
                                                                  sizeof *list->by_place, by_place)
                                                        : NULL;
    return found != NULL ? *found : NULL;
}

bool parked_list_selected(const struct parked_list *list, int32_t parked_partition,
                          int64_t parked_offset)
{
    const struct parked_entry *e = find_place(list, parked_partition, parked_offset);
    return e != NULL && e->selected;
}

bool parked_list_waits(const struct parked_list *list, int32_t parked_partition,
                       int64_t parked_offset)
{
    const struct parked_entry *e = find_place(list, parked_partition, parked_offset);
    return e != NULL && e->selected && !e->settled && e->request[0] == '\0' &&
           (!e->dismissed || list->with_dismissed);
}
