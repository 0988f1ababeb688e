/* retry_after_test: every form of Retry-After, and what only looks like one. */
#include "http/headers/retry_after.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

/* 1994-11-06T08:49:37Z, the date of RFC 9110's examples */
enum { THEN_S = 784111777, CAP_MS = 900000 };

static const struct {
    const char *value;
    int64_t now_s, expected_ms;
} values[] = {
    /* seconds */
    {"0", THEN_S, 0},
    {"1", THEN_S, 1000},
    {"120", THEN_S, 120000},
    {"  120\t ", THEN_S, 120000},
    {"0000120", THEN_S, 120000},
    {"900", THEN_S, CAP_MS},
    {"901", THEN_S, CAP_MS},
    {"999999999999999999999999999999", THEN_S, CAP_MS},
    /* what receivers send besides */
    {"3.0", THEN_S, 3000},
    {"2.493", THEN_S, 3000},
    {"0.02", THEN_S, 1000},
    {"1.5", THEN_S, 2000},
    {"899.01", THEN_S, CAP_MS},
    {"3, 3", THEN_S, 3000},
    {"120, 240", THEN_S, 240000},
    {"240,120", THEN_S, 240000},
    {"\"3\"", THEN_S, 3000},
    {"30s", THEN_S, 30000},
    {"120 seconds", THEN_S, 120000},
    {"1 Minute", THEN_S, 60000},
    {"1m30s", THEN_S, 90000},
    {"250ms", THEN_S, 1000},
    {"1s1ms", THEN_S, 2000},
    {"6m0s", THEN_S, 360000},
    {"1 hour", THEN_S, CAP_MS},
    {"784111781", THEN_S, CAP_MS}, /* not a time yet: before 2001 */
    {"1795564804", 1795564800, 4000},
    {"1795564803.5", 1795564800, 4000},
    {"1795564804000", 1795564800, 4000},
    {"1795564803500", 1795564800, 4000},
    {"1795564804000000", 1795564800, 4000},
    {"1795564799", 1795564800, 0},
    {"1795568400", 1795564800, CAP_MS},
    {"999999999999", 1795564800, CAP_MS},
    {"9223372036854775807", 1795564800, CAP_MS},
    {"2026-11-25T00:00:30Z", 1795564800, 30000},
    {"2026-11-25t00:00:30z", 1795564800, 30000},
    {"2026-11-25 00:00:30 UTC", 1795564800, 30000},
    {"2026-11-25T00:00:30.123Z", 1795564800, 30000},
    {"2026-11-25T01:00:30+01:00", 1795564800, 30000},
    {"2026-11-24T19:00:30-0500", 1795564800, 30000},
    {"1994-11-06T08:49:37Z", THEN_S, 0},
    {"Wed, 25 Nov 2026 00:00:30 UTC", 1795564800, 30000},
    {"Wed, 25 Nov 2026 00:00:30 gmt", 1795564800, 30000},
    {"Wed, 25 Nov 2026 00:00:30 Z", 1795564800, 30000},
    {"Wed, 25 Nov 2026 00:00:30 +0000", 1795564800, 30000},
    {"Wed, 25 Nov 2026 01:00:30 +0100", 1795564800, 30000},
    {"Wed, 25 Nov 2026 00:00:30 GMT, Wed, 25 Nov 2026 00:00:40 GMT", 1795564800, 40000},
    {"5, Wed, 25 Nov 2026 00:00:40 GMT", 1795564800, 40000},
    {"Wednesday, 25-Nov-26 00:00:30 UTC", 1795564800, 30000},
    /* dates: the three forms, as the RFC has them */
    {"Sun, 06 Nov 1994 08:49:37 GMT", THEN_S - 10, 10000},
    {"Sunday, 06-Nov-94 08:49:37 GMT", THEN_S - 10, 10000},
    {"Sun Nov  6 08:49:37 1994", THEN_S - 10, 10000},
    {"Wed, 25 Nov 2026 00:00:30 GMT", 1795564800, 30000},
    {"Wednesday, 25-Nov-26 00:00:30 GMT", 1795564800, 30000},
    {"Wed Nov 25 00:00:30 2026", 1795564800, 30000},
    /* leap days, year ends, leap seconds */
    {"Thu, 29 Feb 2024 23:59:59 GMT", 1709251198, 1000},
    {"Fri, 01 Mar 2024 00:00:00 GMT", 1709251198, 2000},
    {"Fri, 01 Jan 2027 00:00:00 GMT", 1798761599, 1000},
    {"Sat, 31 Dec 2016 23:59:60 GMT", 1483228799, 1000},
    /* two digits: 2094 as of 2050, 1994 as of 1994 */
    {"Sunday, 06-Nov-94 08:49:37 GMT", 2556144000, CAP_MS},
    /* past, and far ahead */
    {"Sun, 06 Nov 1994 08:49:37 GMT", THEN_S, 0},
    {"Sun, 06 Nov 1994 08:49:37 GMT", THEN_S + 1, 0},
    {"Thu, 01 Jan 1970 00:00:00 GMT", THEN_S, 0},
    {"Fri, 31 Dec 9999 23:59:59 GMT", THEN_S, CAP_MS},
    /* neither */
    {"", THEN_S, -1},
    {" ", THEN_S, -1},
    {"-1", THEN_S, -1},
    {"-120", THEN_S, -1},
    {"+120", THEN_S, -1},
    {"1e3", THEN_S, -1},
    {"0x10", THEN_S, -1},
    {"soon", THEN_S, -1},
    {"NaN", THEN_S, -1},
    {"Sun, 06 Nov 1994 08:49:37", THEN_S, -1},
    {"Sun, 06 Nov 1994 08:49:37 CET", THEN_S, -1},
    {"Sun, 06 Nov 1994 08:49:37 GMT+1", THEN_S, -1},
    {"Sun, 06 Foo 1994 08:49:37 GMT", THEN_S, -1},
    {"Sun, 00 Nov 1994 08:49:37 GMT", THEN_S, -1},
    {"Sun, 31 Nov 1994 08:49:37 GMT", THEN_S, -1},
    {"Sun, -6 Nov 1994 08:49:37 GMT", THEN_S, -1},
    {"Sun, 06 Nov 1994 24:49:37 GMT", THEN_S, -1},
    {"Sun, 06 Nov 1994 08:60:37 GMT", THEN_S, -1},
    {"Sun, 06 Nov 1994 08:-9:37 GMT", THEN_S, -1},
    {"Sun, 06 Nov 0000 08:49:37 GMT", THEN_S, -1},
    {"2026-11-25T00:00:30", 1795564800, -1},
    {"2026-11-25", 1795564800, -1},
    {"2026-13-25T00:00:30Z", 1795564800, -1},
    {"2026-11-25T00:00:30+25:00", 1795564800, -1},
    {"2026-11-25T00:00:30+1:00", 1795564800, -1},
    {"26-11-25T00:00:30Z", 1795564800, -1},
    {"3,", THEN_S, -1},
    {",3", THEN_S, -1},
    {"3, soon", THEN_S, -1},
    {"3 parsecs", THEN_S, -1},
    {"s", THEN_S, -1},
    {"3..0", THEN_S, -1},
    {".5", THEN_S, -1},
    {"\"\"", THEN_S, -1},
    {"Sun, 06 Nov 1994 08:49:37 GMT and then some more text than fits", THEN_S, -1},
};

static void each_value(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        int64_t got = retry_after_ms(values[i].value, values[i].now_s, CAP_MS);
        if (got != values[i].expected_ms)
            fail_msg("\"%s\": %lld instead of %lld", values[i].value, (long long)got,
                     (long long)values[i].expected_ms);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_value)};
    return cmocka_run_group_tests_name("retry_after", tests, NULL, NULL);
}
