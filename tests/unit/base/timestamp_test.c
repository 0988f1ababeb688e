/* timestamp_test: counts since the epoch as RFC 3339, and the form of such text. */
#include "base/time_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define YEAR_1 INT64_C(-62135596800) /* seconds */
#define YEAR_10000 INT64_C(253402300800)
#define MS INT64_C(1000)
#define US INT64_C(1000000)

static bool reads(const char *text, size_t len)
{
    struct timestamp t;
    return timestamp_read(text, len, &t);
}

static const struct {
    int64_t value;
    unsigned digits;
    const char *expected; /* NULL: refused */
} times[] = {
    {0, 3, "1970-01-01T00:00:00.000Z"},
    {0, 6, "1970-01-01T00:00:00.000000Z"},
    {0, 9, "1970-01-01T00:00:00.000000000Z"},
    {1, 3, "1970-01-01T00:00:00.001Z"},
    {1, 6, "1970-01-01T00:00:00.000001Z"},
    {1, 9, "1970-01-01T00:00:00.000000001Z"},
    {7, 1, "1970-01-01T00:00:00.7Z"},
    {1795338930123, 3, "2026-11-22T09:15:30.123Z"},
    {1795338930123456, 6, "2026-11-22T09:15:30.123456Z"},
    {1795338930123456789, 9, "2026-11-22T09:15:30.123456789Z"},
    /* before the epoch, fractions still count forwards */
    {-1, 3, "1969-12-31T23:59:59.999Z"},
    {-999, 3, "1969-12-31T23:59:59.001Z"},
    {-1000, 3, "1969-12-31T23:59:59.000Z"},
    {-1001, 3, "1969-12-31T23:59:58.999Z"},
    {-1, 6, "1969-12-31T23:59:59.999999Z"},
    {-1, 9, "1969-12-31T23:59:59.999999999Z"},
    {-86400 * MS, 3, "1969-12-31T00:00:00.000Z"},
    {-86400 * MS - 1, 3, "1969-12-30T23:59:59.999Z"},
    /* leap years: every 4th, not every 100th, every 400th */
    {951782400 * MS, 3, "2000-02-29T00:00:00.000Z"},
    {951868800 * MS, 3, "2000-03-01T00:00:00.000Z"},
    {1709164800 * MS, 3, "2024-02-29T00:00:00.000Z"},
    {1677628799 * MS, 3, "2023-02-28T23:59:59.000Z"},
    {1677628800 * MS, 3, "2023-03-01T00:00:00.000Z"},
    {-2203891200 * MS, 3, "1900-03-01T00:00:00.000Z"},
    {-2203891201 * MS, 3, "1900-02-28T23:59:59.000Z"},
    {4107542400 * MS, 3, "2100-03-01T00:00:00.000Z"},
    {1735689599 * MS, 3, "2024-12-31T23:59:59.000Z"},
    {1735689600 * MS, 3, "2025-01-01T00:00:00.000Z"},
    /* years 1 to 9999 */
    {YEAR_1 * MS, 3, "0001-01-01T00:00:00.000Z"},
    {YEAR_1 * MS - 1, 3, NULL},
    {YEAR_1 * US, 6, "0001-01-01T00:00:00.000000Z"},
    {YEAR_1 * US - 1, 6, NULL},
    {YEAR_10000 * MS - 1, 3, "9999-12-31T23:59:59.999Z"},
    {YEAR_10000 * MS, 3, NULL},
    {YEAR_10000 * US - 1, 6, "9999-12-31T23:59:59.999999Z"},
    {YEAR_10000 * US, 6, NULL},
    /* what 64 bits can hold; Debezium writes infinity as the last of these */
    {INT64_MAX, 3, NULL},
    {INT64_MIN, 3, NULL},
    {INT64_MAX, 6, NULL},
    {INT64_MIN, 6, NULL},
    {INT64_MAX, 9, "2262-04-11T23:47:16.854775807Z"},
    {INT64_MIN, 9, "1677-09-21T00:12:43.145224192Z"},
    {9223372036825200000, 6, NULL},
};

static void counts_become_text(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        struct buf b;
        buf_init(&b, 64);
        bool ok = timestamp_add(&b, times[i].value, times[i].digits);
        if (ok != (times[i].expected != NULL))
            fail_msg("%lld: %s", (long long)times[i].value, ok ? buf_text(&b) : "refused");
        assert_string_equal(buf_text(&b), ok ? times[i].expected : "");
        assert_int_equal(reads(b.data, b.len), ok);
        buf_done(&b);
    }
}

