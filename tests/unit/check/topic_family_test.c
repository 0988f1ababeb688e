/* topic_family_test: the partitions of one table, by the names of their topics. */
#include "check/topic_family.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void roots(void **state)
{
    static const struct {
        const char *topic, *root;
    } cases[] = {
        {"shop.public.orders", "shop.public.orders"},
        {"shop.public.orders_2025", "shop.public.orders"},
        {"shop.public.orders_2025_01", "shop.public.orders"},
        {"shop.public.orders_p1", "shop.public.orders"},
        {"shop.public.orders_p20260101", "shop.public.orders"},
        {"shop.public.orders_part_3", "shop.public.orders_part"},
        {"shop.public.orders_part", "shop.public.orders_part"},
        {"shop.public.orders_y2026m02", "shop.public.orders"},
        {"shop.public.orders_2026q1", "shop.public.orders"},
        {"shop.public.orders-12", "shop.public.orders"},
        {"shop.public.orders_default", "shop.public.orders"},
        {"shop.public.orders_eu", "shop.public.orders"},
        {"shop.public.order_items", "shop.public.order_items"},
        {"shop.public.orders_audit", "shop.public.orders_audit"},
        {"shop.public.orders_v2", "shop.public.orders_v2"},
        {"shop.public.2025", "shop.public.2025"},
        {"shop.public._2025", "shop.public._2025"},
        {"orders_1", "orders"},
        {"_1", "_1"},
        {"1", "1"},
        {"", ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (topic_family_root(cases[i].topic) != strlen(cases[i].root))
            fail_msg("%s: %d", cases[i].topic, (int)topic_family_root(cases[i].topic));
}

static void families(void **state)
{
    (void)state;
    assert_true(topic_family_same("s.public.orders_2025", "s.public.orders_2026"));
    assert_true(topic_family_same("s.public.orders", "s.public.orders_p1"));
    assert_true(topic_family_same("s.public.orders_p1", "s.public.orders"));
    assert_false(topic_family_same("s.public.orders_p1", "s.public.orders_p1"));
    assert_true(topic_family_same("s.public.orders", "s.public.orders_part_3"));
    assert_true(topic_family_same("s.public.orders_part", "s.public.orders_part_2026"));
    assert_true(topic_family_same("s.public.orders_part_2026", "s.public.orders_part_2025"));
    assert_false(topic_family_same("s.public.orders_part_2026", "s.public.orders"));
    assert_false(topic_family_same("s.public.orders_part", "s.public.orders"));
    assert_false(topic_family_same("s.public.orders", "s.public.order_items"));
    assert_false(topic_family_same("s.public.orders_2025", "s.public.offers_2025"));
    assert_false(topic_family_same("s.public.orders_2025", "t.public.orders_2025"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(roots), cmocka_unit_test(families)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
