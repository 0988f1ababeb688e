/* shop: simulates a shop's orders table: whole lives of orders, each change as the database's log
 * has it.
 *
 *   created ─▶ edited ─▶ processing ─▶ CONFIRMED ─▶ edited ─▶ shipped
 *      │                                  └─▶ cancelled ─▶ CONFIRMED again ─▶ shipped
 *      └─▶ cancelled ─▶ deleted
 *
 * Pure: times are parameters. Everything but the times follows from the seed, at any pace. */
#ifndef DEMO_PARTS_SHOP_H
#define DEMO_PARTS_SHOP_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

enum { SHOP_SNAPSHOT_ROWS = 8, SHOP_QUANTITY_MAX = 99 }; /* that the receiver's form accepts */

struct shop_row {
    char id[37], number[16];
    char name[48], phone[24], address[64], city[32]; /* address and city: "" is NULL */
    char product[48];
    int32_t quantity;
    int64_t unit_price, total; /* in hundredths */
    const char *status;
    int64_t confirmed_us, created_us; /* since the epoch; confirmed_us 0: NULL */
};

#define SHOP_KINDS(X)                                                                    \
    X(SNAPSHOT, "read at the start") /* it was there before change data capture began */ \
    X(CREATED, "created")                                                                \
    X(EDITED, "edited")                                                                  \
    X(PROCESSING, "processing")                                                          \
    X(CONFIRMED, "confirmed")                                                            \
    X(SHIPPED, "shipped")                                                                \
    X(CANCELLED, "cancelled")                                                            \
    X(CONFIRMED_AGAIN, "confirmed again")                                                \
    X(DELETED, "deleted")

enum shop_kind {
#define X(id, name) SHOP_##id,
    SHOP_KINDS(X)
#undef X
        SHOP_KIND_COUNT
};
extern const char *const shop_kind_names[SHOP_KIND_COUNT];

/* The expected end of an order's confirmations. */
enum shop_fate {
    SHOP_VALID,   /* delivered */
    SHOP_REFUSED, /* the receiver's form refuses it: parked */
    SHOP_INVALID  /* it can never be sent: parked */
};

struct shop_change {
    enum shop_kind kind;
    char op; /* Debezium's letter: c, u, d, r */
    bool has_before, has_after;
    struct shop_row before, after;
    int confirmation; /* 1: the order's first transition to confirmed, 2: its second; 0: none */
    enum shop_fate fate;
};

struct shop;

/* rate: new orders a second. limit: number of orders, 0: no end. NULL without memory. */
struct shop *shop_new(uint64_t seed, double rate, uint64_t limit, int64_t now_ms);
void shop_free(struct shop *shop); /* accepts NULL */

/* The next change that is due. now_ms: monotonic; wall_us: the database's clock. False: none
 * is (or no memory: then the order comes later). */
bool shop_next(struct shop *shop, int64_t now_ms, int64_t wall_us, struct shop_change *ret);

int64_t shop_due_ms(const struct shop *shop); /* when one will be (monotonic); -1: never again */
uint64_t shop_order_count(const struct shop *shop);
void shop_close(struct shop *shop); /* no change any more */

#endif
