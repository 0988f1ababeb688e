/* ledger: the demo's accounts: compares the shop's confirmations with the receiver's requests and
 * the parked topic. It uses none of the delivering program's own counters.
 *
 * Every confirmation must end in exactly one place: at the receiver with the shop's own values, or
 * parked. Pure. When there are very many, settled ones are dropped, oldest first. */
#ifndef DEMO_PARTS_LEDGER_H
#define DEMO_PARTS_LEDGER_H

#include "base/error.h"
#include "demo/parts/shop.h"

#include <stdint.h>

struct confirmation {
    struct shop_row row; /* as it was confirmed */
    int ordinal;         /* 1: the order's first */
    enum shop_fate fate;
    int32_t partition;
    int64_t offset; /* -1: not acknowledged yet */
    unsigned delivered, parked;
    bool parking_to_come; /* it was sent again by hand before its parking was read here */
    char reason[48];      /* of parking */
    struct confirmation *next, *next_in_bucket;
};

struct ledger_counts {
    uint64_t confirmations, delivered, parked, open; /* of the shop's; open: in neither place */
    /* Errors. */
    uint64_t twice;      /* delivered or parked more than once, or both; not by hand */
    uint64_t altered;    /* delivered with other values than the shop's */
    uint64_t wrong;      /* parked though it could be sent, or sent though it could not */
    uint64_t unexpected; /* at the receiver or parked, and never confirmed */
};

struct ledger;

struct ledger *ledger_new(void); /* NULL without memory */
void ledger_free(struct ledger *l);

/* Notes a confirmation; owned by the ledger. NULL without memory. */
struct confirmation *ledger_confirmed(struct ledger *l, const struct shop_change *change);

/* The report of a place. confirmed_at (as it was sent) tells an order's confirmations apart,
 * or, where it is NULL, the record's coordinates. */
struct ledger_claim {
    const char *order_id, *confirmed_at;
    int32_t partition;
    int64_t offset;
    const char *body;   /* as received; NULL: not seen, or not to be compared */
    const char *reason; /* of parking */
    bool by_hand;       /* it was sent again by hand: a second end is not an error */
};

/* Each returns the confirmation that is meant; NULL: none. ledger_find changes nothing. */
const struct confirmation *ledger_find(struct ledger *l, const struct ledger_claim *claim);
const struct confirmation *ledger_delivered(struct ledger *l, const struct ledger_claim *claim);
const struct confirmation *ledger_parked(struct ledger *l, const struct ledger_claim *claim);

struct ledger_counts ledger_counts(const struct ledger *l);

/* Number of open ones below their partition's commit: they would never be sent.
 * committed: by partition; -1: none. */
uint64_t ledger_lost(const struct ledger *l, const int64_t *committed, int32_t partitions);

/* True: no errors. Open ones are not counted as errors. */
bool ledger_is_clean(const struct ledger_counts *counts);

/* Every confirmation that is kept, oldest first. */
const struct confirmation *ledger_first(const struct ledger *l);

#endif
