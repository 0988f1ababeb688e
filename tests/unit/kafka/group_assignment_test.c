/* group_assignment_test: whose a partition is, by bytes that another client wrote. */
#include "kafka/group/group_assignment.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* As Kafka's documentation of the consumer protocol has it: version 1, topic "orders" with 0 and
 * 258, "retry" with 3, user data of two bytes. */
#define ASSIGNMENT \
    "\0\1\0\0\0\2\0\6orders\0\0\0\2\0\0\0\0\0\0\1\2\0\5retry\0\0\0\1\0\0\0\3\0\0\0\2xy"

static void take(void *context, struct slice topic, int32_t partition)
{
    char *text = context;
    size_t len = strlen(text);
    snprintf(text + len, 256 - len, "%.*s/%d ", (int)topic.len, topic.data, (int)partition);
}

static void every_partition_is_taken(void **state)
{
    char text[256] = "";
    (void)state;
    assert_true(group_assignment_read(ASSIGNMENT, sizeof ASSIGNMENT - 1, take, text));
    assert_string_equal(text, "orders/0 orders/258 retry/3 ");
}

static void a_member_may_have_nothing(void **state)
{
    char text[256] = "";
    (void)state;
    assert_true(group_assignment_read("\0\0\0\0\0\0", 6, take, text));
    assert_string_equal(text, "");
}

/* Cut anywhere, each copy in memory of its own so that a byte read behind it is seen. */
static void bytes_that_end_early_are_refused(void **state)
{
    const size_t needed = sizeof ASSIGNMENT - 1 - 6; /* user data is not read */
    (void)state;
    for (size_t size = 0; size < needed; size++) {
        char text[256] = "", *copy = test_malloc(size + 1);
        memcpy(copy + 1, ASSIGNMENT, size);
        assert_false(group_assignment_read(copy + 1, size, take, text));
        test_free(copy);
    }
    assert_false(group_assignment_read(NULL, 0, take, NULL));
}

/* A count that no bytes follow, and a negative length. */
static void lies_of_lengths_are_refused(void **state)
{
    char text[256] = "";
    (void)state;
    assert_false(group_assignment_read("\0\0\xff\xff\xff\xff\0\1t\0\0\0\0", 13, take, text));
    assert_false(group_assignment_read("\0\0\0\0\0\1\xff\xfft\0\0\0\1\0\0\0\0", 17, take, text));
    assert_string_equal(text, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_partition_is_taken),
                                       cmocka_unit_test(a_member_may_have_nothing),
                                       cmocka_unit_test(bytes_that_end_early_are_refused),
                                       cmocka_unit_test(lies_of_lengths_are_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
