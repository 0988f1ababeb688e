/* commit_pace_test: the time between two commits, line by line. */
#include "offsets/commit_pace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void waits_as_long_as_it_may(void **state)
{
    static const struct {
        int64_t interval_ms;
        size_t max, uncovered;
        bool only_passed;
        int64_t pace_ms;
    } rows[] = {
        {20, 1000, 0, false, 20},        /* nothing under way */
        {20, 1000, 500, false, 20},      /* half of what may be */
        {20, 1000, 501, false, 5},       /* more than half: deliveries would come to wait */
        {20, 1000, 1000, false, 5},      /* they do wait */
        {20, 1000, 0, true, 100},        /* nothing would be sent again */
        {20, 1000, 1000, true, 100},     /* nor would this commit make room */
        {20, 1, 0, false, 20},           /* one at a time */
        {20, 1, 1, false, 5},            /* and the next one waits */
        {0, 1000, 0, false, 0},          /* as soon as the last one is answered */
        {0, 1000, 1000, true, 0},        /* */
        {60000, 1000, 900, false, 15000} /* the longest */
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct commit_pace pace = {rows[i].interval_ms, rows[i].max};
        assert_int_equal(commit_pace_ms(&pace, rows[i].uncovered, rows[i].only_passed),
                         rows[i].pace_ms);
    }
}

/* A heartbeat is under way each time the commit is looked at. */
static void heartbeats_keep_a_commit_back_for_a_while(void **state)
{
    enum { DUE = 10000, WAIT = 50 };
    (void)state;
    const struct {
        int64_t due_ms, wanted_ms, wait_ms, now_ms, at_ms;
    } rows[] = {
        {DUE, DUE, 0, DUE, DUE},
        {DUE, DUE, WAIT, DUE, DUE + WAIT},
        {DUE, DUE - 1000, WAIT, DUE - 1000, DUE},               /* it is not due yet */
        {DUE, DUE, WAIT, DUE + 1000, DUE + 1000 + WAIT},        /* */
        {DUE, DUE, WAIT, DUE + 1500, DUE + 1500},               /* kept back for long enough */
        {DUE, DUE + 9000, WAIT, DUE + 9000, DUE + 9000 + WAIT}, /* the first after a quiet hour */
        {DUE, DUE, -1, DUE + 1500, -1},                         /* it joins */
        {-1, DUE, 0, DUE, -1},                                  /* nothing to commit */
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(
            commit_pace_at_ms(rows[i].due_ms, rows[i].wanted_ms, rows[i].wait_ms, rows[i].now_ms),
            rows[i].at_ms);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(waits_as_long_as_it_may),
                                       cmocka_unit_test(heartbeats_keep_a_commit_back_for_a_while)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