static void is_rfc3339(void **state)
{
    (void)state;
    static const char *const good[] = {
        "2026-11-22T09:15:30Z",
        "2026-11-22T09:15:30.1Z",
        "2026-11-22T09:15:30.123456789012345678901234567890Z",
        "2026-11-22T09:15:30+02:00",
        "2026-11-22T09:15:30-11:30",
        "2026-11-22T09:15:30.123456+00:00",
        "2024-02-29T00:00:00Z",
        "2000-02-29T23:59:60Z", /* a leap second */
        "0001-01-01T00:00:00Z",
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        if (!reads(good[i], strlen(good[i])))
            fail_msg("\"%s\" is refused", good[i]);
}

static void is_not_rfc3339(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "Z",
        "2026-11-22",
        "2026-11-22T09:15:30",
        "2026-11-22T09:15:30.",
        "2026-11-22T09:15:30.Z",
        "2026-11-22T09:15:30.123",
        "2026-11-22T09:15:30,123Z",
        "2026-11-22 09:15:30Z",
        "2026-11-22t09:15:30Z",
        "2026-11-22T09:15:30z",
        "2026-11-22T09:15Z",
        "2026-11-22T9:15:30Z",
        "26-11-22T09:15:30Z",
        "02026-11-22T09:15:30Z",
        "+2026-11-22T09:15:30Z",
        "2026/11/22T09:15:30Z",
        "2026-11-22T09.15.30Z",
        "2026-11-22T09:15:3xZ",
        "2026-11-22T09:15:30.1x3Z",
        "2026-11-22T09:15:30 Z",
        "2026-11-22T09:15:30+0200",
        "2026-11-22T09:15:30+02",
        "2026-11-22T09:15:30+02:0",
        "2026-11-22T09:15:30+02:000",
        "2026-11-22T09:15:30*02:00",
        "2026-11-22T09:15:30Z+02:00",
        "2026-11-22T09:15:30ZZ",
        "2026-11-22T09:15:30Z\n",
        " 2026-11-22T09:15:30Z",
        "٢٠٢٦-11-22T09:15:30Z",
        "0000-01-01T00:00:00Z",
        "0000-99-99T99:99:99Z",
        "2026-13-45T99:99:99Z",
        "2026-00-10T00:00:00Z",
        "2026-02-29T00:00:00Z",
        "2100-02-29T00:00:00Z",
        "2026-04-31T00:00:00Z",
        "2026-04-00T00:00:00Z",
        "2026-04-10T24:00:00Z",
        "2026-04-10T23:60:00Z",
        "2026-04-10T23:59:61Z",
        "2026-04-10T23:59:59+24:00",
        "2026-04-10T23:59:59+01:60",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (reads(bad[i], strlen(bad[i])))
            fail_msg("\"%s\" is accepted", bad[i]);
    assert_false(reads("2026-11-22T09:15:30Z\0", 21));
}

/* Every text cut short is refused, and nothing behind its end is looked at. */
static void no_prefix_is_rfc3339(void **state)
{
    (void)state;
    static const char text[] = "2026-11-22T09:15:30.123+02:00";
    for (size_t len = 0; len < sizeof text - 1; len++)
        assert_false(reads(text, len));
    assert_true(reads(text, sizeof text - 1));
}

static void read_and_written_again(void **state)
{
    (void)state;
    static const struct {
        const char *text, *utc;
        int64_t ms;
    } cases[] = {
        {"2026-11-22T09:15:30Z", "2026-11-22T09:15:30Z", 1795338930000},
        {"2026-11-22T09:15:30.000120+01:00", "2026-11-22T08:15:30.000120Z", 1795335330000},
        {"2026-11-22T09:15:30.1239999-00:00", "2026-11-22T09:15:30.1239999Z", 1795338930123},
        {"2026-12-31T23:30:00.5-02:30", "2027-01-01T02:00:00.5Z", 1798768800500},
        {"1969-12-31T23:59:59.9Z", "1969-12-31T23:59:59.9Z", -100},
        {"2000-02-29T12:00:00Z", "2000-02-29T12:00:00Z", 951825600000},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct timestamp t;
        struct buf b;
        buf_init(&b, 64);
        assert_true(timestamp_read(cases[i].text, strlen(cases[i].text), &t));
        assert_true(timestamp_add_text(&b, t.seconds, t.fraction, t.fraction_len));
        assert_string_equal(buf_text(&b), cases[i].utc);
        buf_done(&b);
        int64_t ms;
        assert_true(timestamp_read_ms(cases[i].text, strlen(cases[i].text), &ms));
        assert_int_equal(ms, cases[i].ms);
    }
}

static void durations_have_two_units(void **state)
{
    (void)state;
    static const struct {
        int64_t ms;
        const char *text, *rough;
    } cases[] = {
        {-1, "0 s", "0 s"},
        {59999, "59 s", "59 s"},
        {60000, "1 min 0 s", "1 min"},
        {3599999, "59 min 59 s", "59 min"},
        {3900000, "1 h 5 min", "1 h 5 min"},
        {86399999, "23 h 59 min", "23 h 59 min"},
        {183600000, "2 d 3 h", "2 d 3 h"},
        {INT64_MAX, "106751991167 d 7 h", "106751991167 d 7 h"},
    };
    char text[DURATION_TEXT];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_string_equal(duration_text(cases[i].ms, false, text), cases[i].text);
        assert_string_equal(duration_text(cases[i].ms, true, text), cases[i].rough);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(read_and_written_again),
        cmocka_unit_test(counts_become_text),
        cmocka_unit_test(is_rfc3339),
        cmocka_unit_test(is_not_rfc3339),
        cmocka_unit_test(no_prefix_is_rfc3339),
        cmocka_unit_test(durations_have_two_units),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
