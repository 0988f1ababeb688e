/* demo_shop_test: the same seed makes the same orders, and lives are as Debezium would show them.
 */
#include "demo/parts/shop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ORDERS = 300, WALL_US = 1000000, TEXT_MAX = 400 };

/* A change's identity, without its times. */
static void describe(const struct shop_change *change, char text[TEXT_MAX])
{
    const struct shop_row *row = change->has_after ? &change->after : &change->before;
    snprintf(text, TEXT_MAX, "%s %c %s %s %s %s %s %d %lld %s %d %d", row->id, change->op,
             row->number, row->name, row->phone, row->address, row->product, (int)row->quantity,
             (long long)row->total, row->status, change->confirmation, (int)change->fate);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* All changes of a shop that is looked at every step_ms, sorted; *ret_count of them. */
static char (*live(uint64_t seed, double rate, int64_t step_ms, size_t *ret_count))[TEXT_MAX]
{
    struct shop *shop = shop_new(seed, rate, ORDERS, 0);
    char(*texts)[TEXT_MAX] = malloc(ORDERS * 12 * sizeof *texts);
    struct shop_change change;
    *ret_count = 0;
    for (int64_t now = 0; shop_due_ms(shop) >= 0; now += step_ms)
        while (shop_next(shop, now, WALL_US + now * 1000, &change)) {
            assert_true(*ret_count < ORDERS * 12);
            describe(&change, texts[(*ret_count)++]);
        }
    assert_int_equal(shop_order_count(shop), ORDERS);
    shop_free(shop);
    qsort(texts, *ret_count, sizeof *texts, by_text);
    return texts;
}

static void same_seed_same_orders_at_any_pace(void **state)
{
    size_t a_count, b_count, c_count;
    char(*a)[TEXT_MAX] = live(7, 10, 25, &a_count);
    char(*b)[TEXT_MAX] = live(7, 400, 310, &b_count);
    char(*c)[TEXT_MAX] = live(8, 10, 25, &c_count);
    (void)state;
    assert_int_equal(a_count, b_count);
    for (size_t i = 0; i < a_count; i++)
        assert_string_equal(a[i], b[i]);
    assert_true(a_count != c_count || strcmp(a[0], c[0]) != 0);
    free(a);
    free(b);
    free(c);
}

struct tally {
    int kinds[SHOP_KIND_COUNT], confirmations, refused, invalid;
};

static bool is_confirmed(bool there, const struct shop_row *row)
{
    return there && strcmp(row->status, "confirmed") == 0;
}

/* Every change by its two images, as the rule decides it. */
static void check(const struct shop_change *change, struct tally *tally)
{
    bool transition = (change->op == 'c' || change->op == 'u') &&
                      is_confirmed(change->has_after, &change->after) &&
                      !is_confirmed(change->has_before, &change->before);
    assert_int_equal(transition, change->confirmation > 0);
    assert_int_equal(change->has_before, change->op == 'u' || change->op == 'd');
    assert_int_equal(change->has_after, change->op != 'd');
    if (change->has_before && change->has_after)
        assert_string_equal(change->before.id, change->after.id);
    if (transition)
        assert_true(change->after.confirmed_us > 0);
    if (transition && change->fate == SHOP_VALID)
        assert_true(change->after.quantity >= 1 && change->after.quantity <= SHOP_QUANTITY_MAX &&
                    change->after.total == change->after.quantity * change->after.unit_price);
    tally->kinds[change->kind]++;
    tally->confirmations += transition;
    tally->refused += transition && change->fate == SHOP_REFUSED;
    tally->invalid += transition && change->fate == SHOP_INVALID;
}

static void lives_have_everything_in_them(void **state)
{
    struct shop *shop = shop_new(1, 100, ORDERS, 0);
    struct shop_change change;
    struct tally tally = {0};
    (void)state;
    for (int64_t now = 0; shop_due_ms(shop) >= 0; now += 25)
        while (shop_next(shop, now, WALL_US + now * 1000, &change))
            check(&change, &tally);
    for (int kind = 0; kind < SHOP_KIND_COUNT; kind++)
        assert_true(tally.kinds[kind] > 0);
    assert_int_equal(tally.kinds[SHOP_CREATED], ORDERS);
    assert_true(tally.refused > 0 && tally.invalid > 0);
    assert_true(tally.confirmations > ORDERS / 2);
    shop_free(shop);
}

static void a_closed_shop_changes_nothing(void **state)
{
    struct shop *shop = shop_new(1, 100, 0, 0);
    struct shop_change change;
    (void)state;
    assert_true(shop_next(shop, 1000, WALL_US, &change));
    shop_close(shop);
    assert_false(shop_next(shop, 2000, WALL_US, &change));
    assert_int_equal(shop_due_ms(shop), -1);
    shop_free(shop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(same_seed_same_orders_at_any_pace),
                                       cmocka_unit_test(lives_have_everything_in_them),
                                       cmocka_unit_test(a_closed_shop_changes_nothing)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
