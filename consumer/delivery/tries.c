#include "delivery/tries.h"

#include "order/shape/json_text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* False: there is no memory for one more, or the list is as long as it may be. */
static bool make_room(struct tries **tries)
{
    enum { FIRST = 2 };
    size_t count = *tries != NULL ? (*tries)->count : 0;
    if (*tries != NULL && count < (*tries)->room)
        return true;
    size_t room = count == 0 ? FIRST : count * 2;
    if (room > TRIES_MAX)
        return false;
    struct tries *larger = realloc(*tries, sizeof *larger + room * sizeof larger->list[0]);
    if (larger == NULL)
        return false;
    larger->count = count;
    larger->room = room;
    *tries = larger;
    return true;
}

void tries_note(struct tries **tries, const struct attempt_note *note)
{
    bool has_room = make_room(tries);
    struct tries *t = *tries;
    if (t == NULL)
        return;
    if (!has_room)
        memmove(&t->list[1], &t->list[2], (--t->count - 1) * sizeof t->list[0]);
    t->list[t->count++] = *note;
}

void tries_write(const struct tries *tries, struct buf *b)
{
    for (size_t i = 0; tries != NULL && i < tries->count; i++) {
        const struct attempt_note *note = &tries->list[i];
        buf_addf(b,
                 "%s{\"at_ms\":%" PRId64 ",\"took_ms\":%" PRId64 ",\"status\":", i == 0 ? "[" : ",",
                 note->at_ms, note->took_ms);
        if (note->status > 0)
            buf_add_int(b, note->status);
        else
            buf_add_text(b, "null");
        buf_add_text(b, ",\"reason\":");
        json_add_valid(b, note->reason, strlen(note->reason));
        buf_add_char(b, '}');
    }
    if (tries != NULL && tries->count > 0)
        buf_add_char(b, ']');
}
