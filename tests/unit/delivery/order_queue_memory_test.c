/* order_queue_memory_test: where memory is short, a delivery is refused when it comes, never later.
 */
#include "delivery/order_queue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static int left = -1; /* allocations that still succeed; -1: all of them */

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);

static bool is_refused(void)
{
    return left >= 0 && left-- == 0 && (left = 0, true);
}

void *__wrap_malloc(size_t size)
{
    return is_refused() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return is_refused() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return is_refused() ? NULL : __real_realloc(old, size);
}

static struct delivery *new_delivery(int number)
{
    char order[16];
    snprintf(order, sizeof order, "o%d", number);
    const struct slice texts[DELIVERY_TEXT_COUNT] = {[TEXT_ORDER_ID] = slice_of(order)};
    struct delivery *d = delivery_new(texts);
    assert_non_null(d);
    return d;
}

/* It would be ready at once, be tried in the same turn, and fail again: a loop without end. */
static void so_many_rest_without_memory(int orders)
{
    struct order_queues *l = order_queues_new(&(struct hash_key){{1, 2}});
    for (int i = 0; i < orders; i++) {
        struct delivery *d = new_delivery(i);
        d->rejected = i % 2 == 0; /* these are parked, and parking needs memory, too */
        assert_true(order_queue_add(l, d));
    }
    left = 0;
    for (struct delivery *d; (d = order_queue_take_rejected(l)) != NULL;)
        order_queue_back_off(l, d, 100);
    for (struct delivery *d; (d = order_queue_take(l, true)) != NULL;)
        order_queue_back_off(l, d, 100);
    left = -1;
    assert_int_equal(order_queue_counts(l).backoff, orders);
    order_queue_wake(l, 100);
    for (struct delivery *d;
         (d = order_queue_take_rejected(l)) != NULL || (d = order_queue_take(l, true)) != NULL;) {
        order_queue_finish(l, d);
        free(d);
    }
    order_queues_free(l);
}

/* As many as there is room for, and one more. */
static void to_rest_needs_no_memory(void **state)
{
    (void)state;
    for (int orders = 1; orders <= 1024; orders *= 2) {
        so_many_rest_without_memory(orders);
        so_many_rest_without_memory(orders + 1);
    }
}

/* Each allocation fails in turn: what is refused is the caller's, and nothing is left of it. */
static void what_there_is_no_room_for_is_refused(void **state)
{
    (void)state;
    for (int fails = 0; fails < 4; fails++) {
        struct order_queues *l = order_queues_new(&(struct hash_key){{1, 2}});
        struct delivery *d = new_delivery(1);
        left = fails;
        bool added = order_queue_add(l, d);
        left = -1;
        assert_int_equal(added, order_queue_counts(l).ready == 1);
        if (!added)
            assert_true(order_queue_add(l, d));
        assert_ptr_equal(order_queue_take(l, true), d);
        order_queue_finish(l, d);
        free(d);
        order_queues_free(l);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(to_rest_needs_no_memory),
        cmocka_unit_test(what_there_is_no_room_for_is_refused),
    };
    return cmocka_run_group_tests_name("lane_memory", tests, NULL, NULL);
}
