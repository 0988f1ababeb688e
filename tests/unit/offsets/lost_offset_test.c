/* lost_offset_test: why an offset is not in its partition, line by line. */
#include "offsets/lost_offset.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void causes(void **state)
{
    enum { NO_COMMIT = -1001 };
    static const struct {
        int64_t lost, low, committed;
        enum lost_offset_cause cause;
    } rows[] = {
        {50, 0, NO_COMMIT, LOST_OFFSET_MADE_AGAIN},
        {50, 0, 50, LOST_OFFSET_BEHIND},
        {50, 0, 0, LOST_OFFSET_BEHIND},          /* a commit at the beginning is one */
        {50, 7, NO_COMMIT, LOST_OFFSET_BEHIND},  /* not a new topic's beginning */
        {50, 60, NO_COMMIT, LOST_OFFSET_PASSED}, /* read, and not committed yet */
        {50, 60, 50, LOST_OFFSET_PASSED},
        {0, 1, NO_COMMIT, LOST_OFFSET_PASSED},
        {LOST_OFFSET_NONE, 0, NO_COMMIT, LOST_OFFSET_MADE_AGAIN},
        {LOST_OFFSET_NONE, 0, 50, LOST_OFFSET_IN_PLACE},
        {LOST_OFFSET_NONE, 7, NO_COMMIT, LOST_OFFSET_IN_PLACE},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(lost_offset_cause(rows[i].lost, rows[i].low, rows[i].committed),
                         rows[i].cause);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(causes)};
    return cmocka_run_group_tests_name("lost_offset", tests, NULL, NULL);
}
