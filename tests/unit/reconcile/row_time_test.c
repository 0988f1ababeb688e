/* row_time: times as PostgreSQL's CSV and RFC 3339 have them. */
#include "reconcile/row_time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define AT_US INT64_C(1795338930123456) /* 2026-11-22T09:15:30.123456Z */

static const struct time_zone algiers = {1, {{0, 3600}}};

static struct row_time read_time(const char *text, const struct time_zone *zone)
{
    struct row_time time = {0, 0};
    if (!row_time_read(slice_of(text), zone, &time))
        fail_msg("%s", text);
    return time;
}

static void an_instant_is_the_same_in_every_zone(void **state)
{
    static const char *const texts[] = {
        "2026-11-22 09:15:30.123456+00", "2026-11-22 10:15:30.1234567+01",
        "2026-11-22T09:15:30.123456Z", "2026-11-22 14:45:30.123456+05:30",
        "2026-11-21 23:15:30.123456-10"};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_true(read_time(texts[i], &algiers).us == AT_US);
}

static void a_time_without_a_zone_is_the_shops(void **state)
{
    (void)state;
    assert_true(read_time("2026-11-22 10:15:30.123456", &algiers).us == AT_US);
    assert_true(read_time("2026-11-22 09:15:30.123456", NULL).us == AT_US);
}

static void digits_are_kept_as_they_are_written(void **state)
{
    (void)state;
    assert_true(read_time("2026-11-22 10:15:30.123456+01", NULL).local_us ==
                AT_US + 3600 * INT64_C(1000000));
    assert_true(read_time("2026-11-22 09:15:30.12", NULL).us == AT_US - 3456);
    assert_true(read_time("1969-12-31 23:59:59.5", NULL).us == -500000);
}

static void milliseconds_are_cut_off_downwards(void **state)
{
    const struct row_time after = {1999, 0}, before = {-1, 0};
    (void)state;
    assert_true(row_time_ms(&after) == 1);
    assert_true(row_time_ms(&before) == -1);
}

static void others_are_none(void **state)
{
    static const char *const texts[] = {"",
                                        "10:15:30",
                                        "2026-11-22",
                                        "infinity",
                                        "-infinity",
                                        "2026-13-22 09:15:30",
                                        "2026-11-22 09:15:30 BC",
                                        "2026-11-22 09:15:30+0",
                                        "2026-11-22 09:15:30.123456+00 and a lot more behind it"};
    struct row_time time;
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (row_time_read(slice_of(texts[i]), NULL, &time))
            fail_msg("%s", texts[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_instant_is_the_same_in_every_zone),
        cmocka_unit_test(a_time_without_a_zone_is_the_shops),
        cmocka_unit_test(digits_are_kept_as_they_are_written),
        cmocka_unit_test(milliseconds_are_cut_off_downwards),
        cmocka_unit_test(others_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
