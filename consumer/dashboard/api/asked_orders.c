#include "dashboard/api/asked_orders.h"

#include <string.h>

static size_t set_of(uint64_t hash)
{
    return hash % (ASKED_ORDERS / ASKED_ORDERS_WAYS) * ASKED_ORDERS_WAYS;
}

static bool is_of(const struct asked_order *one, uint64_t hash, int64_t forget_ms, int64_t now_ms)
{
    return one->used && one->order == hash && now_ms - one->last_ms <= forget_ms;
}

int64_t asked_orders_since(const struct asked_orders *asked, const char *order, int64_t forget_ms,
                           int64_t now_ms)
{
    uint64_t hash = hash_keyed(&asked->key, order, strlen(order));
    const struct asked_order *set = &asked->orders[set_of(hash)];
    for (size_t way = 0; way < ASKED_ORDERS_WAYS; way++)
        if (is_of(&set[way], hash, forget_ms, now_ms))
            return now_ms - set[way].first_ms;
    return -1;
}

int64_t asked_orders_note(struct asked_orders *asked, const char *order, int64_t forget_ms,
                          int64_t now_ms)
{
    uint64_t hash = hash_keyed(&asked->key, order, strlen(order));
    struct asked_order *set = &asked->orders[set_of(hash)], *oldest = set;
    for (size_t way = 0; way < ASKED_ORDERS_WAYS; way++) {
        if (is_of(&set[way], hash, forget_ms, now_ms)) {
            set[way].last_ms = now_ms;
            return now_ms - set[way].first_ms;
        }
        if (!set[way].used || (oldest->used && set[way].last_ms < oldest->last_ms))
            oldest = &set[way];
    }
    *oldest =
        (struct asked_order){.order = hash, .first_ms = now_ms, .last_ms = now_ms, .used = true};
    return 0;
}
