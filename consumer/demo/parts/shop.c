#include "demo/parts/shop.h"

#include "demo/parts/shop_life.h"

#include <stdlib.h>
#include <string.h>

const char *const shop_kind_names[SHOP_KIND_COUNT] = {
#define X(id, name) name,
    SHOP_KINDS(X)
#undef X
};

struct order { /* an order that will still change */
    struct shop_row row;
    struct life life;
    int step; /* the next one */
    int confirmations;
    int64_t due_ms;
    uint64_t random; /* of its edits */
};

struct shop {
    uint64_t seed, count, limit; /* count: orders there were; limit 0: none */
    double gap_ms;               /* between two orders */
    int64_t began_ms;
    int snapshot; /* rows read so far */
    bool closed;
    struct order **orders;
    size_t len, cap;
};

struct shop *shop_new(uint64_t seed, double rate, uint64_t limit, int64_t now_ms)
{
    struct shop *shop = calloc(1, sizeof *shop);
    if (shop == NULL)
        return NULL;
    shop->seed = seed;
    shop->limit = limit;
    shop->gap_ms = 1000 / rate;
    shop->began_ms = now_ms;
    return shop;
}

void shop_free(struct shop *shop)
{
    if (shop == NULL)
        return;
    for (size_t i = 0; i < shop->len; i++)
        free(shop->orders[i]);
    free(shop->orders);
    free(shop);
}

uint64_t shop_order_count(const struct shop *shop)
{
    return shop->count;
}

void shop_close(struct shop *shop)
{
    shop->closed = true;
}

static bool sells(const struct shop *shop)
{
    return shop->limit == 0 || shop->count < shop->limit;
}

static int64_t arrival_ms(const struct shop *shop)
{
    return shop->began_ms + (int64_t)((double)shop->count * shop->gap_ms);
}

/* Index of the order that changes next; len: none. */
static size_t earliest(const struct shop *shop)
{
    size_t best = shop->len;
    for (size_t i = 0; i < shop->len; i++)
        if (best == shop->len || shop->orders[i]->due_ms < shop->orders[best]->due_ms)
            best = i;
    return best;
}

int64_t shop_due_ms(const struct shop *shop)
{
    if (shop->closed)
        return -1;
    if (shop->snapshot < SHOP_SNAPSHOT_ROWS)
        return shop->began_ms;
    int64_t due_ms = sells(shop) ? arrival_ms(shop) : -1;
    size_t next = earliest(shop);
    if (next < shop->len && (due_ms < 0 || shop->orders[next]->due_ms < due_ms))
        due_ms = shop->orders[next]->due_ms;
    return due_ms;
}

/* Rows that existed before: half of them are confirmed, and must not be sent. */
static void read_snapshot_row(struct shop *shop, int64_t wall_us, struct shop_change *ret)
{
    static const int64_t day_us = INT64_C(86400) * 1000 * 1000;
    struct life life;
    uint64_t index = UINT64_C(900000) + (uint64_t)shop->snapshot++;
    life_draw(shop->seed, index, &life, &ret->after);
    ret->kind = SHOP_SNAPSHOT;
    ret->op = 'r';
    ret->has_after = true;
    ret->after.created_us = wall_us - day_us;
    ret->after.status = index % 2 == 0 ? "confirmed" : "shipped";
    ret->after.confirmed_us = wall_us - day_us / 2;
}

static bool add_order(struct shop *shop, struct order *order)
{
    if (shop->len == shop->cap) {
        size_t cap = shop->cap > 0 ? shop->cap * 2 : 64;
        struct order **more = realloc(shop->orders, cap * sizeof(struct order *));
        if (more == NULL)
            return false;
        shop->orders = more;
        shop->cap = cap;
    }
    shop->orders[shop->len++] = order;
    return true;
}

static void schedule(struct order *order, int64_t now_ms)
{
    order->due_ms =
        order->step < order->life.count ? now_ms + order->life.waits_ms[order->step] : 0;
}

static bool create(struct shop *shop, int64_t now_ms, int64_t wall_us, struct shop_change *ret)
{
    struct order *order = calloc(1, sizeof *order);
    if (order == NULL || !add_order(shop, order)) {
        free(order);
        return false;
    }
    uint64_t index = ++shop->count;
    life_draw(shop->seed, index, &order->life, &order->row);
    order->random = shop->seed + index;
    order->row.created_us = wall_us;
    if (order->life.born_confirmed) {
        order->row.confirmed_us = wall_us;
        order->confirmations = 1;
    }
    schedule(order, now_ms);
    ret->kind = SHOP_CREATED;
    ret->op = 'c';
    ret->has_after = true;
    ret->after = order->row;
    ret->confirmation = order->confirmations;
    ret->fate = order->life.fate;
    return true;
}

static void confirm(struct order *order, int64_t wall_us, struct shop_change *ret)
{
    order->row.status = "confirmed";
    order->row.confirmed_us = wall_us;
    ret->confirmation = ++order->confirmations;
}

static void change_row(struct order *order, int64_t wall_us, struct shop_change *ret)
{
    switch (ret->kind) {
    case SHOP_EDITED: life_edit(&order->random, &order->row); break;
    case SHOP_PROCESSING: order->row.status = "processing"; break;
    case SHOP_CONFIRMED:
    case SHOP_CONFIRMED_AGAIN: confirm(order, wall_us, ret); break;
    case SHOP_SHIPPED: order->row.status = "shipped"; break;
    case SHOP_CANCELLED: order->row.status = "cancelled"; break;
    default: break;
    }
}

static void take_step(struct shop *shop, size_t at, int64_t now_ms, int64_t wall_us,
                      struct shop_change *ret)
{
    struct order *order = shop->orders[at];
    ret->kind = order->life.steps[order->step++];
    ret->op = ret->kind == SHOP_DELETED ? 'd' : 'u';
    ret->has_before = true;
    ret->before = order->row;
    ret->fate = order->life.fate;
    change_row(order, wall_us, ret);
    ret->has_after = ret->op != 'd';
    ret->after = order->row;
    schedule(order, now_ms);
    if (order->step < order->life.count)
        return;
    free(order);
    shop->orders[at] = shop->orders[--shop->len];
}

bool shop_next(struct shop *shop, int64_t now_ms, int64_t wall_us, struct shop_change *ret)
{
    if (shop->closed)
        return false;
    memset(ret, 0, sizeof *ret);
    if (shop->snapshot < SHOP_SNAPSHOT_ROWS) {
        read_snapshot_row(shop, wall_us, ret);
        return true;
    }
    size_t next = earliest(shop);
    if (next < shop->len && shop->orders[next]->due_ms <= now_ms) {
        take_step(shop, next, now_ms, wall_us, ret);
        return true;
    }
    return sells(shop) && arrival_ms(shop) <= now_ms && create(shop, now_ms, wall_us, ret);
}
