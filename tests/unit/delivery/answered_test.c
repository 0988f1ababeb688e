#include "delivery/answered.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static const struct hash_key key = {{1, 2}};

static bool has(struct answered *a, const char *id, int32_t partition, int64_t offset, int64_t ms)
{
    const struct answered_record record = {id, partition, offset, ms};
    return answered_has(a, &record);
}

static void note(struct answered *a, const char *id, int32_t partition, int64_t offset, int64_t ms)
{
    const struct answered_record record = {id, partition, offset, ms};
    answered_note(a, &record);
}

static void knows_the_very_record(void **state)
{
    struct answered *a = answered_new(8, &key);
    (void)state;
    note(a, "msg_1", 2, 3, 4);
    assert_true(has(a, "msg_1", 2, 3, 4));
    assert_false(has(a, "msg_2", 2, 3, 4));
    assert_false(has(a, "msg_1", 1, 3, 4));
    assert_false(has(a, "msg_1", 2, 4, 4));
    assert_false(has(a, "msg_1", 2, 3, 5));
    answered_forget(a);
    assert_false(has(a, "msg_1", 2, 3, 4));
    answered_free(a);
}

static void the_newest_are_known_the_oldest_are_not(void **state)
{
    enum { CAPACITY = 100, NOTED = 1000 };
    struct answered *a = answered_new(CAPACITY, &key);
    size_t known = 0;
    (void)state;
    for (int i = 0; i < NOTED; i++) {
        note(a, "msg_x", 0, i, 0);
        note(a, "msg_x", 0, i, 0); /* twice is once */
    }
    for (int i = 0; i < NOTED; i++)
        known += has(a, "msg_x", 0, i, 0);
    for (int i = NOTED - CAPACITY; i < NOTED; i++)
        assert_true(has(a, "msg_x", 0, i, 0));
    assert_true(known <= 2 * CAPACITY);
    answered_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_the_very_record),
        cmocka_unit_test(the_newest_are_known_the_oldest_are_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
