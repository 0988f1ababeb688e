/* slice_test: prefixes, and the words of a list whatever stands between them. */
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

static void the_rest_stands_behind_a_prefix(void **state)
{
    (void)state;
    static const char url[] = "https://shop.example";
    assert_ptr_equal(after_prefix(url, "https://"), url + 8);
    assert_ptr_equal(after_prefix_any_case(url, "HTTPS://"), url + 8);
    assert_ptr_equal(after_prefix(url, ""), url);
    assert_ptr_equal(after_prefix(url, url), url + sizeof url - 1);
    assert_null(after_prefix(url, "HTTPS://"));
    assert_null(after_prefix_any_case(url, "http://"));
    assert_null(after_prefix("http", "http://"));
    assert_null(after_prefix_any_case(NULL, ""));
    assert_false(has_prefix(NULL, "h"));
    assert_true(has_prefix_any_case("SASL_SSL", "sasl"));
}

static void a_slice_ends_where_it_ends(void **state)
{
    (void)state;
    const struct slice text = {"${NAME}", 2}, none = {NULL, 0};
    assert_true(slice_has_prefix(text, "${"));
    assert_false(slice_has_prefix(text, "${N"));
    assert_true(slice_has_prefix_any_case((struct slice){"Html>", 4}, "hTML"));
    assert_false(slice_has_prefix_any_case((struct slice){"Html>", 4}, "html>"));
    assert_false(slice_has_prefix(none, "a"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_rest_stands_behind_a_prefix),
        cmocka_unit_test(a_slice_ends_where_it_ends),
        cmocka_unit_test(words_are_between_spaces_and_commas),
        cmocka_unit_test(a_list_may_have_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
