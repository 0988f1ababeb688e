#include "offsets/offset_window.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_ROOM = 64 };

void window_init(struct window *w, int64_t position)
{
    *w = (struct window){.next = position};
}

void window_done(struct window *w)
{
    free(w->ring);
    free(w->known);
    *w = (struct window){0};
}

bool window_is_new(const struct window *w, int64_t offset)
{
    return offset >= w->next;
}

bool window_is_known(struct window *w, int64_t offset)
{
    while (w->known_at < w->known_count && w->known[w->known_at].to <= offset)
        w->known_at++;
    return w->known_at < w->known_count && w->known[w->known_at].from <= offset;
}

void window_pass(struct window *w, int64_t offset)
{
    assert(window_is_new(w, offset));
    w->next = offset + 1;
}

static struct window_entry *entry(const struct window *w, uint64_t ticket)
{
    return &w->ring[ticket & (w->room - 1)];
}

static bool grow(struct window *w)
{
    struct window bigger = *w;
    bigger.room = w->room ? w->room * 2 : FIRST_ROOM;
    bigger.ring = malloc(bigger.room * sizeof *bigger.ring);
    if (bigger.ring == NULL)
        return false;
    for (uint64_t ticket = w->head; ticket != w->tail; ticket++)
        *entry(&bigger, ticket) = *entry(w, ticket);
    free(w->ring);
    *w = bigger;
    return true;
}

bool window_reserve(struct window *w)
{
    return w->tail - w->head < w->room || grow(w);
}

uint64_t window_open(struct window *w, int64_t offset)
{
    assert(window_is_new(w, offset) && w->tail - w->head < w->room);
    *entry(w, w->tail) = (struct window_entry){offset, false};
    w->open++;
    w->next = offset + 1;
    return w->tail++;
}

void window_settle(struct window *w, uint64_t ticket)
{
    assert(ticket - w->head < w->tail - w->head && !entry(w, ticket)->settled);
    entry(w, ticket)->settled = true;
    w->open--;
    while (w->head != w->tail && entry(w, w->head)->settled)
        w->head++;
}

int64_t window_watermark(const struct window *w)
{
    return w->head == w->tail ? w->next : entry(w, w->head)->offset;
}

size_t window_open_count(const struct window *w)
{
    return w->open;
}
