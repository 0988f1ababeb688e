/* history: the last transitions of recently settled orders, for their next outcome record.
 *
 * A memory of fixed size: the least recent order gives way. Orders are identified by 128 bits of
 * keyed hash. Pure. */
#ifndef DELIVERY_HISTORY_H
#define DELIVERY_HISTORY_H

#include "base/buf.h"
#include "base/hash.h"
#include "base/slice.h"
#include "order/webhook_id.h"

#include <stdbool.h>
#include <stdint.h>

enum { HISTORY_TRANSITIONS = 3, HISTORY_REASON_MAX = 48, HISTORY_TIME_MAX = 40 };

struct transition {
    char webhook_id[WEBHOOK_ID_MAX];
    char reason[HISTORY_REASON_MAX];
    char confirmed_at[HISTORY_TIME_MAX]; /* "" : none, or longer than that */
    int32_t partition;                   /* where its record lies in the orders' topic */
    int64_t offset, lsn;                 /* lsn -1: none */
    bool delivered;                      /* else parked */
    int attempts;
    int64_t settled_ms; /* wall clock */
};

struct history;

/* Room for about so many orders. The key is copied. NULL without memory. */
struct history *history_new(size_t orders, const struct hash_key *key);
void history_free(struct history *history); /* accepts NULL */

void history_note(struct history *history, struct slice order, const struct transition *transition);

/* Compares a transition with the delivered ones of its order; of the given one only partition,
 * offset and lsn count. A later one lies behind it in its partition; in another partition, it has
 * the higher lsn. A row of the shop's table has no place: it is behind
 * nothing and before nothing. */
enum history_standing {
    HISTORY_UNKNOWN,   /* nothing is known against it */
    HISTORY_DELIVERED, /* it was delivered, and no later one */
    HISTORY_OVERTAKEN  /* a later one was delivered */
};
enum history_standing history_standing(const struct history *history, struct slice order,
                                       const struct transition *transition);

/* A row of the shop's own table (delivery/row_offset) was delivered for this confirmation, whose
 * time is written as RFC 3339. */
bool history_has_row(const struct history *history, struct slice order, struct slice confirmed_at);

/* Appends a JSON array of the order's transitions, latest first; "[]" when none is known. False
 * when a text is not valid UTF-8. */
bool history_write(const struct history *history, struct slice order, struct buf *b);

#endif
