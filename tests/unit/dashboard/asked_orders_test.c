/* asked_orders_test: since when an order is asked for; a full table forgets the oldest. */
#include "dashboard/api/asked_orders.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

enum { FORGET_MS = 1000 };

static void the_first_time_counts(void **state)
{
    static struct asked_orders asked;
    (void)state;
    assert_int_equal(asked_orders_since(&asked, "a", FORGET_MS, 5), -1);
    assert_int_equal(asked_orders_note(&asked, "a", FORGET_MS, 0),
                     0); /* at the clock's beginning */
    assert_int_equal(asked_orders_note(&asked, "a", FORGET_MS, 600), 600);
    assert_int_equal(asked_orders_note(&asked, "a", FORGET_MS, 1500), 1500);
    assert_int_equal(asked_orders_since(&asked, "a", FORGET_MS, 1700), 1700);
    assert_int_equal(asked_orders_since(&asked, "b", FORGET_MS, 1700), -1);
    assert_int_equal(asked_orders_since(&asked, "a", FORGET_MS, 2501), -1); /* a while of silence */
    assert_int_equal(asked_orders_note(&asked, "a", FORGET_MS, 2501), 0);
    assert_int_equal(asked_orders_note(&asked, "a", FORGET_MS, 2600), 99);
}

/* A flood of calls for orders that do not exist: the table keeps its size, and an order that is
 * asked for all the while is not pushed out. */
static void a_flood_forgets_the_oldest(void **state)
{
    static struct asked_orders asked;
    char name[32];
    int known = 0;
    (void)state;
    for (int64_t at = 0; at < 20 * ASKED_ORDERS; at++) {
        snprintf(name, sizeof name, "flood-%lld", (long long)at);
        assert_int_equal(asked_orders_note(&asked, name, INT64_MAX, at), 0);
        assert_int_equal(asked_orders_note(&asked, "steady", INT64_MAX, at), at);
    }
    for (int64_t at = 0; at < 20 * ASKED_ORDERS; at++) {
        snprintf(name, sizeof name, "flood-%lld", (long long)at);
        known += asked_orders_since(&asked, name, INT64_MAX, 20 * ASKED_ORDERS) >= 0;
    }
    assert_in_range(known, ASKED_ORDERS * 9 / 10, ASKED_ORDERS - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_time_counts),
        cmocka_unit_test(a_flood_forgets_the_oldest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
