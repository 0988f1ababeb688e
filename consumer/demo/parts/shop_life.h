/* shop_life: an order's values and the course of its life, all derived from one number. */
#ifndef DEMO_PARTS_SHOP_LIFE_H
#define DEMO_PARTS_SHOP_LIFE_H

#include "demo/parts/shop.h"

enum { LIFE_STEPS_MAX = 8 };

struct life {
    enum shop_kind steps[LIFE_STEPS_MAX];
    int64_t waits_ms[LIFE_STEPS_MAX]; /* before each */
    int count;
    bool born_confirmed; /* an order taken by phone */
    enum shop_fate fate;
};

uint32_t life_below(uint64_t *state, uint32_t bound); /* uniform in [0, bound) */

/* Order number `index` (from 1) of a shop; times are left 0. */
void life_draw(uint64_t seed, uint64_t index, struct life *ret_life, struct shop_row *ret_row);

/* A customer's or a clerk's correction. */
void life_edit(uint64_t *state, struct shop_row *row);

#endif
