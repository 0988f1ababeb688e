/* group_view_test: whose members are in the group. */
#include "kafka/group/group_view.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct group_member ours = {"elementor-sync", "/10.0.0.1", "", true, NULL};
static const struct group_member fixed = {"elementor-sync", "/10.0.0.2", "shop-1", true, NULL};
static const struct group_member other_shop = {"elementor-sync", "10.0.0.3", "", false,
                                               "b.public.orders"};
static const struct group_member foreign = {"rdkafka", "/10.0.0.9", "", true, NULL};

static void expect(const struct group_member *members, size_t count, enum group_view view,
                   const char *text)
{
    char found[GROUP_VIEW_TEXT];
    assert_int_equal(group_view_of(members, count, "elementor-sync", found), view);
    assert_string_equal(found, text);
}

static void each_kind(void **state)
{
    const struct group_member all[] = {ours, fixed, other_shop, foreign};
    (void)state;
    expect(NULL, 0, GROUP_IS_EMPTY, "");
    expect(all, 2, GROUP_IS_OURS,
           "elementor-sync (10.0.0.1), elementor-sync (10.0.0.2, instance shop-1)");
    expect(all, 3, GROUP_IS_MIXED, "elementor-sync (10.0.0.3, reads b.public.orders)");
    expect(all, 4, GROUP_IS_FOREIGN, "rdkafka (10.0.0.9)");
}

/* A long list is cut, and the bound holds. */
static void many(void **state)
{
    struct group_member all[9];
    char found[GROUP_VIEW_TEXT], name[300];
    (void)state;
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    for (size_t i = 0; i < 9; i++)
        all[i] = (struct group_member){name, name, name, true, name};
    assert_int_equal(group_view_of(all, 9, "elementor-sync", found), GROUP_IS_FOREIGN);
    assert_true(strlen(found) < GROUP_VIEW_TEXT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_kind), cmocka_unit_test(many)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
