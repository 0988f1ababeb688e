/* time_zone_test: zones of the system's database, and names that are none. */
#include "base/time_text.h"
#include "base/time_zone.h"
#include "config/load/time_zone_load.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void unknown_zones_are_refused(void **state)
{
    (void)state;
    static const char *const names[] = {"Mars/Base",   "Europe/Pari",   "../../etc/passwd",
                                        "/etc/passwd", "Europe/Paris ", "+01:00",
                                        "Europe"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct config *config = config_new();
        struct error err = {0};
        assert_true(config_set(config, "payload.time_zone", names[i], "shop.yaml:7", &err));
        assert_false(time_zone_load(config, &err));
        assert_int_equal(err.code, ERROR_CONFIG);
        if (strstr(err.text, "shop.yaml:7: payload.time_zone") == NULL)
            fail_msg("%s", err.text);
        config_free(config);
    }
}

static int64_t instant(const struct config *config, const char *local)
{
    struct timestamp t;
    assert_true(timestamp_read(local, strlen(local), &t));
    return time_zone_instant(config->zone, t.seconds);
}

static void assert_instant(const struct config *config, const char *local, const char *utc)
{
    struct timestamp t;
    assert_true(timestamp_read(utc, strlen(utc), &t));
    int64_t got = instant(config, local);
    if (got != t.seconds)
        fail_msg("%s is %s%+lld s", local, utc, (long long)(got - t.seconds));
}

static void a_zone_of_the_system(void **state)
{
    (void)state;
    struct config *config = config_new();
    struct error err = {0};
    setenv("TZ", "Asia/Tokyo", 1);
    assert_true(time_zone_load(config, &err));
    assert_null(config->zone); /* UTC */
    assert_true(config_set(config, "payload.time_zone", "Europe/Paris", "--set", &err));
    assert_true(time_zone_load(config, &err));
    assert_instant(config, "2026-01-15T12:00:00Z", "2026-01-15T11:00:00Z");
    assert_instant(config, "2026-07-15T12:00:00Z", "2026-07-15T10:00:00Z");
    assert_instant(config, "1990-01-01T00:30:00Z", "1989-12-31T23:30:00Z");
    assert_instant(config, "2026-03-29T02:30:00Z", "2026-03-29T01:30:00Z");
    assert_instant(config, "2026-10-25T02:30:00Z", "2026-10-25T00:30:00Z");
    assert_instant(config, "2099-07-01T12:00:00Z", "2099-07-01T10:00:00Z");
    assert_string_equal(getenv("TZ"), "Asia/Tokyo");
    config_free(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unknown_zones_are_refused),
        cmocka_unit_test(a_zone_of_the_system),
    };
    return cmocka_run_group_tests_name("time_zone", tests, NULL, NULL);
}
