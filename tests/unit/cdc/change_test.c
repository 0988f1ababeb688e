/* change_test: a connector's own placeholder counts as Debezium's, in whatever column it stands. */
#include "cdc/change.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const char placeholder[] = "__gone__";
enum { LEN = sizeof placeholder - 1 };

static void fill(struct change *change, enum column_kind kind, const char *data, size_t len)
{
    const struct column column = {.kind = kind, .data = data, .len = len};
    change->extra_count = 2;
    change->status = change->before_status = change->owner = column;
    change->extra[0] = change->extra[1] = column;
    for (size_t f = 0; f < FIELD_COUNT; f++)
        change->field[f] = column;
}

static size_t unavailable(const struct change *change)
{
    size_t count = 0;
    count += column_is_unavailable(&change->status);
    count += column_is_unavailable(&change->before_status);
    count += column_is_unavailable(&change->owner);
    for (size_t i = 0; i < change->extra_count; i++)
        count += column_is_unavailable(&change->extra[i]);
    for (size_t f = 0; f < FIELD_COUNT; f++)
        count += column_is_unavailable(&change->field[f]);
    return count;
}

/* A numeric that was TOASTed holds the placeholder's bytes as its digits. */
static void it_is_found_in_every_column(void **state)
{
    static const enum column_kind kinds[] = {COLUMN_TEXT, COLUMN_DECIMAL};
    (void)state;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        struct change change = {.has_row = true};
        fill(&change, kinds[i], placeholder, LEN);
        assert_int_equal(unavailable(&change), 0);
        change_mark_unavailable(&change, placeholder, LEN);
        assert_int_equal(unavailable(&change), FIELD_COUNT + 5);
    }
}

static void other_values_stay(void **state)
{
    static const char longer[] = "__gone__ ";
    (void)state;
    struct change change = {.has_row = true};
    fill(&change, COLUMN_TEXT, longer, sizeof longer - 1);
    change_mark_unavailable(&change, placeholder, LEN);
    assert_int_equal(unavailable(&change), 0);
    fill(&change, COLUMN_NULL, NULL, 0);
    change_mark_unavailable(&change, placeholder, LEN);
    assert_int_equal(unavailable(&change), 0);
    assert_int_equal(change.owner.kind, COLUMN_NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(it_is_found_in_every_column),
                                       cmocka_unit_test(other_values_stay)};
    return cmocka_run_group_tests_name("change", tests, NULL, NULL);
}
