/* asked_orders: since when each order is asked for that was never seen.
 *
 * A confirmation takes its time from the shop's database to here: a call for an order that is not
 * known yet is answered "it may still come", but not for ever. A table of fixed size, found by a
 * keyed hash; the order whose last call is the oldest is forgotten first. Pure: the clock is
 * the caller's, monotonic. */
#ifndef DASHBOARD_API_ASKED_ORDERS_H
#define DASHBOARD_API_ASKED_ORDERS_H

#include "base/hash.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ASKED_ORDERS = 4096, ASKED_ORDERS_WAYS = 4 };

struct asked_orders {
    struct hash_key key;
    struct asked_order {
        uint64_t order;            /* its hash */
        int64_t first_ms, last_ms; /* when it was asked for */
        bool used;
    } orders[ASKED_ORDERS];
};

/* Notes that the order is asked for; returns the ms since it was first (0: it is now). One
 * without a call during forget_ms counts as new. */
int64_t asked_orders_note(struct asked_orders *asked, const char *order, int64_t forget_ms,
                          int64_t now_ms);

/* The same without noting; -1: it was not asked for. */
int64_t asked_orders_since(const struct asked_orders *asked, const char *order, int64_t forget_ms,
                           int64_t now_ms);

#endif
