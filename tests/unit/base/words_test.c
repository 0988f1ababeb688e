/* words_test: the words of a list, whatever stands between them. */
#include "base/slice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void words_are_between_spaces_and_commas(void **state)
{
    (void)state;
    static const char *const lists[] = {"a,bc", "a bc", " ,a, ,bc, "};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        const char *rest = lists[i];
        assert_true(slice_is(words_next(&rest), "a"));
        assert_true(slice_is(words_next(&rest), "bc"));
        assert_int_equal(words_next(&rest).len, 0);
        assert_int_equal(words_next(&rest).len, 0);
    }
}

static void a_list_may_have_none(void **state)
{
    (void)state;
    static const char *const lists[] = {"", ",", " , ,"};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        const char *rest = lists[i];
        assert_int_equal(words_next(&rest).len, 0);
        assert_int_equal(*rest, '\0');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_between_spaces_and_commas),
        cmocka_unit_test(a_list_may_have_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
