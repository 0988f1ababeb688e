#include "offsets/offset_window.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_ROOM = 64 };

void offset_window_init(struct offset_window *w, int64_t position)
{
    *w = (struct offset_window){.next = position};
}

void offset_window_done(struct offset_window *w)
{
    free(w->ring);
    free(w->known);
    *w = (struct offset_window){0};
}

bool offset_window_is_new(const struct offset_window *w, int64_t offset)
{
    return offset >= w->next;
}

bool offset_window_is_known(struct offset_window *w, int64_t offset)
{
    while (w->known_at < w->known_count && w->known[w->known_at].to <= offset)
        w->known_at++;
    return w->known_at < w->known_count && w->known[w->known_at].from <= offset;
}

void offset_window_pass(struct offset_window *w, int64_t offset)
{
    assert(offset_window_is_new(w, offset));
    w->next = offset + 1;
}

static struct offset_window_entry *entry(const struct offset_window *w, uint64_t sequence)
{
    return &w->ring[sequence & (w->room - 1)];
}

static bool grow(struct offset_window *w)
{
    struct offset_window bigger = *w;
    bigger.room = w->room ? w->room * 2 : FIRST_ROOM;
    bigger.ring = malloc(bigger.room * sizeof *bigger.ring);
    if (bigger.ring == NULL)
        return false;
    for (uint64_t sequence = w->head; sequence != w->tail; sequence++)
        *entry(&bigger, sequence) = *entry(w, sequence);
    free(w->ring);
    *w = bigger;
    return true;
}

bool offset_window_reserve(struct offset_window *w)
{
    return w->tail - w->head < w->room || grow(w);
}

uint64_t offset_window_open(struct offset_window *w, int64_t offset)
{
    assert(offset_window_is_new(w, offset) && w->tail - w->head < w->room);
    *entry(w, w->tail) = (struct offset_window_entry){offset, false};
    w->open++;
    w->next = offset + 1;
    return w->tail++;
}

void offset_window_settle(struct offset_window *w, uint64_t sequence)
{
    assert(sequence - w->head < w->tail - w->head && !entry(w, sequence)->settled);
    entry(w, sequence)->settled = true;
    w->open--;
    while (w->head != w->tail && entry(w, w->head)->settled)
        w->head++;
}

int64_t offset_window_offset(const struct offset_window *w, uint64_t sequence)
{
    assert(sequence - w->head < w->tail - w->head);
    return entry(w, sequence)->offset;
}

int64_t offset_window_watermark(const struct offset_window *w)
{
    return w->head == w->tail ? w->next : entry(w, w->head)->offset;
}

size_t offset_window_open_count(const struct offset_window *w)
{
    return w->open;
}
