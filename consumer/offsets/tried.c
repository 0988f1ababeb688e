#include "offsets/tried.h"

#include <stdlib.h>
#include <string.h>

void tried_done(struct tried_list *l)
{
    free(l->list);
    *l = (struct tried_list){0};
}

/* The place of the offset, or the one where it would be. */
static size_t place_of(const struct tried_list *l, int64_t offset)
{
    size_t from = 0, to = l->count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (l->list[middle].offset < offset)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

static bool has(const struct tried_list *l, size_t place, int64_t offset)
{
    return place < l->count && l->list[place].offset == offset;
}

void tried_note(struct tried_list *l, const struct tried *order)
{
    size_t place = place_of(l, order->offset);
    if (l->list == NULL && (l->list = calloc(TRIED_MAX, sizeof *l->list)) == NULL)
        return;
    if (!has(l, place, order->offset)) {
        if (place == TRIED_MAX)
            return;
        if (l->count == TRIED_MAX)
            l->count--; /* the newest gives way */
        memmove(l->list + place + 1, l->list + place, (l->count - place) * sizeof *l->list);
        l->count++;
    }
    l->list[place] = *order;
    if (!order->others_since && order->others_until < l->others_until)
        l->others_until = order->others_until;
}

const struct tried *tried_find(const struct tried_list *l, int64_t offset)
{
    size_t place = place_of(l, offset);
    return has(l, place, offset) ? &l->list[place] : NULL;
}

static void cut(struct tried_list *l, size_t from, size_t to)
{
    if (from == to)
        return;
    memmove(l->list + from, l->list + to, (l->count - to) * sizeof *l->list);
    l->count -= to - from;
}

void tried_forget(struct tried_list *l, int64_t offset)
{
    size_t place = place_of(l, offset);
    cut(l, place, place + has(l, place, offset));
}

void tried_forget_below(struct tried_list *l, int64_t offset)
{
    cut(l, 0, place_of(l, offset));
}

bool tried_mark_others(struct tried_list *l, uint64_t deliveries)
{
    bool any = false;
    if (l->count == 0 || l->others_until >= deliveries)
        return false;
    l->others_until = TRIED_ELSEWHERE;
    for (size_t i = 0; i < l->count; i++) {
        struct tried *order = &l->list[i];
        bool is_new = !order->others_since && order->others_until < deliveries;
        order->others_since |= is_new;
        any |= is_new;
        if (!order->others_since && order->others_until < l->others_until)
            l->others_until = order->others_until;
    }
    return any;
}
