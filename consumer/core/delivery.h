/* delivery: one payload on its way, from the record that caused it until it is settled.
 *
 * One allocation holds all of it: id, body and, for what may have to be parked, key and value. Its
 * state changes in lane.c only:
 *
 *   WAITING ──(first of its order)──▶ READY ──lane_take──▶ IN_FLIGHT ──lane_finish──▶ freed by the
 * owner ▲                      │ └──(time has come)── RESTING ◀──lane_rest */
#ifndef CORE_DELIVERY_H
#define CORE_DELIVERY_H

#include "core/identity.h"

#include <stddef.h>
#include <stdint.h>

enum delivery_state {
    DELIVERY_WAITING,   /* behind another of the same order */
    DELIVERY_READY,     /* may be sent */
    DELIVERY_IN_FLIGHT, /* an attempt is under way */
    DELIVERY_RESTING    /* until due_ms */
};

struct delivery {
    enum delivery_state state;
    struct delivery *next;      /* in its lane's queue, or in the ready queue */
    struct delivery *lane_next; /* the one after it in its order */
    struct lane *lane;
    size_t heap_index; /* while RESTING */
    int64_t due_ms;    /* while RESTING; monotonic */

    void *owner;     /* the partition it belongs to */
    uint64_t epoch;  /* of the partition's assignment: a late completion is recognised by it */
    uint64_t ticket; /* in the partition's window */
    int32_t partition;
    int64_t offset;
    int64_t first_ms; /* monotonic time of its first attempt, 0: none yet */
    int attempts;     /* attempts begun */

    char id[IDENTITY_TEXT_MAX]; /* webhook-id */
    uint64_t order_hash;
    size_t size; /* bytes it takes, for the bound on memory */
    size_t order_id_len, body_len;
    const char *order_id, *body; /* within this allocation */
    char bytes[];
};

/* Copies what is given into one allocation; the rest is zero. NULL without memory; free with
 * free(). */
struct delivery *delivery_new(const char *order_id, size_t order_id_len, const char *body,
                              size_t body_len);

#endif
