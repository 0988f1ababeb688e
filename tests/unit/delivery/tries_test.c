/* tries: the attempts at one order, as its outcome tells them. */
#include "delivery/tries.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static json_t *written(const struct tries *tries)
{
    struct buf b;
    buf_init(&b, 65536);
    tries_write(tries, &b);
    json_t *list = json_loads(buf_text(&b), JSON_REJECT_DUPLICATES, NULL);
    buf_done(&b);
    return list;
}

static void none_is_nothing(void **state)
{
    struct buf b;
    (void)state;
    buf_init(&b, 100);
    tries_write(NULL, &b);
    assert_int_equal(b.len, 0);
    buf_done(&b);
}

static void each_is_told(void **state)
{
    struct tries *tries = NULL;
    (void)state;
    tries_note(&tries, &(struct attempt_note){1000, 30, 503, "http:503"});
    tries_note(&tries, &(struct attempt_note){2000, 15000, 0, "timeout"});
    tries_note(&tries, &(struct attempt_note){9000, 12, 200, ""});
    json_t *list = written(tries);
    json_t *wanted =
        json_loads("[{\"at_ms\":1000,\"took_ms\":30,\"status\":503,\"reason\":\"http:503\"},"
                   "{\"at_ms\":2000,\"took_ms\":15000,\"status\":null,\"reason\":\"timeout\"},"
                   "{\"at_ms\":9000,\"took_ms\":12,\"status\":200,\"reason\":\"\"}]",
                   0, NULL);
    assert_true(json_equal(list, wanted));
    json_decref(list);
    json_decref(wanted);
    free(tries);
}

/* Of many the first and the newest. */
static void the_first_and_the_newest_stay(void **state)
{
    enum { MANY = 40 };
    struct tries *tries = NULL;
    (void)state;
    for (int i = 0; i < MANY; i++)
        tries_note(&tries, &(struct attempt_note){.at_ms = i, .status = 500});
    json_t *list = written(tries);
    assert_int_equal(json_array_size(list), TRIES_MAX);
    assert_int_equal(tries->room, TRIES_MAX);
    for (size_t i = 0; i < TRIES_MAX; i++)
        assert_int_equal(json_integer_value(json_object_get(json_array_get(list, i), "at_ms")),
                         i == 0 ? 0 : MANY - TRIES_MAX + i);
    json_decref(list);
    free(tries);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(none_is_nothing),
        cmocka_unit_test(each_is_told),
        cmocka_unit_test(the_first_and_the_newest_stay),
    };
    return cmocka_run_group_tests_name("tries", tests, NULL, NULL);
}
